"""Rows as a table of markdown, short enough to be shown at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

#: Dagster shows longer ones behind a link
SHORT = 1_000
#: seconds, name, and from how many seconds on it is used
_UNITS = ((86_400.0, "d", 172_800.0), (3_600.0, "h", 5_400.0), (60.0, "min", 90.0))
_PLURAL = {"d": "days", "h": "hours", "min": "minutes"}


def markdown(rows: Sequence[Mapping[str, Any]], most: int = SHORT) -> str:
    """A table of at most so many characters; rows that have no room are counted."""
    if not rows:
        return "nothing yet"
    columns = list(rows[0])
    lines = ["|" + "|".join(heading(name) for name in columns) + "|", "|" + "---|" * len(columns)]
    for number, row in enumerate(rows):
        line = "|" + "|".join(cell(row[name]).replace("|", "\\|").replace("\n", " ") for name in columns) + "|"
        left = f"\n… and {len(rows) - number} more"
        if len("\n".join([*lines, line])) + len(left) > most:
            return "\n".join(lines) + "\n" + left
        lines.append(line)
    return "\n".join(lines)


def heading(name: str) -> str:
    """A column's name in words."""
    return name.removesuffix("_s").replace("_", " ")


def cell(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1_000 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def duration(seconds: float) -> str:
    """A duration in the unit that reads best."""
    for unit, name, least in _UNITS:
        if abs(seconds) >= least:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.2g} s"


def unit_of(seconds: float) -> tuple[float, str]:
    """The unit in which a duration of this size reads best: its seconds and its name in the plural."""
    return next(((unit, _PLURAL[name]) for unit, name, least in _UNITS if seconds >= least), (1.0, "seconds"))


def with_durations(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose columns of seconds say their unit."""
    return {name: duration(each) if name.endswith("_s") and each is not None else each for name, each in row.items()}
