"""Event logs of how a process ran before, or elsewhere: imported once, kept, and measured as our own are."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd
import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.event_log import COLUMNS, EventLog
from orchestration_pipelines.domain.log_mapping import LogMapping
from orchestration_pipelines.engine.log_reading import read_log
from orchestration_pipelines.engine.ocel import write_ocel
from orchestration_pipelines.engine.reading import UnreadableFile
from orchestration_pipelines.engine.xes import write_xes
from orchestration_pipelines.store import event_logs as table
from orchestration_pipelines.store.event_logs import StoredLog
from orchestration_pipelines.store.event_logs import logs as imported
from orchestration_pipelines.store.refusal import Refused

__all__ = ["Imported", "StoredLog", "export_log", "import_log", "imported", "stored"]


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    name: str
    cases: int
    events: int
    skipped: dict[str, int]  #: rows left out, by reason
    known: bool  #: the same file was imported under this name before: nothing was done


def import_log(
    connection: psycopg.Connection, path: Path, name: str, mapping: LogMapping | None, *, by: str, at: datetime
) -> Imported:
    """Import the log in a file under a name. One transaction; the same file again changes nothing."""
    if not name.strip():
        raise Refused("a log needs a name")
    digest = _digest(path, mapping)
    before = table.find(connection, name)
    if before is not None and before.digest != digest:
        raise Refused(
            f"there is a log {name!r} already ({before.source}, {before.imported_at:%Y-%m-%d}): take another name"
        )
    read = read_log(path, mapping)
    if read.log.events.empty:
        reasons = "; ".join(read.skipped) or "it holds none"
        raise UnreadableFile(f"{path.name} has no event that can be read: {reasons}")
    if before is None:
        with connection.transaction():
            log = table.add(
                connection,
                name=name,
                source=path.name,
                digest=digest,
                mapping=None if mapping is None else encode(_plain(mapping)),
                by=by,
                at=at,
                skipped=read.skipped.total(),
            )
            table.fill(connection, _cases(log, read.log), _events(log, read.log))
    return Imported(
        name, len(read.log.cases), len(read.log.events), dict(read.skipped.most_common()), before is not None
    )


def stored(connection: psycopg.Connection, name: str) -> EventLog:
    """An imported log; :class:`Refused` where there is none of this name."""
    found = table.find(connection, name)
    if found is None:
        names = ", ".join(log.name for log in imported(connection)) or "none yet: see orchestrate log import"
        raise Refused(f"there is no log {name!r}; there are {names}")
    cases = table.cases_of(connection, found.id)
    keys = [key for key, _, _ in cases]
    no, activity, at, resource, lifecycle = zip(*table.events_of(connection, found.id), strict=True)
    events = pd.DataFrame(
        {
            "case": pd.Series([keys[number] for number in no], dtype=object),
            "activity": pd.Series(activity, dtype=object),
            "at": pd.Series(at, dtype="datetime64[us, UTC]"),
            "resource": pd.Series(resource, dtype=object),
            "lifecycle": pd.Series(lifecycle, dtype=object),
        }
    )
    marks = {"breached": [breached for _, breached, _ in cases], "reopened": [reopened for _, _, reopened in cases]}
    return EventLog(events, pd.DataFrame(marks, index=pd.Index(keys, name="case"), dtype=object))


def _digest(path: Path, mapping: LogMapping | None) -> str:
    if not path.is_file():
        raise UnreadableFile(f"there is no file {path.name}")
    told = sha256(b"" if mapping is None else encode(_plain(mapping)))
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            told.update(chunk)
    return told.hexdigest()


def _plain(mapping: LogMapping) -> dict[str, Any]:
    """The mapping as JSON keeps it."""

    def plain(value: Any) -> Any:
        return sorted(value) if isinstance(value, frozenset) else value

    return dataclasses.asdict(mapping, dict_factory=lambda pairs: {name: plain(value) for name, value in pairs})


def _cases(log: int, read: EventLog) -> Iterator[tuple[Any, ...]]:
    for no, (key, case) in enumerate(zip(read.cases.index, read.cases.itertuples(index=False), strict=True)):
        yield log, no, key, _known(case.breached), _known(case.reopened)


def _events(log: int, read: EventLog) -> Iterator[tuple[Any, ...]]:
    number = {key: no for no, key in enumerate(read.cases.index)}
    events = read.events
    columns = (events[name] for name in COLUMNS)
    for no, (case, activity, at, resource, lifecycle) in enumerate(zip(*columns, strict=True)):
        yield (
            log,
            number[case],
            no,
            activity,
            at,
            None if resource is None or resource != resource else resource,
            lifecycle,
        )


def _known(mark: Any) -> bool | None:
    return None if mark is None or mark != mark else bool(mark)


FORMATS = (".xes", ".xes.gz", ".json")


def export_log(
    connection: psycopg.Connection, path: Path, *, name: str | None = None, workflow: str | None = None
) -> int:
    """Write the imported log ``name``, or how ``workflow`` runs here, for process-mining tools; returns the events.

    ``.xes`` and ``.xes.gz`` are XES, ``.json`` is OCEL 2.0. The file is there when it is whole.
    """
    written = path.name.lower()
    if not written.endswith(FORMATS):
        raise Refused(
            f"{path.name} is none of {', '.join(FORMATS)}: name it by the format you want (.json is OCEL 2.0)"
        )
    marks: dict[str, dict[str, bool]] = {}
    if name is not None:
        log = stored(connection, name)
        marks = {
            str(key): {str(mark): bool(held) for mark, held in known.items() if held is not None}
            for key, known in log.cases.to_dict("index").items()
        }
        events: Any = log.events[list(COLUMNS)].itertuples(index=False, name=None)
    elif workflow is not None:
        events = table.own_events(connection, workflow)
    else:
        raise Refused("say which log: --name of an imported one, or --workflow for how it runs here")
    write = write_ocel if written.endswith(".json") else write_xes
    part = path.with_name(path.name + ".part")
    try:
        with gzip.open(part, "wb") if written.endswith(".gz") else part.open("wb") as file:
            count = write(cast(IO[bytes], file), events, lambda case: marks.get(case, {}))
        part.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    if not count:
        path.unlink()
        raise Refused(f"there is nothing to write: workflow {workflow} has no case here")
    return count
