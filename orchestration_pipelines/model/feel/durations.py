"""Durations: days and time, and years and months (DMN 1.5, clauses 10.3.2.3.7 and 10.3.2.3.8).

A days-and-time duration is Python's ``timedelta`` wherever that holds it; :class:`LongDuration` is what is beyond its
10⁹ days or finer than a microsecond. All are counted in nanoseconds: finer than that is not kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

NANO = 10**9  #: nanoseconds in a second
DAY = 86_400 * NANO
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = timedelta.max // _MICROSECOND

#: the lexical spaces of dayTimeDuration and yearMonthDuration (XSD 1.1, 3.4.26 and 3.4.27), with a cap on the digits
_DAYS = re.compile(
    r"(-)?P(?=.)(?:(\d{1,19})D)?(?:T(?=.)(?:(\d{1,19})H)?(?:(\d{1,19})M)?(?:(\d{1,19})(?:\.(\d{1,9})0*)?S)?)?",
    re.ASCII,
)
_MONTHS = re.compile(r"(-)?P(?=.)(?:(\d{1,19})Y)?(?:(\d{1,19})M)?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class YearsMonths:
    """A years-and-months duration, by its months: P1Y2M is 14."""

    feel_type: ClassVar[str] = "years and months duration"
    months: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        written = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return f"{'-' if self.months < 0 else ''}P{written or '0M'}"


@dataclass(frozen=True, slots=True, order=True)
class LongDuration:
    """A days-and-time duration that ``timedelta`` cannot hold; made by :func:`of_nanoseconds` alone."""

    feel_type: ClassVar[str] = "days and time duration"
    nanoseconds: int

    def __str__(self) -> str:
        return days_text(self)


DaysTime = timedelta | LongDuration


def nanoseconds(duration: DaysTime) -> int:
    """Its length, exact."""
    if isinstance(duration, LongDuration):
        return duration.nanoseconds
    return ((duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds) * 1_000


def of_nanoseconds(count: int) -> DaysTime:
    """The duration of that length; the same length is always the same value."""
    microseconds, finer = divmod(count, 1_000)
    if finer or abs(microseconds) > _LONGEST:
        return LongDuration(count)
    return timedelta(microseconds=microseconds)


def read(text: str) -> DaysTime | YearsMonths | None:
    """A duration from its lexical form; None where the text is none."""
    if found := _MONTHS.fullmatch(text):
        sign, years, months = found.groups()
        count = int(years or 0) * 12 + int(months or 0)
        return YearsMonths(-count if sign else count)
    if found := _DAYS.fullmatch(text):
        sign, days, hours, minutes, seconds, fraction = found.groups()
        whole = ((int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
        count = whole * NANO + int((fraction or "").ljust(9, "0"))
        return of_nanoseconds(-count if sign else count)
    return None


def days_text(duration: DaysTime) -> str:
    """The normal form: ``P1DT2H``, ``-PT0.5S``, ``PT0S``."""
    count = nanoseconds(duration)
    days, rest = divmod(abs(count), DAY)
    hours, rest = divmod(rest, 3600 * NANO)
    minutes, rest = divmod(rest, 60 * NANO)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if rest:
        clock += f"{seconds_text(rest)}S"
    written = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"{'-' if count < 0 else ''}P{written or 'T0S'}"


def seconds_text(count: int, width: int = 1) -> str:
    """Nanoseconds as seconds, with as much of a fraction as there is; ``width`` digits before the point."""
    seconds, fraction = divmod(count, NANO)
    return f"{seconds:0{width}}" + (f".{fraction:09}".rstrip("0") if fraction else "")


def seconds_number(count: int) -> Decimal:
    """Nanoseconds as a number of seconds, without needless zeros."""
    whole, fraction = divmod(count, NANO)
    return Decimal(count).scaleb(-9).normalize() if fraction else Decimal(whole)


def property_of(duration: DaysTime | YearsMonths, name: str) -> Decimal | None:
    """``days hours minutes seconds``, or ``years months`` (table 66); of a negative duration each is negative."""
    if isinstance(duration, YearsMonths):
        years, months = divmod(abs(duration.months), 12)
        parts = {"years": Decimal(years), "months": Decimal(months)}
        negative = duration.months < 0
    else:
        count = nanoseconds(duration)
        days, rest = divmod(abs(count), DAY)
        hours, rest = divmod(rest, 3600 * NANO)
        minutes, rest = divmod(rest, 60 * NANO)
        parts = {"days": Decimal(days), "hours": Decimal(hours), "minutes": Decimal(minutes)}
        parts["seconds"] = seconds_number(rest)
        negative = count < 0
    part = parts.get(name)
    return -part if part and negative else part
