"""How old the backlog is: of every queue, what waits for people and for how long. One statement, whatever waits."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class QueueAge(NamedTuple):
    """The open tasks of a queue; ages in seconds of the wall clock, 0 where nothing waits."""

    queue: str
    waiting: int
    past_due: int
    oldest_s: float
    p50_s: float
    p85_s: float
    p95_s: float


_AGES = """
SELECT q.name, coalesce(w.waiting, 0), coalesce(w.past_due, 0), coalesce(w.oldest, 0),
    coalesce(w.ages[1], 0), coalesce(w.ages[2], 0), coalesce(w.ages[3], 0)
FROM queue q LEFT JOIN (
    SELECT t.queue, count(*) AS waiting, count(*) FILTER (WHERE t.due_at < %(now)s) AS past_due,
           extract(epoch FROM %(now)s - min(t.opened_at))::float8 AS oldest,
           percentile_cont(ARRAY[0.5, 0.85, 0.95]) WITHIN GROUP (
               ORDER BY extract(epoch FROM %(now)s - t.opened_at)::float8) AS ages
    FROM review_task t WHERE t.workflow = %(workflow)s AND t.ended_at IS NULL GROUP BY t.queue) AS w
    ON w.queue = q.name
WHERE q.workflow = %(workflow)s ORDER BY q.name
"""


def ages(connection: psycopg.Connection, workflow: str, now: datetime) -> list[QueueAge]:
    """Every queue of a workflow."""
    cursor = connection.cursor(row_factory=lambda _: QueueAge._make)
    return cursor.execute(_AGES, {"workflow": workflow, "now": now}).fetchall()
