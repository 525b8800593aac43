"""Keeping promises by the clock: a step's begins when people are asked, a case's with the case.

The case's clock stands still in the elements that the policy names: while others are waited for. BPMN timers are
other clocks, and never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg

from orchestration_pipelines.domain.calendar import BusinessCalendar
from orchestration_pipelines.store import clocks as table
from orchestration_pipelines.store.clocks import CASE


def start(
    connection: psycopg.Connection, workflow: str, element: str, visits: Sequence[tuple[int, int]], now: datetime
) -> datetime | None:
    """Start the clock of visits (case, visit) that arrived where people are asked; when they are due, if promised."""
    promise = table.promise_of(connection, workflow, element)
    if promise is None:
        return None
    calendar = table.calendar_of(connection, workflow, promise.calendar)
    return table.start(connection, workflow, element, visits, promise, calendar, now)


def start_cases(connection: psycopg.Connection, workflow: str, cases: Sequence[int], now: datetime) -> None:
    """Start the clock of cases that were just submitted, if the policy promises something for the whole case."""
    promise = table.promise_of(connection, workflow, CASE)
    if promise is not None:
        calendar = table.calendar_of(connection, workflow, promise.calendar)
        table.start(connection, workflow, CASE, [(case_id, None) for case_id in cases], promise, calendar, now)


def pause(connection: psycopg.Connection, workflow: str, element: str, cases: Sequence[int], now: datetime) -> None:
    """Stop the clocks of cases for as long as they wait at an element in which the promise stands still."""
    promise = table.promise_of(connection, workflow, CASE)
    if promise is None or element not in promise.pauses:
        return
    calendars = _Calendars(connection, workflow)
    standing = [
        (before, before.clock.pause(now, calendars[before.calendar]))
        for before in table.running(connection, cases, now)
    ]
    table.pause(connection, element, standing, now)


def resume(
    connection: psycopg.Connection, workflow: str, element: str, visits: Sequence[tuple[int, int]], now: datetime
) -> None:
    """Let the clocks of cases run on that stood still in these visits (case, visit), from when they were over."""
    if not visits:
        return
    calendars = _Calendars(connection, workflow)
    again = {
        before.id: (before, before.clock.resume(before.at, calendars[before.calendar]))
        for before in table.paused_at(connection, element, visits, now)
    }
    if not again:
        return
    rungs = []
    for clock_id, no, after_s in table.pending(connection, list(again)):
        before, clock = again[clock_id]
        budget, after = timedelta(seconds=before.budget_s), timedelta(seconds=after_s)
        rungs.append((clock_id, no, clock.rung_due(after, budget, calendars[before.calendar])))
    table.resume(connection, list(again.values()), rungs)


class _Calendars(dict[str, BusinessCalendar]):
    """The policy's calendars, each read when it is first asked for."""

    def __init__(self, connection: psycopg.Connection, workflow: str) -> None:
        super().__init__()
        self._connection, self._workflow = connection, workflow

    def __missing__(self, name: str) -> BusinessCalendar:
        self[name] = table.calendar_of(self._connection, self._workflow, name)
        return self[name]
