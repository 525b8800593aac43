"""Asking a colleague about a task in hand, and answering. The task stays with whoever has it; no answer moves it."""

from __future__ import annotations

from datetime import datetime

import psycopg

from orchestration_pipelines.domain.intake import BadRow
from orchestration_pipelines.domain.intake import text as readable
from orchestration_pipelines.store import inquiries as table
from orchestration_pipelines.store import outbox
from orchestration_pipelines.store.inquiries import Colleague, Inquiry, colleagues, find, of_case, waiting_for
from orchestration_pipelines.store.refusal import GONE, WRONG, Refused, refusals

__all__ = [
    "MAX_CHARS",
    "Colleague",
    "Inquiry",
    "Refused",
    "answer",
    "ask",
    "colleagues",
    "find",
    "of_case",
    "waiting_for",
]

#: of a question, and of an answer
MAX_CHARS = 4_000


def ask(
    connection: psycopg.Connection,
    task: int,
    *,
    by: str,
    of: str,
    text: str,
    at: datetime,
    asserted_by: str | None = None,
) -> int:
    """Ask ``of`` about a task that ``by`` has in hand; they are told. Returns the question's number.

    Nobody is asked who may sign the same visit, and nobody signs it who was asked: signers know nothing of one another.
    """
    said = _readable("question", text)
    with refusals(), connection.transaction():
        number = table.add(connection, task, by=by, of=of, text=said, asserted_by=asserted_by, at=at)
        asked = _found(connection, number)
        told = f"inquiry {number}: {by} asks you about task {task}"
        outbox.tell(connection, [_notice(asked, f"inquiry:{number}", of, "asked", told)], at)
    return number


def answer(
    connection: psycopg.Connection,
    inquiry: int,
    *,
    by: str,
    text: str,
    at: datetime,
    asserted_by: str | None = None,
) -> None:
    """Answer what one was asked; whoever asked is told."""
    said = _readable("answer", text)
    with refusals(), connection.transaction():
        table.answer(connection, inquiry, by=by, text=said, asserted_by=asserted_by, at=at)
        asked = _found(connection, inquiry)
        told = f"inquiry {inquiry}: {by} answered about task {asked.task}"
        outbox.tell(connection, [_notice(asked, f"advice:{inquiry}", asked.asked_by, "answered", told)], at)


def _found(connection: psycopg.Connection, inquiry: int) -> Inquiry:
    found = table.find(connection, inquiry)
    if found is None:
        raise Refused(f"there is no inquiry {inquiry}: see orchestrate reviews inquiries", GONE)
    return found


def _notice(asked: Inquiry, key: str, person: str, kind: str, told: str) -> outbox.Notice:
    return outbox.Notice(key, asked.workflow, person, kind, told, asked.case_id, asked.task)


def _readable(what: str, said: str) -> str:
    """A text that says something and that can be kept."""
    try:
        written = readable(what, said).strip()
    except BadRow as error:
        raise Refused(str(error), WRONG) from None
    if not written:
        raise Refused(f"the {what} is empty: write it", WRONG)
    if len(written) > MAX_CHARS:
        raise Refused(f"the {what} has {len(written):,} characters; {MAX_CHARS:,} are allowed", WRONG)
    return written
