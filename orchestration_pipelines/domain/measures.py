"""What happened in a time, as facts, and the figures of flow made of them. Definitions and sources: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import prod
from typing import Any, NamedTuple

import numpy as np

from orchestration_pipelines.domain.spread import Spread

#: type 7 (Hyndman and Fan 1996)
PERCENTILES = (0.5, 0.85, 0.95)
_HOUR_S = 3_600.0


class ClosedCase(NamedTuple):
    """A case that closed."""

    case_id: int
    outcome: str
    submitted_at: datetime
    first_touch_at: datetime  #: when the first station began to work on it
    closed_at: datetime
    worked_s: float  #: machine time, and people's between claim, pause and decision
    reworked: bool  #: an element was visited again
    returned: bool  #: somebody sent it back
    undone: bool  #: something that it had completed was compensated
    by_people: bool  #: a person decided in it

    @property
    def first_pass(self) -> bool:
        """Whether it went through without being sent back, visiting anything again or undoing anything."""
        return not (self.reworked or self.returned or self.undone)


class Step(NamedTuple):
    """The visits of an element that ended; seconds are p50, p85 and p95."""

    element: str
    visits: int
    right: int  #: completed at the first attempt, not sent back, and the case's only visit here
    queue_s: tuple[float, ...]  #: from entering until work began
    work_s: tuple[float, ...]  #: from then until the end; of people, without their pauses


class Reviewed(NamedTuple):
    """Decisions of a role in a queue; seconds are p50, p85 and p95."""

    queue: str
    role: str
    decisions: int
    returned: int
    review_s: tuple[float, ...]  #: from the task's opening to the decision


class Kept(NamedTuple):
    """Promises of a step ('' is the whole case) that fell due: how many there were, and how many were broken."""

    element: str
    queue: str  #: where its tasks waited; '' for the case's own
    promises: int
    broken: int


class Day(NamedTuple):
    """How many came and went, and what was under way at the end."""

    day: date
    submitted: int
    closed: int
    under_way: int


@dataclass(frozen=True)
class Facts:
    """Everything that happened in a time."""

    closed: Sequence[ClosedCase]
    steps: Sequence[Step]
    reviewed: Sequence[Reviewed]
    promises: Sequence[Kept]
    reassigned: Mapping[str, int]  #: by cause
    days: Sequence[Day]


@dataclass(frozen=True)
class FlowFigures:
    """The figures of a time; a rate of nothing is None."""

    submitted: int
    closed: int
    under_way: int  #: at the end
    lead_hours: Spread  #: from the submission to the close, of the cases that closed
    lead_business_hours: Spread | None  #: the same in business time; None without a calendar
    cycle_hours: Spread  #: from the first touch to the close
    flow_efficiency: float | None  #: work of machines and people, as a part of the lead time
    automation_rate: float | None  #: closed without a person's decision
    first_pass_yield: float | None  #: closed without being sent back, visiting anything again or undoing anything
    rolled_throughput_yield: float | None  #: the product of the steps' yields
    rework_rate: float | None  #: closed cases in which something was visited again
    return_rate: float | None  #: decisions that sent a case back
    reassignments: int
    promises: int
    breaches: int
    breach_rate: float | None

    def numbers(self) -> dict[str, float]:
        """The figures by name, those that are not known left out: what can be plotted."""
        flat: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, Spread):
                stem = name.removesuffix("_hours")
                flat |= {f"{stem}_{each}_hours": getattr(value, each) for each in ("mean", "p50", "p85", "p95")}
            else:
                flat[name] = value
        return {name: value for name, value in flat.items() if value is not None}


def figures(facts: Facts, business_s: Callable[[datetime, datetime], float] | None = None) -> FlowFigures:
    """The figures of a time; ``business_s`` gives the business seconds between two instants."""
    closed = facts.closed
    lead = _hours(closed, lambda case: case.submitted_at)
    decided = sum(each.decisions for each in facts.reviewed)
    promised, broken = sum(each.promises for each in facts.promises), sum(each.broken for each in facts.promises)
    business = None
    if business_s is not None:
        business = Spread.of(np.array([business_s(case.submitted_at, case.closed_at) for case in closed]) / _HOUR_S)
    return FlowFigures(
        submitted=sum(day.submitted for day in facts.days),
        closed=len(closed),
        under_way=facts.days[-1].under_way if facts.days else 0,
        lead_hours=Spread.of(lead),
        lead_business_hours=business,
        cycle_hours=Spread.of(_hours(closed, lambda case: case.first_touch_at)),
        flow_efficiency=_part(sum(case.worked_s for case in closed) / _HOUR_S, float(lead.sum())),
        automation_rate=_part(sum(not case.by_people for case in closed), len(closed)),
        first_pass_yield=_part(sum(case.first_pass for case in closed), len(closed)),
        rolled_throughput_yield=prod(step.right / step.visits for step in facts.steps) if facts.steps else None,
        rework_rate=_part(sum(case.reworked for case in closed), len(closed)),
        return_rate=_part(sum(each.returned for each in facts.reviewed), decided),
        reassignments=sum(facts.reassigned.values()),
        promises=promised,
        breaches=broken,
        breach_rate=_part(broken, promised),
    )


def as_row(fact: Any) -> dict[str, Any]:
    """A fact as a row of a table: its percentiles are columns of their own."""
    row: dict[str, Any] = {}
    for name, value in fact._asdict().items():
        if isinstance(value, tuple):
            stem = name.removesuffix("_s")
            row |= {f"{stem}_p{100 * at:.0f}_s": each for at, each in zip(PERCENTILES, value, strict=True)}
        else:
            row[name] = value
    return row


def _hours(closed: Sequence[ClosedCase], begin: Callable[[ClosedCase], datetime]) -> np.ndarray[Any, Any]:
    return np.array([(case.closed_at - begin(case)).total_seconds() for case in closed], dtype=float) / _HOUR_S


def _part(some: float, of: float) -> float | None:
    return some / of if of else None
