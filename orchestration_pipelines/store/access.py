"""Sessions, how fast somebody may try to come in, and the record of who did and who was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg


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
