"""Clients of the interface, found by the hash of their token; and the answers that they were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode, encode


class Client(NamedTuple):
    """A program that acts in the name of one person."""

    name: str
    person: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    revoke_reason: str | None
    person_active: bool
    person_roles: list[str]


_CLIENT = """
SELECT c.name, c.person, c.scopes, c.created_by, c.created_at, c.expires_at, c.revoked_by, c.revoked_at,
    c.revoke_reason, r.active, r.roles
FROM client c JOIN reviewer r ON r.person = c.person
"""


def by_token(connection: psycopg.Connection, token_hash: bytes) -> Client | None:
    """The client with this token, whatever became of it.

    What is looked up is the hash: how long that takes says nothing of the token.
    """
    cursor = connection.cursor(row_factory=lambda _: Client._make)
    return cursor.execute(_CLIENT + "WHERE c.token_hash = %s", (token_hash,)).fetchone()


def listed(connection: psycopg.Connection) -> list[Client]:
    """Every client there ever was, the newest first."""
    cursor = connection.cursor(row_factory=lambda _: Client._make)
    return cursor.execute(_CLIENT + "ORDER BY c.created_at DESC, c.name").fetchall()


def add(
    connection: psycopg.Connection,
    name: str,
    person: str,
    scopes: Sequence[str],
    token_hash: bytes,
    *,
    by: str,
    at: datetime,
    expires: datetime,
) -> bool:
    """Add a client; the database checks who may (trigger ``guard``). False: there was one of this name."""
    return (
        connection.execute(
            "INSERT INTO client (name, person, scopes, token_hash, created_by, created_at, expires_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING",
            (name, person, list(scopes), token_hash, by, at, expires),
        ).rowcount
        > 0
    )


def revoke(connection: psycopg.Connection, name: str, *, by: str, reason: str, at: datetime) -> str | None:
    """End a client; in whose name it acted, or None if there is none of this name."""
    row = connection.execute(
        "UPDATE client SET revoked_by = %s, revoke_reason = %s, revoked_at = %s WHERE name = %s RETURNING person",
        (by, reason, at, name),
    ).fetchone()
    return None if row is None else str(row[0])


class Reply(NamedTuple):
    """What a client was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def take_key(connection: psycopg.Connection, client: str, key: str) -> bool:
    """Have a client's key for oneself until the transaction ends; False while another request has it."""
    row = connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%s || ' ' || %s, 8))", (client, key)
    ).fetchone()
    return row is not None and bool(row[0])


def reply_to(connection: psycopg.Connection, client: str, key: str) -> tuple[bytes, Reply] | None:
    """What was asked under this key before, as a digest, and what was answered."""
    row = connection.execute(
        "SELECT request, status, headers, body FROM client_reply WHERE client = %s AND key = %s", (client, key)
    ).fetchone()
    return None if row is None else (row[0], Reply(row[1], decode(row[2]), row[3]))


def keep_reply(
    connection: psycopg.Connection, client: str, key: str, request: bytes, reply: Reply, at: datetime
) -> None:
    """Keep the answer to a request under its key."""
    connection.execute(
        "INSERT INTO client_reply (client, key, request, status, headers, body, at) "
        "VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s)",
        (client, key, request, reply.status, encode(dict(reply.headers)).decode(), reply.body, at),
    )


def forget_replies(connection: psycopg.Connection, before: datetime, at_once: int) -> int:
    """Delete some of the answers that were given before an instant; how many."""
    return connection.execute(
        "DELETE FROM client_reply WHERE (client, key) IN (SELECT client, key FROM client_reply WHERE at < %s "
        "ORDER BY at LIMIT %s)",
        (before, at_once),
    ).rowcount
