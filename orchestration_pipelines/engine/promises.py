"""The board of promises: what is past due, what is due next, what stands still, and how much was kept of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import psycopg

from orchestration_pipelines.engine.oversight import SOON
from orchestration_pipelines.store import promises as table
from orchestration_pipelines.store.promises import DueTasks, KeptDay, KeptStep, OpenClock, OpenClocks, clocks

__all__ = ["TODAY", "Board", "DueTasks", "KeptDay", "KeptStep", "OpenClock", "OpenClocks", "board", "clocks"]

TODAY = timedelta(hours=24)
#: how far back it is said how many promises were kept
DAYS = 14


@dataclass(frozen=True)
class Board:
    """How promises stand."""

    tasks: Sequence[DueTasks]  #: by workflow, queue and step
    clocks: Sequence[OpenClocks]  #: by workflow and step; the step '' is the whole case
    days: Sequence[KeptDay]  #: every day of late, the oldest first; none ended: 0
    steps: Sequence[KeptStep]


def board(connection: psycopg.Connection, now: datetime, days: int = DAYS) -> Board:
    """The board at one instant."""
    last = now.astimezone(UTC).date()
    first = last - timedelta(days=days - 1)
    begin, end = _midnight(first), _midnight(last + timedelta(days=1))
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = {kept.day: kept for kept in table.kept_by_day(connection, begin, end)}
        every = [first + timedelta(days=number) for number in range(days)]
        return Board(
            table.due_tasks(connection, now, SOON, TODAY),
            table.open_clocks(connection, now, SOON, TODAY),
            [found.get(day, KeptDay(day, 0, 0)) for day in every],
            table.kept_by_step(connection, begin, end),
        )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
