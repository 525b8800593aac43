"""The state of a workflow on a page: its figures, its pictures, its tables, and who is to be asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import psycopg

from orchestration_pipelines.domain.measures import ClosedCase, Day, Facts, FlowFigures, as_row, figures
from orchestration_pipelines.domain.spread import Floats
from orchestration_pipelines.engine.measures import day_window, facts
from orchestration_pipelines.engine.report.charts import ageing, control_chart, cumulative_flow, histogram
from orchestration_pipelines.engine.report.tables import unit_of, with_durations
from orchestration_pipelines.store import measures as table
from orchestration_pipelines.store import reasons
from orchestration_pipelines.store.measures import Window
from orchestration_pipelines.store.reasons import Counted

#: how far back the report looks, in days
DAYS = 90


@dataclass(frozen=True)
class FlowReport:
    """What there is to see of a workflow."""

    workflow: str
    first: date
    last: date
    figures: FlowFigures
    pictures: Mapping[str, str]  #: name to SVG
    tables: Mapping[str, Sequence[Mapping[str, Any]]]  #: title to rows


def flow_report(connection: psycopg.Connection, workflow: str, now: datetime, days: int = DAYS) -> FlowReport:
    """How a workflow has run in the last days, today included, and how it stands."""
    last = now.astimezone(UTC).date()
    first = last - timedelta(days=days - 1)
    window = Window(workflow, day_window(workflow, first).begin, day_window(workflow, last).end)
    happened = facts(connection, window, now)
    ages: dict[str, list[float]] = defaultdict(list)
    for element, seconds in table.ages(connection, workflow, now):
        ages[element].append(seconds)
    return FlowReport(
        workflow=workflow,
        first=first,
        last=last,
        figures=figures(happened),
        pictures=pictures(happened, {element: np.array(values) for element, values in ages.items()}),
        tables={
            **tables(happened),
            "Decisions by reason": by_reason(reasons.counted(connection, workflow, window.begin, window.end)),
            "Late now": [late._asdict() for late in table.late(connection, workflow, now)],
            "To be mended": [trouble._asdict() for trouble in table.trouble(connection, workflow)],
        },
    )


def pictures(happened: Facts, ages: Mapping[str, Floats]) -> dict[str, str]:
    """The four pictures of flow; ``ages`` are seconds, by station."""
    lead = np.array([lead_s(case) for case in happened.closed])
    unit, unit_name = unit_of(float(np.median(lead)) if lead.size else 0.0)
    by_day: dict[date, list[float]] = defaultdict(list)
    for case, seconds in zip(happened.closed, lead / unit, strict=True):
        by_day[case.closed_at.astimezone(UTC).date()].append(seconds)
    days = sorted(by_day)
    old = np.concatenate([np.zeros(1), *ages.values()])
    old_unit, old_name = unit_of(float(old.max()))
    return {
        "lead_time": histogram("Lead time", lead / unit, unit_name),
        "lead_time_by_day": control_chart(
            "Lead time by the day of closing, mean", days, [float(np.mean(by_day[day])) for day in days], unit_name
        ),
        "cumulative_flow": cumulative_flow("Cumulative flow", *_summed_up(happened.days)),
        "ageing": ageing(
            "Age of what is under way", {name: seconds / old_unit for name, seconds in ages.items()}, old_name
        ),
    }


def tables(happened: Facts) -> dict[str, list[dict[str, Any]]]:
    """What happened by step, by queue and role, by promise, by cause and by outcome."""
    outcomes = Counter(case.outcome for case in happened.closed)
    return {
        "Steps": [with_durations(as_row(step)) for step in happened.steps],
        "Reviews": [with_durations(as_row(each)) for each in happened.reviewed],
        "Promises": [each._asdict() for each in happened.promises],
        "Reassigned": [{"cause": cause, "times": times} for cause, times in happened.reassigned.items()],
        "Outcomes": [{"outcome": outcome, "cases": cases} for outcome, cases in outcomes.most_common()],
    }


def by_reason(counted: Sequence[Counted]) -> list[dict[str, Any]]:
    """What people decided, and why, by the rule that sent the case to them: which rule causes the most work."""
    return [
        with_durations(
            {
                "step": each.element,
                "sent by": each.words or each.rule,
                "outcome": each.outcome,
                "reason": each.meaning or each.reason,
                "decisions": each.decisions,
                "worked_s": each.touch_s,
            }
        )
        for each in counted
    ]


def lead_s(case: ClosedCase) -> float:
    """The lead time of a case, in seconds."""
    return (case.closed_at - case.submitted_at).total_seconds()


def _summed_up(days: Sequence[Day]) -> tuple[list[date], list[int], list[int]]:
    """Arrivals and departures up to each day, from the evening before; what was under way then counts as arrived."""
    if not days:
        return [], [], []
    before = days[0].under_way - days[0].submitted + days[0].closed
    arrived = np.cumsum([before, *(day.submitted for day in days)])
    left = np.cumsum([0, *(day.closed for day in days)])
    dates = [days[0].day - timedelta(days=1), *(day.day for day in days)]
    return dates, [int(each) for each in arrived], [int(each) for each in left]
