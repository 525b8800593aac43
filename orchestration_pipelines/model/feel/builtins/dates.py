"""Functions on dates, and the present (DMN 1.5, clauses 10.3.4.6, 10.3.4.8 and 10.3.4.11)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model.feel import temporal
from orchestration_pipelines.model.feel.builtins.library import Library
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.temporal import Day, Moment
from orchestration_pipelines.model.feel.values import is_same

DATES = Library()

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@DATES.function("is", "value1: any; value2: any")
def _is(evaluation: Evaluation, one: Any, other: Any) -> bool:
    return is_same(evaluation, one, other)


@DATES.function("day of year", "date: date | date and time")
def _day_of_year(_: Evaluation, day: Day | Moment) -> Decimal:
    return Decimal(temporal.like_day(day).timetuple().tm_yday)


@DATES.function("day of week", "date: date | date and time")
def _day_of_week(_: Evaluation, day: Day | Moment) -> str:
    return _DAYS[temporal.like_day(day).weekday()]


@DATES.function("month of year", "date: date | date and time")
def _month_of_year(_: Evaluation, day: Day | Moment) -> str:
    return _MONTHS[temporal.like_day(day).month - 1]


@DATES.function("week of year", "date: date | date and time")
def _week_of_year(_: Evaluation, day: Day | Moment) -> Decimal:
    return Decimal(temporal.like_day(day).isocalendar().week)


@DATES.function("now", "")
def _now(evaluation: Evaluation) -> datetime:
    return evaluation.now()


@DATES.function("today", "")
def _today(evaluation: Evaluation) -> date:
    return evaluation.now().date()
