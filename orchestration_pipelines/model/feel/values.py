"""What FEEL's operators mean for values: equality, order, three-valued logic, and the parts of a value.

DMN 1.5, clause 10.3.2.15. What has no meaning is null, and why is told to the evaluation; a null that goes in comes
out without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model.feel import durations, temporal, zones
from orchestration_pipelines.model.feel.arithmetic import arithmetic, number
from orchestration_pipelines.model.feel.durations import LongDuration, YearsMonths
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.temporal import FarDate, FarMoment, FineTime
from orchestration_pipelines.model.feel.types import described, kind

__all__ = [
    "alike",
    "arithmetic",
    "both",
    "compare",
    "either",
    "equal",
    "is_same",
    "number",
    "property_of",
]

_FRAMES = 5  #: of Python's stack, that a value within a value takes
_PLAIN = (Decimal, str, bool, date, timedelta)  #: Python's own equality is FEEL's


def equal(evaluation: Evaluation, left: Any, right: Any) -> bool | None:
    """``=`` (tables 52 and 53): null equals null alone; values of different kinds cannot be compared."""
    if type(left) is type(right) and type(left) in _PLAIN:
        return bool(left == right)
    if left is None or right is None:
        return left is right
    of = kind(left)
    if of is None or of != kind(right):
        return evaluation.fault(f"{described(left)} and {described(right)} cannot be equal or not: of different types")
    match of:
        case "list":
            return _equal_lists(evaluation, left, right)
        case "context":
            return _equal_contexts(evaluation, left, right)
        case "range":
            closed = (left.low_closed, left.high_closed) == (right.low_closed, right.high_closed)
            return closed and alike(evaluation, left.low, right.low) and alike(evaluation, left.high, right.high)
        case "time":
            return temporal.time_key(left) == temporal.time_key(right)
        case "date and time" if _simple(left, right):
            return bool(left == right)
        case "date and time":
            return temporal.moment_key(left) == temporal.moment_key(right)
        case "function":
            return left is right
        case _:
            return bool(left == right)


def alike(evaluation: Evaluation, left: Any, right: Any) -> bool:
    """Whether two parts are equal; what cannot be compared is not, and needs no diagnostic."""
    if kind(left) != kind(right):
        return False
    return equal(evaluation, left, right) is True


def _equal_lists(evaluation: Evaluation, left: list[Any], right: list[Any]) -> bool:
    return len(left) == len(right) and _equal_parts(evaluation, zip(left, right, strict=True), len(left))


def _equal_contexts(evaluation: Evaluation, left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    if left.keys() != right.keys():
        return False
    return _equal_parts(evaluation, ((value, right[key]) for key, value in left.items()), len(left))


def _equal_parts(evaluation: Evaluation, parts: Iterable[tuple[Any, Any]], count: int) -> bool:
    evaluation.spend(count)
    evaluation.enter(_FRAMES)
    answer = True
    for one, other in parts:
        if not alike(evaluation, one, other):
            answer = False
            break
    evaluation.leave(_FRAMES)
    return answer


def is_same(evaluation: Evaluation, left: Any, right: Any) -> bool:
    """``is`` (clause 10.3.4.6): the same element of the domain, where 10:00Z and 11:00+01:00 are two."""
    if kind(left) != kind(right):
        return False
    if kind(left) in ("time", "date and time"):
        return temporal.same_element(left, right)
    return equal(evaluation, left, right) is True


def compare(evaluation: Evaluation, operator: str, left: Any, right: Any) -> bool | None:
    """``< <= > >=`` (table 54), on numbers, texts, dates, times, dates and times, and durations of one kind."""
    if left is None or right is None:
        return None
    a, b = _ordered(left, right)
    if a is None or b is None:
        return evaluation.fault(f"{described(left)} {operator} {described(right)} cannot be compared")
    match operator:
        case "<":
            return bool(a < b)
        case ">":
            return bool(a > b)
        case "<=":
            # not "not greater": a local and a zoned value may be neither less nor equal
            return bool(a < b) or (a == b and equal(evaluation, left, right) is True)
        case _:
            return bool(a > b) or (a == b and equal(evaluation, left, right) is True)


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values as what Python orders them by; two times None when they have no order."""
    of = kind(left)
    if of != kind(right):
        return None, None
    match of:
        case "number":
            return number(left), number(right)
        case "string" | "years and months duration":
            return left, right
        case "date":
            return (left.year, left.month, left.day), (right.year, right.month, right.day)
        case "days and time duration":
            return durations.nanoseconds(left), durations.nanoseconds(right)
        case "time":
            return _zoned(temporal.time_key(left), temporal.time_key(right), temporal.offset_of, left, right)
        case "date and time" if _simple(left, right):
            return left, right
        case "date and time":
            return _zoned(temporal.moment_key(left), temporal.moment_key(right), temporal.offset_of, left, right)
        case _:
            return None, None


