"""A tick: rungs fire once and in order, late ones marked; it approves nothing; stuck work is freed."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import psycopg
import pytest

from orchestration_pipelines.domain.policy import Act
from orchestration_pipelines.engine.rungs import climb
from orchestration_pipelines.engine.tick import tick
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, Flow
from orchestration_pipelines_tests.engine.promises import promise, rungs, told

LADDER = (("remind", "4:00"), ("reassign", "8:00"), ("escalate", "12:00"), ("fallback", "16:00"))


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """A case that waits for a reviewer, with a ladder up to the seniors' queue."""
    flow = draw(*REVIEWED)
    promise(flow, "review", "10:00", *LADDER)
    owned(flow, "UPDATE queue SET escalates_to = 'seniors', owner = 'head' WHERE name = 'reviews'")
    owned(flow, "UPDATE queue SET owner = 'chief' WHERE name = 'seniors'")
    flow.submit("A")
    flow.sweep()
    return flow


def owned(flow: Flow, statement: str, *parameters: object) -> None:
    """Set something up as the database's owner."""
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(statement, parameters)


def hand(flow: Flow, person: str | None, cause: str, by: str) -> None:
    """Put the open task into somebody's hands."""
    moved = flow.rows(
        "SELECT h.rule FROM hand((SELECT array_agg(id) FROM review_task WHERE ended_at IS NULL), ARRAY[%s]::text[], "
        "%s, %s, %s) h WHERE NOT h.moved",
        person,
        cause,
        by,
        flow.clock(),
    )
    assert moved == []


def task(flow: Flow) -> tuple[str, str, str | None]:
    """The open task: queue, status, who has it."""
    ((queue, status, assignee),) = flow.rows(
        "SELECT queue, status, assignee FROM review_task WHERE ended_at IS NULL ORDER BY id"
    )
    return queue, status, assignee


def test_the_ladder_is_climbed_a_rung_at_a_time_when_each_is_due(flow: Flow) -> None:
    """Not a second before; reminded, taken away, sent up, and out by the way that is drawn."""
    hand(flow, "ann", "pull", "ann")
    opened = flow.one("SELECT order_key FROM review_task")
    flow.clock.advance(hours=4, seconds=-1)
    assert not flow.engine.tick().anything
    flow.clock.advance(seconds=1)
    assert flow.engine.tick().rungs == {"remind": 1}
    assert told(flow) == [("ann", "reminded")]
    flow.clock.advance(hours=4)
    assert flow.engine.tick().rungs == {"reassign": 1}
    assert task(flow)[2] != "ann"
    assert ("ann", "reassigned") in told(flow)
    assert flow.rows("SELECT from_person, cause, by FROM assignment ORDER BY id")[1] == ("ann", "sla", "system")
    flow.clock.advance(hours=4)
    ticked = flow.engine.tick()
    assert (ticked.rungs, ticked.breaches) == ({"escalate": 1}, 1), "the promise was broken on the way"
    assert task(flow) == ("seniors", "open", None)
    assert flow.one("SELECT order_key FROM review_task") == opened, "it keeps its place"
    assert {("chief", "escalated"), ("head", "breached")} <= set(told(flow))
    flow.clock.advance(hours=4)
    assert flow.engine.tick().rungs == {"fallback": 1}
    assert flow.rows("SELECT status FROM review_task") == [("expired",)]
    flow.sweep()
    assert flow.ends() == {"A": "rejected"}
    assert rungs(flow) == [(act, "fired", False) for act, _ in LADDER]
    assert flow.broken_records() == {}
    acts = [act for (act,) in flow.rows("SELECT act FROM audit_trail WHERE actor = 'system' ORDER BY seq")]
    assert [act for act in acts if act != "assigned"] == ["reassigned", "reassigned", "escalated", "fell back"]


def test_after_a_day_of_downtime_late_rungs_fire_once_in_order_and_say_so(flow: Flow) -> None:
    """All of them in one tick, each with its effect on what the one before left; a second tick finds nothing."""
    hand(flow, "ann", "pull", "ann")
    flow.clock.advance(days=1)
    ticked = flow.engine.tick()
    assert (ticked.rungs, ticked.late) == (dict.fromkeys(Act, 1), 4)
    assert rungs(flow) == [(act, "fired", True) for act, _ in LADDER]
    kinds = [kind for _, kind in told(flow) if kind != "assigned"]
    assert kinds[:4] == ["breached", "reminded", "reassigned", "escalated"]
    assert not flow.engine.tick().anything
    flow.sweep()
    assert flow.ends() == {"A": "rejected"}
    assert flow.one("SELECT count(*) FROM approval") == 0


