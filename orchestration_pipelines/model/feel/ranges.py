"""Ranges of values (DMN 1.5, clause 10.3.2.7): ``[1..10)``, and with one end, ``> 1`` and ``<= 10``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.types import described, kind
from orchestration_pipelines.model.feel.values import both, compare

#: what has an order, and so can be the end of a range
_ORDERED = frozenset(
    {"number", "string", "date", "time", "date and time", "days and time duration", "years and months duration"}
)


@dataclass(frozen=True, slots=True)
class Range:
    """``[low..high]`` with each end open or closed; an end that is None is not there, and open (table 42)."""

    feel_type: ClassVar[str] = "range"
    low: Any
    low_closed: bool
    high: Any
    high_closed: bool

    def __str__(self) -> str:
        low, high = ("" if end is None else str(end) for end in (self.low, self.high))
        return f"{'[' if self.low_closed else '('}{low}..{high}{']' if self.high_closed else ')'}"

    def holds(self, evaluation: Evaluation, value: Any) -> bool | None:
        """Whether a value lies within; null where it cannot be compared with an end."""
        if value is None:
            return None
        above: bool | None = True
        below: bool | None = True
        if self.low is not None:
            above = compare(evaluation, ">=" if self.low_closed else ">", value, self.low)
        if self.high is not None and above is not False:
            below = compare(evaluation, "<=" if self.high_closed else "<", value, self.high)
        return both(above, below)


def range_between(evaluation: Evaluation, low: Any, low_closed: bool, high: Any, high_closed: bool) -> Range | None:
    """``[low..high]``; null unless both ends are there, of one type that has an order, and in order."""
    if kind(low) != kind(high) or kind(low) not in _ORDERED:
        return evaluation.fault(f"{described(low)} and {described(high)} are no two ends of a range")
    if compare(evaluation, "<=", low, high) is not True and compare(evaluation, ">", low, high) is not False:
        return evaluation.fault(f"a range cannot start at {described(low)} and end before it, at {described(high)}")
    return Range(low, low_closed, high, high_closed)
