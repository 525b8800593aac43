"""Conversion functions (DMN 1.5, clause 10.3.4.1)."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from orchestration_pipelines.model.feel import durations, lexical, temporal, zones
from orchestration_pipelines.model.feel.arithmetic import DECIMAL128, rounded
from orchestration_pipelines.model.feel.builtins.library import Library, whole
from orchestration_pipelines.model.feel.durations import DAY, NANO, DaysTime, YearsMonths
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.ranges import Range, range_between
from orchestration_pipelines.model.feel.temporal import Day, FarMoment, FineTime, Moment, Time
from orchestration_pipelines.model.feel.types import described
from orchestration_pipelines.model.feel.written import text_of

CONVERSIONS = Library()

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,9})?", re.ASCII)
_SEPARATORS = (" ", ",", ".", None)
#: more than any number has
_MAX_DIGITS = 20_000


@CONVERSIONS.function("date", "from: string")
def _date_read(evaluation: Evaluation, text: str) -> Any:
    value = lexical.read_date(text)
    return evaluation.fault(f"{described(text)} is no date: write 2024-12-31") if value is None else value


@CONVERSIONS.function("date", "from: date | date and time")
def _date_from(_: Evaluation, value: Day | Moment) -> Day:
    return temporal.day_of(value) if isinstance(value, datetime | FarMoment) else value


@CONVERSIONS.function("date", "year: number; month: number; day: number")
def _date_made(evaluation: Evaluation, year: Decimal, month: Decimal, day: Decimal) -> Any:
    parts = whole(year), whole(month), whole(day)
    value = None if None in parts else temporal.make_date(*(part or 0 for part in parts))
    return (
        evaluation.fault(f"the calendar has no day {day} in month {month} of year {year}") if value is None else value
    )


@CONVERSIONS.function("date and time", "from: string")
def _moment_read(evaluation: Evaluation, text: str) -> Any:
    value = lexical.read_moment(text)
    return (
        evaluation.fault(f"{described(text)} is no date and time: write 2024-12-31T23:59:00")
        if value is None
        else value
    )


@CONVERSIONS.function("date and time", "date: date | date and time; time: time")
def _moment_made(evaluation: Evaluation, day: Day | Moment, at: Time) -> Any:
    value = temporal.combined(_date_from(evaluation, day), at)
    return evaluation.fault(f"the date and time {day} {at} is beyond the years of FEEL") if value is None else value


@CONVERSIONS.function("time", "from: string")
def _time_read(evaluation: Evaluation, text: str) -> Any:
    value = lexical.read_time(text)
    return evaluation.fault(f"{described(text)} is no time: write 23:59:00") if value is None else value


@CONVERSIONS.function("time", "from: time | date and time")
def _time_from(_: Evaluation, value: Time | Moment) -> Time:
    return value if isinstance(value, time | FineTime) else temporal.time_at(value)


@CONVERSIONS.function("time", "hour: number; minute: number; second: number; offset?: days and time duration | null")
def _time_made(
    evaluation: Evaluation, hour: Decimal, minute: Decimal, second: Decimal, offset: DaysTime | None = None
) -> Any:
    hours, minutes = whole(hour), whole(minute)
    if hours is None or minutes is None or not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= second < 60):
        return evaluation.fault(f"no clock shows hour {hour}, minute {minute} and second {second}")
    zone = zones.of_offset(offset) if isinstance(offset, timedelta) else None
    if offset is not None and zone is None:
        return evaluation.fault(f"a time is at most 14 hours from UTC, not {durations.days_text(offset)}")
    clock = (hours * 60 + minutes) * 60 * NANO + int(second * NANO)
    return temporal.time_of(clock % DAY, zone)


@CONVERSIONS.function(
    "number", "from: string", "from: string; grouping separator: string | null; decimal separator?: string | null"
)
def _number(evaluation: Evaluation, text: str, grouping: str | None = None, point: str | None = None) -> Any:
    if grouping not in _SEPARATORS or point not in _SEPARATORS[1:]:
        return evaluation.fault("number takes ' ', ',' or '.' to group digits, and '.' or ',' before a fraction")
    if grouping == point and point is not None:
        return evaluation.fault("number cannot tell groups of digits from a fraction by the same separator")
    plain = text.replace(grouping, "") if grouping else text
    plain = plain.replace(point, ".") if point else plain
    value = None
    if len(plain) <= _MAX_DIGITS and _NUMBER.fullmatch(plain):
        try:
            value = rounded(Decimal(plain))
        except DecimalException:
            value = None
    return evaluation.fault(f"{described(text)} is no number") if value is None else value


@CONVERSIONS.function("string", "from: any")
def _string(evaluation: Evaluation, value: Any) -> Any:
    return None if value is None else text_of(evaluation, value)


@CONVERSIONS.function("duration", "from: string")
def _duration(evaluation: Evaluation, text: str) -> Any:
    value = durations.read(text)
    return evaluation.fault(f"{described(text)} is no duration: write P1Y2M or P3DT4H") if value is None else value


@CONVERSIONS.function("years and months duration", "from: date; to: date", "from: date and time; to: date and time")
def _months_between(_: Evaluation, start: Day | Moment, end: Day | Moment) -> YearsMonths:
    return YearsMonths(temporal.whole_months(start, end))


_ENDS = re.compile(
    r'([\[(\]])\s*((?:"(?:[^"\\]|\\.)*"|[^"])*?)\s*\.\.\s*((?:"(?:[^"\\]|\\.)*"|[^"])*?)\s*([\])\[])', re.DOTALL
)
_LITERAL = re.compile(r'(@|date and time|date|time|duration)?\s*(\()?\s*"((?:[^"\\]|\\.)*)"\s*(\))?', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_READERS = {
    "date": lexical.read_date,
    "time": lexical.read_time,
    "date and time": lexical.read_moment,
    "duration": durations.read,
    "@": lexical.read,
}


@CONVERSIONS.function("range", "from: string")
def _range(evaluation: Evaluation, text: str) -> Any:
    found = _ENDS.fullmatch(text.strip())
    if found is None:
        return evaluation.fault(f"{described(text)} is no range: write [1..10), [1..) or (..10]")
    low, high = _end(evaluation, found[2]), _end(evaluation, found[3])
    low_closed, high_closed = found[1] == "[", found[4] == "]"
    if (found[2] and low is None) or (found[3] and high is None):
        return evaluation.fault(f"{described(text)} is no range: its ends are to be literals")
    if low is not None and high is not None:
        return range_between(evaluation, low, low_closed, high, high_closed)
    if (low is None and low_closed) or (high is None and high_closed) or low is high:
        return evaluation.fault(f"{described(text)} is no range: an end that is not there is open, and one is there")
    return Range(low, low_closed, high, high_closed)


def _end(evaluation: Evaluation, written: str) -> Any:
    """A literal: a number, a text, or a date, time or duration; None for anything else."""
    if len(written) <= _MAX_DIGITS and _NUMBER.fullmatch(written):
        return rounded(DECIMAL128.create_decimal(written))
    found = _LITERAL.fullmatch(written)
    if found is None:
        return None
    word, opened, text, closed = found.groups()
    text = _ESCAPED.sub(r"\1", text)
    if word is None:
        return text if not opened and not closed else None
    called = bool(opened) and bool(closed)
    return _READERS[word](text) if called == (word != "@") and bool(opened) == bool(closed) else None
