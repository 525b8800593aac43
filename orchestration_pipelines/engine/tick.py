"""A tick: everything that is due by now is done, by row updates alone. Safe to run twice, and by several at once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from orchestration_pipelines.domain.policy import Act
from orchestration_pipelines.engine.rungs import climb, pass_on, tell_breaches
from orchestration_pipelines.store import rungs, timers
from orchestration_pipelines.store.outbox import Notice, tell
from orchestration_pipelines.store.rungs import StuckTask

#: a tick leaves the rest to the next one after this
TICK_S = 5.0
#: … of which the ladders have this, so that deadlines are never kept waiting by them
_LADDERS_S = 3.0
#: what one transaction does: the cases are locked for as long as it takes
_AT_ONCE = 2_000


@dataclass
class Ticked:
    """What a tick did."""

    timers: int = 0
    rungs: Counter[str] = field(default_factory=Counter)  #: by what they do
    late: int = 0  #: of the rungs
    breaches: int = 0
    stuck: int = 0  #: tasks taken from who had not touched them

    def add(self, other: Ticked) -> None:
        """Count another tick with this one."""
        self.timers += other.timers
        self.rungs += other.rungs
        self.late += other.late
        self.breaches += other.breaches
        self.stuck += other.stuck

    @property
    def anything(self) -> bool:
        """Whether something was due."""
        return bool(self.timers or self.rungs or self.breaches or self.stuck)


def tick(connection: psycopg.Connection, now: datetime, *, seconds: float = TICK_S) -> Ticked:
    """Mark broken promises, fire the due rungs in their order, then the due timers, and free stuck work.

    After a downtime a rung that was due before a deadline still fires before it, marked late.
    """
    begun = time.monotonic()
    ticked = Ticked(breaches=_mark_breaches(connection, now))
    while _climb_once(connection, now, ticked, begun + min(seconds, _LADDERS_S)):
        pass
    while True:
        with connection.transaction():
            fired = len(timers.fire_due(connection, now, _AT_ONCE))
        ticked.timers += fired
        if not fired or time.monotonic() > begun + seconds:
            break
    ticked.stuck = _free_stuck(connection, now)
    return ticked


def _climb_once(connection: psycopg.Connection, now: datetime, ticked: Ticked, until: float) -> bool:
    """One rung of each ladder that has one due; whether there was any."""
    before = ticked.rungs.total()
    due = rungs.acts_due(connection, now)
    for act in (act for act in Act if act in due):
        while fired := climb(connection, act, now, _AT_ONCE):
            ticked.rungs[act] += len(fired)
            ticked.late += sum(rung.late for rung in fired)
            if time.monotonic() > until:
                return False
    return ticked.rungs.total() > before


def _mark_breaches(connection: psycopg.Connection, now: datetime) -> int:
    with connection.transaction():
        breached = rungs.mark_breaches(connection, now, 5 * _AT_ONCE)
        tell_breaches(connection, breached, now)
    return len(breached)


def _free_stuck(connection: psycopg.Connection, now: datetime) -> int:
    """Work that somebody claimed and left goes to somebody else, and they are told."""
    try:
        with connection.transaction():
            stuck = rungs.stuck(connection, now, _AT_ONCE)
            if stuck:
                got = pass_on(connection, [(task.id, task.assignee) for task in stuck], "stuck", now)
                tell(connection, [notice for task in stuck for notice in _of_stuck(task, got.get(task.id))], now)
            return len(stuck)
    except psycopg.errors.DeadlockDetected:
        return 0  # somebody else gives the same people tasks just now: these are stuck still, for the next tick


def _of_stuck(task: StuckTask, person: str | None) -> Iterator[Notice]:
    since = task.touched_at.isoformat()
    key = f"stuck:{task.id}:{since}"
    said = f"task {task.id} was not touched since {since}: it is no longer yours"
    yield Notice(key, task.workflow, task.assignee, "stuck", said, task.case_id, task.id)
    if person is not None:
        told = f"task {task.id} is yours now"
        yield Notice(f"{key}:{person}", task.workflow, person, "assigned", told, task.case_id, task.id)
