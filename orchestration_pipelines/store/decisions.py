"""Decisions and the waits that they end: who has signed, what was shown, what all of it came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode


class Wait(NamedTuple):
    """What a task belongs to: the wait of one case at one step, and who has signed it."""

    case_id: int
    version_id: int  #: of the drawing
    visit: int
    kind: str
    signatures: int
    round: int
    signed: list[str]  #: in this round, whatever they chose
    signed_before: list[str]  #: in earlier rounds, which an edit ended
    ended: bool  #: the task was decided, or is open no longer for another reason


def wait_of(connection: psycopg.Connection, task: int) -> Wait | None:
    """The wait that a task is a part of; None where there is no such task."""
    cursor = connection.cursor(row_factory=lambda _: Wait._make)
    return cursor.execute(
        "SELECT t.case_id, c.version_id, t.visit, t.kind, t.signatures, t.round, "
        "coalesce(s.now, '{}'), coalesce(s.earlier, '{}'), t.ended_at IS NOT NULL "
        "FROM review_task t JOIN cases c ON c.id = t.case_id CROSS JOIN LATERAL ("
        "  SELECT array_agg(d.decided_by ORDER BY d.id) FILTER (WHERE d.round = t.round) AS now, "
        "    array_agg(d.decided_by ORDER BY d.id) FILTER (WHERE d.round < t.round) AS earlier "
        "  FROM review_decision d WHERE d.case_id = t.case_id AND d.visit = t.visit) s WHERE t.id = %s",
        (task,),
    ).fetchone()


class Made(NamedTuple):
    """A decision after it was made, for whoever made it."""

    decision: int
    task: int
    case_id: int
    case_key: str
    workflow: str
    version_id: int
    element: str
    visit: int
    kind: str
    role: str  #: of the queue
    outcome: str
    decided_by: str
    requested_by: str
    facts: Mapping[str, Any]  #: as they are after its edits
    round: int
    signatures: int
    outcomes: list[str]  #: of the round that ended the wait; empty as long as somebody must sign
    reasons: list[str]  #: that its signers named


def made(connection: psycopg.Connection, decision: int) -> Made | None:
    """A decision by its number, with what all signers chose once all have."""
    row = connection.execute(
        "SELECT d.id, d.task_id, d.case_id, c.case_key, t.workflow, d.version_id, t.element, d.visit, t.kind, d.role, "
        "d.outcome, d.decided_by, t.requested_by, coalesce(s.facts, c.variables) || d.edits, d.round, t.signatures, "
        "coalesce(o.outcomes, '{}'), coalesce(o.reasons, '') FROM review_decision d "
        "JOIN review_task t ON t.id = d.task_id JOIN cases c ON c.id = d.case_id "
        "LEFT JOIN shown_facts s ON s.case_id = d.case_id AND s.digest = d.digest CROSS JOIN LATERAL ("
        "  SELECT array_agg(x.outcome ORDER BY x.id) AS outcomes, "
        "    string_agg(array_to_string(x.reasons, ' '), ' ' ORDER BY x.id) AS reasons "
        "  FROM decision_trail x WHERE x.case_id = d.case_id AND x.visit = d.visit AND x.round = ("
        "    SELECT max(y.round) FROM decision_trail y WHERE y.case_id = d.case_id AND y.visit = d.visit)) o "
        "WHERE d.id = %s",
        (decision,),
    ).fetchone()
    return None if row is None else Made._make((*row[:13], decode(row[13]), *row[14:17], row[17].split()))


def shown_before(connection: psycopg.Connection, task: int, digest: str) -> dict[str, Any] | None:
    """What a task's case said when this digest of it was shown, if anybody has decided on it."""
    row = connection.execute(
        "SELECT s.facts FROM review_task t JOIN shown_facts s ON s.case_id = t.case_id AND s.digest = %s "
        "WHERE t.id = %s",
        (digest, task),
    ).fetchone()
    return None if row is None else decode(row[0])
