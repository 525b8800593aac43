"""Open tasks that nobody may do any more: one that was declined, or a whole lane after people or rules have changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int8s


class Forsaken(NamedTuple):
    """An open task that nobody may do any more."""

    task: int
    case_id: int
    workflow: str
    element: str
    queue: str
    owner: str  #: of the queue
    fallback: str | None


_FORSAKEN = """
SELECT t.id, t.case_id, t.workflow, t.element, t.queue, q.owner, q.fallback
FROM unnest(%s::bigint[]) AS n (id) JOIN review_task t ON t.id = n.id
JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
CROSS JOIN (SELECT array_agg(person) AS people FROM reviewer WHERE active) everybody
WHERE t.status = 'open' AND NOT EXISTS (
    SELECT FROM can_many(people, 'decide', array_fill(t.id, ARRAY[cardinality(people)])) c WHERE c.allowed)
"""


def of(connection: psycopg.Connection, tasks: Sequence[int]) -> list[Forsaken]:
    """Those of these open tasks that nobody may do, as ``can`` says."""
    cursor = connection.cursor(row_factory=lambda _: Forsaken._make)
    return cursor.execute(_FORSAKEN, (int8s(tasks),)).fetchall()


class ForsakenLane(NamedTuple):
    """Tasks that ask the same of people, and that nobody may do, or fewer than must sign."""

    lane: int
    workflow: str
    queue: str
    role: str
    skill: str | None
    region: str | None
    level: int
    owner: str  #: of the queue
    fallback: str | None
    tasks: list[int]


#: Where so many more people fit than must sign, what bars a few of them from one task leaves others.
_THIN = 5
#: Those who fit are looked up once for a lane; what bars them, only where they are few. (Who holds one signature of a
#: visit is barred from the others: those who are left must be as many as the tasks that lie open.)
_LANES = f"""
WITH lanes AS MATERIALIZED (
    SELECT l.*, q.role, q.owner, q.fallback, q.excludes, ARRAY(SELECT r.person FROM reviewer r CROSS JOIN LATERAL
        unfit(r.person, q.role, l.skill, l.level, l.region) u WHERE q.role = ANY (r.roles) AND u.reason IS NULL) AS fit
    FROM work_lane l JOIN queue q ON q.workflow = l.workflow AND q.name = l.queue
    WHERE q.role <> 'requester' AND EXISTS (SELECT FROM review_task t WHERE t.lane = l.id AND t.status = 'open')
        AND NOT EXISTS (SELECT FROM incident i WHERE i.lane = l.id AND i.resolved_at IS NULL))
SELECT l.id, l.workflow, l.queue, l.role, l.skill, l.region, l.level, l.owner, l.fallback, array_agg(t.id ORDER BY t.id)
FROM lanes l JOIN review_task t ON t.lane = l.id AND t.status = 'open'
WHERE cardinality(l.fit) <= {_THIN} + t.signatures AND (
    SELECT count(*) FROM unnest(l.fit) AS f (person) WHERE NOT EXISTS (
        SELECT FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at, l.excludes) b
        WHERE b.person = f.person)) < (SELECT count(*) FROM review_task o
        WHERE o.case_id = t.case_id AND o.visit = t.visit AND o.status = 'open')
GROUP BY l.id, l.workflow, l.queue, l.role, l.skill, l.region, l.level, l.owner, l.fallback ORDER BY l.id
"""


def lanes(connection: psycopg.Connection) -> list[ForsakenLane]:
    """The lanes without an incident whose open tasks too few may do. Who is absent counts: they come back."""
    cursor = connection.cursor(row_factory=lambda _: ForsakenLane._make)
    return cursor.execute(_LANES).fetchall()


def requeue(connection: psycopg.Connection, tasks: Sequence[int], queue: str) -> None:
    """Put open tasks into another queue of their workflow; they keep their place in the order."""
    connection.execute(
        "SELECT FROM cases WHERE id IN (SELECT case_id FROM review_task WHERE id = ANY (%s)) ORDER BY id "
        "FOR NO KEY UPDATE",
        (list(tasks),),
    )
    connection.execute(
        "UPDATE review_task SET queue = %s WHERE id = ANY (%s) AND status = 'open'", (queue, list(tasks))
    )


def alarm(connection: psycopg.Connection, lane: ForsakenLane, reason: str, now: datetime) -> bool:
    """An incident of a lane; False if there is one that stands."""
    return (
        connection.execute(
            "INSERT INTO incident (workflow, kind, reason, owner, opened_at, lane) "
            "VALUES (%s, 'nobody may decide', %s, %s, %s, %s) "
            "ON CONFLICT (lane) WHERE lane IS NOT NULL AND resolved_at IS NULL DO NOTHING",
            (lane.workflow, reason, lane.owner, now, lane.lane),
        ).rowcount
        > 0
    )
