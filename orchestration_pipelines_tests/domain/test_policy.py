"""A policy that cannot be meant is refused as a whole, each slip by its place; point 6 of the issue."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestration_pipelines.domain.policy import Ground, Policy, problems
from orchestration_pipelines.domain.quality import Stratum
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.policy_reading import read_policy

SOUND = """
calendars:
  office: {zone: Europe/Berlin, hours: {mon-fri: [09:00-12:00, 13:00-17:00]}, holidays: {2026-12-25: Christmas}}
skills: [fraud, tax]
regions: [north]
weights: {1: PT1H, 2: PT4H, 3: PT8H, 4: PT8H, 5: PT8H, 6: PT8H, 7: PT8H, 8: P1D, 9: P2D}
queues:
  reviews: {title: Reviews, strategy: round_robin, wip_limit: 3, fallback: seniors, escalates_to: seniors}
  seniors: {stuck_after: P1D, excludes: [decided_before]}
steps:
  review:
    wip_limit: 10
    sla:
      calendar: office
      budget: PT16H
      ladder: [{after: PT8H, act: remind}, {after: PT12H, act: reassign}, {after: PT20H, act: escalate}]
case:
  sla: {calendar: office, budget: PT80H, pauses: [ask], ladder: [{after: PT40H, act: remind}]}
quality: {seed: s, queue: seniors, question: Right, default: {rate: 0.1, limit: 0.05}, cells:
    {r1: {rate: 1, limit: 0.02}}}
"""
GROUND = Ground(
    roles={"reviews": "reviewer", "seniors": "senior", "requesters": "requester"},
    user_steps={"review": ("reviews",), "ask": ("requesters",)},
    skills_asked={"fraud": "review"},
    skills_held={"tax": "ann"},
    calendars_used=frozenset({"office"}),
)


def told(document: str) -> str:
    """Everything that is said against a document."""
    try:
        return "; ".join(problems(read_policy(document.encode()), GROUND))
    except BadDocument as error:
        return str(error)


def test_a_sound_policy_is_read_as_it_is_written() -> None:
    """Durations, hours, ladders and weights mean what they say."""
    assert told(SOUND) == ""
    policy = read_policy(SOUND.encode())
    assert policy.promises["review"].budget == timedelta(hours=16)
    assert len(policy.calendars["office"].hours) == 10
    assert policy.quality is not None
    assert (policy.quality.of("r1"), policy.quality.of("r2")) == (Stratum(1.0, 0.02), Stratum(0.1, 0.05))
    assert (policy.weight(9), Policy().weight(9)) == (timedelta(days=2), timedelta(hours=9))


@pytest.mark.parametrize(
    ("here", "instead", "said"),
    [
        ("skills: [fraud, tax]", "skills: [tax]", "skills: review asks for the skill 'fraud'"),
        ("skills: [fraud, tax]", "skills: [fraud]", "skills: ann has the skill 'tax': keep it"),
        ("skills: [fraud, tax]", "skills: [fraud, tax, tax]", "skills: 'tax' is there twice"),
        ("  seniors: {stuck", "  seniers: {stuck", "queues.seniers: there is no such queue"),
        ("escalates_to: seniors", "escalates_to: boss", "queues.reviews.escalates_to: there is no queue 'boss'"),
        ("fallback: seniors", "fallback: requesters", "requesters asks whoever submitted the case"),
        (
            "{stuck_after: P1D",
            "{fallback: reviews, stuck_after: P1D",
            "reviews → seniors → reviews goes round in a circle",
        ),
        ("hours: {mon-fri: [09:00-12:00, 13:00-17:00]}", "hours: {}", "calendars.office: it is never open"),
        ("13:00-17:00", "11:00-17:00", "overlap"),
        ("Europe/Berlin", "Europe/Berlim", "there is no time zone 'Europe/Berlim'"),
        ("  office:", "  bureau:", "clocks are running by the calendar 'office'"),
        ("budget: PT16H", "budget: -PT16H", "steps.review.sla.budget: '-PT16H' is negative"),
        ("budget: PT16H", "budget: PT0S", "steps.review.sla.budget: it must be more than nothing"),
        ("budget: PT16H", "budget: P2D", "a business day has no fixed length"),
        ("after: PT12H", "after: PT8H", "ladder, rung 2: it comes before the one below it"),
        ("act: reassign", "act: escalate}, {after: PT13H, act: remind", "ladder, rung 3: remind after escalate"),
        ("escalates_to: seniors", "title: R", "is said twice"),
        (", escalates_to: seniors", "", "it escalates, and none of reviews says escalates_to"),
        ("{after: PT40H, act: remind}", "{after: PT40H, act: reassign}", "a case is in nobody's hands"),
        ("pauses: [ask]", "pauses: [asks]", "case.sla.pauses: 'asks' is no user task"),
        ("2: PT4H", "2: PT4H, 10: P9D", "weights.10: priorities go from 0 to 9"),
        ("2: PT4H", "2: PT30M", "weights.2: it weighs less than 1"),
        ("wip_limit: 3", "wip_limit: -3", "queues.reviews.wip_limit is '-3'"),
        ("strategy: round_robin", "strategy: roulette", "write one of pull, round_robin, least_load, best_skill"),
        ("  review:\n    wip", "  revue:\n    wip", "steps.revue: there is no such user task"),
        ("regions: [north]", "regoins: [north]", "unknown setting 'regoins'"),
        ("queue: seniors, question", "queue: nobody, question", "quality.queue: there is no queue 'nobody'"),
        ("queue: seniors, question", "queue: requesters, question", "quality.queue: requesters asks whoever submitted"),
        ("seed: s,", "", "quality.seed: without one nobody can draw"),
        ("question: Right,", "", "quality.question: a reviewer must be asked something"),
        ("rate: 0.1", "rate: 0", "quality.default.rate: 0.0 is no part"),
        ("{rate: 1, limit: 0.02}", "{rate: 1, limit: 1}", "quality.cells.r1.limit: 1.0 is no limit"),
        ("{rate: 1, limit: 0.02}", "{rate: often, limit: 0.1}", "quality.cells.r1.rate is 'often': write a number"),
        ("default: {rate: 0.1, limit: 0.05}, ", "", "quality.default.rate is 'None': write a number"),
        ("{seed: s,", "{seed: s, confidence: 95,", "quality.confidence: 95.0 is none"),
    ],
)
def test_a_slip_is_told_by_its_place(here: str, instead: str, said: str) -> None:
    """One change makes the document wrong, and the message names it."""
    assert here in SOUND
    assert said in told(SOUND.replace(here, instead, 1))


def test_all_slips_are_told_at_once() -> None:
    """Nobody mends one to be told of the next."""
    wrong = told(SOUND.replace("13:00-17:00", "11:00-17:00").replace("after: PT12H", "after: PT8H"))
    assert "overlap" in wrong
    assert "rung 2" in wrong
