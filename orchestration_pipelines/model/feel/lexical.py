"""Dates, times, and dates and times as text: the lexical forms of XML Schema, and those with a named zone.

XSD 1.1, clauses 3.3.7 to 3.3.9, and DMN 1.5, clause 10.3.4.1: years of four to nine digits with no needless zeros,
``24:00:00`` as the end of the day, ``Z``, ``+01:00``, and ``@Europe/Paris`` behind a local time.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from orchestration_pipelines.model.feel import durations, zones
from orchestration_pipelines.model.feel.durations import DAY, NANO, LongDuration
from orchestration_pipelines.model.feel.temporal import (
    Day,
    FarDate,
    FarMoment,
    FineTime,
    Moment,
    Time,
    clock_of,
    day_number,
    day_of,
    make_date,
    moment_of,
    time_of,
    zone_of,
)

_DATE = r"(-?(?:[1-9]\d{4,8}|\d{4}))-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})0*)?"
_ZONE = r"([Zz]|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z0-9_+/-]+)?"
_DAY = re.compile(_DATE + r"(Z|[+-]\d\d:\d\d)?", re.ASCII)
_CLOCK = re.compile(_TIME + _ZONE, re.ASCII)
_MOMENT = re.compile(f"{_DATE}T{_TIME}{_ZONE}", re.ASCII)


def read_date(text: str) -> Day | None:
    """A date; its zone, which XSD lets in, is read and left (a date of FEEL has none). None where it is no date."""
    found = _DAY.fullmatch(text)
    if found is None or (found[4] and zones.read(found[4]) is None):
        return None
    return make_date(int(found[1]), int(found[2]), int(found[3]))


def read_time(text: str) -> Time | None:
    """A time; None where the text is none."""
    found = _CLOCK.fullmatch(text)
    clock = None if found is None else _clock(*found.groups()[:4])
    if found is None or clock is None:
        return None
    zone = zones.read(found[5]) if found[5] else None
    return None if found[5] and zone is None else time_of(clock % DAY, zone)


def read_moment(text: str) -> Moment | None:
    """A date and time, or a date alone (its midnight); None where the text is neither."""
    if found := _DAY.fullmatch(text):
        day, clock, written = found.groups()[:3], 0, found[4]
    elif found := _MOMENT.fullmatch(text):
        whole = _clock(*found.groups()[3:7])
        if whole is None:
            return None
        day, clock, written = found.groups()[:3], whole, found[8]
    else:
        return None
    on = make_date(*map(int, day))
    zone = zones.read(written) if written else None
    if on is None or (written and zone is None):
        return None
    return moment_of(day_number(on) + clock // DAY, clock % DAY, zone)


def read(text: str) -> Any:
    """What ``@"…"`` stands for: a date, a time, a date and time, or a duration; None where it is none of them."""
    for reader in (read_date, read_time, read_moment, durations.read):
        value = reader(text)
        if value is not None:
            return value
    return None


def _clock(hour: str, minute: str, second: str, fraction: str | None) -> int | None:
    """Nanoseconds since midnight, a whole day for 24:00:00; None where no clock shows that."""
    seconds = (int(hour) * 60 + int(minute)) * 60 + int(second)
    clock = seconds * NANO + int((fraction or "").ljust(9, "0"))
    if int(minute) > 59 or int(second) > 59 or clock > DAY:
        return None
    return clock


def date_text(value: Day) -> str:
    """A date as it is read."""
    return value.isoformat() if isinstance(value, date) else str(value)


def time_text(value: Time) -> str:
    """A time as it is read."""
    clock = clock_of(value)
    minutes, rest = divmod(clock, 60 * NANO)
    seconds = durations.seconds_text(rest, 2)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds}{zones.text(zone_of(value))}"


def moment_text(value: Moment) -> str:
    """A date and time as it is read."""
    return f"{date_text(day_of(value))}T{time_text(time_of(clock_of(value), zone_of(value)))}"


def text(value: Any) -> str | None:
    """A date, a time, a date and time or a days-and-time duration as it is read; None for anything else."""
    if isinstance(value, datetime | FarMoment):
        return moment_text(value)
    if isinstance(value, date | FarDate):
        return date_text(value)
    if isinstance(value, time | FineTime):
        return time_text(value)
    if isinstance(value, timedelta | LongDuration):
        return durations.days_text(value)
    return None
