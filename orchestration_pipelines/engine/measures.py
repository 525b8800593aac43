"""What happened in a workflow on a day or in any time, from the rows as they are now: a late change restates it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import psycopg

from orchestration_pipelines.domain.measures import Facts
from orchestration_pipelines.model import bpmn
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.store import measures as table
from orchestration_pipelines.store import versions
from orchestration_pipelines.store.measures import Window

#: what is a step of the work; undoing, throwing and routing are none
_STEPS = (Kind.SERVICE, Kind.RULE, Kind.USER)

__all__ = ["day_window", "facts", "facts_of_late", "restated_days"]


def day_window(workflow: str, day: date) -> Window:
    """A day, in UTC."""
    begin = datetime.combine(day, time(), UTC)
    return Window(workflow, begin, begin + timedelta(days=1))


def facts(connection: psycopg.Connection, window: Window, now: datetime) -> Facts:
    """What happened in a time. One transaction: every fact is of the same instant."""
    last = (window.end - timedelta(microseconds=1)).astimezone(UTC).date()
    table.count_days(connection, window.workflow, now)
    tasks = _tasks(connection, window.workflow)
    with table.measuring(connection):
        return Facts(
            closed=table.closed_cases(connection, window),
            steps=[step for step in table.steps(connection, window) if tasks is None or step.element in tasks],
            reviewed=table.reviewed(connection, window),
            promises=table.promises(connection, window),
            reassigned=table.reassigned(connection, window),
            days=table.days(connection, window.workflow, window.begin.astimezone(UTC).date(), last),
        )


def facts_of_late(connection: psycopg.Connection, workflow: str, now: datetime, days: int) -> Facts:
    """What happened in the last days, today included."""
    last = now.astimezone(UTC).date()
    begin = day_window(workflow, last - timedelta(days=days - 1)).begin
    return facts(connection, Window(workflow, begin, day_window(workflow, last).end), now)


def restated_days(connection: psycopg.Connection, workflow: str, day: date) -> list[date]:
    """The earlier days whose figures changed by what ended on this one, in order."""
    with table.measuring(connection):
        return table.restated_days(connection, day_window(workflow, day))


def _tasks(connection: psycopg.Connection, workflow: str) -> frozenset[str] | None:
    """The steps of every version that was released; None where none was (a history that was brought here)."""
    found: set[str] = set()
    for drawing in (released := versions.all_of(connection, workflow)):
        elements = bpmn.loads(drawing.bpmn, f"{workflow}, version {drawing.version}").elements.values()
        found |= {each.id for each in elements if each.kind in _STEPS and not each.is_handler}
    return frozenset(found) if released else None
