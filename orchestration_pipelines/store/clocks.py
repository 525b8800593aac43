"""Clocks of promises and their rungs: started, paused, resumed and stopped, a statement for many cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.calendar import BusinessCalendar, Hours, business_calendar
from orchestration_pipelines.domain.sla import Clock, ClockStatus
from orchestration_pipelines.store.arrays import instants, int2s, int4s, int8s

#: a clock's element where it is the case's
CASE = ""


class PromisedRung(NamedTuple):
    """A rung of the ladder that the policy has for a step."""

    no: int
    act: str
    after_s: int


class Promise(NamedTuple):
    """What the policy promises for a step, or for the whole case."""

    calendar: str
    budget_s: int
    pauses: tuple[str, ...]
    ladder: tuple[PromisedRung, ...]

    @property
    def budget(self) -> timedelta:
        """The business time that is promised."""
        return timedelta(seconds=self.budget_s)


_PROMISE = """
SELECT p.calendar, extract(epoch FROM p.budget)::bigint, p.pauses, l.no, l.act, extract(epoch FROM l.after)::bigint
FROM sla_policy p LEFT JOIN sla_ladder l ON l.workflow = p.workflow AND l.element = p.element
WHERE p.workflow = %s AND p.element = %s ORDER BY l.no
"""


def promise_of(connection: psycopg.Connection, workflow: str, element: str) -> Promise | None:
    """The policy's promise for a step, or for the case; None where it has none."""
    rows = connection.execute(_PROMISE, (workflow, element), prepare=True).fetchall()
    if not rows:
        return None
    ladder = tuple(PromisedRung(no, act, after_s) for *_, no, act, after_s in rows if no is not None)
    return Promise(rows[0][0], rows[0][1], tuple(rows[0][2]), ladder)


def calendar_of(connection: psycopg.Connection, workflow: str, name: str) -> BusinessCalendar:
    """A calendar of the policy, as it is now."""
    row = connection.execute(
        "SELECT zone FROM calendar WHERE workflow = %s AND name = %s", (workflow, name), prepare=True
    ).fetchone()
    if row is None:
        raise LookupError(f"the policy of {workflow} has no calendar {name!r} any more: put it back with orchestrate")
    hours = connection.execute(
        "SELECT weekday, extract(epoch FROM opens)::int, extract(epoch FROM closes)::int FROM calendar_hours "
        "WHERE workflow = %s AND calendar = %s ORDER BY weekday, opens",
        (workflow, name),
        prepare=True,
    )
    holidays = connection.execute(
        "SELECT day FROM calendar_holiday WHERE workflow = %s AND calendar = %s", (workflow, name), prepare=True
    )
    return business_calendar(row[0], tuple(map(Hours._make, hours)), frozenset(day for (day,) in holidays))


_START = """
WITH started AS (
    INSERT INTO sla_clock (workflow, case_id, visit, element, calendar, budget_s, left_s, started_at, running_since,
                           due_at)
    SELECT %(workflow)s, v.case_id, nullif(v.visit, 0), %(element)s, %(calendar)s, %(budget)s, %(budget)s, %(now)s,
           %(now)s, %(due)s
    FROM unnest(%(cases)s::bigint[], %(visits)s::int[]) AS v (case_id, visit)
    RETURNING id)
INSERT INTO sla_rung (clock_id, no, act, after_s, version, due_at)
SELECT s.id, l.no, l.act, l.after_s, 1, l.due_at
FROM started s, unnest(%(no)s::smallint[], %(act)s::text[], %(after)s::bigint[], %(rung_due)s::timestamptz[])
    AS l (no, act, after_s, due_at)
"""


def start(
    connection: psycopg.Connection,
    workflow: str,
    element: str,
    visits: Sequence[tuple[int, int | None]],
    promise: Promise,
    calendar: BusinessCalendar,
    now: datetime,
) -> datetime:
    """Start a clock for each visit (case, visit; visit None: the case's own); returns when they are all due."""
    clock = Clock.started(promise.budget, now, calendar)
    connection.execute(
        _START,
        {
            "workflow": workflow,
            "element": element,
            "calendar": promise.calendar,
            "budget": promise.budget_s,
            "now": now,
            "due": clock.due_at,
            "cases": int8s([case_id for case_id, _ in visits]),
            "visits": int4s([visit or 0 for _, visit in visits]),
            "no": [rung.no for rung in promise.ladder],
            "act": [rung.act for rung in promise.ladder],
            "after": [rung.after_s for rung in promise.ladder],
            "rung_due": [
                clock.rung_due(timedelta(seconds=rung.after_s), promise.budget, calendar) for rung in promise.ladder
            ],
        },
    )
    if clock.due_at is None:
        raise AssertionError("a clock that was just started is due some time")
    return clock.due_at


def stop(connection: psycopg.Connection, visits: Sequence[tuple[int, int | None]], at: datetime) -> None:
    """Stop the clocks of visits (case, visit; visit None: the case's own) whose wait is over."""
    if visits:
        case_id, visit = zip(*visits, strict=True)
        connection.execute("SELECT stop_clocks(%s::bigint[], %s::int[], %s)", (int8s(case_id), list(visit), at))


def stop_all(connection: psycopg.Connection, case_id: int, at: datetime) -> None:
    """Stop every clock of a case that was cancelled."""
    connection.execute(
        "SELECT stop_clocks(array_agg(case_id), array_agg(visit), %s) FROM sla_clock "
        "WHERE case_id = %s AND status <> 'stopped'",
        (at, case_id),
    )


class CaseClock(NamedTuple):
    """The clock of a case, as it is to be paused or resumed at an instant."""

    id: int
    calendar: str
    budget_s: int
    clock: Clock
    at: datetime


