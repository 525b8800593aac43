"""Boundary timers: they fire once, by the injected clock, and race with people fairly."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine import reviews
from orchestration_pipelines.store import timers
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, Flow


def waiting(draw: Draw, *keys: str) -> Flow:
    flow = draw(*REVIEWED)
    flow.submit(*(keys or ("A",)))
    flow.sweep()
    assert set(flow.standing().values()) == {("review", "waiting")}
    return flow


def test_a_timer_fires_when_it_is_due_and_once(draw: Draw) -> None:
    """Not a second before; the task expires, the case goes on behind the timer, nothing fires again."""
    flow = waiting(draw)
    flow.clock.advance(days=3, seconds=-1)
    assert flow.engine.dispatch().fired == 0
    flow.clock.advance(seconds=1)
    assert flow.engine.tick().timers == 1
    assert flow.engine.tick().timers == 0
    flow.sweep()
    assert flow.ends() == {"A": "rejected"}
    assert flow.rows("SELECT status FROM review_task") == [("expired",)]
    assert flow.rows("SELECT outcome FROM activity WHERE element = 'review'") == [("timer:late",)]
    flow.clock.advance(days=30)
    assert flow.engine.dispatch().fired == 0


def test_two_timers_due_at_once_fire_one(draw: Draw) -> None:
    """The one that was due first interrupts the task; the other ends with it."""
    flow = draw(*REVIEWED, "end forgotten", "timer latest on review P5D -> forgotten")
    flow.submit("A")
    flow.sweep()
    flow.clock.advance(days=9)
    flow.sweep()
    assert flow.ends() == {"A": "rejected"}
    assert flow.rows("SELECT boundary, status FROM timer ORDER BY due_at") == [("late", "fired"), ("latest", "void")]


def test_a_decision_voids_the_timer(draw: Draw) -> None:
    """Who decides in time has decided: the deadline passes unnoticed."""
    flow = waiting(draw)
    flow.decide("A")
    flow.clock.advance(days=4)
    assert flow.engine.dispatch().fired == 0
    flow.sweep()
    assert flow.ends() == {"A": "done"}


@pytest.mark.parametrize("first", ["person", "timer"])
def test_person_and_timer_race_and_one_wins(draw: Draw, first: str) -> None:
    """Two connections, both orders: whoever commits first wins, the other changes nothing and is told so."""
    flow = waiting(draw)
    flow.clock.advance(days=3)
    with flow.engine.connect() as reading:
        (task,) = reviews.open_tasks(reading)
    told: list[Any] = []

    def person(connection: psycopg.Connection) -> None:
        try:
            reviews.decide(connection, task.task, person="ann", seen=task.digest, outcome="approve", at=flow.clock())
            told.append("decided")
        except reviews.Refused as refused:
            told.append(str(refused))

    def timer(connection: psycopg.Connection) -> None:
        with connection.transaction():
            told.append(timers.fire_due(connection, flow.clock(), 10))

    acts = {"person": (person, timer), "timer": (timer, person)}[first]
    with flow.engine.connect() as winner, flow.engine.connect() as loser:
        begun = threading.Event()

        def second() -> None:
            begun.set()
            acts[1](loser)

        late = threading.Thread(target=second)
        with winner.transaction():
            acts[0](winner)
            late.start()
            assert begun.wait(10)
            if first == "timer":  # the person waits for the case's lock, which the timer holds
                blocked_by(flow, loser)
            else:  # the timer passes by a case that somebody is working on: a tick is never held up
                late.join(10)
                assert not late.is_alive()
        late.join()
    flow.sweep()
    if first == "person":
        assert told == ["decided", []]
        assert flow.ends() == {"A": "done"}
        assert flow.rows("SELECT status FROM timer") == [("void",)]
    else:
        assert len(told[0]) == 1
        assert told[1].startswith(f"refused: task {task.task} is no longer open: its time ran out")
        assert flow.ends() == {"A": "rejected"}
        assert flow.rows("SELECT count(*) FROM review_decision") == [(0,)]


def blocked_by(flow: Flow, loser: psycopg.Connection) -> None:
    """Return once ``loser`` waits for a lock."""
    for _ in range(1000):
        if flow.one("SELECT cardinality(pg_blocking_pids(%s))", loser.info.backend_pid):
            return
        threading.Event().wait(0.01)
    raise AssertionError("the second never waited for the first")
