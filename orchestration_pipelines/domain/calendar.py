"""Business time: the hours in which a calendar is open, and how much of it lies between two instants.

Opening hours are wall-clock times in the calendar's zone, so that a working day of eight hours is eight hours long
in every season and a calendar that never closes has days of 23 and of 25 hours. A time that a daylight-saving night
skips is the moment of the change; of a time that comes twice, an opening is the first and a closing the second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: the end of a day as a wall-clock time, in seconds: 24:00
DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_LAST_YEAR = 9998


class Hours(NamedTuple):
    """When a calendar is open on one weekday; a day may have several."""

    weekday: int  #: ISO: Monday is 1
    opens: int  #: seconds of the wall clock since midnight
    closes: int  #: later on the same day; 86,400 is its end


class BadCalendar(ValueError):
    """A calendar that cannot be meant; the message says what is wrong with it."""


class _Year(NamedTuple):
    """The open stretches of one local year, in microseconds since 1970."""

    opens: list[int]
    closes: list[int]
    worked: list[int]  #: business time of the year up to each closing

    @property
    def total(self) -> int:
        return self.worked[-1] if self.worked else 0

    def until(self, at: int) -> int:
        """The year's business time up to an instant."""
        begun = bisect_right(self.opens, at)
        if begun == 0:
            return 0
        return self.worked[begun - 1] - max(0, self.closes[begun - 1] - at)


@dataclass(frozen=True)
class BusinessCalendar:
    """Opening hours in a zone, without the holidays. What it is asked for must have a zone; it answers in UTC.

    :class:`BadCalendar` for hours that overlap, end before they begin, or never come, and for an unknown zone.
    """

    zone: str
    hours: tuple[Hours, ...]
    holidays: frozenset[date] = frozenset()
    _years: dict[int, _Year] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadCalendar(f"there is no time zone {self.zone!r}: write one like Europe/Berlin") from None
        if not self.hours:
            raise BadCalendar("it is never open: give it hours on a weekday at least")
        for hours in self.hours:
            if not (1 <= hours.weekday <= 7 and 0 <= hours.opens < hours.closes <= DAY_S):
                raise BadCalendar(f"{_shown(hours)} is no stretch of a day: it must close after it opens, by 24:00")
        for earlier, later in pairwise(sorted(self.hours)):
            if earlier.weekday == later.weekday and later.opens < earlier.closes:
                raise BadCalendar(f"{_shown(earlier)} and {_shown(later)} overlap")

    def due(self, start: datetime, business: timedelta) -> datetime:
        """The earliest instant at which ``business`` time has passed since ``start``; ValueError if it is negative."""
        left = business // _MICRO
        if left < 0:
            raise ValueError(f"{business} is negative: nothing is due before it begins")
        if left == 0:
            return start.astimezone(UTC)
        at, number = _micros(start), self._local_year(start)
        left += self._year(number).until(at)
        while left > (total := self._year(number).total):
            left -= total
            number += 1
        year = self._year(number)
        stretch = bisect_left(year.worked, left)
        return _instant(year.closes[stretch] - (year.worked[stretch] - left))

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The business time between two instants; negative where the end is before the start."""
        if end < start:
            return -self.elapsed(end, start)
        first, last = self._local_year(start), self._local_year(end)
        between = sum(self._year(number).total for number in range(first, last))
        return (between + self._year(last).until(_micros(end)) - self._year(first).until(_micros(start))) * _MICRO

    def next_opening(self, at: datetime) -> datetime:
        """The first instant from ``at`` on at which business time runs: itself while it is open."""
        return self.due(at, _MICRO) - _MICRO

    def next_closing(self, at: datetime) -> datetime | None:
        """Until when business time runs that runs at ``at``; None where it does not.

        Hours that go on over New Year's midnight close there for a moment, and open again.
        """
        instant, year = _micros(at), self._year(self._local_year(at))
        begun = bisect_right(year.opens, instant)
        if begun == 0 or year.closes[begun - 1] <= instant:
            return None
        return _instant(year.closes[begun - 1])

    def _local_year(self, at: datetime) -> int:
        return at.astimezone(ZoneInfo(self.zone)).year

    def _year(self, number: int) -> _Year:
        known = self._years.get(number)
        if known is None:
            if number > _LAST_YEAR:
                raise ValueError(f"nothing is due beyond the year {_LAST_YEAR}")
            known = self._years[number] = self._spread(number)
        return known

    def _spread(self, number: int) -> _Year:
        """Lay the hours out over a year, joining what touches."""
        opens: list[int] = []
        closes: list[int] = []
        for opened, closed in self._stretches(number):
            if closes and opened <= closes[-1]:
                closes[-1] = max(closed, closes[-1])
            else:
                opens.append(opened)
                closes.append(closed)
        lengths = (closed - opened for opened, closed in zip(opens, closes, strict=True))
        return _Year(opens, closes, list(accumulate(lengths)))

    def _stretches(self, number: int) -> Iterator[tuple[int, int]]:
        zone = ZoneInfo(self.zone)
        by_weekday = {weekday: sorted(h for h in self.hours if h.weekday == weekday) for weekday in range(1, 8)}
        first = date(number, 1, 1)
        for offset in range((date(number + 1, 1, 1) - first).days):
            day = first + timedelta(days=offset)
            if day in self.holidays:
                continue
            for _, opens, closes in by_weekday[day.isoweekday()]:
                opened, closed = _moment(day, opens, zone, 0), _moment(day, closes, zone, 1)
                if opened < closed:  # a stretch that the night skips is none
                    yield opened, closed


@lru_cache(maxsize=64)
def business_calendar(zone: str, hours: tuple[Hours, ...], holidays: frozenset[date]) -> BusinessCalendar:
    """The calendar of these values: laid out once for a year, whoever asks."""
    return BusinessCalendar(zone, hours, holidays)


def _moment(day: date, wall_s: int, zone: ZoneInfo, fold: int) -> int:
    """The instant of a wall-clock time; of one that comes twice, the first (fold 0) or the second (fold 1)."""
    wall = (datetime.combine(day, time.min) + timedelta(seconds=wall_s)).replace(tzinfo=zone)
    first, second = _micros(wall), _micros(wall.replace(fold=1))
    if first <= second:
        return (first, second)[fold]
    # Skipped (PEP 495: fold 0 counts by the offset before the change, fold 1 by the one behind it): find the change.
    before, after = second, first
    behind = _instant(after).astimezone(zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if _instant(middle).astimezone(zone).utcoffset() == behind:
            after = middle
        else:
            before = middle
    return after


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICRO


def _instant(micros: int) -> datetime:
    return _EPOCH + micros * _MICRO


def _shown(hours: Hours) -> str:
    def wall(seconds: int) -> str:
        return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"

    return f"weekday {hours.weekday} {wall(hours.opens)}-{wall(hours.closes)}"