def _case_clock(row: tuple[int, str, int, int, str, datetime | None, datetime | None, int, datetime]) -> CaseClock:
    clock_id, calendar, budget_s, left_s, status, running_since, due_at, version, at = row
    clock = Clock(timedelta(seconds=left_s), ClockStatus(status), running_since, due_at, version)
    return CaseClock(clock_id, calendar, budget_s, clock, at)


_STATE = "c.id, c.calendar, c.budget_s, c.left_s, c.status, c.running_since, c.due_at, c.version"


def running(connection: psycopg.Connection, cases: Sequence[int], at: datetime) -> list[CaseClock]:
    """The clocks of these cases that run."""
    rows = connection.execute(
        f"SELECT {_STATE}, %s::timestamptz FROM unnest(%s::bigint[]) AS v (case_id) "
        "JOIN sla_clock c ON c.case_id = v.case_id AND coalesce(c.visit, 0) = 0 WHERE c.status = 'running'",
        (at, int8s(cases)),
    ).fetchall()
    return [_case_clock(row) for row in rows]


def paused_at(
    connection: psycopg.Connection, element: str, visits: Sequence[tuple[int, int]], now: datetime
) -> list[CaseClock]:
    """The clocks of cases that stood still in these visits; each to run again from when its people were done."""
    case_id, visit = zip(*visits, strict=True)
    rows = connection.execute(
        f"SELECT {_STATE}, coalesce((SELECT max(t.ended_at) FROM review_task t WHERE t.case_id = v.case_id "
        "  AND t.visit = v.visit), %s) "
        "FROM unnest(%s::bigint[], %s::int[]) AS v (case_id, visit) "
        "JOIN sla_clock c ON c.case_id = v.case_id AND coalesce(c.visit, 0) = 0 "
        "JOIN sla_pause p ON p.clock_id = c.id AND p.resumed_at IS NULL AND p.element = %s WHERE c.status = 'paused'",
        (now, int8s(case_id), int4s(visit), element),
    ).fetchall()
    return [_case_clock(row) for row in rows]


# A rung that was due before the pause has still to fire: it goes along into the new version.
_PAUSE = """
WITH paused AS (
    UPDATE sla_clock c SET status = 'paused', version = m.version, left_s = m.left_s, running_since = NULL,
        due_at = NULL, breached_at = CASE WHEN c.due_at < %(at)s THEN coalesce(c.breached_at, c.due_at)
                                          ELSE c.breached_at END
    FROM unnest(%(id)s::bigint[], %(left)s::bigint[], %(version)s::int[]) AS m (id, left_s, version)
    WHERE c.id = m.id RETURNING c.id, c.left_s, c.version),
noted AS (
    INSERT INTO sla_pause (clock_id, element, paused_at, left_s) SELECT id, %(element)s, %(at)s, left_s FROM paused
    ON CONFLICT (clock_id, paused_at) DO UPDATE SET element = excluded.element, resumed_at = NULL)
UPDATE sla_rung r SET due_at = CASE WHEN r.due_at <= %(at)s THEN r.due_at END,
    version = CASE WHEN r.due_at <= %(at)s THEN p.version ELSE r.version END
FROM paused p WHERE r.clock_id = p.id AND r.status = 'armed'
"""


def pause(
    connection: psycopg.Connection, element: str, clocks: Sequence[tuple[CaseClock, Clock]], at: datetime
) -> None:
    """Write clocks (before, after) that stand still from now on, where the case waits at ``element``."""
    if clocks:
        connection.execute(
            _PAUSE,
            {
                "element": element,
                "at": at,
                "id": int8s([before.id for before, _ in clocks]),
                "left": int8s([after.left // timedelta(seconds=1) for _, after in clocks]),
                "version": int4s([after.version for _, after in clocks]),
            },
        )


def pending(connection: psycopg.Connection, clocks: Sequence[int]) -> list[tuple[int, int, int]]:
    """The rungs (clock, number, business seconds after the start) that a pause voided."""
    return connection.execute(
        "SELECT r.clock_id, r.no, r.after_s FROM sla_rung r "
        "WHERE r.clock_id = ANY(%s) AND r.status = 'armed' AND r.due_at IS NULL",
        (int8s(clocks),),
    ).fetchall()


def resume(
    connection: psycopg.Connection,
    clocks: Sequence[tuple[CaseClock, Clock]],
    rungs: Sequence[tuple[int, int, datetime | None]],
) -> None:
    """Write clocks (before, after) that run again, and their rungs (clock, number, due) under the new version."""
    if not clocks:
        return
    connection.execute(
        "WITH resumed AS (UPDATE sla_clock c SET status = 'running', running_since = m.at, due_at = m.due_at "
        "  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS m (id, at, due_at) "
        "  WHERE c.id = m.id RETURNING c.id, c.running_since) "
        "UPDATE sla_pause p SET resumed_at = r.running_since FROM resumed r "
        "WHERE p.clock_id = r.id AND p.resumed_at IS NULL",
        (
            int8s([before.id for before, _ in clocks]),
            instants([before.at for before, _ in clocks]),
            instants([after.due_at for _, after in clocks]),
        ),
    )
    if rungs:
        clock_id, no, due_at = zip(*rungs, strict=True)
        connection.execute(
            "UPDATE sla_rung r SET due_at = m.due_at, version = c.version "
            "FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[]) AS m (clock_id, no, due_at) "
            "JOIN sla_clock c ON c.id = m.clock_id WHERE r.clock_id = m.clock_id AND r.no = m.no",
            (int8s(clock_id), int2s(no), list(due_at)),
        )
