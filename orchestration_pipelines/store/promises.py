"""The board of promises: what is past due, what is due next, what stands still, what was kept; counted in SQL."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

import psycopg


class DueTasks(NamedTuple):
    """The open tasks of a step in a queue, by when they are due."""

    workflow: str
    queue: str
    element: str
    open: int
    in_hand: int
    past_due: int
    soon: int
    today: int  #: later than soon
    later: int
    undated: int  #: nothing is promised
    oldest_at: datetime
    first_due_at: datetime | None


_TASKS = """
SELECT t.workflow, t.queue, t.element, count(*), count(*) FILTER (WHERE t.status <> 'open'),
    count(*) FILTER (WHERE t.due_at <= %(now)s),
    count(*) FILTER (WHERE t.due_at > %(now)s AND t.due_at <= %(now)s + %(soon)s),
    count(*) FILTER (WHERE t.due_at > %(now)s + %(soon)s AND t.due_at <= %(now)s + %(today)s),
    count(*) FILTER (WHERE t.due_at > %(now)s + %(today)s), count(*) FILTER (WHERE t.due_at IS NULL),
    min(t.opened_at), min(t.due_at)
FROM review_task t WHERE t.ended_at IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def due_tasks(connection: psycopg.Connection, now: datetime, soon: timedelta, today: timedelta) -> list[DueTasks]:
    """Every step of every queue in which a task is open."""
    cursor = connection.cursor(row_factory=lambda _: DueTasks._make)
    return cursor.execute(_TASKS, {"now": now, "soon": soon, "today": today}).fetchall()


class OpenClocks(NamedTuple):
    """The clocks of a step, or ('') of whole cases, that are not stopped."""

    workflow: str
    element: str
    open: int
    paused: int
    past_due: int
    soon: int
    today: int  #: later than soon
    first_due_at: datetime | None


_CLOCKS = """
SELECT k.workflow, k.element, count(*), count(*) FILTER (WHERE k.status = 'paused'),
    count(*) FILTER (WHERE k.due_at <= %(now)s),
    count(*) FILTER (WHERE k.due_at > %(now)s AND k.due_at <= %(now)s + %(soon)s),
    count(*) FILTER (WHERE k.due_at > %(now)s + %(soon)s AND k.due_at <= %(now)s + %(today)s), min(k.due_at)
FROM sla_clock k WHERE k.status <> 'stopped' GROUP BY 1, 2 ORDER BY 1, 2
"""


def open_clocks(connection: psycopg.Connection, now: datetime, soon: timedelta, today: timedelta) -> list[OpenClocks]:
    """Every step, and every workflow's cases, with clocks that run or stand still."""
    cursor = connection.cursor(row_factory=lambda _: OpenClocks._make)
    return cursor.execute(_CLOCKS, {"now": now, "soon": soon, "today": today}).fetchall()


class KeptDay(NamedTuple):
    """The promises of a day (UTC): those that ended on it, or were broken on it and run still."""

    day: date
    promises: int
    broken: int


class KeptStep(NamedTuple):
    """The same of a step, or ('') of cases."""

    workflow: str
    element: str
    promises: int
    broken: int


# A promise that is broken and not yet over counts on the day on which it was broken.
_KEPT = """
FROM sla_clock k WHERE k.stopped_at >= %(begin)s AND k.stopped_at < %(end)s
    OR k.breached_at >= %(begin)s AND k.breached_at < %(end)s AND k.stopped_at IS NULL
"""
_BY_DAY = (
    "SELECT (coalesce(k.stopped_at, k.breached_at) AT TIME ZONE 'UTC')::date, count(*), count(k.breached_at) "
    f"{_KEPT} GROUP BY 1 ORDER BY 1"
)
_BY_STEP = f"SELECT k.workflow, k.element, count(*), count(k.breached_at) {_KEPT} GROUP BY 1, 2 ORDER BY 1, 2"


def kept_by_day(connection: psycopg.Connection, begin: datetime, end: datetime) -> list[KeptDay]:
    """The days on which promises ended, of all workflows."""
    cursor = connection.cursor(row_factory=lambda _: KeptDay._make)
    return cursor.execute(_BY_DAY, {"begin": begin, "end": end}).fetchall()


def kept_by_step(connection: psycopg.Connection, begin: datetime, end: datetime) -> list[KeptStep]:
    """The steps of which promises ended."""
    cursor = connection.cursor(row_factory=lambda _: KeptStep._make)
    return cursor.execute(_BY_STEP, {"begin": begin, "end": end}).fetchall()


class OpenClock(NamedTuple):
    """A clock that runs or stands still."""

    id: int
    case_id: int
    case_key: str
    element: str
    status: str
    due_at: datetime | None  #: None while it stands still
    breached_at: datetime | None
    left_s: int  #: business seconds left when it last began to run, or was paused
    budget_s: int
    started_at: datetime
    paused_at: datetime | None
    paused_in: str | None  #: the step in which the case waits
    assignees: list[str]  #: who has a task of it in hand


_LISTED = """
WITH page AS MATERIALIZED (
    SELECT * FROM sla_clock k WHERE k.workflow = %(workflow)s AND k.element = %(element)s AND k.status <> 'stopped'
        AND (coalesce(k.due_at, 'infinity'), k.id) > (%(after_at)s::timestamptz, %(after)s::bigint)
    ORDER BY coalesce(k.due_at, 'infinity'), k.id LIMIT %(limit)s)
SELECT k.id, k.case_id, c.case_key, k.element, k.status, k.due_at, k.breached_at, k.left_s, k.budget_s, k.started_at,
    p.paused_at, p.element,
    ARRAY(SELECT DISTINCT t.assignee FROM review_task t WHERE t.case_id = k.case_id AND t.assignee IS NOT NULL
          AND t.ended_at IS NULL AND (k.visit IS NULL OR t.visit = k.visit) ORDER BY 1)
FROM page k JOIN cases c ON c.id = k.case_id
LEFT JOIN sla_pause p ON p.clock_id = k.id AND p.resumed_at IS NULL
ORDER BY coalesce(k.due_at, 'infinity'), k.id
"""

_BEFORE_ALL, _AFTER_ALL = "-infinity", "infinity"


def clocks(
    connection: psycopg.Connection,
    workflow: str,
    element: str,
    after: tuple[datetime | None, int] | None,
    limit: int,
) -> list[OpenClock]:
    """The clocks of a step, or ('') of cases: what is due first comes first, what stands still last.

    ``after`` is when the last one seen is due (None: it stands still) and its number.
    """
    after_at: datetime | str = _BEFORE_ALL if after is None else after[0] or _AFTER_ALL
    cursor = connection.cursor(row_factory=lambda _: OpenClock._make)
    asked = {"workflow": workflow, "element": element, "after_at": after_at, "after": after[1] if after else 0}
    return cursor.execute(_LISTED, {**asked, "limit": limit}).fetchall()
