"""Accounts: who can sign in, with which password."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Secret(NamedTuple):
    """What is asked when somebody signs in."""

    password: str  #: the hash
    usable: bool  #: the account is not disabled, and the person is active


def secret(connection: psycopg.Connection, person: str) -> Secret | None:
    """The hash of somebody's password; None where nobody of that name has an account."""
    cursor = connection.cursor(row_factory=lambda _: Secret._make)
    return cursor.execute(
        "SELECT a.password, a.disabled_at IS NULL AND r.active FROM account a JOIN reviewer r USING (person) "
        "WHERE a.person = %s",
        (person,),
    ).fetchone()


def add(connection: psycopg.Connection, person: str, password: str, *, temporary: bool, by: str, now: datetime) -> bool:
    """An account of somebody; False if they have one."""
    return (
        connection.execute(
            "INSERT INTO account (person, password, temporary, set_at, opened_by, opened_at) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (person, password, temporary, now, by, now),
        ).rowcount
        > 0
    )


def set_password(connection: psycopg.Connection, person: str, password: str, *, temporary: bool, now: datetime) -> bool:
    """Another password for somebody; False if they have no account."""
    return (
        connection.execute(
            "UPDATE account SET password = %s, temporary = %s, set_at = %s WHERE person = %s",
            (password, temporary, now, person),
        ).rowcount
        > 0
    )


def rehash(connection: psycopg.Connection, person: str, password: str) -> None:
    """The same password, hashed with today's parameters."""
    connection.execute("UPDATE account SET password = %s WHERE person = %s", (password, person))


def disable(connection: psycopg.Connection, person: str, by: str, now: datetime) -> bool:
    """Nobody comes in by this account; False if that is so, or there is none."""
    return (
        connection.execute(
            "UPDATE account SET disabled_by = %s, disabled_at = %s WHERE person = %s AND disabled_at IS NULL",
            (by, now, person),
        ).rowcount
        > 0
    )


def enable(connection: psycopg.Connection, person: str) -> bool:
    """They come in again; False if they do, or there is no such account."""
    return (
        connection.execute(
            "UPDATE account SET disabled_by = NULL, disabled_at = NULL WHERE person = %s AND disabled_at IS NOT NULL",
            (person,),
        ).rowcount
        > 0
    )


class Account(NamedTuple):
    """An account, as an admin sees it."""

    person: str
    title: str
    roles: list[str]
    active: bool
    temporary: bool
    opened_by: str
    opened_at: datetime
    disabled_by: str | None
    disabled_at: datetime | None
    sessions: int
    last_in: datetime | None


def listed(connection: psycopg.Connection, *, began_after: datetime, seen_after: datetime) -> list[Account]:
    """Everybody who has one."""
    cursor = connection.cursor(row_factory=lambda _: Account._make)
    return cursor.execute(
        "SELECT a.person, coalesce(nullif(r.title, ''), r.person), r.roles, r.active, a.temporary, a.opened_by, "
        "a.opened_at, a.disabled_by, a.disabled_at, "
        "(SELECT count(*) FROM session s WHERE s.person = a.person AND s.ended_at IS NULL AND s.began_at > %s "
        "AND s.seen_at > %s), (SELECT max(s.began_at) FROM session s WHERE s.person = a.person) "
        "FROM account a JOIN reviewer r USING (person) ORDER BY a.person",
        (began_after, seen_after),
    ).fetchall()


def has_account(connection: psycopg.Connection, person: str | None = None) -> bool:
    """Whether somebody, or anybody at all, has an account."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM account WHERE %(person)s::text IS NULL OR person = %(person)s)", {"person": person}
    ).fetchone()
    return bool(row and row[0])


def admins(connection: psycopg.Connection) -> list[str]:
    """Who manages accounts here."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT person FROM reviewer WHERE active AND 'admin' = ANY (roles) ORDER BY person"
        )
    ]
