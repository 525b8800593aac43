"""The read model of one case on one page: a handful of statements, each an index walk by the case's number.

What blindness hides is hidden by the views that are read here (``audit_trail``, ``decision_trail``, ``task_trail``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.store.watch import MARK


class Head(NamedTuple):
    """A case as such."""

    case_id: int
    workflow: str
    owner: str  #: of the workflow
    key: str
    state: str
    outcome: str | None  #: the end event that was reached
    requested_by: str
    submitted_at: datetime
    closed_at: datetime | None
    cancel_reason: str | None
    version_id: int
    version: int
    drawing: str  #: its digest
    variables: Mapping[str, Any]
    digest: str  #: of the variables, as a decision names it
    #: a quality review is open: nobody is shown what became of the case
    is_blind: bool


_HEAD = """
SELECT c.id, c.workflow, w.owner, c.case_key, c.state, c.outcome, c.requested_by, c.submitted_at, c.closed_at,
    c.cancel_reason, c.version_id, v.version, v.digest, c.variables, shown_digest(c.variables),
    EXISTS (SELECT FROM review_task q WHERE q.case_id = c.id AND q.kind = 'quality' AND q.ended_at IS NULL)
FROM cases c JOIN workflow w ON w.name = c.workflow JOIN workflow_version v ON v.id = c.version_id
WHERE c.id = %s
"""


def head(connection: psycopg.Connection, case_id: int) -> Head | None:
    """A case by its number."""
    row = connection.execute(_HEAD, (case_id,)).fetchone()
    return None if row is None else Head._make((*row[:13], decode(row[13]), *row[14:]))


def case_of(connection: psycopg.Connection, task: int) -> int | None:
    """The case that a task is about."""
    row = connection.execute("SELECT case_id FROM review_task WHERE id = %s", (task,)).fetchone()
    return None if row is None else int(row[0])


class Sampled(NamedTuple):
    """What the reviewer of a quality review is shown: the facts as submitted, and nothing else."""

    facts: Mapping[str, Any]
    decided_at: datetime  #: by the machine: what was added before belongs to what was submitted


def sampled(connection: psycopg.Connection, case_id: int, task: int | None) -> Sampled | None:
    """What a quality review shows: of this task, or (None) of one of the case that is open."""
    row = connection.execute(
        "SELECT s.facts, s.decided_at FROM quality_sample s JOIN review_task t ON t.id = s.task_id "
        "WHERE t.case_id = %(case)s AND t.kind = 'quality' AND (t.id = %(task)s OR %(task)s::bigint IS NULL "
        "AND t.ended_at IS NULL) ORDER BY s.decided_at LIMIT 1",
        {"case": case_id, "task": task},
    ).fetchone()
    return None if row is None else Sampled(decode(row[0]), row[1])


class Standing(NamedTuple):
    """Where a token of the case rests."""

    element: str
    status: str  #: ready, waiting, backoff, dead or stuck
    entered_at: datetime
    due_at: datetime | None  #: of a backoff: when it is tried again
    is_leased: bool  #: a sweep works on it
    attempt: int


def standing(connection: psycopg.Connection, case_id: int) -> list[Standing]:
    """Where the case stands; nowhere once it has ended."""
    cursor = connection.cursor(row_factory=lambda _: Standing._make)
    return cursor.execute(
        "SELECT element, status, entered_at, due_at, status = 'ready' AND holder IS NOT NULL, attempt FROM token "
        "WHERE case_id = %s ORDER BY no",
        (case_id,),
    ).fetchall()


class Task(NamedTuple):
    """A task of the case, as blindness allows it to be told."""

    task: int
    kind: str
    element: str
    visit: int
    signature: int
    signatures: int
    round: int
    status: str
    queue: str
    queue_title: str
    role: str  #: who may decide
    skill: str | None
    assignee: str | None
    question: str
    editable: tuple[str, ...]
    digest: str
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    mark: str  #: another one, and a page that shows it is out of date


_TASKS = f"""
SELECT t.id, t.kind, t.element, t.visit, t.signature, t.signatures, t.round, s.status, t.queue,
    coalesce(nullif(q.title, ''), t.queue), coalesce(q.role, ''), t.skill, t.assignee, t.question, t.editable, t.digest,
    t.opened_at, t.due_at, t.ended_at, {MARK}
FROM review_task t JOIN task_trail s ON s.id = t.id
LEFT JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
WHERE t.case_id = %s ORDER BY t.visit, t.id
"""


def tasks(connection: psycopg.Connection, case_id: int) -> list[Task]:
    """All that was ever asked of people about the case, in order."""
    rows = connection.execute(_TASKS, (case_id,)).fetchall()
    return [Task._make((*row[:14], tuple(row[14]), *row[15:])) for row in rows]


class Decided(NamedTuple):
    """A decision of a visit whose signatures are all in."""

    task: int
    visit: int
    element: str
    outcome: str
    edits: Mapping[str, Any]
    before: Mapping[str, Any]  #: what the edited variables were, where it was kept
    rationale: str
    by: str
    role: str
    at: datetime
    kind: str


_DECIDED = """
SELECT d.task_id, d.visit, t.element, d.outcome, d.edits, coalesce(s.facts, '{}'), d.rationale, d.decided_by, d.role,
    d.decided_at, t.kind
