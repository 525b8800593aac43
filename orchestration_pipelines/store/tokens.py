"""Tokens: claiming a chunk, moving it on, giving it back. The hottest statements of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int2s, int4s, int8s, texts
from orchestration_pipelines.store.sweepers import DEAD

#: A claim whose holder never reported counts as a crash. From the second on a case runs alone …
ALONE_FROM = 2
#: … and after three more it goes to the dead letters.
CRASHES_ALLOWED = 5


class Claimed(NamedTuple):
    """A token that is ours for the length of a lease, with what its station needs to know of the case."""

    case_id: int
    no: int
    visit: int
    attempt: int
    crashes: int
    claim_no: int
    entered_at: datetime
    fired: str | None
    throw_from: str | None
    saga_no: int | None
    case_key: str
    requested_by: str
    approval: str | None
    variables: bytes


_CLAIM = f"""
WITH dead AS MATERIALIZED ({DEAD}),
picked AS MATERIALIZED (
    SELECT t.case_id, t.no FROM token t
    WHERE t.version_id = %(version)s AND t.element = %(element)s AND t.status = 'ready'
      AND t.order_key >= %(since)s AND t.order_key <= %(until)s
      AND (t.crashes >= {ALONE_FROM}) = %(alone)s
      AND (t.holder IS NULL OR t.lease_until < clock_timestamp() OR t.holder IN (SELECT id FROM dead))
      AND NOT EXISTS (SELECT FROM hold h WHERE h.lifted_at IS NULL AND h.workflow = %(workflow)s
                      AND (h.element IS NULL OR h.element = %(element)s))
    ORDER BY t.order_key, t.case_id, t.no LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE token t SET holder = %(holder)s, lease_until = clock_timestamp() + %(lease)s, claim_no = t.claim_no + 1,
    attempt = t.attempt + 1, crashes = t.crashes + (t.holder IS NOT NULL)::int
FROM picked p JOIN cases c ON c.id = p.case_id
WHERE t.case_id = p.case_id AND t.no = p.no
RETURNING t.case_id, t.no, t.visit, t.attempt, t.crashes, t.claim_no, t.entered_at, t.fired, t.throw_from,
    t.saga_no, c.case_key, c.requested_by, c.approval, c.variables
"""  # noqa: S608 - constants of ours, not input


def claim(
    connection: psycopg.Connection,
    *,
    workflow: str,
    version: int,
    element: str,
    holder: int,
    limit: int,
    lease_s: float,
    since: datetime | str,
    until: datetime | str,
    alone: bool,
) -> list[Claimed]:
    """Lease up to ``limit`` tokens of a station in their order. The attempt is counted here.

    ``alone`` asks for those that may have killed their process (the others never meet them).
    """
    cursor = connection.cursor(binary=True, row_factory=lambda _: Claimed._make)
    cursor.execute(
        _CLAIM,
        {
            "workflow": workflow,
            "version": version,
            "element": element,
            "holder": holder,
            "limit": limit,
            "lease": f"{lease_s} seconds",
            "since": since,
            "until": until,
            "alone": alone,
        },
        prepare=True,
    )
    return cursor.fetchall()


class Held(NamedTuple):
    """A claimed token that is still ours, under lock, with its case's place in the record."""

    case_id: int
    no: int
    audit_seq: int
    audit_head: bytes
    visits: int
    cancel_reason: str | None


_LOCK = """
SELECT t.case_id, t.no, c.audit_seq, c.audit_head, c.visits, c.cancel_reason
FROM unnest(%s::bigint[], %s::smallint[], %s::int[]) AS ours (case_id, no, claim_no)
JOIN token t ON t.case_id = ours.case_id AND t.no = ours.no
JOIN cases c ON c.id = t.case_id
WHERE t.holder = %s AND t.claim_no = ours.claim_no AND t.status = 'ready'
ORDER BY c.id, t.no FOR NO KEY UPDATE OF c, t
"""


def lock(connection: psycopg.Connection, holder: int, claimed: Sequence[Claimed]) -> list[Held]:
    """Lock the chunk's cases in id order and keep the tokens whose lease is still ours.

    That alone drives what is written: a holder that lost its lease (a zombie) gets nothing back.
    """
    cursor = connection.cursor(binary=True, row_factory=lambda _: Held._make)
    cursor.execute(
        _LOCK,
        (
            int8s([token.case_id for token in claimed]),
            int2s([token.no for token in claimed]),
            int4s([token.claim_no for token in claimed]),
            holder,
        ),
        prepare=True,
    )
    return cursor.fetchall()


class TokenMove(NamedTuple):
    """Where a token goes."""

    case_id: int
    no: int
    element: str
    status: str
    visit: int
    throw_from: str | None = None
    saga_no: int = 0


_MOVE = """
UPDATE token t SET element = m.element, status = m.status, visit = m.visit, attempt = 0, crashes = 0,
    holder = NULL, lease_until = NULL, entered_at = %s, due_at = NULL, fired = NULL,
    throw_from = m.throw_from, saga_no = nullif(m.saga_no, 0)
FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::text[], %s::int[], %s::text[], %s::int[])
    AS m (case_id, no, element, status, visit, throw_from, saga_no)
WHERE t.case_id = m.case_id AND t.no = m.no
"""


def move(connection: psycopg.Connection, moves: Sequence[TokenMove], now: datetime) -> None:
    """Move locked tokens to the stations they go to."""
    if not moves:
        return
    case_id, no, element, status, visit, throw_from, saga_no = zip(*moves, strict=True)
    connection.execute(
        _MOVE,
        (
            now,
            int8s(case_id),
            int2s(no),
            texts(element),
            texts(status),
            int4s(visit),
            texts(throw_from),
            int4s(saga_no),
        ),
        prepare=True,
    )


def end(connection: psycopg.Connection, tokens: Sequence[tuple[int, int]]) -> None:
    """Consume locked tokens (case, no) that reached an end event."""
    if not tokens:
        return
    case_id, no = zip(*tokens, strict=True)
    connection.execute(
        "DELETE FROM token t USING unnest(%s::bigint[], %s::smallint[]) AS e (case_id, no) "
        "WHERE t.case_id = e.case_id AND t.no = e.no",
        (int8s(case_id), int2s(no)),
        prepare=True,
    )


def back_off(connection: psycopg.Connection, tokens: Sequence[tuple[int, int, datetime]]) -> None:
    """Let locked tokens (case, no, until when) wait before they are tried again."""
    if not tokens:
        return
    case_id, no, due_at = zip(*tokens, strict=True)
    connection.execute(
        "UPDATE token t SET status = 'backoff', due_at = b.due_at, holder = NULL, lease_until = NULL, crashes = 0 "
        "FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[]) AS b (case_id, no, due_at) "
        "WHERE t.case_id = b.case_id AND t.no = b.no",
        (int8s(case_id), int2s(no), list(due_at)),
    )


def set_aside(connection: psycopg.Connection, tokens: Sequence[tuple[int, int]], status: str) -> None:
    """Put locked tokens out of every station's reach until a person acts: ``dead`` or ``stuck``."""
    if not tokens:
        return
    case_id, no = zip(*tokens, strict=True)
    connection.execute(
        "UPDATE token t SET status = %s, holder = NULL, lease_until = NULL "
        "FROM unnest(%s::bigint[], %s::smallint[]) AS a (case_id, no) "
        "WHERE t.case_id = a.case_id AND t.no = a.no",
        (status, int8s(case_id), int2s(no)),
    )


def give_back(connection: psycopg.Connection, holder: int, claimed: Sequence[Claimed]) -> None:
    """End the lease of tokens on which no work was begun; the attempt does not count."""
    if not claimed:
        return
    connection.execute(
        "UPDATE token t SET holder = NULL, lease_until = NULL, attempt = greatest(t.attempt - 1, 0) "
        "FROM unnest(%s::bigint[], %s::smallint[], %s::int[]) AS g (case_id, no, claim_no) "
        "WHERE t.case_id = g.case_id AND t.no = g.no AND t.claim_no = g.claim_no AND t.holder = %s",
        (
            int8s([token.case_id for token in claimed]),
            int2s([token.no for token in claimed]),
            int4s([token.claim_no for token in claimed]),
            holder,
        ),
    )


def wake_due(connection: psycopg.Connection, now: datetime) -> int:
    """Make tokens ready whose backoff is over; returns how many."""
    return connection.execute(
        "UPDATE token SET status = 'ready', due_at = NULL WHERE status = 'backoff' AND due_at <= %s", (now,)
    ).rowcount


def claimable(connection: psycopg.Connection, version: int, elements: Sequence[str]) -> dict[str, int]:
    """Where work is: stations with a claimable token, and whether one of them is urgent (1) or not (0).

    Existence per station, not a count: the answer costs the same with one case as with a million.
    """
    rows = connection.execute(
        f"""
        WITH dead AS MATERIALIZED ({DEAD})
        SELECT s.element, first.order_key < clock_timestamp() - interval '12 hours'
        FROM unnest(%s::text[]) AS s (element), LATERAL (
            SELECT t.order_key FROM token t
            WHERE t.version_id = %s AND t.element = s.element AND t.status = 'ready'
              AND (t.holder IS NULL OR t.lease_until < clock_timestamp() OR t.holder IN (SELECT id FROM dead))
            ORDER BY t.order_key, t.case_id, t.no LIMIT 1) AS first
        """,  # noqa: S608 - a constant of ours, not input
        (list(elements), version),
    ).fetchall()
    return {row[0]: int(row[1]) for row in rows}
