"""Range functions (DMN 1.5, clause 10.3.4.7): how points and ranges lie to each other.

A point is the range that holds it alone; so each rule of the standard's table is written once, for two ranges. An end
that is not there lies beyond every value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.model.feel.builtins.library import POINT, Library
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.ranges import Range
from orchestration_pipelines.model.feel.types import described, kind
from orchestration_pipelines.model.feel.values import compare, equal

INTERVALS = Library()


@dataclass(frozen=True, slots=True)
class _Edge:
    """An end of a range: its value, or on which side there is none (-1 or 1)."""

    value: Any
    beyond: int
    included: bool


class _Span:
    """A range, with its ends as edges."""

    __slots__ = ("end", "start")

    def __init__(self, value: Any) -> None:
        of = value if isinstance(value, Range) else Range(value, True, value, True)
        self.start = _Edge(of.low, -1 if of.low is None else 0, of.low_closed)
        self.end = _Edge(of.high, 1 if of.high is None else 0, of.high_closed)


class _Line:
    """The order of edges along the line of their values."""

    __slots__ = ("evaluation",)

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation

    def less(self, a: _Edge, b: _Edge) -> bool:
        """Whether one lies before the other."""
        if a.beyond or b.beyond:
            return a.beyond < b.beyond
        return compare(self.evaluation, "<", a.value, b.value) is True

    def same(self, a: _Edge, b: _Edge) -> bool:
        """Whether both lie at one value."""
        if a.beyond or b.beyond:
            return a.beyond == b.beyond
        return equal(self.evaluation, a.value, b.value) is True

    def starts_no_later(self, a: _Span, b: _Span) -> bool:
        """Whether all of ``b`` lies behind the start of ``a``."""
        return self.less(a.start, b.start) or (
            self.same(a.start, b.start) and (a.start.included or not b.start.included)
        )

    def ends_no_earlier(self, a: _Span, b: _Span) -> bool:
        """Whether all of ``b`` lies before the end of ``a``."""
        return self.less(b.end, a.end) or (self.same(a.end, b.end) and (a.end.included or not b.end.included))

    def reaches(self, a: _Span, b: _Span) -> bool:
        """Whether ``a`` ends behind the start of ``b``, or at it."""
        touching = self.same(a.end, b.start) and a.end.included and b.start.included
        return self.less(b.start, a.end) or touching


Relation = Callable[[_Line, _Span, _Span], bool]


def _before(line: _Line, a: _Span, b: _Span) -> bool:
    apart = not a.end.included or not b.start.included
    return line.less(a.end, b.start) or (apart and line.same(a.end, b.start))


def _meets(line: _Line, a: _Span, b: _Span) -> bool:
    return a.end.included and b.start.included and line.same(a.end, b.start)


def _overlaps(line: _Line, a: _Span, b: _Span) -> bool:
    return line.reaches(a, b) and line.reaches(b, a)


def _overlaps_before(line: _Line, a: _Span, b: _Span) -> bool:
    sooner = line.less(a.start, b.start) or (line.same(a.start, b.start) and a.start.included and not b.start.included)
    return sooner and line.reaches(a, b) and line.ends_no_earlier(b, a)


def _finishes(line: _Line, a: _Span, b: _Span) -> bool:
    return a.end.included == b.end.included and line.same(a.end, b.end) and line.starts_no_later(b, a)


def _includes(line: _Line, a: _Span, b: _Span) -> bool:
    return line.starts_no_later(a, b) and line.ends_no_earlier(a, b)


def _starts(line: _Line, a: _Span, b: _Span) -> bool:
    return a.start.included == b.start.included and line.same(a.start, b.start) and line.ends_no_earlier(b, a)


def _coincides(line: _Line, a: _Span, b: _Span) -> bool:
    closed = (a.start.included, a.end.included) == (b.start.included, b.end.included)
    return closed and line.same(a.start, b.start) and line.same(a.end, b.end)


def _turned(relation: Relation) -> Relation:
    return lambda line, a, b: relation(line, b, a)


_POINTS = f"point1: {POINT}; point2: {POINT}"
_POINT_RANGE = f"point: {POINT}; range: range"
_RANGE_POINT = f"range: range; point: {POINT}"
_RANGES = "range1: range; range2: range"


def _declare(name: str, relation: Relation, *signatures: str) -> None:
    def body(evaluation: Evaluation, one: Any, other: Any) -> bool | None:
        a, b = _Span(one), _Span(other)
        kinds = {kind(edge.value) for edge in (a.start, a.end, b.start, b.end) if not edge.beyond}
        if len(kinds) > 1:
            return evaluation.fault(f"{name}: {described(one)} and {described(other)} are not of one kind")
        return relation(_Line(evaluation), a, b)

    INTERVALS.function(name, *signatures)(body)


_declare("before", _before, _POINTS, _POINT_RANGE, _RANGE_POINT, _RANGES)
_declare("after", _turned(_before), _POINTS, _POINT_RANGE, _RANGE_POINT, _RANGES)
_declare("meets", _meets, _RANGES)
_declare("met by", _turned(_meets), _RANGES)
_declare("overlaps", _overlaps, _RANGES)
_declare("overlaps before", _overlaps_before, _RANGES)
_declare("overlaps after", _turned(_overlaps_before), _RANGES)
_declare("finishes", _finishes, _POINT_RANGE, _RANGES)
_declare("finished by", _turned(_finishes), _RANGE_POINT, _RANGES)
_declare("includes", _includes, _RANGE_POINT, _RANGES)
_declare("during", _turned(_includes), _POINT_RANGE, _RANGES)
_declare("starts", _starts, _POINT_RANGE, _RANGES)
_declare("started by", _turned(_starts), _RANGE_POINT, _RANGES)
_declare("coincides", _coincides, _POINTS, _RANGES)
