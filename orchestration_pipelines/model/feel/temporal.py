"""Dates, times, and dates and times (DMN 1.5, clauses 10.3.2.3.4 to 10.3.2.3.6).

They are Python's ``date``, ``time`` and ``datetime`` wherever those hold them. Our own are what is beyond: a year
outside 1 to 9999 (:class:`FarDate`, :class:`FarMoment`) or a fraction finer than a microsecond (:class:`FineTime`,
:class:`FarMoment`). The functions that make them (:func:`date_of`, :func:`time_of`, :func:`moment_of`) choose, so that
the same value is always of the same class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from orchestration_pipelines.model.feel import zones
from orchestration_pipelines.model.feel.durations import DAY, DaysTime, nanoseconds, of_nanoseconds

FURTHEST_YEAR = 999_999_999
_CYCLE = 146_097  #: days in 400 years: after them the calendar repeats, weekdays included
_EPOCH = date(2000, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, order=True)
class FarDate:
    """A date in a year outside 1 to 9999."""

    feel_type: ClassVar[str] = "date"
    year: int
    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.year:0{4 if self.year >= 0 else 5}}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class FineTime:
    """A time of day with a fraction finer than a microsecond."""

    feel_type: ClassVar[str] = "time"
    clock: int  #: nanoseconds since midnight
    zone: tzinfo | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FineTime) and time_key(self) == time_key(other)

    def __hash__(self) -> int:
        return hash(time_key(self))


@dataclass(frozen=True, slots=True)
class FarMoment:
    """A date and time in a far year, or with a fraction finer than a microsecond."""

    feel_type: ClassVar[str] = "date and time"
    day: int  #: as :func:`day_number` counts
    clock: int  #: nanoseconds since midnight
    zone: tzinfo | None

    def __eq__(self, other: object) -> bool:
        # a datetime near the end of its years may be the same moment in another zone
        return isinstance(other, FarMoment | datetime) and moment_key(self) == moment_key(other)

    def __hash__(self) -> int:
        return hash(moment_key(self))


Day = date | FarDate
Time = time | FineTime
Moment = datetime | FarMoment


# -- the calendar (proleptic Gregorian, with a year 0)


def days_in(year: int, month: int) -> int:
    """How many days that month has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def day_count(year: int, month: int, day: int) -> int:
    """The number of a day, in whatever year; Python's ordinal where it has one."""
    cycles, year = divmod(year, 400)
    return cycles * _CYCLE + date(year + 2000, month, day).toordinal() - _EPOCH + _FIRST


#: the number of the first day of the year 0
_FIRST = -365


def calendar_day(number: int) -> tuple[int, int, int]:
    """The year, month and day of a day's number."""
    cycles, rest = divmod(number - _FIRST, _CYCLE)
    within = date.fromordinal(_EPOCH + rest)
    return within.year - 2000 + 400 * cycles, within.month, within.day


def like_day(value: Day | Moment) -> date:
    """A day of the years 2000 to 2399 at the same place in the calendar: the same weekday, week and day of the year."""
    return date.fromordinal(_EPOCH + (day_number(value) - _FIRST) % _CYCLE)


# -- making them


def make_date(year: int, month: int, day: int) -> Day | None:
    """The date; None where there is none."""
    if not (1 <= month <= 12 and abs(year) <= FURTHEST_YEAR and 1 <= day <= days_in(year, month)):
        return None
    return date(year, month, day) if 1 <= year <= 9999 else FarDate(year, month, day)


def date_of(number: int) -> Day | None:
    """The date of a day's number; None beyond the years that FEEL has."""
    return make_date(*calendar_day(number))


