"""Incidents as people act on them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Incident(NamedTuple):
    """Something that stands until a person resolves it."""

    id: int
    workflow: str
    case_key: str | None
    case_id: int | None
    element: str | None
    kind: str
    reason: str
    owner: str
    opened_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


def listed(
    connection: psycopg.Connection,
    workflow: str | None = None,
    *,
    ended: bool = False,
    incident: int | None = None,
    limit: int | None = None,
    after: int = 0,
) -> list[Incident]:
    """Incidents, oldest first, those behind ``after``; with ``ended`` also the resolved ones."""
    cursor = connection.cursor(row_factory=lambda _: Incident._make)
    return cursor.execute(
        "SELECT i.id, i.workflow, c.case_key, i.case_id, i.element, i.kind, i.reason, i.owner, i.opened_at, "
        "i.resolved_at, i.resolved_by, i.resolution FROM incident i LEFT JOIN cases c ON c.id = i.case_id "
        "WHERE (%(workflow)s::text IS NULL OR i.workflow = %(workflow)s) AND (%(ended)s OR i.resolved_at IS NULL) "
        "AND (%(id)s::bigint IS NULL OR i.id = %(id)s) AND i.id > %(after)s ORDER BY i.id LIMIT %(limit)s",
        {"workflow": workflow, "ended": ended, "id": incident, "limit": limit, "after": after},
    ).fetchall()


def resolve(connection: psycopg.Connection, incident: int, *, by: str, resolution: str, now: datetime) -> bool:
    """Note how an incident was mended; False if somebody else did before."""
    return (
        connection.execute(
            "UPDATE incident SET resolved_at = %s, resolved_by = %s, resolution = %s "
            "WHERE id = %s AND resolved_at IS NULL",
            (now, by, resolution, incident),
        ).rowcount
        == 1
    )


def wake_stuck(connection: psycopg.Connection, case_id: int, now: datetime) -> int:
    """A stuck token is tried again at its station; returns how many."""
    return connection.execute(
        "UPDATE token SET status = 'ready', attempt = 0, crashes = 0, claim_no = claim_no + 1, order_key = %s "
        "WHERE case_id = %s AND status = 'stuck'",
        (now, case_id),
    ).rowcount
