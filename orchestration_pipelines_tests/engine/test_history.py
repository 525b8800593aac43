"""Who had a task and what they did with it, told as far as blindness allows; and many decisions in one go."""

from __future__ import annotations

import pytest

from orchestration_pipelines.engine import hands, history, reviews
from orchestration_pipelines.engine.reviews import Choice, Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, SETTINGS, task_of
from orchestration_pipelines_tests.engine.flow import Flow


def told(flow: Flow, key: str) -> list[tuple[str, str | None, str]]:
    with flow.engine.connect() as connection:
        return [(each.what, each.person, each.detail) for each in history.of_case(connection, key)]


def test_the_history_of_a_task_is_told(draw: Draw) -> None:
    """Opened, declined, claimed, worked on, given by a manager, and how it was decided."""
    flow = draw(*DECIDING, settings=SETTINGS, grid=GRID)
    flow.submit("A")
    flow.sweep()
    task = task_of(flow).task
    with flow.engine.connect() as connection:
        hands.decline(connection, [task], person="bob", reason="I know them", at=flow.clock())
        flow.clock.advance(minutes=1)
        hands.claim(connection, [task], person="ann", at=flow.clock())
        flow.clock.advance(minutes=1)
        hands.pause(connection, [task], person="ann", at=flow.clock())
        flow.clock.advance(minutes=1)
        hands.release(connection, [task], person="ann", at=flow.clock())
        hands.reassign(connection, [task], to="ann", by="mara", reason="it is late", at=flow.clock())
    flow.clock.advance(minutes=1)
    flow.decide("A", outcome="reject", rationale="no invoice")
    assert told(flow, "A") == [
        ("opened", None, "in queue reviews, signature 1 of 1, round 1"),
        ("declined", "bob", "I know them"),
        ("claimed", "ann", ""),
        ("worked", "ann", "then stopped"),
        ("released", "ann", ""),
        ("given", "ann", "manager: it is late"),
        ("reject", "ann", "no invoice"),
    ]
    with flow.engine.connect() as connection, pytest.raises(Refused, match="there is no task 4711"):
        history.of_task(connection, 4711)


def test_h16_the_history_keeps_silent_until_all_have_signed(draw: Draw) -> None:
    """That somebody signed is told at once; what they chose, when all are in."""
    flow = draw(*DECIDING, settings=SETTINGS, grid=GRID)
    flow.submit("A", amount=100)
    flow.sweep()
    flow.decide("A", outcome="reject", rationale="no invoice")
    assert ("signed", "ann", "") in told(flow, "A")
    assert "no invoice" not in str(told(flow, "A"))
    flow.decide("A", by="bob", outcome="reject", rationale="nor here")
    assert [each for each in told(flow, "A") if each[0] == "reject"] == [
        ("reject", "ann", "no invoice"),
        ("reject", "bob", "nor here"),
    ]


def test_many_are_decided_and_each_is_answered(draw: Draw) -> None:
    """By the rules of one: what is stale, somebody's own, signed already, or no plain decision is left as it was."""
    flow = draw(*DECIDING, settings=SETTINGS, grid=GRID)
    flow.submit("A", "B", "C")
    flow.submit("D", by="ann")
    flow.submit("E", amount=100)
    flow.sweep()
    tasks = {key: task_of(flow, key) for key in "ABCDE"}
    with flow.engine.connect() as connection:
        both = [task for task in reviews.open_tasks(connection) if task.case_key == "E"]
        choices = [
            Choice(tasks["A"].task, tasks["A"].digest, "approve"),
            Choice(tasks["B"].task, tasks["B"].digest, "reject", "no invoice"),
            Choice(tasks["C"].task, "0" * 64, "approve"),
            Choice(tasks["C"].task, tasks["C"].digest, "return", "what for?"),
            Choice(tasks["D"].task, tasks["D"].digest, "approve"),
            *(Choice(task.task, task.digest, "approve") for task in both),
            Choice(tasks["A"].task, tasks["A"].digest, "reject", "on second thoughts"),
        ]
        answers = list(reviews.decide_many(connection, choices, person="ann", at=flow.clock()))
    assert [each.decision is not None for each in answers] == [True, True, False, False, False, True, False, False]
    for each, rule in zip(
        [answers[2], answers[3], answers[4], answers[6], answers[7]],
        (
            "the case has changed",
            "'return' is not decided in bulk",
            "ann submitted",
            "ann has signed",
            "no longer open",
        ),
        strict=True,
    ):
        assert rule in each.rule
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": "rejected", "C": None, "D": None, "E": None}
