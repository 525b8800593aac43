"""Dead letters: visits that no further attempt will finish. A person replays or abandons each, with a reason."""

from __future__ import annotations

from datetime import datetime

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.store import casework
from orchestration_pipelines.store import dead_letters as table
from orchestration_pipelines.store.dead_letters import DeadLetter, listed
from orchestration_pipelines.store.refusal import Refused

__all__ = ["DeadLetter", "Refused", "abandon", "listed", "replay"]


def replay(connection: psycopg.Connection, letter_id: int, *, by: str, reason: str, at: datetime) -> None:
    """Try the same visit again: the same idempotency key, all attempts anew."""
    with connection.transaction():
        letter = _taken(connection, letter_id, "replayed", by, reason, at)
        table.wake(connection, letter.case_id, letter.visit, at)
        _note(connection, letter, "replayed", by, reason, at)


def abandon(connection: psycopg.Connection, letter_id: int, *, by: str, reason: str, at: datetime) -> None:
    """Give a visit up: what the case completed is undone, and the case ends as cancelled.

    Of a compensation it means that a person has undone the step outside: the saga goes on with the next entry.
    """
    with connection.transaction():
        letter = _taken(connection, letter_id, "abandoned", by, reason, at)
        _note(connection, letter, "abandoned", by, reason, at)
        if letter.throw_from is None:
            casework.cancel(connection, letter.case_id, station=CANCELLATION, reason=reason, now=at)
        else:
            visit = casework.next_visit(connection, letter.case_id)
            table.undone_by_hand(connection, letter, visit, at)


def _taken(
    connection: psycopg.Connection, letter_id: int, status: str, by: str, reason: str, at: datetime
) -> DeadLetter:
    if not reason.strip():
        raise Refused("a reason is needed: it is what a later reader will find in the case's record")
    found = listed(connection, letter=letter_id, ended=True)
    if not found:
        raise Refused(f"there is no dead letter {letter_id}: see orchestrate dead-letters list")
    letter = found[0]
    casework.lock_open(connection, letter.case_id)
    if not table.settle(connection, letter_id, status=status, by=by, reason=reason, now=at):
        acted = listed(connection, letter=letter_id, ended=True)[0]
        raise Refused(f"dead letter {letter_id} was {acted.status} by {acted.acted_by}: {acted.reason}")
    return letter


def _note(connection: psycopg.Connection, letter: DeadLetter, act: str, by: str, reason: str, at: datetime) -> None:
    casework.note(
        connection,
        letter.case_id,
        actor=by,
        role="operator",
        act=act,
        record=f"visit:{letter.visit}",
        at=at,
        detail=encode({"reason": reason, "element": letter.element, "dead_letter": letter.id}),
    )
