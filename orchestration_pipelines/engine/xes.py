"""XES, the XML of event logs (IEEE 1849-2023): read event by event, never as a whole."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

#: a log is untrusted: no more is unpacked, and nothing nests deeper
MAX_BYTES = 4 * 1024**3
MAX_DEPTH = 50
_AT_ONCE = 1 << 20
_VALUES = frozenset({"string", "date", "int", "float", "boolean", "id"})


class XesRefused(ValueError):
    """A file that is not read any further; the message says why."""


class XesEvent(NamedTuple):
    """An event: its attributes and those of its trace, as they are written (nested ones left out)."""

    case: str
    attributes: dict[str, str]
    trace: dict[str, str]


def read_xes(path: Path) -> Iterator[XesEvent]:
    """The events of a log, ``.xes`` or ``.xes.gz``, in the order of the file; a trace without a name is numbered."""
    with path.open("rb") as file:
        head = file.read(2)
    opened: Callable[[Path], IO[bytes]] = gzip.open if head == b"\x1f\x8b" else _plain  # type: ignore[assignment] # binary by default
    reading = _Reading(path.name)
    read = 0
    with opened(path) as file:
        try:
            while chunk := file.read(_AT_ONCE):
                read += len(chunk)
                if read > MAX_BYTES:
                    raise XesRefused(f"{path.name} unpacks to more than {MAX_BYTES // 1024**3} GB")
                yield from reading.feed(chunk)
            yield from reading.feed(b"", last=True)
        except (OSError, EOFError, zlib.error) as error:
            raise XesRefused(f"{path.name} cannot be unpacked: {error}") from None
        except (expat.ExpatError, LookupError) as error:
            raise XesRefused(f"{path.name} is not well-formed XML: {error}") from None


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


class _Reading:
    """A parser's state: where it is, and the events found since it was last asked."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._found: list[XesEvent] = []
        self._depth = self._traces = 0
        self._trace: dict[str, str] | None = None
        self._event: dict[str, str] | None = None
        self._waiting: list[dict[str, str]] = []  #: events before their trace is named

    def feed(self, chunk: bytes, last: bool = False) -> list[XesEvent]:
        """Parse on; the events that are whole now."""
        self._parser.Parse(chunk, last)
        found, self._found = self._found, []
        return found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise XesRefused(f"{self._name} nests deeper than {MAX_DEPTH} levels")
        tag = tag.rpartition(":")[2]
        if self._depth == 1 and tag != "log":
            raise XesRefused(f"{self._name} is no event log: its root is {tag!r}, and that of XES is 'log'")
        if self._depth == 2 and tag == "trace":
            self._trace = {}
            self._traces += 1
        elif self._depth == 3 and tag == "event" and self._trace is not None:
            self._event = {}
        elif tag in _VALUES and self._trace is not None:
            key, value = attributes.get("key"), attributes.get("value")
            if key is not None and value is not None:
                if self._event is not None and self._depth == 4:
                    self._event[key] = value
                elif self._event is None and self._depth == 3:
                    self._trace[key] = value

    def _end(self, tag: str) -> None:
        if self._depth == 3 and self._event is not None:
            self._waiting.append(self._event)
            self._event = None
        elif self._depth == 2 and self._trace is not None:
            case = self._trace.get("concept:name", f"trace {self._traces}")
            self._found.extend(XesEvent(case, event, self._trace) for event in self._waiting)
            self._waiting, self._trace = [], None
        self._depth -= 1

    def _refuse(self, *_: object) -> None:
        raise XesRefused(f"{self._name} has a DTD or declares entities: take them out, a log needs none")


def write_xes(
    file: IO[bytes],
    events: Iterable[tuple[str, str, datetime, str | None, str]],
    marks: Callable[[str], dict[str, bool]],
) -> int:
    """Write events (case, activity, at, resource, transition) that stand together by case; returns how many.

    ``marks`` gives what is known of a case as a whole, by name.
    """
    file.write(_HEAD.encode())
    written, open_case = 0, None
    for case, activity, at, resource, transition in events:
        if case != open_case:
            if open_case is not None:
                file.write(b"  </trace>\n")
            file.write(f'  <trace>\n    <string key="concept:name" value={_quoted(case)}/>\n'.encode())
            for name, holds in marks(case).items():
                file.write(f'    <boolean key="{name}" value="{str(holds).lower()}"/>\n'.encode())
            open_case = case
        named = f'<string key="org:resource" value={_quoted(resource)}/>' if resource is not None else ""
        file.write(
            f'    <event><string key="concept:name" value={_quoted(activity)}/>'
            f'<date key="time:timestamp" value="{at.astimezone(UTC).isoformat()}"/>{named}'
            f'<string key="lifecycle:transition" value={_quoted(transition)}/></event>\n'.encode()
        )
        written += 1
    file.write((b"  </trace>\n" if open_case is not None else b"") + b"</log>\n")
    return written


def _quoted(text: str) -> str:
    """An attribute's value; a character that XML has no place for is shown as what it is not."""
    return quoteattr("".join(c if c >= " " and c not in "\ufffe\uffff" else "\ufffd" for c in text))


_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <classifier name="Activity" keys="concept:name"/>
"""
