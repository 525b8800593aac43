"""Accounts, sessions, how fast somebody may try, and the record of who came in and who was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
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


class Pace(NamedTuple):
    """How often something may be tried: so many at once, then one each ``every``."""

    key: str
    at_once: int
    every: timedelta


#: Counts an attempt under each key, or under none if one of them is at its limit; says how long that one takes.
_TRY = """
WITH asked AS (
    SELECT * FROM unnest(%(keys)s::text[], %(at_once)s::int[], %(every)s::interval[]) AS a (key, at_once, every)),
known AS (
    SELECT a.key, a.every,
           greatest(coalesce(p.full_at, %(now)s), %(now)s) + a.every - %(now)s - a.at_once * a.every AS over
    FROM asked a LEFT JOIN sign_in_pace p USING (key)),
counted AS (
    INSERT INTO sign_in_pace AS p (key, full_at)
    SELECT key, %(now)s + every FROM known WHERE NOT EXISTS (SELECT FROM known WHERE over > interval '0')
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(p.full_at, %(now)s) + (excluded.full_at - %(now)s))
SELECT max(over) FROM known WHERE over > interval '0'
"""


def try_once(connection: psycopg.Connection, paces: Sequence[Pace], now: datetime) -> timedelta | None:
    """Count an attempt; or say after how long there may be one again. Attempts under one key come one after another."""
    with connection.transaction():
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext('sign in'), hashtext(key)) FROM "
            "(SELECT unnest(%s::text[]) AS key ORDER BY 1) AS keys",
            ([pace.key for pace in paces],),
        )
        row = connection.execute(
            _TRY,
            {
                "keys": [pace.key for pace in paces],
                "at_once": [pace.at_once for pace in paces],
                "every": [pace.every for pace in paces],
                "now": now,
            },
        ).fetchone()
    return row[0] if row else None


def give_back(connection: psycopg.Connection, paces: Sequence[Pace], now: datetime) -> None:
    """An attempt that succeeded is none. Keys that have recovered go too."""
    connection.execute(
        "UPDATE sign_in_pace p SET full_at = p.full_at - a.every "
        "FROM unnest(%s::text[], %s::interval[]) AS a (key, every) WHERE p.key = a.key",
        ([pace.key for pace in paces], [pace.every for pace in paces]),
    )
    connection.execute("DELETE FROM sign_in_pace WHERE full_at <= %s", (now,))


def forget(connection: psycopg.Connection, key: str) -> None:
    """The attempts under a key no longer count."""
    connection.execute("DELETE FROM sign_in_pace WHERE key = %s", (key,))


def begin(
    connection: psycopg.Connection, person: str, token: bytes, *, address: str, browser: str, now: datetime
) -> int:
    """A session of somebody, known by the hash of its token; returns its number."""
    row = connection.execute(
        "INSERT INTO session (token, person, address, browser, began_at, seen_at) "
        "VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (token, person, address, browser, now, now),
    ).fetchone()
    if row is None:
        raise RuntimeError("the session was not stored")
    return int(row[0])


class Found(NamedTuple):
    """Whose a session is."""

    session: int
    person: str
    title: str
    roles: list[str]
    zone: str
    temporary: bool  #: the password is one that somebody else knows
    seen_at: datetime


def find(connection: psycopg.Connection, token: bytes, *, began_after: datetime, seen_after: datetime) -> Found | None:
    """The session with this token's hash, unless it has ended, is too old, or its person may no longer come in."""
    cursor = connection.cursor(row_factory=lambda _: Found._make)
    return cursor.execute(
        "SELECT s.id, s.person, coalesce(nullif(r.title, ''), r.person), r.roles, r.zone, a.temporary, s.seen_at "
        "FROM session s JOIN account a USING (person) JOIN reviewer r USING (person) "
        "WHERE s.token = %s AND s.ended_at IS NULL AND s.began_at > %s AND s.seen_at > %s "
        "AND a.disabled_at IS NULL AND r.active",
        (token, began_after, seen_after),
    ).fetchone()


def touch(connection: psycopg.Connection, session: int, now: datetime) -> None:
    """Somebody is there."""
    connection.execute("UPDATE session SET seen_at = %s WHERE id = %s AND ended_at IS NULL", (now, session))


