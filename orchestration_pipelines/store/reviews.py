"""The reviewer table: opening tasks, and reading what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.domain.intake import Field
from orchestration_pipelines.domain.policy import STEP
from orchestration_pipelines.store.arrays import instants, int2s, int4s, int8s, texts


class NewTask(NamedTuple):
    """What a user task asks for one case; ``signatures`` rows open at once."""

    case_id: int
    visit: int
    signatures: int
    queue: str
    skill: str | None
    region: str | None
    level: int
    priority: int
    due_at: datetime | None


_OPEN_TASKS = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(%(case)s::bigint[], %(visit)s::int[], %(signatures)s::smallint[], %(queue)s::text[],
        %(skill)s::text[], %(region)s::text[], %(level)s::smallint[], %(priority)s::smallint[], %(due)s::timestamptz[])
        AS n (case_id, visit, signatures, queue, skill, region, level, priority, due_at)),
lanes AS MATERIALIZED (
    SELECT d.*, lane_of(%(workflow)s, d.queue, d.skill, d.region, d.level) AS lane
    FROM (SELECT DISTINCT queue, skill, region, level FROM asked ORDER BY 1, 2, 3, 4) d)
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, skill, region, level, lane,
    priority, order_key, question, editable, digest, requested_by, opened_at, due_at)
SELECT n.case_id, %(workflow)s, %(element)s, n.visit, s, n.signatures, n.queue, n.skill, n.region, n.level, l.lane,
    n.priority, %(now)s - coalesce(w.weight, n.priority * %(step)s::interval), %(question)s, %(editable)s,
    shown_digest(c.variables), c.requested_by, %(now)s, n.due_at
FROM asked n
JOIN lanes l ON l.queue = n.queue AND l.level = n.level AND l.skill IS NOT DISTINCT FROM n.skill
    AND l.region IS NOT DISTINCT FROM n.region
JOIN cases c ON c.id = n.case_id
LEFT JOIN class_weight w ON w.workflow = %(workflow)s AND w.priority = n.priority,
generate_series(1, n.signatures) AS s
ORDER BY n.case_id, s
"""


def open_tasks(
    connection: psycopg.Connection,
    workflow: str,
    element: str,
    question: str,
    editable: Sequence[str],
    tasks: Sequence[NewTask],
    now: datetime,
) -> None:
    """Open the review tasks of cases that arrived; the digest is of the variables as they now are.

    Each is queued in the lane that asks the same of people, ahead of its time by the weight of its class.
    """
    if not tasks:
        return
    case_id, visit, signatures, queue, skill, region, level, priority, due_at = zip(*tasks, strict=True)
    connection.execute(
        _OPEN_TASKS,
        {
            "workflow": workflow,
            "element": element,
            "question": question,
            "editable": list(editable),
            "now": now,
            "step": STEP,
            "case": int8s(case_id),
            "visit": int4s(visit),
            "signatures": int2s(signatures),
            "queue": texts(queue),
            "skill": texts(skill),
            "region": texts(region),
            "level": int2s(level),
            "priority": int2s(priority),
            "due": instants(due_at),
        },
    )


class Orphans(NamedTuple):
    """Open tasks alike that fewer people may decide than must sign; ``case_id`` is one of their cases."""

    case_id: int
    lane: int
    queue: str
    role: str
    skill: str | None
    region: str | None
    level: int
    signatures: int
    requested_by: str
    tasks: int
    able: int
    fallback: str | None  #: the queue that the policy names for them


