"""Questions to colleagues about a task in hand. The rules are in 0010_deciding.sql and 0010_advice.sql."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Inquiry(NamedTuple):
    """A question to a colleague, and the answer where there is one."""

    id: int
    task: int
    case_id: int
    workflow: str
    case_key: str
    asked_by: str
    asked_of: str
    text: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    waits: bool  #: the task is still open, and nobody answered


_INQUIRY = """
SELECT i.id, i.task_id, i.case_id, t.workflow, c.case_key, i.asked_by, i.asked_of, i.text, i.asked_at, a.text,
    a.given_at, a.inquiry_id IS NULL AND t.ended_at IS NULL
FROM inquiry i JOIN review_task t ON t.id = i.task_id JOIN cases c ON c.id = i.case_id
LEFT JOIN advice a ON a.inquiry_id = i.id
"""


def add(
    connection: psycopg.Connection, task: int, *, by: str, of: str, text: str, asserted_by: str | None, at: datetime
) -> int:
    """Ask somebody; the database checks it against every rule (trigger ``guard``). Returns the question's number."""
    row = connection.execute(
        "INSERT INTO inquiry (task_id, asked_by, asked_of, text, asked_at, asserted_by) "
        "VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (task, by, of, text, at, asserted_by),
    ).fetchone()
    if row is None:
        raise RuntimeError("the question was not stored")
    return int(row[0])


def answer(
    connection: psycopg.Connection, inquiry: int, *, by: str, text: str, asserted_by: str | None, at: datetime
) -> None:
    """Answer a question; the database checks that it was theirs to answer."""
    connection.execute(
        "INSERT INTO advice (inquiry_id, given_by, text, given_at, asserted_by) VALUES (%s, %s, %s, %s, %s)",
        (inquiry, by, text, at, asserted_by),
    )


def find(connection: psycopg.Connection, inquiry: int) -> Inquiry | None:
    """A question by its number."""
    cursor = connection.cursor(row_factory=lambda _: Inquiry._make)
    return cursor.execute(f"{_INQUIRY} WHERE i.id = %s", (inquiry,)).fetchone()


def waiting_for(connection: psycopg.Connection, person: str) -> list[Inquiry]:
    """What somebody is asked and has not answered, the longest asked first."""
    cursor = connection.cursor(row_factory=lambda _: Inquiry._make)
    return cursor.execute(
        f"{_INQUIRY} WHERE i.asked_of = %s AND a.inquiry_id IS NULL AND t.ended_at IS NULL ORDER BY i.id", (person,)
    ).fetchall()


def of_case(connection: psycopg.Connection, case_id: int, person: str) -> list[Inquiry]:
    """The questions about a case that somebody asked or was asked; once a visit is over, everybody's of it."""
    cursor = connection.cursor(row_factory=lambda _: Inquiry._make)
    return cursor.execute(
        f"{_INQUIRY} WHERE i.case_id = %(case)s AND (%(person)s IN (i.asked_by, i.asked_of) OR NOT EXISTS ("
        "SELECT FROM review_task o WHERE o.case_id = i.case_id AND o.visit = i.visit AND o.ended_at IS NULL)) "
        "ORDER BY i.id",
        {"case": case_id, "person": person},
    ).fetchall()


class Colleague(NamedTuple):
    """Somebody who may be asked."""

    person: str
    title: str
    roles: list[str]


def colleagues(connection: psycopg.Connection, task: int) -> list[Colleague]:
    """Who may be asked about a task, as ``can`` says."""
    cursor = connection.cursor(row_factory=lambda _: Colleague._make)
    return cursor.execute(
        "SELECT r.person, r.title, r.roles FROM (SELECT array_agg(person ORDER BY person) AS people FROM reviewer "
        "WHERE active) everybody CROSS JOIN LATERAL can_many(people, 'advise', "
        "array_fill(%s::bigint, ARRAY[cardinality(people)])) m JOIN reviewer r ON r.person = m.person "
        "WHERE m.allowed ORDER BY m.no",
        (task,),
    ).fetchall()
