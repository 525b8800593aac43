"""What is only ever added: activities, audit entries, effects intended, sagas armed, approvals."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int4s, int8s, texts, utf8s
from orchestration_pipelines.store.copying import NULL, copy_rows, jsonb, varying

_AUDIT = "COPY audit_entry (case_id, seq, salt, body, commitment, prev) FROM STDIN (FORMAT binary)"
_ACTIVITY = (
    "COPY activity (case_id, visit, element, outcome, attempt, entered_at, started_at, finished_at, sweeper, detail) "
    "FROM STDIN (FORMAT binary)"
)


_AUDIT_HEAD = struct.Struct(">hiqiii16si")
_THIRTY_TWO = struct.pack(">i", 32)


def audit_row(case_id: int, seq: int, salt: bytes, body: bytes, commitment: bytes, prev: bytes) -> bytes:
    """An audit entry, packed."""
    return b"".join(
        (
            _AUDIT_HEAD.pack(6, 8, case_id, 4, seq, 16, salt, len(body)),
            body,
            _THIRTY_TWO,
            commitment,
            varying(prev),
        )
    )


def add_audit(connection: psycopg.Connection, rows: Sequence[bytes]) -> None:
    """Append packed audit entries."""
    copy_rows(connection, _AUDIT, rows)


_ACTIVITY_HEAD = struct.Struct(">hiqii")
_ACTIVITY_MIDDLE = struct.Struct(">ihi8s")


def activity_row(
    case_id: int, visit: int, what: bytes, attempt: int, entered_at: bytes, when: bytes, detail: bytes | None
) -> bytes:
    """An activity, packed. A chunk shares ``what`` (element, outcome) and ``when`` (both instants, the sweeper)."""
    return b"".join(
        (
            _ACTIVITY_HEAD.pack(10, 8, case_id, 4, visit),
            what,
            _ACTIVITY_MIDDLE.pack(2, attempt, 8, entered_at),
            when,
            NULL if detail is None else jsonb(detail),
        )
    )


def add_activities(connection: psycopg.Connection, rows: Sequence[bytes]) -> None:
    """Append packed activities."""
    copy_rows(connection, _ACTIVITY, rows)


def intend_effects(
    connection: psycopg.Connection,
    element: str,
    tool: str,
    intended: Sequence[tuple[int, int, str]],
    now: datetime,
) -> None:
    """Note effects (case, visit, key) before they are attempted; a retry finds its row already there."""
    if not intended:
        return
    case_id, visit, key = zip(*intended, strict=True)
    connection.execute(
        "INSERT INTO effect (case_id, visit, element, tool, key, status, intended_at) "
        "SELECT i.case_id, i.visit, %s, %s, i.key, 'intended', %s "
        "FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS i (case_id, visit, key) ON CONFLICT DO NOTHING",
        (element, tool, now, int8s(case_id), int4s(visit), texts(key)),
        prepare=True,
    )


def settle_effects(connection: psycopg.Connection, settled: Sequence[tuple[int, int, str]], now: datetime) -> None:
    """Note how effects (case, visit, status) ended: done, refused, unknown, or voided by key."""
    if not settled:
        return
    case_id, visit, status = zip(*settled, strict=True)
    connection.execute(
        "UPDATE effect e SET status = s.status, finished_at = %s "
        "FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS s (case_id, visit, status) "
        "WHERE e.case_id = s.case_id AND e.visit = s.visit",
        (now, int8s(case_id), int4s(visit), texts(status)),
        prepare=True,
    )


def unsettled_effects(connection: psycopg.Connection, cases: Sequence[int]) -> set[int]:
    """Which of these cases have an effect that is still intended or unknown."""
    if not cases:
        return set()
    rows = connection.execute(
        "SELECT DISTINCT e.case_id FROM effect e WHERE e.case_id = ANY(%s) AND e.status IN ('intended', 'unknown')",
        (int8s(cases),),
        prepare=True,
    )
    return {row[0] for row in rows}


class Doubt(NamedTuple):
    """An effect of a visit that never came to its end: it may stand outside, and nothing here undoes it."""

    case_id: int
    visit: int
    element: str
    tool: str
    key: str
    status: str


def doubts_of(connection: psycopg.Connection, cases: Sequence[int]) -> list[Doubt]:
    """The effects in doubt of these cases, latest first: unsettled ones, and those done in a visit that got stuck."""
    cursor = connection.cursor(row_factory=lambda _: Doubt._make)
    return cursor.execute(
        "SELECT e.case_id, e.visit, e.element, e.tool, e.key, e.status FROM effect e WHERE e.case_id = ANY(%s) "
        "AND (e.status IN ('intended', 'unknown') OR e.status = 'done' AND NOT EXISTS (SELECT FROM activity a "
        "WHERE a.case_id = e.case_id AND a.visit = e.visit AND a.outcome <> 'cancelled')) "
        "ORDER BY e.case_id, e.visit DESC",
        (int8s(cases),),
    ).fetchall()


def arm_compensations(connection: psycopg.Connection, armed: Sequence[tuple[int, int, str, int, str, bytes]]) -> None:
    """Add entries (case, number, activity, visit, handler, snapshot) to the saga logs."""
    if not armed:
        return
    case_id, no, activity, visit, handler, snapshot = zip(*armed, strict=True)
    connection.execute(
        "INSERT INTO compensation (case_id, no, activity, visit, handler, status, snapshot) "
        "SELECT a.case_id, a.no, a.activity, a.visit, a.handler, 'armed', a.snapshot::jsonb "
        "FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::int[], %s::text[], %s::text[]) "
        "AS a (case_id, no, activity, visit, handler, snapshot)",
        (int8s(case_id), int4s(no), texts(activity), int4s(visit), texts(handler), utf8s(snapshot)),
        prepare=True,
    )


def mark_compensations(
    connection: psycopg.Connection, entries: Sequence[tuple[int, int]], status: str, now: datetime
) -> None:
    """Note that entries (case, number) are running or consumed."""
    if not entries:
        return
    case_id, no = zip(*entries, strict=True)
    connection.execute(
        "UPDATE compensation c SET status = %s, consumed_at = CASE WHEN %s = 'consumed' THEN %s::timestamptz END "
        "FROM unnest(%s::bigint[], %s::int[]) AS m (case_id, no) WHERE c.case_id = m.case_id AND c.no = m.no",
        (status, status, now, int8s(case_id), int4s(no)),
        prepare=True,
    )


def armed_compensations(connection: psycopg.Connection, cases: Sequence[int]) -> list[tuple[int, int, str, str]]:
    """The armed entries (case, number, activity, handler) of these cases."""
    return connection.execute(
        "SELECT case_id, no, activity, handler FROM compensation WHERE case_id = ANY(%s) AND status = 'armed'",
        (int8s(cases),),
        prepare=True,
    ).fetchall()


def snapshots(connection: psycopg.Connection, entries: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The handlers' inputs of saga entries (case, number), as they were at completion."""
    if not entries:
        return {}
    case_id, no = zip(*entries, strict=True)
    rows = connection.execute(
        "SELECT c.case_id, c.no, c.snapshot FROM compensation c "
        "JOIN unnest(%s::bigint[], %s::int[]) AS e (case_id, no) ON c.case_id = e.case_id AND c.no = e.no",
        (int8s(case_id), int4s(no)),
        prepare=True,
    )
    return {(row[0], row[1]): row[2] for row in rows}


def give_approvals(
    connection: psycopg.Connection, given: Sequence[tuple[str, int, int, list[str]]], now: datetime
) -> None:
    """Record approvals (id, case, visit, by whom)."""
    with connection.cursor() as cursor:
        if given:
            ids, case_id, visit, by = zip(*given, strict=True)
            cursor.execute(
                "INSERT INTO approval (id, case_id, visit, given_by, given_at) "
                "SELECT g.id, g.case_id, g.visit, string_to_array(g.by, E'\\n'), %s "
                "FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::text[]) AS g (id, case_id, visit, by)",
                (now, texts(ids), int8s(case_id), int4s(visit), texts(["\n".join(people) for people in by])),
                prepare=True,
            )


def void_approvals(connection: psycopg.Connection, cases: Sequence[int], now: datetime) -> None:
    """Void the approvals in force of these cases: the payload they were given on is no longer the case's."""
    if cases:
        connection.execute(
            "UPDATE approval SET voided_at = %s WHERE case_id = ANY(%s) AND voided_at IS NULL",
            (now, int8s(cases)),
        )
