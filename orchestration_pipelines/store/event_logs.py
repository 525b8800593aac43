"""Imported event logs: in by COPY, out column by column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg


class StoredLog(NamedTuple):
    """An imported log."""

    id: int
    name: str
    source: str
    digest: str
    imported_by: str
    imported_at: datetime
    skipped: int


_LOG = "SELECT id, name, source, digest, imported_by, imported_at, skipped FROM event_log"


def logs(connection: psycopg.Connection) -> list[StoredLog]:
    """The imported logs, by name."""
    cursor = connection.cursor(row_factory=lambda _: StoredLog._make)
    return cursor.execute(f"{_LOG} ORDER BY name").fetchall()


def find(connection: psycopg.Connection, name: str) -> StoredLog | None:
    """The log of this name."""
    cursor = connection.cursor(row_factory=lambda _: StoredLog._make)
    return cursor.execute(f"{_LOG} WHERE name = %s", (name,)).fetchone()


def add(
    connection: psycopg.Connection,
    *,
    name: str,
    source: str,
    digest: str,
    mapping: bytes | None,
    by: str,
    at: datetime,
    skipped: int,
) -> int:
    """Add a log; returns its number."""
    row = connection.execute(
        "INSERT INTO event_log (name, source, digest, mapping, imported_by, imported_at, skipped) "
        "VALUES (%s, %s, %s, %s::jsonb, %s, %s, %s) RETURNING id",
        (name, source, digest, None if mapping is None else mapping.decode(), by, at, skipped),
    ).fetchone()
    if row is None:
        raise RuntimeError("the log was not stored")
    return int(row[0])


def fill(connection: psycopg.Connection, cases: Iterable[Sequence[Any]], events: Iterable[Sequence[Any]]) -> None:
    """Add cases (log, no, key, breached, reopened) and events (log, case, no, activity, at, resource, lifecycle)."""
    with connection.cursor() as cursor:
        with cursor.copy("COPY event_log_case (log_id, no, case_key, breached, reopened) FROM STDIN") as copy:
            for case in cases:
                copy.write_row(case)
        with cursor.copy(
            "COPY event_log_event (log_id, case_no, no, activity, at, resource, lifecycle) FROM STDIN"
        ) as copy:
            for event in events:
                copy.write_row(event)


def cases_of(connection: psycopg.Connection, log: int) -> list[tuple[str, bool | None, bool | None]]:
    """The cases of a log (key, breached, reopened), by number."""
    return connection.execute(
        "SELECT case_key, breached, reopened FROM event_log_case WHERE log_id = %s ORDER BY no", (log,)
    ).fetchall()


def events_of(connection: psycopg.Connection, log: int) -> list[tuple[int, str, datetime, str | None, str]]:
    """The events of a log (case number, activity, at, resource, lifecycle), case by case and in order."""
    return connection.execute(
        "SELECT case_no, activity, at, resource, lifecycle FROM event_log_event WHERE log_id = %s ORDER BY case_no, no",
        (log,),
    ).fetchall()


_OWN = """
SELECT case_key, activity, at, resource, transition FROM (
    SELECT id AS case_id, case_key, 'submitted' AS activity, submitted_at AS at, requested_by AS resource,
           'complete' AS transition, 0 AS visit, 0 AS no
    FROM cases WHERE workflow = %(workflow)s
    UNION ALL
    SELECT a.case_id, c.case_key, a.element, m.at, coalesce(d.people, 'machine'), m.transition, a.visit, m.no
    FROM cases c JOIN activity a ON a.case_id = c.id
    LEFT JOIN LATERAL (SELECT string_agg(DISTINCT decided_by, ' and ' ORDER BY decided_by) AS people
                       FROM review_decision r JOIN review_task t ON t.id = r.task_id AND t.kind = 'decision'
                       WHERE r.case_id = a.case_id AND r.visit = a.visit) d ON true
    CROSS JOIN LATERAL (VALUES (1, 'start', a.started_at), (2, 'complete', a.finished_at)) AS m (no, transition, at)
    WHERE c.workflow = %(workflow)s
    UNION ALL
    SELECT id, case_key, outcome, closed_at, NULL, 'complete', 2147483647, 3
    FROM cases WHERE workflow = %(workflow)s AND closed_at IS NOT NULL) AS e
ORDER BY case_id, at, visit, no
"""


def own_events(connection: psycopg.Connection, workflow: str) -> Iterator[tuple[str, str, datetime, str | None, str]]:
    """What was done to the cases of a workflow (case, activity, at, resource, transition), case by case, in order.

    From the submission to the end that was reached; read piece by piece, however many there are.
    """
    with connection.transaction(), connection.cursor(name="own_events") as cursor:
        cursor.itersize = 10_000
        cursor.execute(_OWN, {"workflow": workflow})
        yield from cursor
