"""Days and hours of a week as people write them: ``mon-fri``, ``09:00-17:00``, ``PT4H``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from orchestration_pipelines.domain.calendar import DAY_S
from orchestration_pipelines.model.duration import due, is_duration

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)


def weekdays(text: str) -> tuple[int, ...]:
    """ISO weekdays (Monday is 1) of ``mon``, ``mon-fri``, ``sat, sun``; ValueError for anything else."""
    found: list[int] = []
    for part in text.lower().split(","):
        first, dash, last = (end.strip() for end in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"{text!r} names no weekdays: write mon, or mon-fri, or sat, sun")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        if end < begin:
            raise ValueError(f"{text!r} ends before it begins: a week begins on mon")
        found += range(begin + 1, end + 2)
    if len(set(found)) < len(found):
        raise ValueError(f"{text!r} names a day twice")
    return tuple(found)


def stretch(text: str) -> tuple[int, int]:
    """Begin and end of ``09:00-17:00``, in seconds of the wall clock; ValueError for anything else."""
    first, _, last = text.partition("-")
    return _clock(first, text), _clock(last, text)


def _clock(text: str, whole: str) -> int:
    match = _CLOCK.fullmatch(text.strip())
    seconds = int(match[1]) * 3_600 + int(match[2]) * 60 if match else DAY_S + 1
    if match is None or int(match[2]) > 59 or seconds > DAY_S:
        raise ValueError(f"{whole!r} is no stretch of a day: write 09:00-17:00; 24:00 is its end")
    return seconds


def clock_text(seconds: int) -> str:
    """The wall clock's time, as PostgreSQL and people read it."""
    return f"{seconds // 3_600:02}:{seconds % 3_600 // 60:02}"


def span(text: str) -> timedelta:
    """The length of an ISO 8601 duration of days, hours, minutes and seconds; ValueError says what is wrong."""
    if text.startswith("-"):
        raise ValueError(f"{text!r} is negative: nothing is promised for before it began")
    if not is_duration(text) or re.match(r"P[^T]*[YMW]", text):
        raise ValueError(f"{text!r} is no length of time: write PT4H, PT90M or P2D")
    return due(text, _EPOCH) - _EPOCH


def business_span(text: str) -> timedelta:
    """The same in business time, where a day has no length of its own."""
    if "D" in text and is_duration(text):
        raise ValueError(f"{text!r} counts days, and a business day has no fixed length: write hours, PT16H")
    return span(text)