def test_a_rung_is_late_when_the_safety_net_too_was_missed(flow: Flow) -> None:
    """A minute after it was due is in time, a second more is not."""
    flow.clock.advance(hours=4, minutes=1)
    assert flow.engine.tick().late == 0
    flow.clock.advance(hours=4, seconds=1)
    assert flow.engine.tick().late == 1


def test_a_deadline_that_was_due_before_a_rung_comes_before_it(flow: Flow) -> None:
    """After a week of downtime, the rungs up to the drawn deadline fire, and it ends the rest."""
    owned(flow, "UPDATE timer SET due_at = due_at - interval '62 hours'")  # ten hours after it was opened
    flow.clock.advance(days=7)
    ticked = flow.engine.tick()
    assert (ticked.rungs, ticked.timers) == ({"remind": 1, "reassign": 1}, 1)
    assert [status for _, status, _ in rungs(flow)] == ["fired", "fired", "void", "void"]


def test_a_reminder_of_what_nobody_has_taken_goes_to_whose_queue_it_is(flow: Flow) -> None:
    """And the next rung tells them again, since there is nobody to take it from."""
    flow.clock.advance(hours=8)
    flow.engine.tick()
    assert told(flow) == [("head", "reminded"), ("head", "untaken")]
    assert task(flow) == ("reviews", "open", None)


def test_h05_a_ladder_without_a_drawn_way_out_ends_in_an_incident_and_never_in_an_approval(flow: Flow) -> None:
    """Also where there is no queue to go up to: a person sees to it, and the case waits."""
    owned(flow, "UPDATE timer SET status = 'void'")
    owned(flow, "UPDATE queue SET escalates_to = NULL")
    flow.clock.advance(days=2)
    flow.engine.tick()
    flow.engine.tick()
    kinds = [(key, element, kind) for key, element, kind, _ in flow.incidents()]
    assert kinds == [("A", "review", "nowhere to escalate"), ("A", "review", "no fallback")]
    flow.sweep()
    assert flow.standing() == {"A": ("review", "waiting")}
    assert flow.rows("SELECT FROM approval") == flow.rows("SELECT FROM review_decision") == []


def test_escalated_to_where_nobody_may_decide_is_an_incident(flow: Flow) -> None:
    """H12 holds up there too."""
    owned(flow, "UPDATE reviewer SET roles = '{reviewer}'")
    flow.clock.advance(hours=12)
    flow.engine.tick()
    assert [kind for _, _, kind, _ in flow.incidents()] == ["nobody may decide"]


def test_the_cases_ladder_acts_on_whatever_the_case_waits_for(draw: Draw) -> None:
    """On its open task; between two steps, whose workflow it is hears of it, and a fallback is an incident."""
    flow = draw(*REVIEWED)
    promise(flow, "", "2:00", ("remind", "1:00"), ("fallback", "3:00"))
    flow.submit("A", "B")
    flow.script["reserve"] = lambda case, bank: 1 / 0 if case.key == "B" else {"receipt": "R"}
    flow.sweep()
    assert {element for element, _ in flow.standing().values()} == {"review", "reserve"}
    flow.clock.advance(hours=5)
    assert flow.engine.tick().rungs == {"remind": 2, "fallback": 2}
    assert Counter(told(flow)) == {("tests", "reminded"): 2, ("tests", "breached"): 2}
    assert [(key, kind) for key, _, kind, _ in flow.incidents()] == [("B", "no fallback")]
    flow.sweep()
    assert flow.ends()["A"] == "rejected"


def test_several_ticks_at_once_fire_each_rung_once(draw: Draw) -> None:
    """Four at a time, over many cases: every rung once, every notice once."""
    flow = draw(*REVIEWED)
    promise(flow, "review", "10:00", ("remind", "1:00"), ("escalate", "2:00"))
    owned(flow, "UPDATE queue SET escalates_to = 'seniors' WHERE name = 'reviews'")
    flow.submit(*map(str, range(200)))
    flow.sweep()
    flow.clock.advance(hours=3)
    found: list[Counter[str]] = []

    def one() -> None:
        with flow.engine.connect() as connection:
            found.append(tick(connection, flow.clock()).rungs)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flow.engine.tick()
    assert sum(found, Counter()).total() <= 400
    assert Counter(status for _, status, _ in rungs(flow)) == {"fired": 400}
    assert flow.rows("SELECT kind, count(*) FROM notification GROUP BY 1 ORDER BY 1") == [
        ("escalated", 200),
        ("reminded", 200),
    ]
    assert flow.broken_records() == {}