#: Those who fit a lane are looked up once for all of its tasks; then for each, until enough are found, what bars them.
_ORPHANS = """
WITH opened AS MATERIALIZED (
    SELECT t.lane, t.signatures, t.requested_by, min(t.id) AS task, min(t.case_id) AS case_id, count(*) AS tasks
    FROM unnest(%s::bigint[], %s::int[]) AS v (case_id, visit)
    JOIN review_task t ON t.case_id = v.case_id AND t.visit = v.visit AND t.ended_at IS NULL
    GROUP BY t.lane, t.signatures, t.requested_by),
lanes AS MATERIALIZED (
    SELECT l.*, q.role, q.excludes, q.fallback, (SELECT array_agg(r.person) FROM reviewer r CROSS JOIN LATERAL
        unfit(r.person, q.role, l.skill, l.level, l.region) u WHERE u.reason IS NULL) AS fit
    FROM work_lane l JOIN queue q ON q.workflow = l.workflow AND q.name = l.queue
    WHERE l.id IN (SELECT lane FROM opened) AND q.role <> 'requester')
SELECT o.case_id, l.id, l.queue, l.role, l.skill, l.region, l.level, o.signatures, o.requested_by, o.tasks, a.able,
    l.fallback
FROM opened o JOIN lanes l ON l.id = o.lane JOIN review_task t ON t.id = o.task
CROSS JOIN LATERAL (SELECT count(*) AS able FROM (
    SELECT FROM unnest(l.fit) AS f (person) WHERE NOT EXISTS (
        SELECT FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at, l.excludes) b
        WHERE b.person = f.person) LIMIT o.signatures) AS found) AS a
WHERE a.able < o.signatures
"""


def orphans(connection: psycopg.Connection, visits: Sequence[tuple[int, int]]) -> list[Orphans]:
    """Tasks just opened at these visits (case, visit) that too few people may decide, by the rules of ``can``."""
    case_id, visit = zip(*visits, strict=True)
    cursor = connection.cursor(row_factory=lambda _: Orphans._make)
    return cursor.execute(_ORPHANS, (int8s(case_id), int4s(visit))).fetchall()


def send_to(connection: psycopg.Connection, visits: Sequence[tuple[int, int]], orphaned: Orphans, queue: str) -> None:
    """Put orphaned tasks of these visits into another queue; they keep their place in the order."""
    case_id, visit = zip(*visits, strict=True)
    connection.execute(
        "UPDATE review_task t SET queue = %s FROM unnest(%s::bigint[], %s::int[]) AS v (case_id, visit) "
        "WHERE t.case_id = v.case_id AND t.visit = v.visit AND t.ended_at IS NULL "
        "AND t.lane = %s AND t.signatures = %s AND t.requested_by = %s",
        (queue, int8s(case_id), int4s(visit), orphaned.lane, orphaned.signatures, orphaned.requested_by),
    )


class Signature(NamedTuple):
    """One decision, as the taking-on needs it."""

    case_id: int
    visit: int
    round: int
    outcome: str
    decided_by: str
    role: str
    rationale: str
    reasons: list[str]
    decided_at: datetime


def signatures_of(connection: psycopg.Connection, visits: Sequence[tuple[int, int]]) -> list[Signature]:
    """The decisions of these visits (case, visit), oldest first; earlier rounds included."""
    case_id, visit = zip(*visits, strict=True)
    cursor = connection.cursor(row_factory=lambda _: Signature._make)
    return cursor.execute(
        "SELECT d.case_id, d.visit, d.round, d.outcome, d.decided_by, d.role, d.rationale, "
        "d.reasons, d.decided_at FROM unnest(%s::bigint[], %s::int[]) AS v (case_id, visit) "
        "JOIN review_decision d ON d.case_id = v.case_id AND d.visit = v.visit ORDER BY d.id",
        (int8s(case_id), int4s(visit)),
        prepare=True,
    ).fetchall()


def end_tasks(connection: psycopg.Connection, visits: Sequence[tuple[int, int]], status: str, now: datetime) -> None:
    """End the open tasks of visits (case, visit) that nobody will decide any more: expired or cancelled."""
    if not visits:
        return
    case_id, visit = zip(*visits, strict=True)
    connection.execute(
        "UPDATE review_task t SET status = %s, ended_at = %s "
        "FROM unnest(%s::bigint[], %s::int[]) AS v (case_id, visit) "
        "WHERE t.case_id = v.case_id AND t.visit = v.visit AND t.ended_at IS NULL",
        (status, now, int8s(case_id), int4s(visit)),
    )


