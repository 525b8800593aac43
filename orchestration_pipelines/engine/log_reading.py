"""Reading event logs: CSV with a mapping, or XES. A row that cannot be read is counted, and the others go on."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from orchestration_pipelines.domain.event_log import COMPLETE, EventLog
from orchestration_pipelines.domain.log_mapping import EXAMPLE, LogMapping
from orchestration_pipelines.engine.reading import UnreadableFile
from orchestration_pipelines.engine.xes import XesRefused, read_xes

_NUL = "\0"
#: resources of XES that say nothing
_NOBODY = frozenset({"", "UNDEFINED", "__INVALID__"})


@dataclass
class ReadLog:
    """A log as read, and what was left out of it, by reason."""

    log: EventLog
    skipped: Counter[str] = field(default_factory=Counter)


def read_log(path: Path, mapping: LogMapping | None = None) -> ReadLog:
    """The log in a file (``.xes``, ``.csv``, either ``.gz``); :class:`UnreadableFile` where nothing can be taken."""
    if not path.is_file():
        raise UnreadableFile(f"{path.name} is a folder" if path.is_dir() else f"there is no file {path.name}")
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    try:
        if kind == ".xes":
            if mapping is not None:
                raise UnreadableFile(f"{path.name} is XES, which says itself what is what: leave the mapping out")
            return _xes(path)
        if kind == ".csv":
            return _csv(path, mapping or LogMapping())
    except XesRefused as error:
        raise UnreadableFile(str(error)) from None
    except (OSError, EOFError) as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error}") from None
    raise UnreadableFile(f"{path.name} is none of .xes, .xes.gz, .csv, .csv.gz: name it by what it holds")


class _Columns:
    """The events of a file, column by column."""

    def __init__(self) -> None:
        self.case: list[str] = []
        self.activity: list[str] = []
        self.at: list[str] = []
        self.resource: list[str | None] = []
        self.lifecycle: list[str] = []
        self.marks: dict[str, dict[str, bool | None]] = {"breached": {}, "reopened": {}}
        self.skipped: Counter[str] = Counter()

    def read(self, at: pd.Series[Any]) -> ReadLog:
        """The log; ``at`` are the instants, NaT where there is none."""
        events = pd.DataFrame(
            {
                "case": pd.Series(self.case, dtype=object),
                "activity": pd.Series(self.activity, dtype=object),
                "at": at,
                "resource": pd.Series(self.resource, dtype=object),
                "lifecycle": pd.Series(self.lifecycle, dtype=object),
            }
        )
        unread = events["at"].isna()
        if unread.any():
            first = next(text for text, bad in zip(self.at, unread, strict=True) if bad)
            self.skipped[f"the time cannot be read (the first is {first[:40]!r})"] += int(unread.sum())
        events = events[~unread]
        keys = pd.Index(events["case"].unique(), name="case")
        marked = {name: pd.Series(keys.map(found.get), index=keys, dtype=object) for name, found in self.marks.items()}
        return ReadLog(EventLog.of(events, pd.DataFrame(marked, index=keys)), self.skipped)


def _xes(path: Path) -> ReadLog:
    columns = _Columns()
    for case, attributes, trace in read_xes(path):
        activity, at = attributes.get("concept:name"), attributes.get("time:timestamp")
        if not activity or at is None:
            columns.skipped[f"an event has no {'concept:name' if not activity else 'time:timestamp'}"] += 1
            continue
        resource = attributes.get("org:resource", "")
        columns.case.append(case)
        columns.activity.append(activity)
        columns.at.append(at)
        columns.resource.append(None if resource in _NOBODY else resource)
        columns.lifecycle.append((attributes.get("lifecycle:transition") or COMPLETE).lower())
        for name, found in columns.marks.items():
            if (mark := trace.get(name)) is not None:
                found[case] = mark.lower() == "true"
    return columns.read(_instants(columns.at, None, "UTC"))


def _csv(path: Path, mapping: LogMapping) -> ReadLog:
    columns = _Columns()
    with _text(path) as file:
        header, rows = _rows(path, file, mapping)
        places = {column: header.index(column) for column in mapping.columns if column in header}
        case_at, activity_at, time_at = (places[name] for name in (mapping.case, mapping.activity, mapping.timestamp))
        resource_at, lifecycle_at = places.get(mapping.resource or ""), places.get(mapping.lifecycle or "")
        marks = [
            (columns.marks[name], places[mark.column], mark)
            for name, mark in (("breached", mapping.breached), ("reopened", mapping.reopened))
            if mark is not None
        ]
        for row in rows:
            if len(row) != len(header):
                columns.skipped[f"a row has not the {len(header)} fields of the header"] += 1
                continue
            case, activity = row[case_at], row[activity_at]
            if case in mapping.missing or activity in mapping.missing or _NUL in case + activity:
                columns.skipped["a row names no case or no activity"] += 1
                continue
            columns.case.append(case)
            columns.activity.append(activity)
            columns.at.append(row[time_at])
            resource = "" if resource_at is None else row[resource_at].replace(_NUL, "")
            columns.resource.append(None if resource in mapping.missing else resource)
            transition = "" if lifecycle_at is None else row[lifecycle_at].lower().replace(_NUL, "")
            columns.lifecycle.append(COMPLETE if transition in mapping.missing else transition)
            for found, place, mark in marks:
                found[case] = None if row[place] in mapping.missing else mark.holds(row[place])
    return columns.read(_instants(columns.at, mapping.format, mapping.zone))


def _rows(path: Path, file: io.TextIOBase, mapping: LogMapping) -> tuple[list[str], Iterator[list[str]]]:
    """The header, and the rows behind it; columns are parted by whatever parts the header into those wanted."""
    first = file.readline()
    if not first:
        raise UnreadableFile(f"{path.name} is empty")
    wanted = [mapping.case, mapping.activity, mapping.timestamp]
    delimiter = max(",;\t|", key=lambda mark: len(set(wanted) & set(next(csv.reader([first], delimiter=mark)))))
    header = next(csv.reader([first], delimiter=delimiter))
    optional = {"org:resource", "lifecycle:transition"}
    if lacking := [column for column in mapping.columns if column not in header and column not in optional]:
        raise UnreadableFile(
            f"{path.name} has no column {lacking[0]!r}; it has {', '.join(header)}.\n"
            f"Say which column is what in a small file, and name it with --mapping:\n\n{EXAMPLE}"
        )
    return header, csv.reader(file, delimiter=delimiter)


@contextmanager
def _text(path: Path) -> Iterator[io.TextIOBase]:
    """The file as text, unpacked where it is packed; a byte that is no UTF-8 is shown as such."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else path.open("rb") as raw:
        yield io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")


def _instants(written: Sequence[str], form: str | None, zone: str) -> pd.Series[Any]:
    """Times as instants in UTC; NaT for what is none. In the hour that a zone has twice the later one is meant."""
    texts = pd.Series(written, dtype=object)
    try:
        at = pd.to_datetime(texts, format=form or "ISO8601", errors="coerce")
    except ValueError:  # some name a zone and some do not, or not the same
        at = pd.to_datetime(texts.map(lambda text: _with_zone(text, zone)), format="ISO8601", errors="coerce", utc=True)
    if not isinstance(at.dtype, pd.DatetimeTZDtype):
        winter = np.zeros(len(at), dtype=bool)
        at = at.dt.tz_localize(ZoneInfo(zone), ambiguous=winter, nonexistent="shift_forward")
    return at.dt.tz_convert("UTC").dt.as_unit("us")


def _with_zone(text: str, zone: str) -> pd.Timestamp | None:
    try:
        at = pd.Timestamp(text)
    except ValueError:
        return None
    if pd.isna(at):
        return None
    return at if at.tzinfo is not None else at.tz_localize(ZoneInfo(zone), ambiguous=False, nonexistent="shift_forward")
