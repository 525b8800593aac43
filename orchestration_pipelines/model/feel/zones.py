"""Time zones: an offset from UTC, or a zone of the IANA database (DMN 1.5, clause 10.3.4.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from orchestration_pipelines.model.feel.durations import NANO

_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
_FURTHEST = timedelta(hours=14)  #: XSD 1.1, 3.3.7
#: a day to ask a zone for its standard offset
_ORDINARY = datetime(2020, 1, 1)  # noqa: DTZ001 # a wall clock is what a zone is asked about


class Zone(ZoneInfo):
    """A named zone that also has an offset for a time without a date: that of its standard time in 2020.

    Python's own gives none there, so that 10:00@Etc/UTC would be another time than 10:00Z.
    """

    def utcoffset(self, dt: datetime | None, /) -> timedelta | None:
        """The offset at that wall clock; without one, the standard offset."""
        if dt is not None:
            return super().utcoffset(dt)
        offset = super().utcoffset(_ORDINARY)
        saving = super().dst(_ORDINARY)
        return offset - saving if offset is not None and saving else offset


def read(text: str) -> tzinfo | None:
    """``Z``, ``+01:00`` or ``@Europe/Paris``; None where the text is no zone that there is."""
    if text in ("Z", "z"):
        return UTC
    if text.startswith("@"):
        return _named(text[1:])
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    sign, hours, minutes, seconds = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    if int(minutes) > 59 or int(seconds or 0) > 59:
        return None
    return of_offset(-offset if sign == "-" else offset)


def of_offset(offset: timedelta) -> tzinfo | None:
    """The zone so far from UTC; None beyond 14 hours."""
    if abs(offset) > _FURTHEST or offset % timedelta(seconds=1):
        return None
    return timezone(offset) if offset else UTC


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def _named(name: str) -> Zone | None:
    # the list is asked first: a name is untrusted, and would be looked up as a path
    if name not in _known():
        return None
    try:
        return Zone(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def name(zone: tzinfo | None) -> str | None:
    """Its name in the IANA database, if it has one."""
    return zone.key if isinstance(zone, ZoneInfo) else None


def text(zone: tzinfo | None) -> str:
    """As it is written behind a time; nothing for none."""
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    offset = zone.utcoffset(None)
    if not offset:
        return "Z"
    seconds = abs(offset) // timedelta(seconds=1)
    sign = "-" if offset < timedelta(0) else "+"
    behind = f":{seconds % 60:02}" if seconds % 60 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}{behind}"


def daily_offset(zone: tzinfo) -> int:
    """Nanoseconds ahead of UTC of a time without a date."""
    if isinstance(zone, ZoneInfo) and not isinstance(zone, Zone):
        zone = Zone(zone.key) if zone.key else UTC
    return _nanoseconds(zone.utcoffset(None))


def offset_at(zone: tzinfo, wall: datetime) -> int:
    """Nanoseconds ahead of UTC at that wall clock (in a gap or an overlap: before the change, unless it says fold)."""
    return _nanoseconds(zone.utcoffset(wall.replace(tzinfo=zone)))


def wall_at(zone: tzinfo, utc: datetime) -> tuple[int, int]:
    """The offset in nanoseconds when the clocks in UTC show that, and whether the wall clock shows it again."""
    wall = utc.replace(tzinfo=UTC).astimezone(zone)
    return _nanoseconds(wall.utcoffset()), wall.fold


def _nanoseconds(offset: timedelta | None) -> int:
    return 0 if offset is None else (offset.days * 86_400 + offset.seconds) * NANO
