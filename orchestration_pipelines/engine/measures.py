"""What happened in a workflow on a day or in any time, from the rows as they are now: a late change restates it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import psycopg

from orchestration_pipelines.domain.measures import Facts
from orchestration_pipelines.store import measures as table
from orchestration_pipelines.store.measures import Window

__all__ = ["day_window", "facts"]


def day_window(workflow: str, day: date) -> Window:
    """A day, in UTC."""
    begin = datetime.combine(day, time(), UTC)
    return Window(workflow, begin, begin + timedelta(days=1))


def facts(connection: psycopg.Connection, window: Window, now: datetime) -> Facts:
    """What happened in a time."""
    table.count_days(connection, window.workflow, now)
    last = (window.end - timedelta(microseconds=1)).astimezone(UTC).date()
    return Facts(
        closed=table.closed_cases(connection, window),
        steps=table.steps(connection, window),
        reviewed=table.reviewed(connection, window),
        promises=table.promises(connection, window),
        reassigned=table.reassigned(connection, window),
        days=table.days(connection, window.workflow, window.begin.astimezone(UTC).date(), last),
    )
