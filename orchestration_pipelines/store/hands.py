"""Tasks into people's hands and out of them: the functions of 0003_hand.sql, which hold the rules and the limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int8s, texts, utf8s


class Handed(NamedTuple):
    """What became of one task that was to change hands."""

    task: int
    person: str | None  #: who has it now; None: it is back in its queue
    from_person: str | None
    moved: bool
    reason: str | None  #: the refusal as a word
    rule: str  #: … and as a sentence


def hand(
    connection: psycopg.Connection,
    tasks: Sequence[int],
    people: Sequence[str | None],
    *,
    cause: str,
    by: str,
    at: datetime,
    reason: str = "",
    asserted_by: str | None = None,
    candidates: Sequence[bytes] | None = None,
    excluded: Sequence[bytes] | None = None,
) -> list[Handed]:
    """Give each task to the person at its position, or (None) back to its queue; ``cause`` says who may ask.

    ``candidates`` and ``excluded`` are JSON: for each the best who could have had it, and how many others by reason.
    """
    cursor = connection.cursor(row_factory=lambda _: Handed._make)
    return cursor.execute(
        "SELECT task, person, from_person, moved, reason, rule FROM hand(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            int8s(tasks),
            texts(people),
            cause,
            by,
            at,
            None if candidates is None else utf8s(candidates),
            None if excluded is None else utf8s(excluded),
            reason,
            asserted_by,
        ),
    ).fetchall()


class Pulled(NamedTuple):
    """The task that somebody pulled, or why there was none."""

    task: int | None
    reason: str | None
    rule: str


def pull(
    connection: psycopg.Connection,
    person: str,
    at: datetime,
    *,
    workflow: str | None = None,
    queue: str | None = None,
    asserted_by: str | None = None,
) -> Pulled:
    """Claim the first task in order of all lanes that are theirs."""
    row = connection.execute(
        "SELECT task, reason, rule FROM pull(%s, %s, %s, %s, %s)", (person, at, workflow, queue, asserted_by)
    ).fetchone()
    if row is None:
        raise RuntimeError("pull() gave no answer")
    return Pulled._make(row)


def touch(connection: psycopg.Connection, tasks: Sequence[int], act: str, person: str, at: datetime) -> list[Handed]:
    """Pause work on claimed tasks, or go on with it (``pause``, ``resume``)."""
    cursor = connection.cursor(row_factory=lambda _: Handed._make)
    return cursor.execute(
        "SELECT task, person, from_person, moved, reason, rule FROM touch_work(%s, %s, %s, %s)",
        (int8s(tasks), act, person, at),
    ).fetchall()


def in_work(connection: psycopg.Connection, person: str) -> int | None:
    """The first task in order that somebody is at work on: claimed, and not put aside."""
    row = connection.execute(
        "SELECT t.id FROM review_task t WHERE t.assignee = %s AND t.status = 'claimed' AND EXISTS ("
        "SELECT FROM touch u WHERE u.task_id = t.id AND u.stopped_at IS NULL) ORDER BY t.order_key, t.id LIMIT 1",
        (person,),
    ).fetchone()
    return None if row is None else int(row[0])
