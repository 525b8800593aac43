"""Which column of a foreign log means what: kept as a small file beside the log, and with what was imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_KNOWN = ("case", "activity", "timestamp", "resource", "lifecycle", "missing", "breached", "reopened")

EXAMPLE = """case: number
activity: incident_state
timestamp: {column: sys_updated_at, format: "%d/%m/%Y %H:%M", zone: UTC}
resource: sys_updated_by
missing: ["?"]"""


class BadMapping(ValueError):
    """A mapping that cannot be meant so; the message lists every reason."""


@dataclass(frozen=True)
class Mark:
    """A fact of a case as its last event has it: true for these texts, or (``unless``) for all but these."""

    column: str
    texts: frozenset[str]
    unless: bool

    def holds(self, text: str) -> bool:
        """Whether the fact holds for what the column says."""
        return (text in self.texts) is not self.unless


@dataclass(frozen=True)
class LogMapping:
    """The columns of a CSV file; the defaults are the names of XES."""

    case: str = "case:concept:name"
    activity: str = "concept:name"
    timestamp: str = "time:timestamp"
    format: str | None = None  #: of the timestamp, as strptime has it; None: ISO 8601
    zone: str = "UTC"  #: of a timestamp that names none
    resource: str | None = "org:resource"
    lifecycle: str | None = "lifecycle:transition"
    missing: frozenset[str] = frozenset({""})  #: texts that say nothing
    breached: Mark | None = None
    reopened: Mark | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read; of the default names of XES resource and lifecycle may be absent."""
        named = [self.case, self.activity, self.timestamp]
        named += [column for column in (self.resource, self.lifecycle) if column is not None]
        return tuple(dict.fromkeys(named + [mark.column for mark in (self.breached, self.reopened) if mark]))


def read_mapping(written: Any) -> LogMapping:
    """A mapping from what its file says; :class:`BadMapping` tells everything that is wrong."""
    if not isinstance(written, Mapping):
        raise BadMapping(f"the mapping is not a list of names: write\n{EXAMPLE}")
    problems: list[str] = [
        f"unknown setting {name!r}: there are {', '.join(_KNOWN)}" for name in written if name not in _KNOWN
    ]

    def text(place: str, value: Any) -> str | None:
        if value is not None and (not isinstance(value, str) or not value):
            problems.append(f"{place} is {value!r}: name a column")
            return None
        return value

    problems += [
        f"{needed} is missing: name the column that holds it"
        for needed in ("case", "activity", "timestamp")
        if written.get(needed) is None
    ]
    timestamp = written.get("timestamp")
    timed = dict(timestamp) if isinstance(timestamp, Mapping) else {"column": timestamp}
    problems += [
        f"unknown setting timestamp.{name}: there are column, format, zone"
        for name in timed
        if name not in ("column", "format", "zone")
    ]
    zone = timed.get("zone", "UTC")
    try:
        ZoneInfo(str(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(f"timestamp.zone {zone!r} is no time zone: write Europe/Berlin, or UTC")
    missing = written.get("missing", [])
    if not isinstance(missing, list) or not all(isinstance(each, str) for each in missing):
        problems.append(f'missing is {missing!r}: list the texts that say nothing, ["?", "n/a"]')
        missing = []
    mapping = LogMapping(
        case=text("case", written.get("case")) or "",
        activity=text("activity", written.get("activity")) or "",
        timestamp=text("timestamp.column", timed.get("column")) or "",
        format=text("timestamp.format", timed.get("format")),
        zone=str(zone),
        resource=text("resource", written.get("resource")),
        lifecycle=text("lifecycle", written.get("lifecycle")),
        missing=frozenset({"", *missing}),
        breached=_mark("breached", written.get("breached"), problems),
        reopened=_mark("reopened", written.get("reopened"), problems),
    )
    if problems:
        raise BadMapping("the mapping is refused:\n" + "\n".join(f"  - {problem}" for problem in problems))
    return mapping


def _mark(place: str, written: Any, problems: list[str]) -> Mark | None:
    if written is None:
        return None
    wanted = f'write {place}: {{column: made_sla, is: ["false"]}}, or is_not instead of is'
    if not isinstance(written, Mapping) or set(written) - {"column", "is", "is_not"} or len(written) != 2:
        problems.append(f"{place} is {written!r}: {wanted}")
        return None
    texts = written.get("is", written.get("is_not"))
    if not isinstance(written.get("column"), str) or not isinstance(texts, list) or not texts:
        problems.append(f"{place} is {written!r}: {wanted}")
        return None
    if not all(isinstance(each, str) for each in texts):
        problems.append(f'{place} compares with {texts!r}: put each text in quotes, ["false"], ["0"]')
        return None
    return Mark(written["column"], frozenset(texts), unless="is_not" in written)
