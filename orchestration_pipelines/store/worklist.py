"""What lists of tasks show: the lines themselves, what somebody has in hand, and what they would be given next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int8s, texts
from orchestration_pipelines.store.watch import MARK


class Line(NamedTuple):
    """An open task as a line of a list. Nothing in it says what anybody chose."""

    task: int
    case_id: int
    case_key: str
    workflow: str
    element: str
    question: str
    queue: str
    queue_title: str  #: what people call it; the queue's id where nobody has named it
    skill: str | None
    region: str | None
    level: int
    priority: int
    signature: int
    signatures: int
    status: str  #: open, assigned, claimed, or paused: claimed, and nobody is at work on it
    assignee: str | None
    assignee_title: str | None
    opened_at: datetime
    due_at: datetime | None
    since: datetime | None  #: when it came into the hands that have it
    kind: str  #: decision, or quality
    order_key: datetime
    mark: str  #: another one, and this line is out of date

    @property
    def soon_at(self) -> datetime | None:
        """From when on its deadline is near: a fifth of its time is left."""
        return None if self.due_at is None else self.due_at - max(self.due_at - self.opened_at, timedelta()) / 5


#: the columns of a line, of the tasks ``t`` that a statement found
_COLUMNS = f"""
SELECT t.id, t.case_id, c.case_key, t.workflow, t.element, t.question, t.queue,
    coalesce(nullif(q.title, ''), t.queue), t.skill, t.region, t.level, t.priority, t.signature, t.signatures,
    CASE WHEN t.status = 'claimed' AND NOT EXISTS (
        SELECT FROM touch u WHERE u.task_id = t.id AND u.stopped_at IS NULL) THEN 'paused' ELSE t.status END,
    t.assignee, coalesce(nullif(r.title, ''), t.assignee), t.opened_at, t.due_at,
    coalesce(t.claimed_at, t.assigned_at), t.kind, t.order_key, {MARK}
"""
_JOINS = """
JOIN cases c ON c.id = t.case_id
JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
LEFT JOIN reviewer r ON r.person = t.assignee
"""

_LINES = f"""
{_COLUMNS} FROM unnest(%s::bigint[]) WITH ORDINALITY AS n (id, no) JOIN review_task t ON t.id = n.id {_JOINS}
WHERE t.ended_at IS NULL ORDER BY n.no
"""


def lines(connection: psycopg.Connection, tasks: Sequence[int]) -> list[Line]:
    """These tasks in this order, without those that have ended meanwhile."""
    cursor = connection.cursor(row_factory=lambda _: Line._make)
    return cursor.execute(_LINES, (int8s(tasks),)).fetchall()


_IN_HAND = f"""
{_COLUMNS} FROM review_task t {_JOINS}
WHERE t.assignee = %s AND t.status IN ('assigned', 'claimed') ORDER BY t.due_at, t.order_key, t.id LIMIT %s
"""


def in_hand(connection: psycopg.Connection, person: str, limit: int) -> list[Line]:
    """What somebody has, due first; what has no deadline comes last."""
    cursor = connection.cursor(row_factory=lambda _: Line._make)
    return cursor.execute(_IN_HAND, (person, limit)).fetchall()


_ASKED = f"""
{_COLUMNS} FROM work_lane l JOIN queue a ON a.workflow = l.workflow AND a.name = l.queue AND a.role = 'requester'
JOIN review_task t ON t.lane = l.id AND t.status = 'open' AND t.requested_by = %s {_JOINS}
ORDER BY t.due_at, t.order_key, t.id LIMIT %s
"""


def asked_of(connection: psycopg.Connection, requester: str, limit: int) -> list[Line]:
    """What waits for an answer of whoever submitted the case, due first."""
    cursor = connection.cursor(row_factory=lambda _: Line._make)
    return cursor.execute(_ASKED, (requester, limit)).fetchall()


#: Of each queue that is theirs as many as the first ``each``, in order, as pull() walks the lanes: past what bars them,
#: and not where a limit is reached. What a lane holds first is looked at in the lane's own index.
_NEXT = """
WITH mine AS MATERIALIZED (
    SELECT l.id, l.workflow, l.queue, q.excludes
    FROM reviewer r JOIN queue q ON q.role = ANY (r.roles)
    JOIN work_lane l ON l.workflow = q.workflow AND l.queue = q.name
    CROSS JOIN LATERAL unfit(r.person, q.role, l.skill, l.level, l.region) u
    WHERE r.person = %(person)s AND u.reason IS NULL AND q.role <> 'requester'
      AND (q.wip_limit IS NULL OR q.wip_limit > (
          SELECT count(*) FROM review_task h WHERE h.workflow = q.workflow AND h.queue = q.name
              AND h.status IN ('assigned', 'claimed')))),
