"""Dead letters as people act on them: the list, a replay, an abandonment."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class DeadLetter(NamedTuple):
    """A visit that no further attempt will finish, until a person acts."""

    id: int
    workflow: str
    case_key: str
    case_id: int
    visit: int
    element: str
    attempts: int
    error: str
    traceback: str
    dead_at: datetime
    status: str  #: dead, replayed or abandoned
    acted_by: str | None
    reason: str | None
    throw_from: str | None  #: the throw that called it, where it is a compensation handler
    saga_no: int | None


_LISTED = """
SELECT d.id, d.workflow, c.case_key, d.case_id, d.visit, d.element, d.attempts, d.error, d.traceback, d.dead_at,
    d.status, d.acted_by, d.reason, t.throw_from, t.saga_no
FROM dead_letter d JOIN cases c ON c.id = d.case_id
LEFT JOIN token t ON t.case_id = d.case_id AND t.visit = d.visit AND t.status = 'dead'
WHERE (%(workflow)s::text IS NULL OR d.workflow = %(workflow)s) AND (%(ended)s OR d.status = 'dead')
  AND (%(id)s::bigint IS NULL OR d.id = %(id)s) AND d.id > %(after)s
ORDER BY d.id LIMIT %(limit)s
"""


def listed(
    connection: psycopg.Connection,
    workflow: str | None = None,
    *,
    ended: bool = False,
    letter: int | None = None,
    limit: int | None = None,
    after: int = 0,
) -> list[DeadLetter]:
    """Dead letters, oldest first, those behind ``after``; with ``ended`` also those that somebody acted on."""
    cursor = connection.cursor(row_factory=lambda _: DeadLetter._make)
    wanted = {"workflow": workflow, "ended": ended, "id": letter, "limit": limit, "after": after}
    return cursor.execute(_LISTED, wanted).fetchall()


def settle(connection: psycopg.Connection, letter: int, *, status: str, by: str, reason: str, now: datetime) -> bool:
    """Note what a person did with a standing letter; False if somebody else did before."""
    return (
        connection.execute(
            "UPDATE dead_letter SET status = %s, acted_by = %s, acted_at = %s, reason = %s "
            "WHERE id = %s AND status = 'dead'",
            (status, by, now, reason, letter),
        ).rowcount
        == 1
    )


def abandon_of_case(connection: psycopg.Connection, case_id: int, *, by: str, reason: str, now: datetime) -> None:
    """The standing letters of a cancelled case are abandoned with it; a compensation's stays, for it is due still."""
    connection.execute(
        "UPDATE dead_letter d SET status = 'abandoned', acted_by = %s, acted_at = %s, reason = %s "
        "WHERE d.case_id = %s AND d.status = 'dead' AND NOT EXISTS (SELECT FROM token t "
        "WHERE t.case_id = d.case_id AND t.visit = d.visit AND t.throw_from IS NOT NULL)",
        (by, now, reason, case_id),
    )


def wake(connection: psycopg.Connection, case_id: int, visit: int, now: datetime) -> None:
    """The same visit is tried again, with all its attempts."""
    connection.execute(
        "UPDATE token SET status = 'ready', attempt = 0, crashes = 0, claim_no = claim_no + 1, order_key = %s "
        "WHERE case_id = %s AND visit = %s AND status IN ('dead', 'stuck')",
        (now, case_id, visit),
    )


def undone_by_hand(connection: psycopg.Connection, letter: DeadLetter, visit: int, now: datetime) -> None:
    """A compensation that a person did outside: its entry is consumed, and the token returns to the throw."""
    connection.execute(
        "UPDATE compensation SET status = 'consumed', consumed_at = %s WHERE case_id = %s AND no = %s",
        (now, letter.case_id, letter.saga_no),
    )
    connection.execute(
        "UPDATE effect SET status = 'done', finished_at = %s "
        "WHERE case_id = %s AND visit = %s AND status IN ('intended', 'unknown')",
        (now, letter.case_id, letter.visit),
    )
    connection.execute(
        "UPDATE token SET element = throw_from, status = 'ready', attempt = 0, crashes = 0, claim_no = claim_no + 1, "
        "order_key = %s, throw_from = NULL, saga_no = NULL, visit = %s, entered_at = %s "
        "WHERE case_id = %s AND visit = %s AND status = 'dead'",
        (now, visit, now, letter.case_id, letter.visit),
    )