FROM decision_trail d JOIN review_task t ON t.id = d.task_id
LEFT JOIN shown_facts s ON s.case_id = d.case_id AND s.digest = d.digest AND d.edits <> '{}'
WHERE d.case_id = %s ORDER BY d.id
"""


def decided(connection: psycopg.Connection, case_id: int) -> list[Decided]:
    """The decisions that may be told, in order."""
    rows = connection.execute(_DECIDED, (case_id,)).fetchall()
    return [Decided._make((*row[:4], decode(row[4]), decode(row[5]), *row[6:])) for row in rows]


class Worked(NamedTuple):
    """A visit that is over, and the run that saw to it."""

    visit: int
    element: str
    outcome: str
    attempt: int
    entered_at: datetime
    finished_at: datetime
    detail: Mapping[str, Any]  #: of a decision table: digest, inputs, rules
    run: str | None


def worked(connection: psycopg.Connection, case_id: int) -> list[Worked]:
    """What stations did to the case, in order."""
    rows = connection.execute(
        "SELECT a.visit, a.element, a.outcome, a.attempt, a.entered_at, a.finished_at, coalesce(a.detail, '{}'), s.run "
        "FROM activity a LEFT JOIN sweeper s ON s.id = a.sweeper WHERE a.case_id = %s ORDER BY a.visit",
        (case_id,),
    ).fetchall()
    return [Worked._make((*row[:6], decode(row[6]), row[7])) for row in rows]


class Promised(NamedTuple):
    """A clock of a promise: the case's (no element), or of a step's visit."""

    element: str
    visit: int | None
    status: str  #: running, paused or stopped
    started_at: datetime
    due_at: datetime | None
    left_s: int  #: business seconds left when it last began to run, or stood still
    breached_at: datetime | None
    stopped_at: datetime | None
    calendar: str


def promised(connection: psycopg.Connection, case_id: int) -> list[Promised]:
    """The clocks of the case, its own first."""
    cursor = connection.cursor(row_factory=lambda _: Promised._make)
    return cursor.execute(
        "SELECT element, visit, status, started_at, due_at, left_s, breached_at, stopped_at, calendar FROM sla_clock "
        "WHERE case_id = %s ORDER BY coalesce(visit, 0)",
        (case_id,),
    ).fetchall()


class Happening(NamedTuple):
    """Something that happened to the case."""

    at: datetime
    source: str  #: record, clock, incident or notice
    seq: int  #: of an entry of the record: its number
    actor: str
    role: str
    act: str
    record: str
    body: Mapping[str, Any]
    is_sealed: bool


#: One list in order. What the record has is told by the record: effects, hands, decisions and rungs are in it.
_TIMELINE = """
WITH clock AS (SELECT * FROM sla_clock WHERE case_id = %(case)s)
SELECT at, 'record', seq, actor, role, act, record, b, sealed FROM audit_trail WHERE case_id = %(case)s
UNION ALL
SELECT breached_at, 'clock', 0, '', '', 'past due', 'clock:' || id, jsonb_build_object('element', element), false
FROM clock WHERE breached_at IS NOT NULL
UNION ALL
SELECT m.at, 'clock', 0, '', '', m.act, 'clock:' || c.id,
    jsonb_build_object('element', c.element, 'waits_at', p.element), false
FROM clock c JOIN sla_pause p ON p.clock_id = c.id
CROSS JOIN LATERAL (VALUES (p.paused_at, 'stands still'), (p.resumed_at, 'runs again')) AS m (at, act)
WHERE m.at IS NOT NULL
UNION ALL
SELECT i.opened_at, 'incident', 0, '', '', 'incident', 'incident:' || i.id,
    jsonb_build_object('element', i.element, 'kind', i.kind, 'reason', i.reason, 'owner', i.owner), false
FROM incident i WHERE i.case_id = %(case)s
UNION ALL
SELECT n.made_at, 'notice', 0, '', '', n.kind, 'notice:' || n.id,
    jsonb_build_object('to', n.person, 'text', n.text, 'status', n.status, 'sent_at', n.sent_at), false
FROM notification n WHERE n.case_id = %(case)s
ORDER BY 1, 3, 7
LIMIT %(limit)s
"""


def timeline(connection: psycopg.Connection, case_id: int, limit: int) -> list[Happening]:
    """Everything that happened to the case, in order, up to a limit."""
    rows = connection.execute(_TIMELINE, {"case": case_id, "limit": limit}).fetchall()
    return [Happening._make((*row[:7], decode(row[7]), row[8])) for row in rows]


def effects(connection: psycopg.Connection, case_id: int) -> dict[int, tuple[str, str]]:
    """What was done outside: visit to tool and status."""
    rows = connection.execute("SELECT visit, tool, status FROM effect WHERE case_id = %s", (case_id,)).fetchall()
    return {visit: (tool, status) for visit, tool, status in rows}
