"""What a person must mend: incidents and dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg


class NewIncident(NamedTuple):
    """Something that stands until a person resolves it."""

    case_id: int | None
    element: str | None
    kind: str
    reason: str
    owner: str


def open_incidents(
    connection: psycopg.Connection, workflow: str, incidents: Sequence[NewIncident], now: datetime
) -> None:
    """Open incidents for people to see, own and resolve."""
    if not incidents:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO incident (workflow, case_id, element, kind, reason, owner, opened_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(workflow, i.case_id, i.element, i.kind, i.reason, i.owner, now) for i in incidents],
        )


class NewDeadLetter(NamedTuple):
    """A visit that no further attempt will finish."""

    case_id: int
    visit: int
    element: str
    attempts: int
    error: str
    traceback: str


def add_dead_letters(
    connection: psycopg.Connection, workflow: str, letters: Sequence[NewDeadLetter], now: datetime
) -> None:
    """Put visits among the dead letters, with the error and its traceback."""
    if not letters:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO dead_letter (workflow, case_id, visit, element, attempts, error, traceback, dead_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    workflow,
                    d.case_id,
                    d.visit,
                    d.element,
                    d.attempts,
                    _storable(d.error),
                    _storable(d.traceback),
                    now,
                )
                for d in letters
            ],
        )


def _storable(text: str) -> str:
    """PostgreSQL text cannot hold NUL, and nobody reads a traceback beyond this."""
    return text.replace("\x00", "␀")[:20_000]
