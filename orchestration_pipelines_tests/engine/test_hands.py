"""Tasks into people's hands and out of them: order, limits, declining, touch time, a manager's hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine import hands, reviews
from orchestration_pipelines.engine.hands import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
  seniors: {owner: tests, role: senior}
reviewers: {ann: [reviewer], bob: [reviewer], cleo: [reviewer, senior], max: [manager]}
"""
QUEUED = (
    'user review \'orch:queue==if amount > 90 then "seniors" else "reviews"\' orch:fallbackQueue=reviews',
    "end done",
    "received -> review -> done",
    "timer late on review P3D -> done",
)


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Cases A, B and C wait in the queue reviews, in this order; S waits for a senior since before them."""
    flow = draw(*QUEUED, settings=SETTINGS)
    flow.submit("S", amount=100)
    flow.sweep()
    for key in "ABC":
        flow.clock.advance(minutes=1)
        flow.submit(key)
        flow.sweep()
    return flow


def act(flow: Flow, what: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """One act at the clock's time."""
    with flow.engine.connect() as connection:
        return what(connection, *arguments, at=flow.clock(), **named)


def task_of(flow: Flow, key: str) -> int:
    """The number of a case's task."""
    number: int = flow.one("SELECT t.id FROM review_task t JOIN cases c ON c.id = t.case_id WHERE c.case_key = %s", key)
    return number


def in_hand(flow: Flow) -> dict[str, tuple[str, str]]:
    """Each case that somebody has: how, and who."""
    rows = flow.rows(
        "SELECT c.case_key, t.status, t.assignee FROM review_task t JOIN cases c ON c.id = t.case_id "
        "WHERE t.status IN ('assigned', 'claimed') ORDER BY 1"
    )
    return {key: (status, person) for key, status, person in rows}


def limited(flow: Flow, statement: str) -> None:
    """Set a limit as the policy would."""
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(statement.encode())


def test_the_next_task_is_the_first_in_order_of_all_that_are_theirs(flow: Flow) -> None:
    """Across queues, by the order fixed when each was queued; who may do nothing more is told so."""
    assert [act(flow, hands.pull, "cleo") for _ in range(2)] == [task_of(flow, "S"), task_of(flow, "A")]
    assert act(flow, hands.pull, "ann") == task_of(flow, "B")
    assert act(flow, hands.pull, "cleo", queue="reviews") == task_of(flow, "C")
    with pytest.raises(Refused, match="nothing waits that ann may do"):
        act(flow, hands.pull, "ann")
    with pytest.raises(Refused, match="nothing waits that stranger may do in queue reviews"):
        act(flow, hands.pull, "stranger", queue="reviews")


def test_a_higher_class_goes_first_and_within_it_the_first_in(flow: Flow) -> None:
    """The order key is the time it was queued minus the weight of its class: C is two minutes ahead of its time."""
    limited(flow, f"UPDATE review_task SET order_key = order_key - interval '3 min' WHERE id = {task_of(flow, 'C')}")
    assert [act(flow, hands.pull, "ann") for _ in range(3)] == [task_of(flow, key) for key in "CAB"]


def test_what_was_assigned_comes_before_what_waits(flow: Flow) -> None:
    """It is in their hands already, so it counts once; claiming makes it work."""
    act(flow, hands.reassign, [task_of(flow, "C")], to="ann", by="max", reason="hers")
    assert in_hand(flow) == {"C": ("assigned", "ann")}
    limited(flow, "UPDATE reviewer SET capacity = 1 WHERE person = 'ann'")
    assert act(flow, hands.pull, "ann") == task_of(flow, "C")
    assert in_hand(flow) == {"C": ("claimed", "ann")}


def test_a_released_task_is_the_first_again(flow: Flow) -> None:
    """It keeps its place in the order; what is not in hand cannot be released."""
    first = act(flow, hands.pull, "ann")
    act(flow, hands.release, [first], person="ann")
    with pytest.raises(Refused, match=f"task {first} is not in the hands of ann: it is open"):
        act(flow, hands.release, [first], person="ann")
    assert act(flow, hands.pull, "bob") == first
    with pytest.raises(Refused, match=f"task {first} is not in the hands of ann: it is claimed by bob since"):
        act(flow, hands.release, [first], person="ann")


