"""Boundary timers: armed on arrival, fired by row updates alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

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


_FIRE = """
WITH due AS MATERIALIZED (
    SELECT t.case_id, t.visit, t.boundary, t.token_no, t.due_at FROM timer t
    WHERE t.status = 'armed' AND t.due_at <= %(now)s ORDER BY t.due_at LIMIT %(limit)s),
locked AS MATERIALIZED (  -- the case first: the order in which everybody locks; here a decision and a timer race
    SELECT c.id FROM cases c WHERE c.id IN (SELECT case_id FROM due) ORDER BY c.id FOR NO KEY UPDATE)
SELECT DISTINCT ON (d.case_id, d.visit) d.case_id, d.visit, d.boundary, d.token_no
FROM due d JOIN locked l ON l.id = d.case_id ORDER BY d.case_id, d.visit, d.due_at, d.boundary
"""


def fire_due(connection: psycopg.Connection, now: datetime, limit: int) -> list[tuple[int, int, str]]:
    """Fire up to ``limit`` due timers: the wait is over, and its station finds the token ready.

    Of several on one visit the first that is due interrupts it; the others end with it, unfired.
    Returns (case, visit, boundary) of those that won; a visit that was decided meanwhile is left alone.
    Must run in a transaction of its own.
    """
    due = connection.execute(_FIRE, {"now": now, "limit": limit}).fetchall()
    if not due:
        return []
    case_id, visit, boundary, token_no = zip(*due, strict=True)
    columns = (int8s(case_id), int4s(visit), texts(boundary), int2s(token_no))
    won = connection.execute(
        "WITH fired AS (UPDATE timer t SET status = 'fired' "
        "  FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::smallint[]) AS d (case_id, visit, boundary, no) "
        "  WHERE t.case_id = d.case_id AND t.visit = d.visit AND t.boundary = d.boundary AND t.status = 'armed' "
        "  RETURNING t.case_id, t.visit, t.boundary, t.token_no, t.due_at), "
        "others AS (UPDATE timer t SET status = 'void' FROM fired f "
        "  WHERE t.case_id = f.case_id AND t.visit = f.visit AND t.boundary <> f.boundary AND t.status = 'armed') "
        "UPDATE token k SET status = 'ready', fired = f.boundary, attempt = 0, crashes = 0, "
        "  order_key = f.due_at - interval '1 day' "
        "FROM fired f WHERE k.case_id = f.case_id AND k.no = f.token_no AND k.visit = f.visit AND k.status = 'waiting' "
        "RETURNING k.case_id, k.visit, k.fired",
        columns,
    ).fetchall()
    return [(row[0], row[1], row[2]) for row in won]


def something_due(connection: psycopg.Connection, now: datetime) -> bool:
    """Whether a timer is due."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM timer WHERE status = 'armed' AND due_at <= %s)", (now,)
    ).fetchone()
    return row is not None and bool(row[0])
