"""Cases as people ask for them: lists, one case's history, and a cancellation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.store import clocks


class ListedCase(NamedTuple):
    """A case in a list."""

    workflow: str
    key: str
    state: str
    outcome: str | None
    stands_at: str | None  #: the element where its token rests
    status: str | None  #: of the token: ready, waiting, backoff, dead or stuck
    requested_by: str
    submitted_at: datetime
    closed_at: datetime | None


def listed(
    connection: psycopg.Connection, workflow: str | None, *, state: str | None, at: str | None, limit: int
) -> list[ListedCase]:
    """Cases in the order of their submission. What became of one stays unsaid until its quality review is in."""
    cursor = connection.cursor(row_factory=lambda _: ListedCase._make)
    return cursor.execute(
        "SELECT c.workflow, c.case_key, c.state, CASE WHEN q.blind THEN 'sealed' ELSE c.outcome END, "
        "CASE WHEN NOT q.blind THEN t.element END, CASE WHEN NOT q.blind THEN t.status END, c.requested_by, "
        "c.submitted_at, CASE WHEN NOT q.blind THEN c.closed_at END "
        "FROM cases c LEFT JOIN token t ON t.case_id = c.id CROSS JOIN LATERAL (SELECT EXISTS ( "
        "SELECT FROM review_task r WHERE r.case_id = c.id AND r.kind = 'quality' AND r.ended_at IS NULL) AS blind) q "
        "WHERE (%(workflow)s::text IS NULL OR c.workflow = %(workflow)s) "
        "AND (%(state)s::text IS NULL OR c.state = %(state)s) AND (%(at)s::text IS NULL OR t.element = %(at)s) "
        "ORDER BY c.id LIMIT %(limit)s",
        {"workflow": workflow, "state": state, "at": at, "limit": limit},
    ).fetchall()


class FoundCase(NamedTuple):
    """A case by its key."""

    case_id: int
    workflow: str
    key: str
    state: str
    outcome: str | None
    requested_by: str
    variables: Mapping[str, Any]
    version: int
    drawing: str  #: the digest of the drawing that it runs on


def find(connection: psycopg.Connection, key: str, workflow: str | None) -> list[FoundCase]:
    """The cases of this key: one in each workflow at most. What became of one is sealed as in :func:`listed`."""
    rows = connection.execute(
        "SELECT c.id, c.workflow, c.case_key, c.state, CASE WHEN EXISTS (SELECT FROM review_task r "
        "WHERE r.case_id = c.id AND r.kind = 'quality' AND r.ended_at IS NULL) THEN 'sealed' ELSE c.outcome END, "
        "c.requested_by, c.variables, v.version, v.digest FROM cases c JOIN workflow_version v ON v.id = c.version_id "
        "WHERE c.case_key = %(key)s AND (%(workflow)s::text IS NULL OR c.workflow = %(workflow)s) ORDER BY c.workflow",
        {"key": key, "workflow": workflow},
    ).fetchall()
    return [FoundCase._make((*row[:6], decode(row[6]), *row[7:])) for row in rows]


class Recorded(NamedTuple):
    """An entry of a case's record."""

    seq: int
    at: datetime
    actor: str
    role: str
    act: str
    record: str
    body: Mapping[str, Any]  #: the entry as it was committed to


def record_of(connection: psycopg.Connection, case_id: int) -> list[Recorded]:
    """Everything that the record says of a case, in order."""
    rows = connection.execute(
        "SELECT seq, at, actor, role, act, record, b FROM audit_trail WHERE case_id = %s ORDER BY seq", (case_id,)
    ).fetchall()
    return [Recorded._make((*row[:6], decode(row[6]))) for row in rows]


#: A token that nobody works on goes at once to where the case is undone; one under work goes there when its visit ends.
_CANCEL = """
UPDATE token SET element = %(station)s, status = 'ready', holder = NULL, lease_until = NULL, due_at = NULL,
    claim_no = claim_no + 1, attempt = 0, crashes = 0, fired = NULL, visit = %(visit)s, entered_at = %(now)s,
    order_key = %(now)s - interval '1 day', throw_from = NULL, saga_no = NULL
WHERE case_id = %(case)s AND throw_from IS NULL AND (holder IS NULL OR status <> 'ready')
"""


def cancel(connection: psycopg.Connection, case_id: int, *, station: str, reason: str, now: datetime) -> bool:
    """Send an open case to ``station``, where it is undone; False if a machine is at work on it and goes there next.

    The case's row must be locked by the caller's transaction.
    """
    connection.execute("UPDATE cases SET cancel_reason = %s WHERE id = %s", (reason, case_id))
    visit = next_visit(connection, case_id)
    connection.execute(
        "UPDATE review_task SET status = 'cancelled', ended_at = %s WHERE case_id = %s AND ended_at IS NULL "
        "AND kind = 'decision'",
        (now, case_id),
    )
    connection.execute("UPDATE timer SET status = 'void' WHERE case_id = %s AND status = 'armed'", (case_id,))
    clocks.stop_all(connection, case_id, now)
    moved = connection.execute(_CANCEL, {"station": station, "visit": visit, "case": case_id, "now": now}).rowcount
    return moved > 0


def next_visit(connection: psycopg.Connection, case_id: int) -> int:
    """Count one more visit of a case; returns its number."""
    row = connection.execute(
        "UPDATE cases SET visits = visits + 1 WHERE id = %s RETURNING visits", (case_id,)
    ).fetchone()
    if row is None:
        raise LookupError(f"there is no case {case_id}")
    return int(row[0])


def lock_open(connection: psycopg.Connection, case_id: int) -> bool:
    """Lock a case's row; whether it is open."""
    row = connection.execute("SELECT state FROM cases WHERE id = %s FOR NO KEY UPDATE", (case_id,)).fetchone()
    return row is not None and row[0] == "open"


def note(
    connection: psycopg.Connection,
    case_id: int,
    *,
    actor: str,
    role: str,
    act: str,
    record: str,
    at: datetime,
    detail: bytes,
) -> None:
    """Append an entry to the record of a case (or, with a negative number, of a workflow)."""
    connection.execute(
        "SELECT append_audit(%s, %s, %s, %s, %s, %s, %s::jsonb)",
        (case_id, actor, role, act, record, at, detail.decode()),
    )
