"""Quarantined rows as people act on them: the list, and a row that is offered again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import psycopg


class QuarantinedRow(NamedTuple):
    """A row that made no case, and why."""

    id: int
    workflow: str
    source: str
    row_no: int
    case_key: str | None
    reason: str
    columns: Mapping[str, str]  #: as read, without what is withheld
    at: datetime
    resubmitted_by: str | None


def listed(
    connection: psycopg.Connection,
    workflow: str | None = None,
    *,
    ended: bool = False,
    row: int | None = None,
    limit: int | None = None,
    after: int = 0,
) -> list[QuarantinedRow]:
    """Quarantined rows, oldest first, those behind ``after``; with ``ended`` also those that were offered again."""
    rows = connection.execute(
        "SELECT id, workflow, source, row_no, case_key, reason, row, at, resubmitted_by FROM quarantine "
        "WHERE (%(workflow)s::text IS NULL OR workflow = %(workflow)s) AND (%(ended)s OR resubmitted_at IS NULL) "
        "AND (%(id)s::bigint IS NULL OR id = %(id)s) AND id > %(after)s ORDER BY id LIMIT %(limit)s",
        {"workflow": workflow, "ended": ended, "id": row, "limit": limit, "after": after},
    ).fetchall()
    return [QuarantinedRow._make((*found[:6], json.loads(found[6]), *found[7:])) for found in rows]


def take(connection: psycopg.Connection, row: int) -> bool:
    """Lock a row that was not offered again yet; False if somebody did."""
    found = connection.execute(
        "SELECT id FROM quarantine WHERE id = %s AND resubmitted_at IS NULL FOR UPDATE", (row,)
    ).fetchone()
    return found is not None


def restore(connection: psycopg.Connection, row: int, *, workflow: str, case_key: str, by: str, now: datetime) -> None:
    """The row became a case: what was withheld of it goes where withheld columns go."""
    connection.execute(
        "SELECT restore_withheld(%s, (SELECT id FROM cases WHERE workflow = %s AND case_key = %s))",
        (row, workflow, case_key),
    )
    connection.execute("UPDATE quarantine SET resubmitted_at = %s, resubmitted_by = %s WHERE id = %s", (now, by, row))
