"""The backlog in figures: what waits in every lane and at every step, and who is there to do it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Heap(NamedTuple):
    """The tasks of one lane at one step and of one priority that have not ended."""

    lane: int
    workflow: str
    queue: str
    skill: str | None
    region: str | None
    level: int
    element: str
    priority: int
    waiting: int  #: in nobody's hand
    in_hand: int
    waiting_past_due: int
    in_hand_past_due: int
    oldest: datetime | None  #: since when the oldest of those waits that are in nobody's hand


_HEAPS = """
SELECT l.id, l.workflow, l.queue, l.skill, l.region, l.level, f.element, f.priority, f.waiting, f.in_hand,
    f.waiting_past_due, f.in_hand_past_due, f.oldest
FROM (SELECT t.lane, t.element, t.priority, count(*) FILTER (WHERE t.status = 'open'),
             count(*) FILTER (WHERE t.status <> 'open'),
             count(*) FILTER (WHERE t.status = 'open' AND t.due_at < %(now)s),
             count(*) FILTER (WHERE t.status <> 'open' AND t.due_at < %(now)s),
             min(t.opened_at) FILTER (WHERE t.status = 'open')
      FROM review_task t WHERE t.ended_at IS NULL GROUP BY t.lane, t.element, t.priority) AS f
      (lane, element, priority, waiting, in_hand, waiting_past_due, in_hand_past_due, oldest)
JOIN work_lane l ON l.id = f.lane
ORDER BY l.workflow, l.queue, l.id, f.element, f.priority
"""


def heaps(connection: psycopg.Connection, now: datetime) -> list[Heap]:
    """Everything that waits for people, counted in one walk; ``now`` says what is past due."""
    cursor = connection.cursor(row_factory=lambda _: Heap._make)
    return cursor.execute(_HEAPS, {"now": now}).fetchall()


class Queue(NamedTuple):
    """A queue, as its policy has it."""

    workflow: str
    name: str
    title: str
    role: str  #: who may decide; requester: whoever submitted the case
    owner: str
    strategy: str  #: pull, or how its tasks are given out
    wip_limit: int | None


def queues(connection: psycopg.Connection) -> list[Queue]:
    """Every queue of every workflow."""
    cursor = connection.cursor(row_factory=lambda _: Queue._make)
    return cursor.execute(
        "SELECT workflow, name, coalesce(nullif(title, ''), name), role, owner, strategy, wip_limit FROM queue "
        "ORDER BY workflow, name"
    ).fetchall()


def lanes(
    connection: psycopg.Connection, workflow: str, queue: str, skill: str | None, region: str | None
) -> list[int]:
    """The lanes of a queue, or those of one skill or region."""
    rows = connection.execute(
        "SELECT id FROM work_lane WHERE workflow = %(workflow)s AND queue = %(queue)s "
        "AND (%(skill)s::text IS NULL OR skill = %(skill)s) AND (%(region)s::text IS NULL OR region = %(region)s)",
        {"workflow": workflow, "queue": queue, "skill": skill, "region": region},
    )
    return [row[0] for row in rows]


class Colleague(NamedTuple):
    """Somebody who is active, and whether they are there."""

    person: str
    title: str
    roles: list[str]
    away: str | None  #: absent, off_shift, or None: they are there


def colleagues(connection: psycopg.Connection, now: datetime) -> list[Colleague]:
    """Everybody who is active, in order of what they are called."""
    cursor = connection.cursor(row_factory=lambda _: Colleague._make)
    return cursor.execute(
        "SELECT person, coalesce(nullif(title, ''), person), roles, "
        "(SELECT u.reason FROM unavailable(person, %s) u LIMIT 1) FROM reviewer WHERE active ORDER BY 2, 1",
        (now,),
    ).fetchall()
