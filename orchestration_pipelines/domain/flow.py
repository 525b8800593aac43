"""How work flowed: the figures of an event log. What each one means is in docs/metrics.md.

Percentiles are of type 7 (Hyndman and Fan 1996), as pandas, NumPy and spreadsheets have them; hours are elapsed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from orchestration_pipelines.domain.event_log import COMPLETE, EventLog, Ints
from orchestration_pipelines.domain.spread import Spread

_SECOND = 1_000_000  #: instants are counted in microseconds
_HOUR_S = 3_600.0
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Figures:
    """The figures of a log."""

    cases: int
    events: int
    lead_time_hours: Spread  #: last minus first event of a case
    interarrival_hours: dict[str, float | None]  #: between the first events of cases, in their order: mean, p50
    throughput_per_day: float | None  #: cases by the days between the first and the last event of all
    mean_wip: float | None  #: cases open at an instant, on average over that time
    rework_cases: int  #: in which an activity completes more than once
    handovers: int  #: consecutive events of a case by different resources, both named
    activities: dict[str, int]  #: events by name
    reopened_cases: int | None  #: None where the log does not say
    reopen_rate: float | None  #: of the cases of which it says
    breached_cases: int | None
    breach_rate: float | None

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON has them."""
        return asdict(self)


def figures(log: EventLog) -> Figures:
    """The figures of a log; a log without events has counts of 0, and None for what has no mean."""
    events = log.events
    case = pd.factorize(events["case"])[0].astype(np.int64)
    at = instants(events["at"])
    first, last = _bounds(case, at)
    lead = (last - first) / _SECOND
    span = float(at.max() - at.min()) / _SECOND if at.size else 0.0
    gaps = np.diff(np.sort(first)) / _SECOND / _HOUR_S
    (reopened, reopen_rate), (breached, breach_rate) = _share(log.cases["reopened"]), _share(log.cases["breached"])
    return Figures(
        cases=len(first),
        events=len(events),
        lead_time_hours=Spread.of(lead / _HOUR_S),
        interarrival_hours={
            "mean": float(gaps.mean()) if gaps.size else None,
            "p50": float(np.median(gaps)) if gaps.size else None,
        },
        throughput_per_day=len(first) / (span / _DAY_S) if span else None,
        mean_wip=float(lead.sum()) / span if span else None,
        rework_cases=rework(events, case),
        handovers=handovers(events, case),
        activities={str(name): int(count) for name, count in events["activity"].value_counts(sort=True).items()},
        reopened_cases=reopened,
        reopen_rate=reopen_rate,
        breached_cases=breached,
        breach_rate=breach_rate,
    )


def instants(at: pd.Series[Any]) -> Ints:
    """Instants as microseconds since 1970, UTC."""
    whole: Ints = at.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    return whole


def rework(events: pd.DataFrame, case: Ints) -> int:
    """Cases in which an activity completes more than once."""
    complete = (events["lifecycle"] == COMPLETE).to_numpy(bool)
    done = pd.DataFrame({"case": case[complete], "activity": events["activity"].to_numpy()[complete]})
    return int(done.loc[done.duplicated(), "case"].nunique())


def handovers(events: pd.DataFrame, case: Ints) -> int:
    """Consecutive events of a case by different resources; one that names nobody hands nothing over."""
    who = pd.factorize(events["resource"])[0]  # -1: nobody is named
    same_case = case[1:] == case[:-1]
    return int((same_case & (who[1:] != who[:-1]) & (who[1:] >= 0) & (who[:-1] >= 0)).sum())


def _bounds(case: Ints, at: Ints) -> tuple[Ints, Ints]:
    """The first and the last instant of each case; the events of a case stand together, in order."""
    if not case.size:
        return at, at
    begins = np.flatnonzero(np.r_[True, case[1:] != case[:-1]])
    ends = np.r_[begins[1:] - 1, case.size - 1]
    return at[begins], at[ends]


def _share(marks: pd.Series[Any]) -> tuple[int | None, float | None]:
    """How many cases are marked, and their part of those of which the log says so or not."""
    known = marks.dropna().astype(bool)
    return (int(known.sum()), float(known.mean())) if len(known) else (None, None)
