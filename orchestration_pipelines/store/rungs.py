"""What a tick finds and marks: rungs of ladders that are due, promises that are broken, work that nobody touches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.sla import LATE_AFTER
from orchestration_pipelines.store.arrays import int4s, int8s, texts

# The case first: the order in which everybody locks. A case that somebody is just working on is passed by: the next
# tick finds its rung due still.
_LOCK_DUE = """
WITH due AS MATERIALIZED (
    SELECT r.clock_id FROM sla_rung r WHERE r.status = 'armed' AND r.due_at <= %(now)s AND r.act = %(act)s
    ORDER BY r.due_at, r.clock_id, r.no LIMIT %(limit)s),
ours AS MATERIALIZED (
    SELECT d.clock_id FROM due d JOIN sla_clock k ON k.id = d.clock_id JOIN cases c ON c.id = k.case_id
    ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED)
SELECT DISTINCT clock_id FROM ours
"""


def acts_due(connection: psycopg.Connection, now: datetime) -> set[str]:
    """What the rungs that are due would do."""
    rows = connection.execute("SELECT DISTINCT act FROM sla_rung WHERE status = 'armed' AND due_at <= %s", (now,))
    return {act for (act,) in rows}


class FiredRung(NamedTuple):
    """A rung that has just fired, on the clock of a step or (visit None) of a case."""

    clock_id: int
    no: int
    act: str
    late: bool
    workflow: str
    case_id: int
    visit: int | None
    element: str


# Looked at anew under the lock: who decided, paused or stopped meanwhile has changed the clock's version. Of several on
# one clock the lowest comes first; and a deadline that was due before it, whose timer ends the wait.
_FIRE = """
WITH first AS MATERIALIZED (
    SELECT DISTINCT ON (r.clock_id) r.clock_id, r.no, r.due_at, k.workflow, k.case_id, k.visit, k.element
    FROM unnest(%(clocks)s::bigint[]) AS c (id) JOIN sla_clock k ON k.id = c.id
    JOIN sla_rung r ON r.clock_id = k.id AND r.version = k.version
    WHERE r.status = 'armed' AND r.due_at <= %(now)s ORDER BY r.clock_id, r.no)
UPDATE sla_rung r SET status = 'fired', fired_at = %(now)s, late = %(now)s - r.due_at > %(late_after)s
FROM first f WHERE r.clock_id = f.clock_id AND r.no = f.no AND r.status = 'armed' AND r.act = %(act)s
  AND NOT EXISTS (SELECT FROM timer t WHERE t.case_id = f.case_id AND t.visit = f.visit AND t.status = 'armed'
                  AND t.due_at < f.due_at)
RETURNING r.clock_id, r.no, r.act, r.late, f.workflow, f.case_id, f.visit, f.element
"""


def fire_due(connection: psycopg.Connection, act: str, now: datetime, limit: int) -> list[FiredRung]:
    """Mark due rungs of one act as fired, where they are the lowest of their clock; each is returned once, ever.

    The cases' rows stay locked until the transaction ends, so that nobody decides while the rungs act.
    """
    given = {"act": act, "now": now, "limit": limit, "late_after": LATE_AFTER}
    clocks = [clock_id for (clock_id,) in connection.execute(_LOCK_DUE, given)]
    if not clocks:
        return []
    given["clocks"] = int8s(clocks)
    cursor = connection.cursor(row_factory=lambda _: FiredRung._make)
    return sorted(cursor.execute(_FIRE, given).fetchall())


class OpenTask(NamedTuple):
    """A task that a rung is about, and who is told of it."""

    clock_id: int
    id: int
    case_id: int
    visit: int
    queue: str
    owner: str  #: of the queue
    assignee: str | None
    next_queue: str | None  #: of the next role
    next_owner: str | None


_TASKS = """
SELECT f.clock_id, t.id, t.case_id, t.visit, t.queue, q.owner, CASE WHEN t.status <> 'open' THEN t.assignee END,
    u.name, u.owner
FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS f (clock_id, case_id, visit)
JOIN review_task t ON t.case_id = f.case_id AND (f.visit IS NULL OR t.visit = f.visit) AND t.ended_at IS NULL
    AND t.kind = 'decision'
JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
LEFT JOIN queue u ON u.workflow = q.workflow AND u.name = q.escalates_to
ORDER BY f.clock_id, t.id
"""


def tasks_of(connection: psycopg.Connection, clocks: Sequence[FiredRung | Breached]) -> list[OpenTask]:
    """The open tasks of the visits, or of the whole cases, that these clocks are about."""
    cursor = connection.cursor(row_factory=lambda _: OpenTask._make)
    columns = (
        int8s([clock.clock_id for clock in clocks]),
        int8s([clock.case_id for clock in clocks]),
        [clock.visit for clock in clocks],
    )
    return cursor.execute(_TASKS, columns).fetchall()


def owners(connection: psycopg.Connection) -> dict[str, str]:
    """Who owns each workflow."""
    return dict(connection.execute("SELECT name, owner FROM workflow").fetchall())


def back_to_queue(connection: psycopg.Connection, tasks: Sequence[int], cause: str, now: datetime) -> None:
    """Take tasks out of the hands of those who have them; whoever may can take them next."""
    if tasks:
        connection.execute(
            "SELECT FROM hand(%s::bigint[], array_fill(NULL::text, ARRAY[%s]), %s, 'system', %s)",
            (int8s(tasks), len(tasks), cause, now),
        )


def send_up(connection: psycopg.Connection, tasks: Sequence[tuple[int, str]]) -> None:
    """Put open tasks (task, queue) into the queue of the next role; their order keys stay as they were queued."""
    if tasks:
        task, queue = zip(*tasks, strict=True)
        connection.execute(
            "UPDATE review_task t SET queue = m.queue FROM unnest(%s::bigint[], %s::text[]) AS m (id, queue) "
            "WHERE t.id = m.id AND t.ended_at IS NULL",
            (int8s(task), texts(queue)),
        )


def note(connection: psycopg.Connection, act: str, rungs: Sequence[FiredRung], now: datetime) -> None:
    """Append what rungs did to the records of their cases, each case named once."""
    if not rungs:
        return
    case_id, clock_id, no, late = zip(*((r.case_id, r.clock_id, r.no, r.late) for r in rungs), strict=True)
    connection.execute(
        "SELECT append_audit_many(array_agg(n.case_id), 'system', 'machine', %s, array_agg(n.record), %s, "
        "array_agg(n.detail)) FROM (SELECT u.case_id, 'clock:' || string_agg(u.clock_id::text, ',') AS record, "
        "  jsonb_build_object('rungs', jsonb_agg(u.no), 'late', bool_or(u.late)) AS detail "
        "  FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::boolean[]) AS u (case_id, clock_id, no, late) "
        "  GROUP BY u.case_id) AS n",
        (act, now, int8s(case_id), int8s(clock_id), int4s(no), list(late)),
    )


class Breached(NamedTuple):
    """A promise that was just broken."""

    clock_id: int
    workflow: str
    case_id: int
    visit: int | None
    element: str
    due_at: datetime


_BREACH = """
WITH due AS MATERIALIZED (
    SELECT k.id FROM sla_clock k WHERE k.status = 'running' AND k.breached_at IS NULL AND k.due_at <= %s
    ORDER BY k.due_at LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE sla_clock k SET breached_at = k.due_at FROM due d WHERE k.id = d.id
RETURNING k.id, k.workflow, k.case_id, k.visit, k.element, k.due_at
"""


def mark_breaches(connection: psycopg.Connection, now: datetime, limit: int) -> list[Breached]:
    """Mark clocks whose time is up, each once."""
    cursor = connection.cursor(row_factory=lambda _: Breached._make)
    return cursor.execute(_BREACH, (now, limit)).fetchall()


class StuckTask(NamedTuple):
    """A task that somebody claimed and has not touched for longer than its queue allows."""

    id: int
    workflow: str
    case_id: int
    assignee: str
    touched_at: datetime


_STUCK = """
SELECT s.id, q.workflow, s.case_id, s.assignee, s.touched_at FROM queue q
CROSS JOIN LATERAL (
    SELECT t.id, t.case_id, t.assignee, t.touched_at FROM review_task t
    WHERE t.workflow = q.workflow AND t.queue = q.name AND t.status = 'claimed'
      AND t.touched_at <= %(now)s - q.stuck_after ORDER BY t.touched_at LIMIT %(limit)s) AS s
WHERE q.stuck_after IS NOT NULL LIMIT %(limit)s
"""


def stuck(connection: psycopg.Connection, now: datetime, limit: int) -> list[StuckTask]:
    """Tasks that are stuck; their cases' rows are locked, and those that somebody is working on are passed by."""
    given = {"now": now, "limit": limit}
    cursor = connection.cursor(row_factory=lambda _: StuckTask._make)
    found = cursor.execute(_STUCK, given).fetchall()
    if not found:
        return []
    ours = connection.execute(
        "SELECT id FROM cases WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
        (int8s([task.case_id for task in found]),),
    ).fetchall()
    locked = {case_id for (case_id,) in ours}
    still = cursor.execute(_STUCK, given).fetchall()
    return [task for task in still if task.case_id in locked]


def next_due(connection: psycopg.Connection, until: datetime) -> datetime | None:
    """When a timer or a rung is next due, up to an instant."""
    row = connection.execute(
        "SELECT least((SELECT min(due_at) FROM timer WHERE status = 'armed' AND due_at <= %(until)s), "
        "(SELECT min(due_at) FROM sla_rung WHERE status = 'armed' AND due_at <= %(until)s))",
        {"until": until},
    ).fetchone()
    return row[0] if row else None