busy AS MATERIALIZED (
    SELECT s.workflow, s.element FROM station_limit s WHERE s.wip_limit <= (
        SELECT count(*) FROM review_task h WHERE h.workflow = s.workflow AND h.element = s.element
            AND h.status IN ('assigned', 'claimed')))
SELECT id FROM (
    SELECT t.id, t.order_key, row_number() OVER (PARTITION BY m.workflow, m.queue ORDER BY t.order_key, t.id) AS no
    FROM mine m CROSS JOIN LATERAL (
        SELECT t.id, t.order_key FROM review_task t
        WHERE t.lane = m.id AND t.status = 'open' AND t.requested_by <> %(person)s
          AND NOT EXISTS (SELECT FROM busy b WHERE b.workflow = t.workflow AND b.element = t.element)
          AND NOT EXISTS (
              SELECT FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at,
                               m.excludes) b WHERE b.person = %(person)s)
        ORDER BY t.order_key, t.id LIMIT %(each)s) t) AS found
WHERE no <= %(each)s ORDER BY order_key, id
"""


def next_tasks(connection: psycopg.Connection, person: str, each: int) -> list[int]:
    """What somebody may pull, the first ``each`` of every queue; the first of all is what pull() would give them.

    What is assigned to them already is not among it, and comes before it. Their own limit is not asked.
    """
    return [row[0] for row in connection.execute(_NEXT, {"person": person, "each": each}, prepare=False)]


class Limit(NamedTuple):
    """So much is in hand of so much that may be: of a person, of a queue, or of a step."""

    kind: str  #: person, queue, step
    workflow: str  #: empty: the person's own
    name: str
    in_hand: int
    allowed: int | None  #: None: no limit


_LIMITS = """
SELECT 'person', '', r.person, (
    SELECT count(*) FROM review_task h WHERE h.assignee = r.person AND h.status IN ('assigned', 'claimed')), r.capacity
FROM reviewer r WHERE r.person = %(person)s
UNION ALL
SELECT 'queue', q.workflow, q.name, (
    SELECT count(*) FROM review_task h WHERE h.workflow = q.workflow AND h.queue = q.name
        AND h.status IN ('assigned', 'claimed')), q.wip_limit
FROM reviewer r JOIN queue q ON q.role = ANY (r.roles) WHERE r.person = %(person)s AND q.wip_limit IS NOT NULL
UNION ALL
SELECT 'step', s.workflow, s.element, (
    SELECT count(*) FROM review_task h WHERE h.workflow = s.workflow AND h.element = s.element
        AND h.status IN ('assigned', 'claimed')), s.wip_limit
FROM station_limit s
WHERE s.workflow IN (
    SELECT q.workflow FROM reviewer r JOIN queue q ON q.role = ANY (r.roles) WHERE r.person = %(person)s)
ORDER BY 2, 1, 3
"""


def limits(connection: psycopg.Connection, person: str) -> list[Limit]:
    """Somebody's own limit first, then those of their queues, and of the steps of these queues' workflows."""
    cursor = connection.cursor(row_factory=lambda _: Limit._make)
    return cursor.execute(_LIMITS, {"person": person}).fetchall()


def lanes_of(connection: psycopg.Connection, person: str) -> list[int]:
    """The lanes whose tasks somebody fits, as ``can`` says: role, skill with its level, region."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT l.id FROM reviewer r JOIN queue q ON q.role = ANY (r.roles) "
            "JOIN work_lane l ON l.workflow = q.workflow AND l.queue = q.name "
            "CROSS JOIN LATERAL unfit(r.person, q.role, l.skill, l.level, l.region) u "
            "WHERE r.person = %s AND u.reason IS NULL ORDER BY l.id",
            (person,),
        )
    ]


class May(NamedTuple):
    """Whether somebody may do an act on a task, and the rule that says so."""

    allowed: bool
    rule: str


def may_each(connection: psycopg.Connection, person: str, act: str, tasks: Sequence[int]) -> dict[int, May]:
    """The same for many tasks, in one question."""
    rows = connection.execute(
        "SELECT task, allowed, rule FROM can_many(%s, %s, %s)", (texts([person] * len(tasks)), act, int8s(tasks))
    )
    return {task: May(allowed, rule) for task, allowed, rule in rows}
