"""The outbox: what somebody is to be told, written in the transaction of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import texts


class Notice(NamedTuple):
    """What one person is to be told once."""

    key: str  #: of what happened: a second notice of the same key is not sent
    workflow: str
    person: str  #: a reviewer, or an owner
    kind: str  #: reminded, reassigned, escalated …
    text: str  #: opaque ids and times, no personal data
    case_id: int | None = None
    task_id: int | None = None


def tell(connection: psycopg.Connection, notices: Sequence[Notice], now: datetime) -> int:
    """Put notices into the outbox; returns how many are new. Delivering them is another process's work."""
    if not notices:
        return 0
    key, workflow, person, kind, text, case_id, task_id = zip(*notices, strict=True)
    return connection.execute(
        "INSERT INTO notification (key, workflow, person, kind, text, case_id, task_id, made_at, next_at) "
        "SELECT n.key, n.workflow, n.person, n.kind, n.text, n.case_id, n.task_id, %(now)s, %(now)s "
        "FROM unnest(%(key)s::text[], %(workflow)s::text[], %(person)s::text[], %(kind)s::text[], %(text)s::text[], "
        "  %(case)s::bigint[], %(task)s::bigint[]) AS n (key, workflow, person, kind, text, case_id, task_id) "
        "ON CONFLICT (key) DO NOTHING",
        {
            "now": now,
            "key": texts(key),
            "workflow": texts(workflow),
            "person": texts(person),
            "kind": texts(kind),
            "text": texts(text),
            "case": list(case_id),
            "task": list(task_id),
        },
    ).rowcount


class Waiting(NamedTuple):
    """A notice that is due to be delivered."""

    id: int
    key: str
    workflow: str
    person: str
    address: str | None  #: of a reviewer who has one
    kind: str
    text: str
    task_id: int | None
    made_at: datetime
    attempts: int  #: this one included


def take_next(connection: psycopg.Connection, now: datetime, again_at: datetime) -> Waiting | None:
    """Take the first due notice. The attempt is counted here; killed before it ends, it is made again then."""
    cursor = connection.cursor(row_factory=lambda _: Waiting._make)
    return cursor.execute(
        "WITH due AS (SELECT id FROM notification WHERE status = 'pending' AND next_at <= %s "
        "  ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED), "
        "taken AS (UPDATE notification n SET attempts = n.attempts + 1, next_at = %s FROM due WHERE n.id = due.id "
        "  RETURNING n.*) "
        "SELECT t.id, t.key, t.workflow, t.person, r.address, t.kind, t.text, t.task_id, t.made_at, t.attempts "
        "FROM taken t LEFT JOIN reviewer r ON r.person = t.person",
        (now, again_at),
    ).fetchone()


def mark_sent(connection: psycopg.Connection, notice: int, now: datetime) -> None:
    """It was delivered."""
    connection.execute(
        "UPDATE notification SET status = 'sent', sent_at = %s, error = NULL WHERE id = %s AND status = 'pending'",
        (now, notice),
    )


def mark_failed(connection: psycopg.Connection, notice: int, error: str, next_at: datetime | None) -> None:
    """It was not: it is tried again then, or (None) given up."""
    connection.execute(
        "UPDATE notification SET error = %(error)s, next_at = coalesce(%(next)s, next_at), "
        "status = CASE WHEN %(next)s::timestamptz IS NULL THEN 'dead' ELSE 'pending' END "
        "WHERE id = %(notice)s AND status = 'pending'",
        {"error": error, "next": next_at, "notice": notice},
    )


def something_due(connection: psycopg.Connection, now: datetime) -> bool:
    """Whether a notice waits to be delivered."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM notification WHERE status = 'pending' AND next_at <= %s)", (now,)
    ).fetchone()
    return row is not None and bool(row[0])


class Told(NamedTuple):
    """A notice as people look at it."""

    made_at: datetime
    person: str
    kind: str
    text: str
    status: str
    attempts: int
    error: str | None


def notices(connection: psycopg.Connection, status: str | None, limit: int) -> list[Told]:
    """The newest notices, of this status."""
    cursor = connection.cursor(row_factory=lambda _: Told._make)
    return cursor.execute(
        "SELECT made_at, person, kind, text, status, attempts, error FROM notification "
        "WHERE %(status)s::text IS NULL OR status = %(status)s ORDER BY id DESC LIMIT %(limit)s",
        {"status": status, "limit": limit},
    ).fetchall()
