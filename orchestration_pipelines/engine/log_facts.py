"""What an event log tells in the words of the figures of flow, so that how it ran before is measured as today is.

A case of a log arrives with its first event and is closed with its last. What no log says stays unknown: who decided,
what was sent back, what was undone. Definitions: docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from orchestration_pipelines.domain.event_log import COMPLETE, EventLog
from orchestration_pipelines.domain.measures import (
    PERCENTILES,
    ClosedCase,
    Day,
    Facts,
    FlowFigures,
    Kept,
    Step,
    figures,
)
from orchestration_pipelines.domain.spread import Spread
from orchestration_pipelines.engine.report.flow import FlowReport, pictures, tables

_START = "start"


def log_facts(log: EventLog) -> Facts:
    """Everything that happened, from the first event of the log to its last."""
    visits = _visits(log.events)
    closed = _closed(log, visits)
    return Facts(
        closed=closed,
        steps=_steps(visits),
        reviewed=(),
        promises=_promises(log),
        reassigned={},
        days=_days(closed),
    )


def log_figures(facts: Facts) -> FlowFigures:
    """The figures of a log's facts, without those of which a log says nothing."""
    told = figures(facts)
    return replace(
        told,
        cycle_hours=Spread.of(np.zeros(0)),
        flow_efficiency=told.flow_efficiency or None,
        automation_rate=None,
        first_pass_yield=None,
    )


def log_report(log: EventLog, name: str) -> FlowReport:
    """How a log ran, as a page of the same figures, pictures and tables as a workflow's."""
    facts = log_facts(log)
    return FlowReport(
        workflow=name,
        first=facts.days[0].day,
        last=facts.days[-1].day,
        figures=log_figures(facts),
        pictures={title: each for title, each in pictures(facts, {}).items() if title != "ageing"},
        tables={title: rows for title, rows in tables(facts).items() if rows},
    )


def known_of(log: EventLog) -> Sequence[Mapping[str, Any]]:
    """What a corridor may ask of each case, in the order of :attr:`EventLog.cases`."""
    cases, grouped = log.cases.index, log.events.groupby("case", sort=False)
    told = zip(
        grouped["activity"].unique().reindex(cases),
        grouped["resource"].unique().reindex(cases),
        grouped.size().reindex(cases),
        log.cases.itertuples(index=False),
        strict=True,
    )
    return [
        {
            "activities": list(activities),
            "resources": [each for each in resources if isinstance(each, str)],
            "events": int(events),
            "breached": marks.breached,
            "reopened": marks.reopened,
        }
        for activities, resources, events, marks in told
    ]


def _visits(events: pd.DataFrame) -> pd.DataFrame:
    """The completions, each with when its work began (its own start, else its completion) and what came before."""
    told = events[["case", "activity", "at", "lifecycle"]].copy()
    by_step = told.groupby(["case", "activity"], sort=False)
    began = by_step["at"].shift().where(by_step["lifecycle"].shift() == _START)
    told["began"] = began.fillna(told["at"])
    told["before"] = told.groupby("case", sort=False)["at"].shift().fillna(told["at"])
    started = told.groupby(["case", "activity"], sort=False)["before"].shift().where(began.notna())
    told["entered"] = started.fillna(told["before"])
    return told[told["lifecycle"] == COMPLETE]


def _closed(log: EventLog, visits: pd.DataFrame) -> list[ClosedCase]:
    cases = log.cases.index
    grouped = log.events.groupby("case", sort=False)
    worked = (visits["at"] - visits["began"]).dt.total_seconds().groupby(visits["case"], sort=False).sum()
    again = set(visits.loc[visits.duplicated(["case", "activity"]), "case"])
    told = zip(
        cases,
        (each.to_pydatetime() for each in grouped["at"].first().reindex(cases)),
        (each.to_pydatetime() for each in grouped["at"].last().reindex(cases)),
        grouped["activity"].last().reindex(cases),
        worked.reindex(cases, fill_value=0.0),
        strict=True,
    )
    return [
        ClosedCase(
            case_id=number,
            outcome=str(ending),
            submitted_at=first,
            first_touch_at=first,
            closed_at=last,
            worked_s=float(seconds),
            reworked=case in again,
            returned=False,
            undone=False,
            by_people=False,
        )
        for number, (case, first, last, ending, seconds) in enumerate(told, 1)
    ]


def _steps(visits: pd.DataFrame) -> list[Step]:
    once = ~visits.duplicated(["case", "activity"], keep=False)
    queued = (visits["began"] - visits["entered"]).dt.total_seconds()
    worked = (visits["at"] - visits["began"]).dt.total_seconds()
    return [
        Step(
            element=str(activity),
            visits=len(rows),
            right=int(once[rows.index].sum()),
            queue_s=_percentiles(queued[rows.index]),
            work_s=_percentiles(worked[rows.index]),
        )
        for activity, rows in visits.groupby("activity")
    ]


def _percentiles(seconds: pd.Series[Any]) -> tuple[float, ...]:
    return tuple(float(each) for each in np.quantile(seconds.to_numpy(float), PERCENTILES))


def _promises(log: EventLog) -> list[Kept]:
    told = log.cases["breached"].dropna()
    return [Kept("", "", len(told), int(told.astype(bool).sum()))] if len(told) else []


def _days(closed: Sequence[ClosedCase]) -> list[Day]:
    arrived = pd.Series([_day(case.submitted_at) for case in closed]).value_counts()
    left = pd.Series([_day(case.closed_at) for case in closed]).value_counts()
    day, last, under_way, days = min(arrived.index), max(left.index), 0, list[Day]()
    while day <= last:
        came, went = int(arrived.get(day, 0)), int(left.get(day, 0))
        under_way += came - went
        days.append(Day(day, came, went, under_way))
        day += timedelta(days=1)
    return days


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
