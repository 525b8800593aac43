"""What people do at the reviewer table. Each act is one transaction; the database holds the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg

from orchestration_pipelines.domain.canonical import encode, exact
from orchestration_pipelines.domain.intake import TYPES, BadRow, is_missing
from orchestration_pipelines.domain.review import Outcome
from orchestration_pipelines.store import reviews as table
from orchestration_pipelines.store.refusal import Refused, refusals
from orchestration_pipelines.store.reviews import OpenTask, may
from orchestration_pipelines.store.reviews import waiting_tasks as open_tasks

__all__ = ["OpenTask", "Refused", "answer", "decide", "may", "open_task", "open_tasks", "typed"]


def open_task(connection: psycopg.Connection, task: int) -> OpenTask:
    """One open task; :class:`Refused` says why there is none (decided by whom and when, say)."""
    found = open_tasks(connection, task=task)
    if not found:
        _, rule = may(connection, "", "decide", task)
        raise Refused(rule)
    return found[0]


def decide(
    connection: psycopg.Connection,
    task: int,
    *,
    person: str,
    seen: str,
    outcome: str,
    rationale: str = "",
    edits: Mapping[str, Any] | None = None,
    asserted_by: str | None = None,
    at: datetime | None = None,
) -> int:
    """Decide a task on the digest ``seen``; returns the decision's number, or raises :class:`Refused`.

    ``asserted_by`` is the operating-system user who says that it is ``person`` who decides.
    """
    if outcome not in set(Outcome):
        raise Refused(f"{outcome!r} is no outcome: use one of {', '.join(Outcome)}")
    with refusals(), connection.transaction():
        return table.add_decision(
            connection,
            task,
            person=person,
            seen=seen,
            outcome=outcome,
            rationale=rationale,
            edits=encode(exact(dict(edits or {}))),
            asserted_by=asserted_by,
            at=at or datetime.now(UTC),
        )


def answer(
    connection: psycopg.Connection,
    task: int,
    *,
    person: str,
    edits: Mapping[str, Any] | None = None,
    rationale: str = "",
    declines: bool = False,
    asserted_by: str | None = None,
    at: datetime | None = None,
) -> int:
    """Answer what the requester was asked, with what is supplied (``edits``); or decline to."""
    asked = open_task(connection, task)
    if asked.role != "requester":
        raise Refused(f"task {task} is not asked of the requester but of a {asked.role}: see orchestrate reviews show")
    return decide(
        connection,
        task,
        person=person,
        seen=asked.digest,
        outcome=Outcome.REJECT if declines else Outcome.APPROVE,
        rationale=rationale or ("declined by the requester" if declines else "answered by the requester"),
        edits=edits,
        asserted_by=asserted_by,
        at=at,
    )


def typed(connection: psycopg.Connection, task: OpenTask, written: Mapping[str, str]) -> dict[str, Any]:
    """What a person typed, as values of the declared types; empty text takes a value away."""
    types = table.field_types(connection, task.workflow)
    values: dict[str, Any] = {}
    for name, text in written.items():
        if name not in task.editable:
            editable = ", ".join(task.editable) or "nothing"
            raise Refused(f"{name} cannot be edited in task {task.task} (editable: {editable})")
        try:
            values[name] = None if is_missing(text) else TYPES[types.get(name, "text")](name, text)
        except BadRow as error:
            raise Refused(str(error)) from None
    return values
