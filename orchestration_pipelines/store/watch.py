"""What pages that show tasks must be told: that one of them changed, and that there are new ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int8s

#: what a line shows of a task ``t``, in short: another mark, and the line is out of date
MARK = "left(md5(concat_ws(' ', t.status, t.assignee, t.digest)), 8)"


class State(NamedTuple):
    """How a task stands. It is not said what anybody chose."""

    task: int
    mark: str
    status: str  #: open, assigned, claimed, signed, or over: nobody will decide it any more
    person: str | None  #: who has it, or who signed
    title: str | None
    since: datetime | None


_STATES = f"""
SELECT t.id, {MARK}, CASE WHEN t.ended_at IS NULL THEN t.status WHEN d.id IS NULL THEN 'over' ELSE 'signed' END,
    r.person, coalesce(nullif(r.title, ''), r.person), coalesce(t.ended_at, t.claimed_at, t.assigned_at)
FROM unnest(%s::bigint[]) AS n (id) JOIN review_task t ON t.id = n.id
LEFT JOIN review_decision d ON d.task_id = t.id
LEFT JOIN reviewer r ON r.person = coalesce(d.decided_by, CASE WHEN t.ended_at IS NULL THEN t.assignee END)
"""


def states(connection: psycopg.Connection, tasks: Sequence[int]) -> list[State]:
    """How these tasks stand, whether they have ended or not."""
    cursor = connection.cursor(row_factory=lambda _: State._make)
    return cursor.execute(_STATES, (int8s(tasks),)).fetchall()


def newest(connection: psycopg.Connection) -> int:
    """The number of the task that was opened last; 0: there is none."""
    row = connection.execute("SELECT coalesce(max(id), 0) FROM review_task").fetchone()
    return int(row[0]) if row else 0


def listen(connection: psycopg.Connection) -> None:
    """From now on this connection hears that tasks change hands, and that visits are decided."""
    connection.execute("LISTEN orchestration_hands")
    connection.execute("LISTEN orchestration_decided")


def heard(connection: psycopg.Connection, timeout_s: float) -> Iterator[psycopg.Notify]:
    """What is heard within so many seconds; the first ends the wait."""
    return connection.notifies(timeout=timeout_s, stop_after=1)
