"""Promises kept and broken, day by day, as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from orchestration_pipelines.engine.promises import KeptDay
from orchestration_pipelines.engine.report.svg import Frame

TITLE = "Promises that ended, by day (UTC)"


def kept_by_day(days: Sequence[KeptDay]) -> tuple[str, str]:
    """A bar for each day, what was broken on top; and the picture in words."""
    promises, broken = sum(day.promises for day in days), sum(day.broken for day in days)
    kept = f"{(promises - broken) / promises:.1%} kept" if promises else "none ended"
    summary = f"{TITLE}: {promises:,} in {len(days)} days, {kept}"
    most = max((day.promises for day in days), default=0) or 1
    frame = Frame(TITLE, summary, (0, max(len(days), 1)), (0, float(most)))
    frame.axes(
        "kept, and broken on top", lambda value: f"{days[min(int(value), len(days) - 1)].day:%-d %b}" if days else ""
    )
    for place, day in enumerate(days):
        whole = day.promises - day.broken
        if whole:
            frame.bar(place + 0.1, place + 0.9, whole)
        if day.broken:
            frame.bar(place + 0.1, place + 0.9, day.promises, low=whole, kind="b")
    return frame.drawn(), summary
