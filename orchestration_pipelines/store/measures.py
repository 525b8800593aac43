"""What happened between two instants, as facts for the figures of flow. Definitions: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.measures import PERCENTILES, ClosedCase, Day, Kept, Reviewed, Step
from orchestration_pipelines.store.arrays import int8s


class Window(NamedTuple):
    """What is asked for: a workflow's, from one instant up to and without another."""

    workflow: str
    begin: datetime
    end: datetime


@contextmanager
def measuring(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction that sees one instant, with memory enough to sort a day's rows in it.

    What a day touched is found through its index, and each case by its key: a plan that reads a whole table would
    cost a day as much as all of history (docs/benchmarks.md).
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SET LOCAL work_mem = '64MB'; SET LOCAL enable_seqscan = off; SET LOCAL jit = off")
        yield


_CLOSED = """
WITH done AS MATERIALIZED (
    SELECT DISTINCT case_id FROM activity WHERE finished_at >= %(begin)s AND finished_at < %(end)s)
SELECT c.id, c.outcome, c.submitted_at, w.first_touch_at, c.closed_at, w.machine_s + coalesce(h.touched_s, 0),
    w.reworked, coalesce(h.returned, false), u.undone, h.decisions > 0
FROM done d CROSS JOIN LATERAL (  -- OFFSET 0: by its key, and never by a walk over all cases
    SELECT c.* FROM cases c WHERE c.id = d.case_id AND c.workflow = %(workflow)s
        AND c.closed_at >= %(begin)s AND c.closed_at < %(end)s OFFSET 0) c
CROSS JOIN LATERAL (
    SELECT min(a.started_at) AS first_touch_at, count(*) > count(DISTINCT a.element) AS reworked,
           -- a chunk that is carried through several stations is one stretch of work, not several
           (SELECT coalesce(extract(epoch FROM sum(upper(s) - lower(s))), 0)::float8
            FROM unnest(range_agg(tstzrange(a.started_at, a.finished_at))) s) AS machine_s
    FROM activity a WHERE a.case_id = c.id) w
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM compensation s WHERE s.case_id = c.id AND s.status = 'consumed') AS undone) u
CROSS JOIN LATERAL (
    SELECT count(*) AS decisions, bool_or(r.outcome = 'return') AS returned,
           (SELECT extract(epoch FROM sum(k.stopped_at - k.started_at))::float8 FROM review_task t
            JOIN touch k ON k.task_id = t.id WHERE t.case_id = c.id AND t.kind = 'decision') AS touched_s
    FROM review_decision r JOIN review_task q ON q.id = r.task_id AND q.kind = 'decision' WHERE r.case_id = c.id) h
ORDER BY c.id
"""


def closed_cases(connection: psycopg.Connection, window: Window) -> list[ClosedCase]:
    """The cases that closed in the window; each has an activity that ended as it closed."""
    cursor = connection.cursor(binary=True, row_factory=lambda _: ClosedCase._make)
    return cursor.execute(_CLOSED, window._asdict()).fetchall()


_STEPS = """
WITH done AS MATERIALIZED (
    SELECT a.case_id, a.visit, a.element,
           a.outcome IN ('completed', 'approve', 'reject') AND a.attempt = 1 AS completed,
           a.entered_at, a.started_at, a.finished_at
    FROM activity a WHERE a.finished_at >= %(begin)s AND a.finished_at < %(end)s),
ours AS MATERIALIZED (
    SELECT d.case_id FROM (SELECT DISTINCT case_id FROM done) d CROSS JOIN LATERAL (
        SELECT FROM cases c WHERE c.id = d.case_id AND c.workflow = %(workflow)s OFFSET 0) c),
ended AS MATERIALIZED (SELECT d.* FROM done d JOIN ours USING (case_id)),
again AS MATERIALIZED (
    SELECT a.case_id, a.element FROM ours o JOIN activity a ON a.case_id = o.case_id
    GROUP BY 1, 2 HAVING count(*) > 1),
people AS MATERIALIZED (
    SELECT t.case_id, t.visit, coalesce(min(k.started_at), min(t.ended_at)) AS began,
           coalesce(extract(epoch FROM sum(k.stopped_at - k.started_at))::float8, 0) AS touched_s,
           bool_or(t.status = 'returned') AS returned
    FROM ours o JOIN review_task t ON t.case_id = o.case_id AND t.kind = 'decision'
    LEFT JOIN touch k ON k.task_id = t.id GROUP BY 1, 2)
SELECT e.element, count(*),
    count(*) FILTER (WHERE e.completed AND p.returned IS NOT TRUE AND g.case_id IS NULL),
    percentile_cont(%(at)s::float8[]) WITHIN GROUP (
        ORDER BY greatest(0, extract(epoch FROM coalesce(p.began, e.started_at) - e.entered_at)::float8)),
    percentile_cont(%(at)s::float8[]) WITHIN GROUP (
        ORDER BY coalesce(p.touched_s, extract(epoch FROM e.finished_at - e.started_at)::float8))
FROM ended e
LEFT JOIN again g ON g.case_id = e.case_id AND g.element = e.element
LEFT JOIN people p ON p.case_id = e.case_id AND p.visit = e.visit
GROUP BY e.element ORDER BY e.element
"""


def steps(connection: psycopg.Connection, window: Window) -> list[Step]:
    """The visits that ended in the window, element by element."""
    rows = connection.execute(_STEPS, {**window._asdict(), "at": list(PERCENTILES)}).fetchall()
    return [Step(element, visits, right, tuple(queue), tuple(work)) for element, visits, right, queue, work in rows]


def reviewed(connection: psycopg.Connection, window: Window) -> list[Reviewed]:
    """The decisions that were made in the window, by queue and role."""
    rows = connection.execute(
        "SELECT t.queue, d.role, count(*), count(*) FILTER (WHERE d.outcome = 'return'), "
        "  percentile_cont(%(at)s::float8[]) WITHIN GROUP "
        "    (ORDER BY extract(epoch FROM d.decided_at - t.opened_at)::float8) "
        "FROM decision_trail d JOIN review_task t ON t.id = d.task_id AND t.workflow = %(workflow)s "
        "AND t.kind = 'decision' "
        "WHERE d.decided_at >= %(begin)s AND d.decided_at < %(end)s GROUP BY 1, 2 ORDER BY 1, 2",
        {**window._asdict(), "at": list(PERCENTILES)},
    ).fetchall()
    return [Reviewed(queue, role, made, returned, tuple(spread)) for queue, role, made, returned, spread in rows]


_KEPT = """
SELECT k.element, coalesce(t.queue, ''), count(*), count(k.breached_at)
FROM sla_clock k
LEFT JOIN LATERAL (SELECT queue FROM review_task t WHERE t.case_id = k.case_id AND t.visit = k.visit
                   ORDER BY t.id LIMIT 1) t ON true
WHERE k.workflow = %(workflow)s AND (k.stopped_at >= %(begin)s AND k.stopped_at < %(end)s
    OR k.breached_at >= %(begin)s AND k.breached_at < %(end)s AND (k.stopped_at IS NULL OR k.stopped_at >= %(end)s))
GROUP BY 1, 2 ORDER BY 1, 2
"""


def promises(connection: psycopg.Connection, window: Window) -> list[Kept]:
    """The promises that ended in the window, or were broken in it and still run."""
    cursor = connection.cursor(row_factory=lambda _: Kept._make)
    return cursor.execute(_KEPT, window._asdict()).fetchall()


def reassigned(connection: psycopg.Connection, window: Window) -> dict[str, int]:
    """How often a task was taken from somebody in the window, by cause."""
    rows = connection.execute(
        "SELECT a.cause, count(*) FROM assignment a JOIN review_task t ON t.id = a.task_id "
        "AND t.workflow = %(workflow)s AND t.kind = 'decision' "
        "WHERE a.at >= %(begin)s AND a.at < %(end)s AND a.from_person IS NOT NULL "
        "AND a.person IS DISTINCT FROM a.from_person "  # who claims what was assigned to them takes it from nobody
        "GROUP BY 1 ORDER BY 1",
        window._asdict(),
    )
    return dict(rows.fetchall())


_COUNT = """
WITH since AS (  -- an hour after its end nobody any more commits what happened on a day
    SELECT coalesce(max(day) + 1, '-infinity') AS day FROM flow_day
    WHERE workflow = %(workflow)s AND counted_at >= (day + 1)::timestamp AT TIME ZONE 'UTC' + interval '1 hour'),
came AS (
    SELECT (submitted_at AT TIME ZONE 'UTC')::date AS day, count(*) AS submitted FROM cases
    WHERE workflow = %(workflow)s AND submitted_at >= (SELECT day::timestamp AT TIME ZONE 'UTC' FROM since) GROUP BY 1),
went AS (
    SELECT (c.closed_at AT TIME ZONE 'UTC')::date AS day, count(*) AS closed
    FROM (SELECT DISTINCT case_id FROM activity
          WHERE finished_at >= (SELECT day::timestamp AT TIME ZONE 'UTC' FROM since)) a
    JOIN cases c ON c.id = a.case_id AND c.workflow = %(workflow)s
        AND c.closed_at >= (SELECT day::timestamp AT TIME ZONE 'UTC' FROM since) GROUP BY 1)
INSERT INTO flow_day (workflow, day, submitted, closed, counted_at)
SELECT %(workflow)s, day, coalesce(submitted, 0), coalesce(closed, 0), %(now)s FROM came FULL JOIN went USING (day)
ON CONFLICT (workflow, day) DO UPDATE
SET submitted = excluded.submitted, closed = excluded.closed, counted_at = excluded.counted_at
"""


def count_days(connection: psycopg.Connection, workflow: str, now: datetime) -> None:
    """Count the days that were not over when they were last counted."""
    with connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL jit = off")
        connection.execute(_COUNT, {"workflow": workflow, "now": now})


def days(connection: psycopg.Connection, workflow: str, first: date, last: date) -> list[Day]:
    """The days on which something came or went, with what was under way at each one's end; see :func:`count_days`."""
    cursor = connection.cursor(row_factory=lambda _: Day._make)
    return cursor.execute(
        "SELECT day, submitted, closed, under_way FROM (SELECT day, submitted, closed, "
        "  sum(submitted - closed) OVER (ORDER BY day)::bigint AS under_way FROM flow_day WHERE workflow = %s) AS d "
        "WHERE day BETWEEN %s AND %s ORDER BY day",
        (workflow, first, last),
    ).fetchall()


def ages(connection: psycopg.Connection, workflow: str, now: datetime) -> list[tuple[str, float]]:
    """The open cases: where each stands, and the seconds since its submission."""
    return connection.execute(
        "SELECT t.element, extract(epoch FROM %s - c.submitted_at)::float8 FROM token t "
        "JOIN cases c ON c.id = t.case_id AND c.workflow = %s "
        "WHERE t.version_id IN (SELECT id FROM workflow_version WHERE workflow = %s) ORDER BY 1, 2",
        (now, workflow, workflow),
    ).fetchall()


class Late(NamedTuple):
    """Open tasks of a queue that are past their due time, and who owns the queue."""

    queue: str
    owner: str
    tasks: int
    oldest_due_at: datetime


def late(connection: psycopg.Connection, workflow: str, now: datetime) -> list[Late]:
    """What is late now, by queue; the owner is who must be asked."""
    cursor = connection.cursor(row_factory=lambda _: Late._make)
    return cursor.execute(
        "SELECT t.queue, coalesce(q.owner, ''), count(*), min(t.due_at) FROM review_task t "
        "LEFT JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue "
        "WHERE t.workflow = %s AND t.ended_at IS NULL AND t.due_at < %s GROUP BY 1, 2 ORDER BY 3 DESC, 1",
        (workflow, now),
    ).fetchall()


class Trouble(NamedTuple):
    """What waits for somebody to mend it."""

    kind: str  #: of incident, or "dead letter"
    owner: str
    open: int
    oldest_at: datetime


def trouble(connection: psycopg.Connection, workflow: str) -> list[Trouble]:
    """Open incidents by kind and owner, and standing dead letters by the element's owner."""
    cursor = connection.cursor(row_factory=lambda _: Trouble._make)
    return cursor.execute(
        "SELECT kind, owner, count(*), min(opened_at) FROM incident WHERE workflow = %(name)s AND resolved_at IS NULL "
        "GROUP BY 1, 2 UNION ALL "
        "SELECT 'dead letter', w.owner, count(*), min(d.dead_at) "
        "FROM dead_letter d JOIN workflow w ON w.name = d.workflow "
        "WHERE d.workflow = %(name)s AND d.status = 'dead' GROUP BY 1, 2 ORDER BY 3 DESC, 1",
        {"name": workflow},
    ).fetchall()


def restated_days(connection: psycopg.Connection, window: Window) -> list[date]:
    """The earlier days whose yields what ended in the window has changed: an element was visited again."""
    rows = connection.execute(
        "SELECT DISTINCT (b.finished_at AT TIME ZONE 'UTC')::date FROM activity a "
        "CROSS JOIN LATERAL (SELECT FROM cases c WHERE c.id = a.case_id AND c.workflow = %(workflow)s OFFSET 0) c "
        "JOIN activity b ON b.case_id = a.case_id AND b.element = a.element AND b.visit < a.visit "
        "WHERE a.finished_at >= %(begin)s AND a.finished_at < %(end)s AND b.finished_at < %(begin)s ORDER BY 1",
        window._asdict(),
    )
    return [row[0] for row in rows]


class Known(NamedTuple):
    """What is known of a case beside its course."""

    variables: bytes
    breached: bool | None  #: whether any promise of it was broken; None where none was made


def known(connection: psycopg.Connection, cases: Sequence[int]) -> dict[int, Known]:
    """What is known of these cases."""
    rows = connection.execute(
        "SELECT c.id, c.variables::text, p.broken FROM unnest(%s::bigint[]) AS n (id) JOIN cases c ON c.id = n.id "
        "CROSS JOIN LATERAL (SELECT bool_or(breached_at IS NOT NULL) AS broken FROM sla_clock k "
        "WHERE k.case_id = c.id) p",
        (int8s(cases),),
    )
    return {case: Known(variables.encode(), broken) for case, variables, broken in rows}