class OpenTask(NamedTuple):
    """A task that waits for a person, with everything that its reviewer is shown."""

    task: int
    workflow: str
    case_key: str
    element: str
    question: str
    queue: str
    role: str  #: who may decide
    skill: str | None
    signature: str  #: "1 of 2"
    status: str
    assignee: str | None
    opened_at: datetime
    due_at: datetime | None
    facts: Mapping[str, Any]
    editable: tuple[str, ...]
    digest: str  #: of what is shown: a decision names it
    requested_by: str
    round: int
    reasons: tuple[str, ...]  #: the rules that led here, in the words of the tables in force then
    kind: str  #: decision, or quality: a blind review, which shows what was submitted and moves nothing


_OPEN = """
SELECT task, workflow, case_key, element, question, queue, who_may_decide, skill, signature, status, assignee,
    opened_at, due_at, facts, editable, digest, requested_by, round, reasons, kind
FROM reviewer_table
WHERE (%(workflow)s::text IS NULL OR workflow = %(workflow)s) AND (%(element)s::text IS NULL OR element = %(element)s)
  AND (%(queue)s::text IS NULL OR queue = %(queue)s) AND (%(task)s::bigint IS NULL OR task = %(task)s)
ORDER BY opened_at, task LIMIT %(limit)s
"""


def waiting_tasks(
    connection: psycopg.Connection,
    workflow: str | None = None,
    *,
    element: str | None = None,
    queue: str | None = None,
    task: int | None = None,
    limit: int | None = None,
) -> list[OpenTask]:
    """The open tasks, oldest first."""
    wanted = {"workflow": workflow, "element": element, "queue": queue, "task": task, "limit": limit}
    rows = connection.execute(_OPEN, wanted).fetchall()
    return [
        OpenTask._make((*row[:13], decode(row[13]), tuple(row[14]), *row[15:18], tuple(row[18]), row[19]))
        for row in rows
    ]


def add_decision(
    connection: psycopg.Connection,
    task: int,
    *,
    person: str,
    seen: str,
    outcome: str,
    rationale: str,
    reasons: Sequence[str],
    edits: bytes,
    asserted_by: str | None,
    at: datetime,
) -> int:
    """Add a decision; the database checks it against every rule (trigger ``guard``). Returns its number."""
    row = connection.execute(
        "INSERT INTO review_decision (task_id, outcome, edits, rationale, reasons, decided_by, decided_at, digest, "
        "asserted_by) VALUES (%s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s) RETURNING id",
        (task, outcome, edits.decode(), rationale, list(reasons), person, at, seen, asserted_by),
    ).fetchone()
    if row is None:
        raise RuntimeError("the decision was not stored")
    return int(row[0])


def fields(connection: psycopg.Connection, workflow: str) -> dict[str, Field]:
    """The declared columns of a workflow's input."""
    rows = connection.execute("SELECT name, type, optional FROM field WHERE workflow = %s", (workflow,)).fetchall()
    return {name: Field(name, type, optional) for name, type, optional in rows}


def queue_roles(connection: psycopg.Connection, workflow: str) -> dict[str, str]:
    """What each queue of a workflow asks for."""
    return dict(connection.execute("SELECT name, role FROM queue WHERE workflow = %s", (workflow,)).fetchall())


def why_not(connection: psycopg.Connection, person: str, act: str, task: int) -> str | None:
    """Why a person may not do an act on a task, as a word; None: they may."""
    row = connection.execute("SELECT reason FROM can(%s, %s, %s)", (person, act, task)).fetchone()
    return None if row is None else row[0]


def may(
    connection: psycopg.Connection, person: str, act: str, task: int, at: datetime | None = None
) -> tuple[bool, str]:
    """Whether a person may do an act on a task, and the rule that says so; who is assigned one must be there ``at``."""
    row = connection.execute("SELECT allowed, rule FROM can(%s, %s, %s, %s)", (person, act, task, at)).fetchone()
    if row is None:
        raise RuntimeError("can() gave no answer")
    return bool(row[0]), str(row[1])
