"""Boundary timers: armed on arrival, fired by row updates alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

from orchestration_pipelines.store import clocks, reviews
from orchestration_pipelines.store.arrays import int2s, int4s, int8s, texts


def arm(connection: psycopg.Connection, timers: Sequence[tuple[int, int, str, int, datetime]]) -> None:
    """Arm timers (case, visit, boundary, token, due at)."""
    if not timers:
        return
    case_id, visit, boundary, token_no, due_at = zip(*timers, strict=True)
    connection.execute(
        "INSERT INTO timer (case_id, visit, boundary, token_no, due_at) "
        "SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::smallint[], %s::timestamptz[])",
        (int8s(case_id), int4s(visit), texts(boundary), int2s(token_no), list(due_at)),
    )


# The case first: the order in which everybody locks; here a decision and a timer race. A case that somebody is just
# working on is passed by: the next tick finds its timer due still, and this one is not held up.
_DUE = """
WITH due AS MATERIALIZED (
    SELECT t.case_id, t.visit, t.boundary, t.token_no, t.due_at FROM timer t
    WHERE t.status = 'armed' AND t.due_at <= %(now)s ORDER BY t.due_at LIMIT %(limit)s),
ours AS MATERIALIZED (
    SELECT d.* FROM due d JOIN cases c ON c.id = d.case_id ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED)
SELECT DISTINCT ON (o.case_id, o.visit) o.case_id, o.visit, o.boundary, o.token_no
FROM ours o ORDER BY o.case_id, o.visit, o.due_at, o.boundary
"""


def fire_due(connection: psycopg.Connection, now: datetime, limit: int) -> list[tuple[int, int, str]]:
    """Fire up to ``limit`` due timers: the wait is over, and its station finds the token ready.

    Of several on one visit the first that is due interrupts it; the others end with it, unfired.
    Returns (case, visit, boundary) of those that won; a visit that was decided meanwhile is left alone.
    Must run in a transaction of its own.
    """
    return _fire(connection, connection.execute(_DUE, {"now": now, "limit": limit}).fetchall(), now)


def fire_early(
    connection: psycopg.Connection, visits: Sequence[tuple[int, int]], now: datetime
) -> list[tuple[int, int, str]]:
    """Fire the first timer of each of these visits (case, visit) though it is not due: the way that is drawn for it.

    Returns (case, visit, boundary) of those that had one. The cases' rows must be locked by the caller's transaction.
    """
    if not visits:
        return []
    case_id, visit = zip(*visits, strict=True)
    first = connection.execute(
        "SELECT DISTINCT ON (t.case_id, t.visit) t.case_id, t.visit, t.boundary, t.token_no "
        "FROM unnest(%s::bigint[], %s::int[]) AS v (case_id, visit) "
        "JOIN timer t ON t.case_id = v.case_id AND t.visit = v.visit WHERE t.status = 'armed' "
        "ORDER BY t.case_id, t.visit, t.due_at, t.boundary",
        (int8s(case_id), int4s(visit)),
    ).fetchall()
    return _fire(connection, first, now)


# What is fired early is urgent from now on, not from when it would have been due.
_FIRE = """
WITH fired AS (UPDATE timer t SET status = 'fired'
    FROM unnest(%(case)s::bigint[], %(visit)s::int[], %(boundary)s::text[], %(no)s::smallint[])
        AS d (case_id, visit, boundary, no)
    WHERE t.case_id = d.case_id AND t.visit = d.visit AND t.boundary = d.boundary AND t.status = 'armed'
    RETURNING t.case_id, t.visit, t.boundary, t.token_no, t.due_at),
others AS (UPDATE timer t SET status = 'void' FROM fired f
    WHERE t.case_id = f.case_id AND t.visit = f.visit AND t.boundary <> f.boundary AND t.status = 'armed')
UPDATE token k SET status = 'ready', fired = f.boundary, attempt = 0, crashes = 0,
    order_key = least(f.due_at, %(now)s) - interval '1 day'
FROM fired f WHERE k.case_id = f.case_id AND k.no = f.token_no AND k.visit = f.visit AND k.status = 'waiting'
RETURNING k.case_id, k.visit, k.fired
"""


def _fire(
    connection: psycopg.Connection, first: Sequence[tuple[int, int, str, int]], now: datetime
) -> list[tuple[int, int, str]]:
    """Fire these timers, and end what waited: the tasks leave every list at once, and the clocks stop."""
    if not first:
        return []
    case_id, visit, boundary, token_no = zip(*first, strict=True)
    won = connection.execute(
        _FIRE,
        {
            "now": now,
            "case": int8s(case_id),
            "visit": int4s(visit),
            "boundary": texts(boundary),
            "no": int2s(token_no),
        },
    ).fetchall()
    visits = [(row[0], row[1]) for row in won]
    reviews.end_tasks(connection, visits, "expired", now)
    clocks.stop(connection, visits, now)
    return [(row[0], row[1], row[2]) for row in won]


def something_due(connection: psycopg.Connection, now: datetime) -> bool:
    """Whether a timer is due."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM timer WHERE status = 'armed' AND due_at <= %s)", (now,)
    ).fetchone()
    return row is not None and bool(row[0])
