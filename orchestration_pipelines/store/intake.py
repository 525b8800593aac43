"""Taking cases in: COPY in batches, with what is withheld split off at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import texts
from orchestration_pipelines.store.copying import (
    NULL,
    copy_rows,
    instant,
    int2,
    int4,
    int8,
    jsonb,
    row,
    text,
    varying,
)

_CASES = (
    "COPY cases (id, workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq, "
    "audit_head, submitted_at, state, outcome, closed_at) FROM STDIN (FORMAT binary)"
)
_TOKENS = (
    "COPY token (case_id, no, version_id, element, status, visit, order_key, entered_at) FROM STDIN (FORMAT binary)"
)


#: the number of a case's first token
FIRST_TOKEN = 1


class NewCase(NamedTuple):
    """A case to be, with its first token's station."""

    case_id: int
    key: str
    requested_by: str
    digest: bytes
    variables: bytes
    station: str
    audit_head: bytes
    status: str  #: ready, or waiting where people are asked first


def known_keys(connection: psycopg.Connection, workflow: str, keys: Sequence[str]) -> dict[str, bytes]:
    """The payload digests of those keys that are cases already."""
    rows = connection.execute(
        "SELECT case_key, payload_digest FROM cases WHERE workflow = %s AND case_key = ANY(%s)",
        (workflow, texts(keys)),
        prepare=True,
    )
    return {row_[0]: row_[1] for row_ in rows}


def reserve_ids(connection: psycopg.Connection, count: int) -> list[int]:
    """Ids for new cases."""
    rows = connection.execute(
        "SELECT nextval(pg_get_serial_sequence('cases', 'id')) FROM generate_series(1, %s)", (count,)
    )
    return [row_[0] for row_ in rows]


def add_cases(
    connection: psycopg.Connection, workflow: str, version: int, cases: Sequence[NewCase], now: datetime
) -> None:
    """Add cases with their tokens; a key that somebody else just took is a UniqueViolation."""
    at, name, version_field = instant(now), text(workflow), int4(version)
    one, first, is_open = int2(FIRST_TOKEN), int4(1), text("open")
    status = {name: text(name) for name in ("ready", "waiting")}
    copy_rows(
        connection,
        _CASES,
        [
            row(
                int8(case.case_id),
                name,
                version_field,
                text(case.key),
                text(case.requested_by),
                varying(case.digest),
                jsonb(case.variables),
                first,
                first,
                varying(case.audit_head),
                at,
                is_open,
                NULL,
                NULL,
            )
            for case in cases
        ],
    )
    copy_rows(
        connection,
        _TOKENS,
        [
            row(int8(case.case_id), one, version_field, text(case.station), status[case.status], first, at, at)
            for case in cases
        ],
    )


def withhold(connection: psycopg.Connection, table: str, rows: Sequence[tuple[int, bytes]]) -> None:
    """Put withheld columns (case, JSON) into the table of their kind, which the application cannot read."""
    copy_rows(
        connection,
        {
            "outcome": "COPY withheld_outcome (case_id, columns) FROM STDIN (FORMAT binary)",
            "protected": "COPY withheld_protected (case_id, columns) FROM STDIN (FORMAT binary)",
        }[table],
        [row(int8(case_id), jsonb(columns)) for case_id, columns in rows],
    )


class Quarantined(NamedTuple):
    """A row that made no case."""

    row_no: int
    case_key: str | None
    reason: str
    row: bytes
    withheld: bytes  #: JSON by kind; the application writes it and cannot read it


def quarantine(
    connection: psycopg.Connection,
    workflow: str,
    source: str,
    rows: Sequence[Quarantined],
    now: datetime,
) -> None:
    """Keep bad rows with their reasons; offering the same file again adds none."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO quarantine (workflow, source, row_no, case_key, reason, row, withheld, at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s) ON CONFLICT DO NOTHING",
            [
                (workflow, source, bad.row_no, bad.case_key, bad.reason, bad.row.decode(), bad.withheld.decode(), now)
                for bad in rows
            ],
        )