def _simple(left: Any, right: Any) -> bool:
    """Whether Python's own order of two dates and times is FEEL's: both local, or both at fixed offsets."""
    if not (type(left) is datetime is type(right)):
        return False
    one, other = left.tzinfo, right.tzinfo
    return one is other is None or (isinstance(one, timezone) and isinstance(other, timezone))


def _zoned(a: tuple[bool, int], b: tuple[bool, int], offset: Any, left: Any, right: Any) -> tuple[int, int]:
    """Both in UTC; one without an offset takes that of the other."""
    if a[0] == b[0]:
        return a[1], b[1]
    return (a[1] - offset(right), b[1]) if a[0] else (a[1], b[1] - offset(left))


def both(left: Any, right: Any) -> bool | None:
    """``and`` (table 50): false wins over null."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def either(left: Any, right: Any) -> bool | None:
    """``or`` (table 50): true wins over null."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


def property_of(evaluation: Evaluation, value: Any, name: str) -> Any:
    """``value.name`` of a date, a time, a date and time, a duration or a range (tables 65 to 67)."""
    if value is None:
        return None
    if name not in _PROPERTIES.get(kind(value) or "", ()):
        return evaluation.fault(f"{described(value)} has no property {name!r}")
    return _property(value, name)


_OF_DATE = frozenset({"year", "month", "day", "weekday"})
_OF_TIME = frozenset({"hour", "minute", "second", "time offset", "timezone"})
#: table 65
_PROPERTIES: Mapping[str, frozenset[str]] = {
    "date": _OF_DATE,
    "time": _OF_TIME,
    "date and time": _OF_DATE | _OF_TIME,
    "days and time duration": frozenset({"days", "hours", "minutes", "seconds"}),
    "years and months duration": frozenset({"years", "months"}),
    "range": frozenset({"start", "end", "start included", "end included"}),
}
_ENDS = {"start": "low", "end": "high", "start included": "low_closed", "end included": "high_closed"}


def _property(value: Any, name: str) -> Any:
    if kind(value) == "range":
        return getattr(value, _ENDS[name])
    if isinstance(value, timedelta | LongDuration | YearsMonths):
        return durations.property_of(value, name)
    if isinstance(value, date | FarDate | FarMoment) and name in _OF_DATE:
        if name == "weekday":
            return Decimal(temporal.like_day(value).isoweekday())
        day = temporal.day_of(value) if isinstance(value, FarMoment) else value
        return Decimal(getattr(day, name))
    if isinstance(value, datetime | time | FineTime | FarMoment) and name in _OF_TIME:
        if name == "timezone":
            return zones.name(temporal.zone_of(value))
        if name == "time offset":
            return temporal.time_offset(value)
        minutes, seconds = divmod(temporal.clock_of(value), 60 * durations.NANO)
        parts = {"hour": Decimal(minutes // 60), "minute": Decimal(minutes % 60)}
        return parts.get(name, durations.seconds_number(seconds))
    return None
