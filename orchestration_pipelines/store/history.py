"""What happened to tasks: who had them, who declined, who worked when, and how they ended."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Happened(NamedTuple):
    """One thing that happened to a task."""

    task: int
    element: str
    at: datetime
    until: datetime | None  #: of a stretch of work that is over
    what: str  #: opened, claimed, released, declined, given, worked, asked, answered, signed, an outcome, expired …
    person: str | None  #: who has it then, or did it
    by: str | None  #: who brought it about, where that is somebody else
    detail: str


#: What was chosen is said by decision_trail alone, which keeps silent until all have signed; and while a quality review
#: of a case is open, only that review's own tasks are told of, as in audit_trail.
_HISTORY = """
WITH told AS (
    SELECT t.* FROM task_trail t
    WHERE (t.id = %(task)s OR %(task)s::bigint IS NULL) AND (t.case_id = %(case)s OR %(case)s::bigint IS NULL)
      AND (t.kind = 'quality' OR NOT EXISTS (
          SELECT FROM review_task o WHERE o.case_id = t.case_id AND o.kind = 'quality' AND o.ended_at IS NULL))),
happened AS (
    SELECT t.id, t.element, t.opened_at AS at, NULL::timestamptz AS until, 'opened' AS what, NULL::text AS person,
           NULL::text AS by, format('in queue %%s, signature %%s of %%s, round %%s', t.queue, t.signature, t.signatures,
           t.round) AS detail, 0 AS no
    FROM told t
    UNION ALL
    SELECT t.id, t.element, a.at, NULL, CASE a.cause WHEN 'pull' THEN 'claimed' WHEN 'release' THEN 'released'
               WHEN 'decline' THEN 'declined' ELSE CASE WHEN a.person IS NULL THEN 'taken back' ELSE 'given' END END,
           CASE WHEN a.cause = 'decline' THEN a.by ELSE coalesce(a.person, a.from_person) END, nullif(a.by, a.person),
           concat_ws(': ', CASE WHEN a.cause NOT IN ('pull', 'release', 'decline') THEN replace(a.cause, '_', ' ') END,
                     nullif(a.reason, '')), 1
    FROM told t JOIN assignment a ON a.task_id = t.id
    UNION ALL
    SELECT t.id, t.element, u.started_at, u.stopped_at, 'worked', u.person, NULL,
           CASE WHEN u.stopped_at IS NULL THEN 'still does'
                WHEN t.ended_at IS DISTINCT FROM u.stopped_at THEN 'then stopped' ELSE '' END, 2
    FROM told t JOIN touch u ON u.task_id = t.id
    UNION ALL
    SELECT t.id, t.element, i.asked_at, NULL, 'asked', i.asked_of, i.asked_by, coalesce(s.text, ''), 3
    FROM told t JOIN inquiry i ON i.task_id = t.id LEFT JOIN inquiry_trail s ON s.id = i.id
    UNION ALL
    SELECT t.id, t.element, a.given_at, NULL, 'answered', a.given_by, NULL, coalesce(s.answer, ''), 4
    FROM told t JOIN inquiry i ON i.task_id = t.id JOIN advice a ON a.inquiry_id = i.id
    LEFT JOIN inquiry_trail s ON s.id = i.id
    UNION ALL
    SELECT t.id, t.element, t.ended_at, NULL, coalesce(d.outcome, t.status), coalesce(d.decided_by, t.assignee),
           d.asserted_by, concat_ws(' · ', nullif(array_to_string(d.reasons, ', '), ''), nullif(d.rationale, ''),
               CASE WHEN d.edits <> '{}' THEN 'edits ' || d.edits::text END), 5
    FROM told t LEFT JOIN decision_trail d ON d.task_id = t.id WHERE t.ended_at IS NOT NULL)
SELECT id, element, at, until, what, person, by, detail FROM happened ORDER BY at, id, no
"""


def history(connection: psycopg.Connection, *, task: int | None = None, case_id: int | None = None) -> list[Happened]:
    """Everything that happened to a task, or to all tasks of a case, as far as it may be told now."""
    cursor = connection.cursor(row_factory=lambda _: Happened._make)
    return cursor.execute(_HISTORY, {"task": task, "case": case_id}).fetchall()
