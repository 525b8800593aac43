"""What people do at the reviewer table. Each act is one transaction; the database holds the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import encode, exact
from orchestration_pipelines.domain.intake import BadRow, text
from orchestration_pipelines.domain.review import Outcome
from orchestration_pipelines.engine.edits import read_edits
from orchestration_pipelines.store import reviews as table
from orchestration_pipelines.store.decisions import shown_before, wait_of
from orchestration_pipelines.store.reasons import Offered
from orchestration_pipelines.store.reasons import counted as counted_reasons
from orchestration_pipelines.store.reasons import offered as offered_reasons
from orchestration_pipelines.store.reasons import worked as work_by_rule
from orchestration_pipelines.store.refusal import GONE, STALE, WRONG, Refused, refusals
from orchestration_pipelines.store.reviews import OpenTask, may
from orchestration_pipelines.store.reviews import waiting_tasks as open_tasks

__all__ = [
    "GONE",
    "PLAIN",
    "STALE",
    "WRONG",
    "Choice",
    "Chosen",
    "Offered",
    "OpenTask",
    "Refused",
    "answer",
    "counted_reasons",
    "decide",
    "decide_many",
    "may",
    "offered_reasons",
    "open_task",
    "open_tasks",
    "shown_before",
    "typed",
    "wait_of",
    "work_by_rule",
]

#: what may be decided of many tasks at once: what is sent elsewhere is said one by one, and in words
PLAIN = (Outcome.APPROVE, Outcome.REJECT)


def open_task(connection: psycopg.Connection, task: int) -> OpenTask:
    """One open task; :class:`Refused` says why there is none (decided by whom and when, say)."""
    found = open_tasks(connection, task=task)
    if not found:
        _, rule = may(connection, "", "decide", task)
        raise Refused(rule, GONE)
    return found[0]


def decide(
    connection: psycopg.Connection,
    task: int,
    *,
    person: str,
    seen: str,
    outcome: str,
    rationale: str = "",
    reasons: Sequence[str] = (),
    edits: Mapping[str, Any] | None = None,
    asserted_by: str | None = None,
    at: datetime | None = None,
) -> int:
    """Decide a task on the digest ``seen``; returns the decision's number, or raises :class:`Refused`.

    ``reasons`` are codes of those that the policy offers. ``asserted_by`` is the operating-system user who says that it
    is ``person`` who decides.
    """
    if outcome not in set(Outcome):
        raise Refused(f"{outcome!r} is no outcome: use one of {', '.join(Outcome)}", WRONG)
    _refuse_unreadable({"rationale": rationale, "reasons": " ".join(reasons), **(edits or {})})
    with refusals(), connection.transaction():
        return table.add_decision(
            connection,
            task,
            person=person,
            seen=seen,
            outcome=outcome,
            rationale=rationale,
            reasons=reasons,
            edits=encode(exact(dict(edits or {}))),
            asserted_by=asserted_by,
            at=at or datetime.now(UTC),
        )


class Choice(NamedTuple):
    """One of many plain decisions: approve or reject, without an edit."""

    task: int
    seen: str
    outcome: str
    rationale: str = ""
    reasons: tuple[str, ...] = ()


class Chosen(NamedTuple):
    """What became of one of many."""

    task: int
    decision: int | None  #: None: it was refused
    rule: str  #: why; empty of one that was decided


def decide_many(
    connection: psycopg.Connection,
    choices: Iterable[Choice],
    *,
    person: str,
    at: datetime,
    asserted_by: str | None = None,
) -> Iterator[Chosen]:
    """Decide many tasks, each in a transaction of its own and by all the rules of one; each is answered as it is done.

    A task is decided on what was seen of it, like any other. What is refused changes nothing for the rest.
    """
    for choice in choices:
        if choice.outcome not in PLAIN:
            yield Chosen(
                choice.task, None, f"{choice.outcome!r} is not decided in bulk: only {' and '.join(PLAIN)} are"
            )
            continue
        try:
            number = decide(
                connection,
                choice.task,
                person=person,
                seen=choice.seen,
                outcome=choice.outcome,
                rationale=choice.rationale,
                reasons=choice.reasons,
                asserted_by=asserted_by,
                at=at,
            )
        except Refused as refused:
            yield Chosen(choice.task, None, str(refused).removeprefix("refused: "))
        else:
            yield Chosen(choice.task, number, "")


def _refuse_unreadable(said: Mapping[str, Any]) -> None:
    """Text that no database can hold, or nobody would read to the end."""
    try:
        for name, value in said.items():
            if isinstance(value, str):
                text(name, value)
    except BadRow as error:
        raise Refused(str(error), WRONG) from None


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
    """What a person typed, as values of the declared types; :class:`Refused` says everything that is wrong with it."""
    edits = read_edits(connection, task, written)
    if edits.problems:
        raise Refused("; ".join(edits.problems.values()), WRONG)
    return dict(edits.values)
