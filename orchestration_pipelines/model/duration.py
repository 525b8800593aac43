"""ISO 8601 durations and instants, for timers (BPMN 10.5.5)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta

_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)


def due(text: str, start: datetime) -> datetime:
    """When a timer that starts at ``start`` is due: an ISO 8601 duration from then, or an instant with its zone.

    Months and years are counted on the calendar from the start: a month after 31 January is the last of February.
    ValueError for anything else.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        try:
            instant = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(f"{text!r} is neither an ISO 8601 duration (P3D, PT4H) nor a date and time") from None
        if instant.tzinfo is None:
            raise ValueError(f"{text!r} has no zone: write 2026-03-01T09:00:00+01:00")
        return instant
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups()[:6])
    clock = {"hours": hours, "minutes": minutes, "seconds": float(match.group(7) or 0)}
    try:
        return _months_later(start, years * 12 + months) + timedelta(weeks=weeks, days=days, **clock)
    except (OverflowError, ValueError):
        raise ValueError(f"{text!r} from {start.isoformat()} leads beyond the year 9999") from None


def is_duration(text: str) -> bool:
    """Whether a text is an ISO 8601 duration (P3D) and not an instant."""
    return _DURATION.fullmatch(text.strip()) is not None


def _months_later(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))