LIMITS = {
    "reviewer": ("UPDATE reviewer SET capacity = 1 WHERE person = 'ann'", "ann has 1 of 1 in hand: decide or release"),
    "queue": ("UPDATE queue SET wip_limit = 1 WHERE name = 'reviews'", "queue reviews has 1 of 1 in hand"),
    "station": ("INSERT INTO station_limit VALUES ('flow', 'review', 1)", "step review has 1 of 1 in hand"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_beyond_a_limit_nothing_comes_into_hand(flow: Flow, limit: str) -> None:
    """Refused with the reason; what is decided or released makes room, and nothing is lost meanwhile."""
    statement, told = LIMITS[limit]
    limited(flow, statement)
    first = act(flow, hands.pull, "ann")
    with pytest.raises(Refused, match=told):
        act(flow, hands.claim, [task_of(flow, "B")], person="ann")
    with pytest.raises(Refused, match=r"1 of 1|until something of them is decided or released"):
        act(flow, hands.pull, "ann")
    flow.decide("A")
    assert act(flow, hands.pull, "ann") == task_of(flow, "B") != first
    assert flow.one("SELECT count(*) FROM review_task WHERE status = 'open'") == 2


def test_a_full_queue_is_passed_by(flow: Flow) -> None:
    """The next one comes from a queue that has room."""
    limited(flow, "UPDATE queue SET wip_limit = 0 WHERE name = 'seniors'")
    assert act(flow, hands.pull, "cleo") == task_of(flow, "A")
    with pytest.raises(Refused, match="full, until something of them is decided or released, is seniors"):
        act(flow, hands.pull, "cleo", queue="seniors")


def test_in_bulk_each_is_done_or_told_why_not(flow: Flow) -> None:
    """A limit gives out its room in the order asked; the same task twice is one."""
    limited(flow, "UPDATE reviewer SET capacity = 2 WHERE person = 'ann'")
    a, b, c, s = (task_of(flow, key) for key in "ABCS")
    told = act(flow, hands.claim, [a, s, a, b, c, 4711], person="ann")
    assert [(one.task, one.moved, one.reason) for one in told] == [
        (a, True, None),
        (s, False, "role"),
        (a, False, "twice"),
        (b, True, None),
        (c, False, "capacity"),
        (4711, False, "no_task"),
    ]
    with pytest.raises(Refused, match="no task is named"):
        act(flow, hands.claim, [], person="ann")


def test_a_decision_needs_no_claim_and_counts_against_no_limit(flow: Flow) -> None:
    """It is taken and decided in one instant; what somebody else has in hand is theirs to decide, for a manager too."""
    limited(
        flow, "UPDATE reviewer SET capacity = 0; UPDATE reviewer SET roles = '{reviewer,manager}' WHERE person = 'max'"
    )
    flow.decide("A", "ann")
    limited(flow, "UPDATE reviewer SET capacity = NULL")
    act(flow, hands.claim, [task_of(flow, "B")], person="bob")
    for person in ("ann", "max"):
        with pytest.raises(
            psycopg.DatabaseError, match=r"is claimed by bob since .*ask them to release it, or a manager"
        ):
            flow.decide("B", person)
    act(flow, hands.reassign, [task_of(flow, "B")], to="max", by="max", reason="bob is ill")
    flow.decide("B", "max")
    assert flow.rows("SELECT assignee, status FROM review_task WHERE ended_at IS NOT NULL ORDER BY id") == [
        ("ann", "decided"),
        ("max", "decided"),
    ]


def test_touch_time_is_what_lies_between(flow: Flow) -> None:
    """Claim, pause, resume, decide; a pause is not work, and whoever pauses twice is told."""
    task = act(flow, hands.pull, "ann")
    with pytest.raises(Refused, match="is not paused"):
        act(flow, hands.resume, [task], person="ann")
    flow.clock.advance(minutes=5)
    act(flow, hands.pause, [task], person="ann")
    with pytest.raises(Refused, match="is paused already"):
        act(flow, hands.pause, [task], person="ann")
    flow.clock.advance(hours=1)
    act(flow, hands.resume, [task], person="ann")
    flow.clock.advance(minutes=2)
    with pytest.raises(Refused, match="not in the hands of bob"):
        act(flow, hands.pause, [task], person="bob")
    flow.decide("A", "ann")
    assert flow.one("SELECT sum(stopped_at - started_at)::text FROM touch") == "00:07:00"
    assert flow.one("SELECT count(*) FROM touch WHERE stopped_at IS NULL") == 0


@pytest.mark.parametrize("how", ["cancelled", "released", "reassigned"])
def test_work_on_a_task_stops_when_it_leaves_the_hand(flow: Flow, how: str) -> None:
    """Whatever takes it away; a task that is only assigned is not worked on."""
    task = act(flow, hands.pull, "ann")
    flow.clock.advance(minutes=5)
    if how == "cancelled":
        flow.rows(
            "UPDATE review_task SET status = 'cancelled', ended_at = %s WHERE id = %s RETURNING 1", flow.clock(), task
        )
    elif how == "released":
        act(flow, hands.release, [task], person="ann")
    else:
        act(flow, hands.reassign, [task], to="bob", by="max", reason="ann is ill")
    assert flow.rows("SELECT (stopped_at - started_at)::text FROM touch") == [("00:05:00",)]


def test_only_a_manager_reassigns_and_says_why(flow: Flow) -> None:
    """To somebody who may do it, and who is there; or back to the queue. Every assignment is kept with its cause."""
    task = act(flow, hands.pull, "ann")
    with pytest.raises(Refused, match="only a manager reassigns, and bob is none"):
        act(flow, hands.reassign, [task], to="bob", by="bob", reason="mine")
    with pytest.raises(Refused, match="a reason is needed to reassign"):
        act(flow, hands.reassign, [task], to="bob", by="max", reason=" ")
    with pytest.raises(Refused, match="queue reviews asks for the role reviewer, which max has not"):
        act(flow, hands.reassign, [task], to="max", by="max", reason="mine")
    with pytest.raises(Refused, match="manager is not done by system"):
        act(flow, hands.reassign, [task], to="bob", by="system", reason="mine")
    act(flow, hands.reassign, [task], to="bob", by="max", reason="ann is ill")
    act(flow, hands.reassign, [task], to=None, by="max", reason="bob too")
    assert flow.rows("SELECT person, from_person, cause, by, reason FROM assignment ORDER BY id") == [
        ("ann", None, "pull", "ann", ""),
        ("bob", "ann", "manager", "max", "ann is ill"),
        (None, "bob", "manager", "max", "bob too"),
    ]
    acts = flow.rows("SELECT act, actor, role FROM audit_trail WHERE record = %s ORDER BY seq", f"task:{task}")
    assert acts == [("claimed", "ann", "reviewer"), ("reassigned", "max", "manager"), ("reassigned", "max", "manager")]


AWAY = {
    "ann is absent": "INSERT INTO absence (person, starts, reason, set_by, set_at) "
    "VALUES ('ann', '2026-03-01', 'ill', 'max', '2026-03-01')",
    "ann is off shift": "INSERT INTO shift VALUES ('ann', 1, '22:00', '06:00')",
}


@pytest.mark.parametrize("told", AWAY)
def test_who_is_not_there_is_given_nothing_and_may_take(flow: Flow, told: str) -> None:
    """Monday at nine: absent, or on the night shift; but whoever comes all the same is not sent away."""
    limited(flow, AWAY[told])
    with pytest.raises(Refused, match=told):
        act(flow, hands.reassign, [task_of(flow, "A")], to="ann", by="max", reason="hers")
    assert act(flow, hands.pull, "ann") == task_of(flow, "A")


FITS = {
    "skill": ("UPDATE review_task SET skill = 'tax'", "asks for the skill tax, which ann has not"),
    "level": ("UPDATE review_task SET level = 3", "asks for level 3, which ann has not reached"),
    "region": ("UPDATE review_task SET region = 'south'", "is of the region south, which is not among those of ann"),
}


@pytest.mark.parametrize("what", FITS)
def test_a_lane_asks_for_skill_level_and_region(flow: Flow, what: str) -> None:
    """Who has none of it on record is passed by with the reason; bob has it all."""
    statement, told = FITS[what]
    limited(
        flow,
        "INSERT INTO reviewer_skill VALUES ('ann', 'law', 1), ('bob', 'tax', 3), ('bob', 'law', 1);"
        "UPDATE reviewer SET regions = '{north}' WHERE person = 'ann';"
        "UPDATE reviewer SET regions = '{north,south}', level = 3 WHERE person = 'bob';" + statement,
    )
    with pytest.raises(Refused, match=told):
        act(flow, hands.claim, [task_of(flow, "A")], person="ann")
    with pytest.raises(Refused, match="nothing waits that ann may do"):
        act(flow, hands.pull, "ann")
    assert act(flow, hands.pull, "bob") == task_of(flow, "A")


def test_a_queue_can_ask_for_somebody_new(flow: Flow) -> None:
    """The policy excludes who decided the case before, or who is of the submitter's team; a claim is told so too."""
    limited(
        flow,
        "UPDATE queue SET excludes = '{team_of_requester}'; INSERT INTO team VALUES ('north', 'North');"
        "INSERT INTO reviewer (person, roles) VALUES ('broker', '{}');"
        "UPDATE reviewer SET team = 'north' WHERE person IN ('ann', 'broker')",
    )
    with pytest.raises(Refused, match="ann is of the team of broker, who submitted this case"):
        act(flow, hands.claim, [task_of(flow, "A")], person="ann")
    with pytest.raises(Refused, match="nothing waits that ann may do"):
        act(flow, hands.pull, "ann")
    assert act(flow, hands.pull, "bob") == task_of(flow, "A")


def test_reading_is_a_right_too(flow: Flow) -> None:
    """Whoever has the role of its queue, a manager, and whoever had it in hand; nobody else."""
    task = task_of(flow, "S")
    with flow.engine.connect() as connection:
        seen = {person: reviews.may(connection, person, "see", task)[0] for person in ("ann", "cleo", "max", "broker")}
    assert seen == {"ann": False, "cleo": True, "max": True, "broker": False}