def time_of(clock: int, zone: tzinfo | None) -> Time:
    """The time so many nanoseconds after midnight."""
    if clock % 1_000:
        return FineTime(clock, zone)
    seconds, fraction = divmod(clock // 1_000, 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, fraction, zone)


def moment_of(day: int, clock: int, zone: tzinfo | None, fold: int = 0) -> Moment | None:
    """The date and time at that day and clock; None beyond the years that FEEL has."""
    on, at = date_of(day), time_of(clock, zone)
    if isinstance(on, date) and isinstance(at, time):
        return datetime.combine(on, at).replace(fold=fold)
    return None if on is None else FarMoment(day, clock, zone)


# -- what they are made of


def day_number(value: Day | Moment) -> int:
    """The number of its day."""
    if isinstance(value, date):
        return value.toordinal()
    return value.day if isinstance(value, FarMoment) else day_count(value.year, value.month, value.day)


def clock_of(value: Time | Moment) -> int:
    """Nanoseconds since midnight, as its clock shows them."""
    if isinstance(value, FineTime | FarMoment):
        return value.clock
    return (((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond) * 1_000


def zone_of(value: Time | Moment) -> tzinfo | None:
    """Its zone; None for a local one."""
    return value.zone if isinstance(value, FineTime | FarMoment) else value.tzinfo


def offset_of(value: Time | Moment) -> int | None:
    """Nanoseconds ahead of UTC; None for a local one."""
    zone = zone_of(value)
    if zone is None:
        return None
    if isinstance(value, time | FineTime):
        return zones.daily_offset(zone)
    return zones.offset_at(zone, value.replace(tzinfo=None) if isinstance(value, datetime) else _like_wall(value))


def _like_wall(value: FarMoment) -> datetime:
    """The same wall clock, to the second, in a year that Python has and that zones treat alike."""
    year, month, day = calendar_day(value.day)
    if not 1 <= year <= 9999:
        year = year % 400 + (9_600 if year > 9999 else 400)
    seconds = value.clock // 10**9
    return datetime(year, month, day, seconds // 3600, seconds // 60 % 60, seconds % 60)  # noqa: DTZ001 # a wall clock


def time_key(value: Time) -> tuple[bool, int]:
    """What makes a time what it is: whether it is local, and its nanoseconds since midnight (in UTC, unless local)."""
    offset = offset_of(value)
    return offset is None, (clock_of(value) - (offset or 0)) % DAY


def moment_key(value: Moment) -> tuple[bool, int]:
    """What makes a date and time what it is: whether it is local, and its nanoseconds (in UTC, unless local)."""
    offset = offset_of(value)
    return offset is None, day_number(value) * DAY + clock_of(value) - (offset or 0)


# -- calculating with them


def moved(value: Moment, by: int) -> Moment | None:
    """So many nanoseconds later: on the line of time, not on the wall clock, where the two differ."""
    zone, offset = zone_of(value), offset_of(value)
    day, clock = divmod(day_number(value) * DAY + clock_of(value) + by, DAY)
    if not isinstance(zone, ZoneInfo):
        return moment_of(day, clock, zone)
    day, clock = divmod(day * DAY + clock - (offset or 0), DAY)  # in UTC
    ahead, fold = zones.wall_at(zone, _like_wall(FarMoment(day, clock, None)))
    day, clock = divmod(day * DAY + clock + ahead, DAY)
    return moment_of(day, clock, zone, fold)


def months_later(value: Day, months: int) -> Day | None:
    """That many months later; a day that its month does not have is the last one of it."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    return make_date(year, month + 1, min(value.day, days_in(year, month + 1)))


def day_of(value: Moment) -> Day:
    """Its date."""
    if isinstance(value, datetime):
        return value.date()
    year, month, day = calendar_day(value.day)
    return date(year, month, day) if 1 <= year <= 9999 else FarDate(year, month, day)


def time_at(value: Moment) -> Time:
    """Its time, in its zone."""
    return time_of(clock_of(value), zone_of(value))


def combined(day: Day, at: Time) -> Moment | None:
    """The date and time of a date and a time."""
    return moment_of(day_number(day), clock_of(at), zone_of(at))


def midnight(day: Day) -> Moment:
    """What a date is where a date and time is wanted: its midnight in UTC (clause 10.3.2.3.5)."""
    if isinstance(day, date):
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return FarMoment(day_number(day), 0, UTC)


def whole_months(start: Day | Moment, end: Day | Moment) -> int:
    """How many whole months lie between; negative when the end comes first."""
    one, other = _calendar(start), _calendar(end)
    months = (other[0] - one[0]) * 12 + other[1] - one[1]
    if months > 0 and other[2:] < one[2:]:
        months -= 1
    elif months < 0 and other[2:] > one[2:]:
        months += 1
    return months


def _calendar(value: Day | Moment) -> tuple[int, int, int, int]:
    clock = clock_of(value) if isinstance(value, datetime | FarMoment) else 0
    return (*calendar_day(day_number(value)), clock)


def time_offset(value: Time | Moment) -> DaysTime | None:
    """How far it is ahead of UTC; None for a local one."""
    offset = offset_of(value)
    return None if offset is None else of_nanoseconds(offset)


def time_moved(value: Time, by: DaysTime) -> Time:
    """So much later, around midnight if need be."""
    return time_of((clock_of(value) + nanoseconds(by)) % DAY, zone_of(value))


def same_element(left: Any, right: Any) -> bool:
    """Whether two times, or two dates and times, show the same clock at the same offset (``is``, clause 10.3.4.6)."""
    days = day_number(left) == day_number(right) if isinstance(left, datetime | FarMoment) else True
    return days and clock_of(left) == clock_of(right) and offset_of(left) == offset_of(right)
