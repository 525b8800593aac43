"""Reviewers as the database knows them: what they can do, when they are there, what they have in hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.people import Known, Person, Shift, Team
from orchestration_pipelines.domain.week import clock_text


def manages(connection: psycopg.Connection, person: str, act: str) -> tuple[bool, str]:
    """Whether somebody may change the ``policy`` or the ``people``, and the rule that says so."""
    row = connection.execute("SELECT allowed, rule FROM manages(%s, %s)", (person, act)).fetchone()
    if row is None:
        raise RuntimeError("manages() gave no answer")
    return bool(row[0]), str(row[1])


def known(connection: psycopg.Connection) -> Known:
    """What a description of people may refer to."""
    skills, regions, teams, people = (
        frozenset(row[0] for row in connection.execute(statement))
        for statement in (
            "SELECT name FROM known_skill",
            "SELECT name FROM known_region",
            "SELECT name FROM team",
            "SELECT person FROM reviewer",
        )
    )
    return Known(skills, regions, teams, people)


def lock_workflows(connection: psycopg.Connection) -> list[int]:
    """The numbers under which the workflows' records are kept; locked until the transaction ends."""
    return [row[0] for row in connection.execute("SELECT -id FROM workflow ORDER BY id FOR NO KEY UPDATE")]


def put(connection: psycopg.Connection, people: Iterable[Person], teams: Iterable[Team] = ()) -> None:
    """People exactly as described, and their teams; whoever is not among them stays as they are."""
    described, formed = list(people), list(teams)
    cursor = connection.cursor()
    cursor.executemany(
        "INSERT INTO team (name, title) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET title = excluded.title",
        [(team.name, team.title) for team in formed],
    )
    cursor.executemany(
        "INSERT INTO reviewer (person, roles, title, team, level, regions, zone, capacity, address) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (person) DO UPDATE SET roles = excluded.roles, "
        "title = excluded.title, team = excluded.team, level = excluded.level, regions = excluded.regions, "
        "zone = excluded.zone, capacity = excluded.capacity, address = excluded.address, active = true",
        [
            (
                person.id,
                list(person.roles),
                person.title,
                person.team,
                person.level,
                list(person.regions),
                person.zone,
                person.capacity,
                person.address,
            )
            for person in described
        ],
    )
    ids = [person.id for person in described]
    for table in ("reviewer_skill", "shift"):
        cursor.execute(f"DELETE FROM {table} WHERE person = ANY (%s)", (ids,))
    cursor.executemany(
        "INSERT INTO reviewer_skill VALUES (%s, %s, %s)",
        [(person.id, skill, level) for person in described for skill, level in person.skills.items()],
    )
    cursor.executemany(
        "INSERT INTO shift VALUES (%s, %s, %s, %s)",
        [
            (person.id, shift.weekday, clock_text(shift.starts), clock_text(shift.ends))
            for person in described
            for shift in person.shifts
        ],
    )
    cursor.executemany("UPDATE team SET lead = %s WHERE name = %s", [(team.lead, team.name) for team in formed])


def unknown(connection: psycopg.Connection, people: Iterable[str]) -> set[str]:
    """Those who are not there yet."""
    wanted = set(people)
    rows = connection.execute("SELECT person FROM reviewer WHERE person = ANY (%s)", (list(wanted),))
    return wanted - {row[0] for row in rows}


class Seen(NamedTuple):
    """A reviewer, as a manager looks at them."""

    person: str
    title: str
    active: bool
    roles: list[str]
    team: str | None
    level: int
    skills: Mapping[str, int]
    regions: list[str]
    zone: str
    capacity: int | None
    address: str | None
    in_hand: int
    away: str | None  #: why they are given nothing just now: absent, off_shift, or None


_SEEN = """
SELECT r.person, r.title, r.active, r.roles, r.team, r.level, s.skills, s.levels, r.regions, r.zone, r.capacity,
    r.address,
    (SELECT count(*) FROM review_task t WHERE t.assignee = r.person AND t.status IN ('assigned', 'claimed')),
    (SELECT u.reason FROM unavailable(r.person, %(at)s) u LIMIT 1)
FROM reviewer r LEFT JOIN LATERAL (
    SELECT array_agg(skill ORDER BY skill) AS skills, array_agg(level ORDER BY skill) AS levels
    FROM reviewer_skill k WHERE k.person = r.person) s ON true
WHERE (%(person)s::text IS NULL OR r.person = %(person)s) AND r.person > %(after)s ORDER BY r.person LIMIT %(limit)s
"""