def end_everybodys(connection: psycopg.Connection, by: str, now: datetime) -> int:
    """End all sessions there are, and record each; how many."""
    return connection.execute(
        "WITH ended AS (UPDATE session SET ended_at = %(now)s WHERE ended_at IS NULL RETURNING id, person) "
        "INSERT INTO access_entry (at, act, person, by, address, session) "
        "SELECT %(now)s, 'session ended', person, %(by)s, %(by)s, id FROM ended",
        {"now": now, "by": by},
    ).rowcount


def forget_sessions(connection: psycopg.Connection, before: datetime) -> int:
    """Delete the sessions at which nobody was since then; what they did stays in the record. Returns how many."""
    return connection.execute("DELETE FROM session WHERE seen_at < %s", (before,)).rowcount


class Session(NamedTuple):
    """A session that stands, as its person and an admin see it."""

    session: int
    person: str
    address: str
    browser: str
    began_at: datetime
    seen_at: datetime


def standing(
    connection: psycopg.Connection, person: str | None, *, began_after: datetime, seen_after: datetime
) -> list[Session]:
    """The sessions that somebody, or anybody, has; the newest first."""
    cursor = connection.cursor(row_factory=lambda _: Session._make)
    return cursor.execute(
        "SELECT id, person, address, browser, began_at, seen_at FROM session WHERE ended_at IS NULL "
        "AND began_at > %(began)s AND seen_at > %(seen)s AND (%(person)s::text IS NULL OR person = %(person)s) "
        "ORDER BY id DESC LIMIT 1000",
        {"person": person, "began": began_after, "seen": seen_after},
    ).fetchall()


def end(
    connection: psycopg.Connection, person: str, now: datetime, *, only: int | None = None, but: int | None = None
) -> list[int]:
    """End somebody's sessions: all, ``only`` one, or all ``but`` one. Returns those that stood."""
    rows = connection.execute(
        "UPDATE session SET ended_at = %(now)s WHERE person = %(person)s AND ended_at IS NULL "
        "AND (%(only)s::bigint IS NULL OR id = %(only)s) AND (%(but)s::bigint IS NULL OR id <> %(but)s) RETURNING id",
        {"person": person, "now": now, "only": only, "but": but},
    )
    return sorted(row[0] for row in rows)


def open_account(
    connection: psycopg.Connection, person: str, password: str, *, temporary: bool, by: str, now: datetime
) -> bool:
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


def accounts(connection: psycopg.Connection, *, began_after: datetime, seen_after: datetime) -> list[Account]:
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


class Entry(NamedTuple):
    """One line of the record of access."""

    at: datetime
    act: str
    person: str | None
    by: str | None
    address: str
    session: int | None
    detail: str


def record(connection: psycopg.Connection, entry: Entry) -> None:
    """Write a line of the record."""
    connection.execute(
        "INSERT INTO access_entry (at, act, person, by, address, session, detail) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        entry,
    )


def record_limited(connection: psycopg.Connection, entry: Entry, once_in: timedelta) -> None:
    """Write that somebody was stopped, once in a while for an address: whoever goes on does not fill the record."""
    connection.execute(
        "INSERT INTO access_entry (at, act, person, by, address, session, detail) "
        "SELECT %(at)s, %(act)s, %(person)s, %(by)s, %(address)s, %(session)s, %(detail)s "
        "WHERE NOT EXISTS (SELECT FROM access_entry WHERE act = 'limited' AND address = %(address)s "
        "AND at > %(at)s - %(once_in)s::interval)",
        {**entry._asdict(), "once_in": once_in},
    )


def recorded(connection: psycopg.Connection, *, person: str | None, at_most: int) -> list[Entry]:
    """The newest lines of the record, of somebody or of all."""
    cursor = connection.cursor(row_factory=lambda _: Entry._make)
    return cursor.execute(
        "SELECT at, act, person, by, address, session, detail FROM access_entry "
        "WHERE %(person)s::text IS NULL OR person = %(person)s ORDER BY id DESC LIMIT %(most)s",
        {"person": person, "most": at_most},
    ).fetchall()


def seen_by(connection: psycopg.Connection, person: str, cases: Sequence[int]) -> set[int]:
    """Which of these cases somebody may look at."""
    return {row[0] for row in connection.execute("SELECT sees(%s, %s::bigint[])", (person, list(cases)))}
