"""Work in hand and what it is limited by: people with what they have, tasks that may change hands, limits used."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Burden(NamedTuple):
    """A person with what they have in hand."""

    person: str
    title: str
    active: bool
    roles: list[str]
    skills: list[str]
    capacity: int | None  #: tasks in hand at once; None: no limit
    in_hand: int
    claimed: int  #: … of which they have begun
    stuck: int  #: claimed, and untouched for longer than the queue allows
    past_due: int
    next_due_at: datetime | None
    away: str | None  #: why they are given nothing just now: absent, off_shift, or None
    away_until: datetime | None  #: of an absence whose end is said
    delegate: str | None


_BURDENS = """
WITH people AS MATERIALIZED (
    SELECT * FROM reviewer r WHERE r.person > %(after)s AND (r.active OR EXISTS (
        SELECT FROM review_task t WHERE t.assignee = r.person AND t.status IN ('assigned', 'claimed')))
    ORDER BY r.person LIMIT %(limit)s)
SELECT r.person, r.title, r.active, r.roles,
    ARRAY(SELECT k.skill FROM reviewer_skill k WHERE k.person = r.person ORDER BY 1),
    r.capacity, h.in_hand, h.claimed, h.stuck, h.past_due, h.next_due_at,
    (SELECT u.reason FROM unavailable(r.person, %(now)s) u LIMIT 1), a.ends, a.delegate
FROM people r
CROSS JOIN LATERAL (
    SELECT count(*) AS in_hand, count(*) FILTER (WHERE t.status = 'claimed') AS claimed,
           count(*) FILTER (WHERE t.status = 'claimed' AND t.touched_at <= %(now)s - q.stuck_after) AS stuck,
           count(*) FILTER (WHERE t.due_at <= %(now)s) AS past_due, min(t.due_at) AS next_due_at
    FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    WHERE t.assignee = r.person AND t.status IN ('assigned', 'claimed')) h
LEFT JOIN LATERAL (
    SELECT ends, delegate FROM absence b
    WHERE b.person = r.person AND b.starts <= %(now)s AND (b.ends IS NULL OR b.ends > %(now)s)
    ORDER BY b.starts LIMIT 1) a ON true
ORDER BY r.person
"""


def burdens(connection: psycopg.Connection, now: datetime, after: str, limit: int) -> list[Burden]:
    """People by id, those behind ``after``; whoever is gone is among them while they have work."""
    cursor = connection.cursor(row_factory=lambda _: Burden._make)
    return cursor.execute(_BURDENS, {"now": now, "after": after, "limit": limit}).fetchall()


class OpenTask(NamedTuple):
    """An open task as whoever gives out work looks at it: numbers and names, nothing of the case."""

    task: int
    workflow: str
    case_id: int
    case_key: str
    element: str
    queue: str
    kind: str
    status: str
    assignee: str | None
    opened_at: datetime
    due_at: datetime | None
    touched_at: datetime | None
    stuck: bool


class Wanted(NamedTuple):
    """Which open tasks are asked for; what is None is not asked."""

    workflow: str | None = None
    queue: str | None = None
    element: str | None = None
    person: str | None = None  #: in whose hands
    past_due: bool = False
    stuck: bool = False
    free: bool = False  #: in nobody's hands


_COLUMNS = """
SELECT t.id, t.workflow, t.case_id, c.case_key, t.element, t.queue, t.kind, t.status, t.assignee, t.opened_at, t.due_at,
    t.touched_at, coalesce(t.status = 'claimed' AND t.touched_at <= %(now)s - q.stuck_after, false)
"""
_ASKED = """
    AND (%(element)s::text IS NULL OR t.element = %(element)s)
    AND (NOT %(past_due)s OR t.due_at <= %(now)s) AND (NOT %(free)s OR t.status = 'open')
    AND (NOT %(stuck)s OR t.status = 'claimed' AND t.touched_at <= %(now)s - q.stuck_after)
    AND (t.opened_at, t.id) > (%(after_at)s::timestamptz, %(after)s::bigint)
ORDER BY t.opened_at, t.id LIMIT %(limit)s
"""
# Each queue's index is walked from where the page begins; what several queues give is put in order.
_OF_QUEUES = f"""{_COLUMNS}
FROM queue q CROSS JOIN LATERAL (
    SELECT t.* FROM review_task t WHERE t.workflow = q.workflow AND t.queue = q.name AND t.ended_at IS NULL {_ASKED}) t
JOIN cases c ON c.id = t.case_id
WHERE (%(workflow)s::text IS NULL OR q.workflow = %(workflow)s) AND (%(queue)s::text IS NULL OR q.name = %(queue)s)
ORDER BY t.opened_at, t.id LIMIT %(limit)s
"""
_OF_PERSON = f"""{_COLUMNS}
FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue JOIN cases c ON c.id = t.case_id
WHERE t.assignee = %(person)s AND t.status IN ('assigned', 'claimed')
    AND (%(workflow)s::text IS NULL OR t.workflow = %(workflow)s)
    AND (%(queue)s::text IS NULL OR t.queue = %(queue)s) {_ASKED}
"""
_BEFORE_ALL = "-infinity"


def tasks(
    connection: psycopg.Connection, now: datetime, wanted: Wanted, after: tuple[datetime, int] | None, limit: int
) -> list[OpenTask]:
    """Open tasks, the oldest first; ``after`` is when the last one seen was opened, and its number."""
    after_at, number = after or (_BEFORE_ALL, 0)
    cursor = connection.cursor(row_factory=lambda _: OpenTask._make)
    asked = {**wanted._asdict(), "now": now, "after_at": after_at, "after": number, "limit": limit}
    return cursor.execute(_OF_QUEUES if wanted.person is None else _OF_PERSON, asked).fetchall()


class Limit(NamedTuple):
    """A limit of the policy, and how much of it is used; a place without one has None."""

    workflow: str
    kind: str  #: queue or step
    name: str
    allowed: int | None
    used: int  #: tasks in hand
    waiting: int  #: open tasks in nobody's hands


_LIMITS = """
SELECT q.workflow, 'queue', q.name, q.wip_limit, coalesce(n.used, 0), coalesce(n.waiting, 0)
FROM queue q LEFT JOIN (
    SELECT workflow, queue, count(*) FILTER (WHERE status <> 'open') AS used,
           count(*) FILTER (WHERE status = 'open') AS waiting
    FROM review_task WHERE ended_at IS NULL GROUP BY 1, 2) n ON n.workflow = q.workflow AND n.queue = q.name
UNION ALL
SELECT coalesce(l.workflow, n.workflow), 'step', coalesce(l.element, n.element), l.wip_limit, coalesce(n.used, 0),
    coalesce(n.waiting, 0)
FROM station_limit l FULL JOIN (
    SELECT workflow, element, count(*) FILTER (WHERE status <> 'open') AS used,
           count(*) FILTER (WHERE status = 'open') AS waiting
    FROM review_task WHERE ended_at IS NULL GROUP BY 1, 2) n ON n.workflow = l.workflow AND n.element = l.element
ORDER BY 1, 2, 3
"""


def limits(connection: psycopg.Connection) -> list[Limit]:
    """Every queue, and every step that has a limit or open tasks."""
    cursor = connection.cursor(row_factory=lambda _: Limit._make)
    return cursor.execute(_LIMITS).fetchall()
