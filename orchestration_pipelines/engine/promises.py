"""The board of promises: what is past due, what is due next, what stands still, and how much was kept of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import psycopg

from orchestration_pipelines.engine.oversight import SOON
from orchestration_pipelines.store import promises as table
from orchestration_pipelines.store.promises import DueTasks, KeptDay, KeptStep, OpenClock, OpenClocks, clocks

__all__ = ["TODAY", "Board", "DueTasks", "KeptDay", "KeptStep", "OpenClock", "OpenClocks", "board", "clocks", "days"]

TODAY = timedelta(hours=24)
#: how far back it is said how many promises were kept
DAYS = 14


@dataclass(frozen=True)
class Board:
    """How promises stand."""

    tasks: Sequence[DueTasks]  #: by workflow, queue and step
    clocks: Sequence[OpenClocks]  #: by workflow and step; the step '' is the whole case
    days: Sequence[KeptDay]  #: every day of late, the oldest first
    steps: Sequence[KeptStep]


def days(connection: psycopg.Connection, now: datetime, number: int = DAYS) -> list[KeptDay]:
    """The last days, today included, the oldest first; one on which no promise ended has none."""
    begin, end, every = _last(now, number)
    found = {kept.day: kept for kept in table.kept_by_day(connection, begin, end)}
    return [found.get(day, KeptDay(day, 0, 0)) for day in every]


def board(connection: psycopg.Connection, now: datetime, number: int = DAYS) -> Board:
    """The board at one instant, with what was kept in the last days."""
    begin, end, _ = _last(now, number)
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return Board(
            table.due_tasks(connection, now, SOON, TODAY),
            table.open_clocks(connection, now, SOON, TODAY),
            days(connection, now, number),
            table.kept_by_step(connection, begin, end),
        )


def _last(now: datetime, number: int) -> tuple[datetime, datetime, list[date]]:
    """So many days (UTC), today included: when they begin, when they are over, and each."""
    first = now.astimezone(UTC).date() - timedelta(days=number - 1)
    begin = datetime.combine(first, time(), UTC)
    return begin, begin + timedelta(days=number), [first + timedelta(days=each) for each in range(number)]