@pytest.mark.parametrize("first", ["person", "rung"])
def test_h02_a_decision_and_the_last_rung_have_one_winner(flow: Flow, first: str) -> None:
    """The rung passes by a case that somebody decides; the person is told when the rung was first."""
    flow.clock.advance(hours=16)
    with flow.engine.connect() as one, flow.engine.connect() as other:
        if first == "person":
            with one.transaction():
                one.execute(
                    "INSERT INTO review_decision (task_id, outcome, decided_by, digest, decided_at) "
                    "SELECT id, 'approve', 'ann', digest, %s FROM review_task",
                    (flow.clock(),),
                )
                assert not any(climb(other, act, flow.clock(), 10) for act in Act)
            assert not tick(other, flow.clock()).anything
        else:
            assert tick(other, flow.clock()).rungs["fallback"] == 1
            with pytest.raises(psycopg.Error, match="no longer open: its time ran out"):
                flow.decide("A")  # finds no open task …
                one.execute(
                    "INSERT INTO review_decision (task_id, outcome, decided_by, digest) "
                    "SELECT id, 'approve', 'ann', digest FROM review_task"
                )
    flow.sweep()
    assert flow.ends() == {"A": "done" if first == "person" else "rejected"}


def test_stuck_work_is_taken_away_and_its_earlier_holder_told(draw: Draw) -> None:
    """Claimed and untouched beyond the queue's limit; a touch puts it off; each time is counted with its cause."""
    flow = draw(*REVIEWED)
    assert flow.engine.version
    owned(flow, "UPDATE queue SET stuck_after = '2 hours' WHERE name = 'reviews'")
    flow.submit("A")
    flow.sweep()
    hand(flow, "ann", "pull", "ann")
    flow.clock.advance(hours=1)
    with flow.engine.connect() as connection:
        connection.execute(
            "SELECT FROM touch_work((SELECT array_agg(id) FROM review_task), 'pause', 'ann', %s)", (flow.clock(),)
        )
    flow.clock.advance(hours=2, seconds=-1)
    assert flow.engine.tick().stuck == 0
    flow.clock.advance(seconds=1)
    assert flow.engine.tick().stuck == 1
    assert task(flow)[2] != "ann"
    assert told(flow)[0] == ("ann", "stuck")
    assert flow.rows("SELECT from_person, cause FROM assignment ORDER BY id")[1] == ("ann", "stuck")
    assert flow.engine.tick().stuck == 0


def test_h13_pauses_survive_a_change_of_priority_and_clocks_are_independent(draw: Draw) -> None:
    """Neither the step's clock nor a paused case's knows of the priority, nor of the other."""
    flow = draw(*REVIEWED)
    promise(flow, "review", "8:00", ("remind", "4:00"))
    promise(flow, "", "20:00", ("escalate", "16:00"), pauses=["review"])
    flow.submit("A")
    flow.sweep()
    before = flow.rows("SELECT element, status, left_s, due_at, version FROM sla_clock ORDER BY id")
    assert [(element, status) for element, status, *_ in before] == [("", "paused"), ("review", "running")]
    with flow.engine.connect() as connection:
        connection.execute("UPDATE review_task SET priority = 9, order_key = order_key - interval '9 hours'")
    flow.clock.advance(hours=30)
    flow.engine.tick()
    after = flow.rows("SELECT element, status, left_s, due_at, version FROM sla_clock ORDER BY id")
    assert after == before
    assert rungs(flow) == [("escalate", "armed", False), ("remind", "fired", True)]
    assert flow.rows("SELECT element, breached_at IS NULL FROM sla_clock ORDER BY id") == [
        ("", True),
        ("review", False),
    ]
    flow.decide("A")
    flow.sweep()
    assert flow.rows("SELECT element, resumed_at FROM sla_pause") == [("review", flow.clock())]


def test_h14_every_rung_and_every_event_of_a_clock_reaches_somebody(flow: Flow) -> None:
    """No dead listeners: each act of a ladder, a broken promise and a freed task leave a row that a person is shown."""
    hand(flow, "ann", "pull", "ann")
    owned(flow, "UPDATE queue SET stuck_after = '1 hour'")
    for _ in range(17):
        flow.clock.advance(hours=1)
        flow.engine.tick()
    kinds = {kind for _, kind in told(flow)}
    assert {"reminded", "escalated", "breached", "stuck"} <= kinds
    assert flow.rows("SELECT status FROM review_task") == [("expired",)]
    assert flow.one("SELECT count(*) FROM notification WHERE made_at > %s", flow.clock() + timedelta(0)) == 0