def listed(
    connection: psycopg.Connection,
    at: datetime,
    person: str | None = None,
    *,
    after: str = "",
    limit: int | None = None,
) -> list[Seen]:
    """Everybody, those behind ``after``, or one person: what they have in hand, and whether they are there then."""
    rows = connection.execute(_SEEN, {"at": at, "person": person, "after": after, "limit": limit}).fetchall()
    return [Seen._make((*row[:6], dict(zip(row[6] or (), row[7] or (), strict=True)), *row[8:])) for row in rows]


def roles(connection: psycopg.Connection) -> list[str]:
    """The roles that somebody has, or that a queue asks for."""
    rows = connection.execute(
        "SELECT DISTINCT role FROM (SELECT unnest(roles) AS role FROM reviewer UNION SELECT role FROM queue) r "
        "WHERE role <> 'requester' ORDER BY 1"
    )
    return [row[0] for row in rows]


def shifts_of(connection: psycopg.Connection, person: str) -> list[Shift]:
    """Somebody's shifts, in order."""
    rows = connection.execute(
        "SELECT weekday, extract(epoch FROM starts)::int, extract(epoch FROM ends)::int FROM shift WHERE person = %s "
        "ORDER BY weekday, starts",
        (person,),
    )
    return [Shift._make(row) for row in rows]


class Absence(NamedTuple):
    """A time in which somebody is given nothing."""

    id: int
    person: str
    starts: datetime
    ends: datetime | None
    delegate: str | None
    reason: str
    set_by: str


def absences(
    connection: psycopg.Connection, starts: datetime, ends: datetime | None, person: str | None = None
) -> list[Absence]:
    """The absences that touch a time, of everybody or of one person."""
    cursor = connection.cursor(row_factory=lambda _: Absence._make)
    return cursor.execute(
        "SELECT id, person, starts, ends, delegate, reason, set_by FROM absence "
        "WHERE (ends IS NULL OR ends > %(starts)s) AND (%(ends)s::timestamptz IS NULL OR starts < %(ends)s) "
        "AND (%(person)s::text IS NULL OR person = %(person)s) ORDER BY starts, id",
        {"starts": starts, "ends": ends, "person": person},
    ).fetchall()


def add_absence(
    connection: psycopg.Connection,
    person: str,
    starts: datetime,
    ends: datetime | None,
    delegate: str | None,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    """Somebody is away, and may be stood in for."""
    connection.execute(
        "INSERT INTO absence (person, starts, ends, delegate, reason, set_by, set_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (person, starts, ends, delegate, reason, by, now),
    )


def end_absences(connection: psycopg.Connection, person: str, now: datetime) -> int:
    """Somebody is back: what has begun ends now, what was to come is taken away. Returns how many there were."""
    ended = connection.execute(
        "UPDATE absence SET ends = %(now)s WHERE person = %(person)s AND starts < %(now)s "
        "AND (ends IS NULL OR ends > %(now)s)",
        {"person": person, "now": now},
    ).rowcount
    return ended + connection.execute("DELETE FROM absence WHERE person = %s AND starts >= %s", (person, now)).rowcount


def lock(connection: psycopg.Connection, people: Sequence[str]) -> None:
    """Nobody is given anything, and nobody takes anything, until the transaction ends."""
    connection.execute(
        "SELECT FROM reviewer WHERE person = ANY (%s) ORDER BY person FOR NO KEY UPDATE", (list(people),)
    )


def in_hand(connection: psycopg.Connection, people: Sequence[str]) -> list[tuple[int, str]]:
    """What these people have in hand: task and person."""
    return connection.execute(
        "SELECT id, assignee FROM review_task WHERE assignee = ANY (%s) AND status IN ('assigned', 'claimed') "
        "ORDER BY id",
        (list(people),),
    ).fetchall()


def barred_from(connection: psycopg.Connection, held: Sequence[tuple[int, str]]) -> list[tuple[int, str, str]]:
    """Of tasks in hand, those that whoever has them may no longer decide: task, person and the rule."""
    return connection.execute(
        "SELECT task, person, rule FROM can_many(%s::text[], 'decide', %s::bigint[]) WHERE NOT allowed",
        ([person for _, person in held], [task for task, _ in held]),
    ).fetchall()


def retire(connection: psycopg.Connection, person: str) -> bool:
    """Somebody is no reviewer any more; False if they were none. Refused while they have work in hand."""
    return connection.execute("UPDATE reviewer SET active = false WHERE person = %s AND active", (person,)).rowcount > 0


def rename(connection: psycopg.Connection, person: str, title: str) -> bool:
    """What somebody is called; False if there is no such person."""
    return connection.execute("UPDATE reviewer SET title = %s WHERE person = %s", (title, person)).rowcount > 0


def teams(connection: psycopg.Connection) -> dict[str, Team]:
    """Every team, with who leads it."""
    rows = connection.execute("SELECT name, title, lead FROM team ORDER BY name")
    return {row[0]: Team(*row) for row in rows}
