"""Clocks of promises, a step's and a case's: they start, pause, resume and stop with the work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestration_pipelines.engine import casework
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, Flow
from orchestration_pipelines_tests.engine.promises import OFFICE, promise, rungs

#: a reviewer may ask the applicant, who answers in their own time
ASKED = (
    "user review orch:queue=reviews orch:approves=true",
    "user supply orch:queue=requesters",
    "service check",
    "end done",
    "end rejected",
    "received -> review -> which",
    'which -> supply if review.outcome = "return"',
    'which -> check if review.outcome = "approve"',
    "which -> rejected default",
    "supply -> review",
    "check -> done",
    "timer late on review P30D -> rejected",
    "timer silent on supply P60D -> rejected",
)


def clocks(flow: Flow) -> dict[str, list[Any]]:
    """Each clock by its element: status, business seconds left, due."""
    found = flow.rows("SELECT element, status, left_s, due_at FROM sla_clock ORDER BY id")
    return {element: said for element, *said in found}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_steps_clock_starts_when_people_are_asked_and_stops_when_they_have_answered(draw: Draw) -> None:
    """In business time of its calendar; the task is due when the clock is; a decision voids what has not fired."""
    flow = draw(*REVIEWED)
    promise(flow, "review", "10:00", ("remind", "8:00"), hours=OFFICE, zone="Europe/Berlin")
    flow.clock.now = instant("2026-03-27T14:00")  # Friday, 15:00 in Berlin: two hours, over the night of the change
    flow.submit("A")
    flow.sweep()
    due = instant("2026-03-30T15:00")  # Monday 17:00 in Berlin
    assert clocks(flow) == {"review": ["running", 36_000, due]}
    assert flow.one("SELECT due_at FROM review_task") == due
    assert flow.one("SELECT due_at FROM sla_rung") == instant("2026-03-30T13:00")
    flow.clock.advance(hours=1)
    flow.decide("A")
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert flow.rows("SELECT status, stopped_at, breached_at FROM sla_clock") == [("stopped", flow.clock.now, None)]
    assert rungs(flow) == [("remind", "void", False)]


def test_without_a_promise_the_deadline_is_the_boundary_timers(draw: Draw) -> None:
    """As it was before there were policies."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    assert flow.one("SELECT due_at FROM review_task") == flow.clock.now + timedelta(days=3)
    assert flow.rows("SELECT FROM sla_clock") == []


def test_a_broken_promise_is_marked_though_no_tick_saw_it(draw: Draw) -> None:
    """The person was late and the daemon down: the clock that stops says when the promise was broken."""
    flow = draw(*REVIEWED)
    promise(flow, "review", "4:00")
    flow.submit("A")
    flow.sweep()
    due = flow.clock.now + timedelta(hours=4)
    flow.clock.advance(hours=5)
    flow.decide("A")
    assert flow.rows("SELECT status, breached_at FROM sla_clock") == [("stopped", due)]


@pytest.mark.parametrize("how", ["timer", "cancel", "end"])
def test_whatever_ends_the_wait_stops_the_clocks(draw: Draw, how: str) -> None:
    """A timer or a cancellation stops both the step's and the case's; the end of the case stops the case's."""
    flow = draw(*REVIEWED)
    promise(flow, "review", "48:00", ("remind", "80:00"))
    promise(flow, "", "96:00", ("escalate", "95:00"))
    flow.submit("A")
    flow.sweep()
    assert {element: status for element, (status, *_) in clocks(flow).items()} == {"": "running", "review": "running"}
    if how == "timer":
        flow.clock.advance(days=3)
        assert flow.engine.tick().timers == 1
        assert clocks(flow)["review"][0] == "stopped"
    elif how == "cancel":
        with flow.engine.connect() as connection:
            casework.cancel(connection, "A", by="ann", reason="withdrawn", at=flow.clock())
    else:
        flow.decide("A")
    flow.sweep()
    assert {status for status, *_ in clocks(flow).values()} == {"stopped"}
    assert {status for _, status, _ in rungs(flow)} == {"void"}


def test_the_cases_clock_stands_still_while_the_applicant_is_asked(draw: Draw) -> None:
    """Its rungs are void by version and come back with what was left; the pause is on record; the timer runs on."""
    flow = draw(*ASKED)
    promise(flow, "", "20:00", ("remind", "4:00"), ("escalate", "16:00"), pauses=["supply"], hours=OFFICE)
    flow.submit("A", "B")  # Monday 09:00
    flow.sweep()
    flow.clock.advance(hours=6)  # 15:00: the reminder was due at 13:00 and nobody has looked yet
    flow.decide("A", outcome="return")
    with flow.engine.open_sweep("no dispatch, so no tick") as sweep:
        sweep.station(flow.engine.station("review"), until=float("inf"))
    assert flow.standing()["A"] == ("supply", "waiting")
    paused = flow.rows("SELECT status, left_s, version, due_at FROM sla_clock WHERE visit IS NULL ORDER BY case_id")
    assert paused == [("paused", 14 * 3600, 2, None), ("running", 20 * 3600, 1, instant("2026-03-04T13:00"))]
    assert flow.rows("SELECT no, version, due_at FROM sla_rung WHERE clock_id = 1 ORDER BY no") == [
        (1, 2, instant("2026-03-02T13:00")),
        (2, 1, None),
    ]
    silent = flow.one("SELECT due_at FROM timer WHERE boundary = 'silent'")
    flow.clock.advance(days=30)
    flow.engine.tick()
    assert flow.rows("SELECT act, status, late FROM sla_rung WHERE clock_id = 1 ORDER BY no") == [
        ("remind", "fired", True),
        ("escalate", "armed", False),
    ], "what was due before the pause fires late, what was not waits"
    assert flow.one("SELECT breached_at FROM sla_clock WHERE id = 1") is None
    flow.clock.now = instant("2026-04-02T16:00")  # Thursday, an hour before closing
    flow.decide("A", by="broker", rationale="here it is")
    flow.clock.advance(minutes=7)  # the sweep comes later: the clock runs from the answer on
    flow.sweep()
    assert flow.rows("SELECT status, left_s, running_since, due_at FROM sla_clock WHERE id = 1") == [
        ("running", 14 * 3600, instant("2026-04-02T16:00"), instant("2026-04-06T14:00"))
    ]
    assert flow.rows("SELECT no, version, status, due_at FROM sla_rung WHERE clock_id = 1 ORDER BY no")[1] == (
        (2, 2, "armed", instant("2026-04-06T10:00"))
    )
    assert flow.rows("SELECT element, paused_at, left_s, resumed_at FROM sla_pause") == [
        ("supply", instant("2026-03-02T15:00"), 14 * 3600, instant("2026-04-02T16:00"))
    ]
    assert silent == instant("2026-03-02T15:00") + timedelta(days=60)


def test_a_case_that_closes_or_ends_by_timer_while_it_stands_still_has_no_clock_left(draw: Draw) -> None:
    """The applicant never answers: the boundary timer ends the case, and the paused clock with it."""
    flow = draw(*ASKED)
    promise(flow, "", "20:00", ("remind", "4:00"), pauses=["supply"])
    flow.submit("A")
    flow.decide("A", outcome="return")
    flow.sweep()
    flow.clock.advance(days=61)
    flow.sweep()
    assert flow.ends() == {"A": "rejected"}
    assert flow.rows("SELECT status, breached_at FROM sla_clock") == [("stopped", None)]
    assert rungs(flow) == [("remind", "void", False)]
