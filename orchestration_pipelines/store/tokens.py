"""Tokens: claiming a chunk, moving it on, giving it back. The hottest statements of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import Column, instants, int2s, int4s, int8s, texts
from orchestration_pipelines.store.sweepers import LIVING

#: A claim whose holder never reported counts as a crash, noted by the next claim. After the second a case runs alone …
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
    entered_at: bytes  #: as PostgreSQL packs it: it goes back as it came
    fired: str | None
    throw_from: str | None
    saga_no: int | None
    case_key: str
    approval: str | None
    audit_seq: int
    audit_head: bytes
    visits: int
    cancel_reason: str | None
    variables: bytes | Mapping[str, Any]  #: as PostgreSQL sent them, until somebody looks

    def onward(
        self,
        *,
        visits: int,
        claim_no: int,
        entered_at: bytes,
        approval: str | None,
        audit_seq: int,
        audit_head: bytes,
        variables: bytes | Mapping[str, Any],
    ) -> Claimed:
        """The same token at the next station: its first attempt there."""
        return Claimed(
            case_id=self.case_id,
            no=self.no,
            visit=visits,
            attempt=1,
            crashes=0,
            claim_no=claim_no,
            entered_at=entered_at,
            fired=None,
            throw_from=None,
            saga_no=None,
            case_key=self.case_key,
            approval=approval,
            audit_seq=audit_seq,
            audit_head=audit_head,
            visits=visits,
            cancel_reason=self.cancel_reason,
            variables=variables,
        )


_CLAIM = f"""
WITH living AS MATERIALIZED ({LIVING}),
picked AS MATERIALIZED (
    SELECT t.ctid AS place, t.case_id FROM token t
    WHERE t.version_id = %(version)s AND t.element = %(element)s AND t.status = 'ready'
      AND t.order_key >= %(since)s AND t.order_key <= %(until)s
      AND (t.crashes + (t.holder IS NOT NULL)::int >= {ALONE_FROM}) = %(alone)s
      AND (t.holder IS NULL OR t.lease_until < clock_timestamp() OR t.holder NOT IN (SELECT id FROM living))
      AND NOT EXISTS (SELECT FROM hold h WHERE h.lifted_at IS NULL AND h.workflow = %(workflow)s
                      AND (h.element IS NULL OR h.element = %(element)s))
    ORDER BY t.order_key, t.case_id, t.no LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE token t SET holder = %(holder)s, lease_until = clock_timestamp() + %(lease)s, claim_no = t.claim_no + 1,
    attempt = t.attempt + 1, crashes = t.crashes + (t.holder IS NOT NULL)::int
FROM picked p JOIN cases c ON c.id = p.case_id
WHERE t.ctid = p.place  -- locked just above: the row is where it was
RETURNING t.case_id, t.no, t.visit, t.attempt, t.crashes, t.claim_no, timestamptz_send(t.entered_at), t.fired,
    t.throw_from, t.saga_no, c.case_key, c.approval, c.audit_seq, c.audit_head, c.visits, c.cancel_reason, c.variables
"""


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


class Outrun(RuntimeError):
    """Somebody changed a case or took over a token meanwhile: nothing is written, look again under lock."""


_RELOOK = """
SELECT t.case_id, t.no, c.approval, c.audit_seq, c.audit_head, c.visits, c.cancel_reason
FROM unnest(%s::bigint[], %s::smallint[], %s::int[]) AS ours (case_id, no, claim_no)
JOIN token t ON t.case_id = ours.case_id AND t.no = ours.no
JOIN cases c ON c.id = t.case_id
WHERE t.claim_no = ours.claim_no
ORDER BY c.id, t.no FOR NO KEY UPDATE OF c, t
"""


def look_again(connection: psycopg.Connection, claimed: Sequence[Claimed]) -> dict[tuple[int, int], Claimed]:
    """Lock the chunk's cases in id order; the tokens whose lease is still ours, as their cases are now.

    That alone drives what is written: a holder that lost its lease (a zombie) gets nothing back.
    """
    rows = connection.execute(_RELOOK, _keys(claimed), prepare=True).fetchall()
    ours = {(token.case_id, token.no): token for token in claimed}
    return {
        (row[0], row[1]): ours[row[0], row[1]]._replace(
            approval=row[2], audit_seq=row[3], audit_head=row[4], visits=row[5], cancel_reason=row[6]
        )
        for row in rows
    }


def _keys(claimed: Sequence[Claimed]) -> tuple[Column, Column, Column]:
    return (
        int8s([token.case_id for token in claimed]),
        int2s([token.no for token in claimed]),
        int4s([token.claim_no for token in claimed]),
    )


#: The lease is still ours: every statement that moves a token says so. The fence alone says it, since it grows with
#: every claim and every move; a condition on the holder would invite the planner to start from the tokens, not the ids.
_OURS = "t.case_id = m.case_id AND t.no = m.no AND t.claim_no = m.claim_no"


def _fenced(connection: psycopg.Connection, statement: str, parameters: Sequence[object], expected: int) -> None:
    if connection.execute(statement, parameters, prepare=True).rowcount != expected:
        raise Outrun("a lease was taken over")


class TokenMove(NamedTuple):
    """Where a token goes."""

    case_id: int
    no: int
    claim_no: int
    element: str
    status: str
    visit: int
    throw_from: str | None = None
    saga_no: int = 0
    due_at: datetime | None = None  #: backoff: when it is ready again
    kept: bool = False  #: the lease goes with it: the same sweeper works on at the next station
    attempt: int = 0  #: attempts already made there: by the sweeper that goes on, or by one that failed on the way


_MOVE = f"""
UPDATE token t SET element = m.element, status = m.status, visit = m.visit, crashes = 0, claim_no = t.claim_no + 1,
    attempt = m.attempt, holder = CASE WHEN m.kept = 1 THEN t.holder END,
    lease_until = CASE WHEN m.kept = 1 THEN clock_timestamp() + %s END, entered_at = %s, due_at = m.due_at,
    fired = NULL, throw_from = m.throw_from, saga_no = nullif(m.saga_no, 0)
FROM unnest(%s::bigint[], %s::smallint[], %s::int[], %s::text[], %s::text[], %s::int[], %s::text[], %s::int[],
    %s::timestamptz[], %s::smallint[], %s::smallint[])
    AS m (case_id, no, claim_no, element, status, visit, throw_from, saga_no, due_at, kept, attempt)
WHERE {_OURS}
"""


def move(connection: psycopg.Connection, moves: Sequence[TokenMove], now: datetime, lease_s: float) -> None:
    """Move tokens to the stations they go to; :class:`Outrun` if one is no longer ours.

    Where the lease is kept, the move counts the attempt at the next station, as a claim would.
    """
    if not moves:
        return
    case_id, no, claim_no, element, status, visit, throw_from, saga_no, due_at, kept, attempt = zip(*moves, strict=True)
    columns = (int8s(case_id), int2s(no), int4s(claim_no), texts(element), texts(status), int4s(visit))
    lease = f"{lease_s} seconds"
    _fenced(
        connection,
        _MOVE,
        (lease, now, *columns, texts(throw_from), int4s(saga_no), instants(due_at), int2s(kept), int2s(attempt)),
        len(moves),
    )


_THESE = "unnest(%s::bigint[], %s::smallint[], %s::int[]) AS m (case_id, no, claim_no)"


def end(connection: psycopg.Connection, claimed: Sequence[Claimed]) -> None:
    """Consume tokens that reached an end event."""
    if claimed:
        statement = f"DELETE FROM token t USING {_THESE} WHERE {_OURS}"
        _fenced(connection, statement, _keys(claimed), len(claimed))


def back_off(connection: psycopg.Connection, claimed: Sequence[Claimed], until: Sequence[datetime]) -> None:
    """Let tokens wait, each until its time, before they are tried again."""
    if not claimed:
        return
    statement = (
        "UPDATE token t SET status = 'backoff', due_at = m.due_at, crashes = 0, holder = NULL, lease_until = NULL, "
        "claim_no = t.claim_no + 1 "
        "FROM unnest(%s::bigint[], %s::smallint[], %s::int[], %s::timestamptz[]) AS m (case_id, no, claim_no, due_at) "
        f"WHERE {_OURS}"
    )
    _fenced(connection, statement, (*_keys(claimed), list(until)), len(claimed))


def set_aside(connection: psycopg.Connection, claimed: Sequence[Claimed], status: str) -> None:
    """Put tokens out of every station's reach until a person acts: ``dead`` or ``stuck``."""
    if claimed:
        statement = (
            "UPDATE token t SET status = %s, holder = NULL, lease_until = NULL, claim_no = t.claim_no + 1 "
            f"FROM {_THESE} WHERE {_OURS}"
        )
        _fenced(connection, statement, (status, *_keys(claimed)), len(claimed))


def give_back(connection: psycopg.Connection, claimed: Sequence[Claimed]) -> None:
    """End the lease of tokens on which no work was begun; the attempt does not count."""
    if claimed:
        connection.execute(
            "UPDATE token t SET holder = NULL, lease_until = NULL, claim_no = t.claim_no + 1, "
            "attempt = greatest(t.attempt - 1, 0) "
            f"FROM {_THESE} WHERE {_OURS}",
            _keys(claimed),
        )


def held(connection: psycopg.Connection, workflow: str) -> frozenset[str | None]:
    """The stations of a workflow that are on hold; None among them means all of it."""
    rows = connection.execute(
        "SELECT element FROM hold WHERE lifted_at IS NULL AND workflow = %s", (workflow,), prepare=True
    )
    return frozenset(row[0] for row in rows)


def wake_due(connection: psycopg.Connection, now: datetime) -> int:
    """Make tokens ready whose backoff is over; returns how many."""
    return connection.execute(
        "UPDATE token SET status = 'ready', due_at = NULL WHERE status = 'backoff' AND due_at <= %s", (now,)
    ).rowcount


#: the first claimable token of each station: it costs the same with one case waiting as with a million
_FIRST = f"""
WITH living AS MATERIALIZED ({LIVING})
SELECT s.element, first.order_key
FROM unnest(%s::text[]) AS s (element) CROSS JOIN LATERAL (
    SELECT t.order_key FROM token t
    WHERE t.version_id = %s AND t.element = s.element AND t.status = 'ready' AND t.order_key <= %s
      AND (t.holder IS NULL OR t.lease_until < clock_timestamp() OR t.holder NOT IN (SELECT id FROM living))
    ORDER BY t.order_key, t.case_id, t.no LIMIT 1) AS first
WHERE NOT EXISTS (SELECT FROM hold h WHERE h.lifted_at IS NULL AND h.workflow = %s
                  AND (h.element IS NULL OR h.element = s.element))
"""


def claimable(
    connection: psycopg.Connection,
    workflow: str,
    version: int,
    elements: Sequence[str],
    until: datetime | str = "infinity",
) -> dict[str, datetime]:
    """The stations where a token can be claimed, each with the order key of its first.

    ``until`` leaves those out that were queued later: what is urgent is found without a walk over the arrivals.
    """
    rows = connection.execute(_FIRST, (list(elements), version, until, workflow)).fetchall()
    return {row[0]: row[1] for row in rows}


def something_due(connection: psycopg.Connection, now: datetime) -> bool:
    """Whether a backoff is over."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM token WHERE status = 'backoff' AND due_at <= %s)", (now,)
    ).fetchone()
    return row is not None and bool(row[0])
