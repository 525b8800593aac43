"""The reviewer table: opening tasks, and reading what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int2s, int4s, int8s, texts


class NewTask(NamedTuple):
    """What a user task asks for one case; ``signatures`` rows open at once."""

    case_id: int
    visit: int
    signatures: int
    queue: str
    skill: str | None
    due_at: datetime | None


def open_tasks(
    connection: psycopg.Connection,
    workflow: str,
    element: str,
    question: str,
    editable: Sequence[str],
    tasks: Sequence[NewTask],
    now: datetime,
) -> None:
    """Open the review tasks of cases that arrived; the digest is of the variables as they now are."""
    if not tasks:
        return
    case_id, visit, signatures, queue, skill, due_at = zip(*tasks, strict=True)
    connection.execute(
        "INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, skill, question, "
        "editable, digest, opened_at, due_at) "
        "SELECT n.case_id, %s, %s, n.visit, s, n.signatures, n.queue, n.skill, %s, %s, shown_digest(c.variables), %s, "
        "n.due_at "
        "FROM unnest(%s::bigint[], %s::int[], %s::smallint[], %s::text[], %s::text[], %s::timestamptz[]) "
        "AS n (case_id, visit, signatures, queue, skill, due_at) "
        "JOIN cases c ON c.id = n.case_id, generate_series(1, n.signatures) AS s",
        (
            workflow,
            element,
            question,
            list(editable),
            now,
            int8s(case_id),
            int4s(visit),
            int2s(signatures),
            texts(queue),
            texts(skill),
            list(due_at),
        ),
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
    decided_at: datetime


def signatures_of(connection: psycopg.Connection, visits: Sequence[tuple[int, int]]) -> list[Signature]:
    """The decisions of these visits (case, visit), oldest first; earlier rounds included."""
    case_id, visit = zip(*visits, strict=True)
    cursor = connection.cursor(row_factory=lambda _: Signature._make)
    return cursor.execute(
        "SELECT d.case_id, d.visit, d.round, d.outcome, d.decided_by, d.role, d.rationale, d.decided_at "
        "FROM unnest(%s::bigint[], %s::int[]) AS v (case_id, visit) "
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
