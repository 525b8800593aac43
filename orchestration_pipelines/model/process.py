"""The intermediate representation of a process: what a BPMN file means once it has been read.

Values only. Nothing here knows XML, and nothing here knows a database: the reader in
``model.bpmn`` produces it, ``model.semantics`` says how tokens move on it, the engine runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeVar


class Kind(StrEnum):
    """What an element does when a token reaches it (BPMN 2.0.2, chapter 10)."""

    START = "start"
    END = "end"
    END_TERMINATE = "end_terminate"
    END_ERROR = "end_error"
    END_COMPENSATION = "end_compensation"
    SERVICE = "service"  #: a worker does it
    USER = "user"  #: people do it, in the reviewer table
    RULE = "rule"  #: a DMN decision does it
    EXCLUSIVE = "exclusive"
    THROW_COMPENSATION = "throw_compensation"
    BOUNDARY_TIMER = "boundary_timer"
    BOUNDARY_ERROR = "boundary_error"
    BOUNDARY_COMPENSATION = "boundary_compensation"


#: Where a token rests until somebody or something does the work: these become Dagster ops.
STATIONS = frozenset({Kind.SERVICE, Kind.USER, Kind.RULE, Kind.THROW_COMPENSATION, Kind.END_COMPENSATION})
#: Where a token's way is over.
ENDS = frozenset({Kind.END, Kind.END_TERMINATE, Kind.END_ERROR})


@dataclass(frozen=True, slots=True)
class Timer:
    """When a timer event fires: exactly one of the three (BPMN 10.5.5), ISO 8601 or ``= FEEL``."""

    kind: str  #: "date", "duration" or "cycle"
    text: str  #: ISO 8601; or, with a leading "=", a FEEL expression over the case's variables


@dataclass(frozen=True, slots=True)
class Element:
    """One flow node, its events and our own extension attributes."""

    id: str
    name: str
    kind: Kind
    lane: str | None = None  #: our extension: the lane with a role (see Process.lanes) that it lies in
    #: for boundary events: the activity they sit on
    attached_to: str | None = None
    cancel_activity: bool = True
    #: for error events: the code thrown or caught; None on a catcher takes any
    error_code: str | None = None
    timer: Timer | None = None
    #: for compensation throws: the activity to undo; None means all completed ones of the scope
    compensates: str | None = None
    #: True for a handler (isForCompensation): no token reaches it by sequence flow
    is_handler: bool = False
    #: for a boundary compensation event: the handler it is associated with
    handler: str | None = None
    #: service task: the worker's name; rule task: the decision's name; by default the element's id
    calls: str | None = None
    documentation: str = ""
    #: attributes of our own namespace (owner, queue, signatures …), as written
    extra: Mapping[str, str] = field(default_factory=dict)
    #: hints of other tools (assignee, candidateGroups, formKey …), as written
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow. ``condition`` is FEEL, or None for an unconditional or default flow."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None = None
    is_default: bool = False


@dataclass(frozen=True)
class Process:
    """A process that may run: everything in it has a meaning the engine keeps."""

    id: str
    name: str
    elements: Mapping[str, Element]  #: in document order
    flows: tuple[Flow, ...]  #: in document order
    digest: str  #: sha256 of the file's bytes, hex
    lanes: Mapping[str, str] = field(default_factory=dict)  #: lane name to role
    extra: Mapping[str, str] = field(default_factory=dict)  #: our attributes on the process itself
    documentation: str = ""

    @cached_property
    def _leaving(self) -> Mapping[str, tuple[Flow, ...]]:
        return _grouped(self.flows, lambda flow: flow.source)

    @cached_property
    def _entering(self) -> Mapping[str, tuple[Flow, ...]]:
        return _grouped(self.flows, lambda flow: flow.target)

    @cached_property
    def _attached(self) -> Mapping[str, tuple[Element, ...]]:
        return _grouped(self.elements.values(), lambda element: element.attached_to or "")

    def outgoing(self, element: str) -> tuple[Flow, ...]:
        """The sequence flows that leave an element, in document order."""
        return self._leaving.get(element, ())

    def incoming(self, element: str) -> tuple[Flow, ...]:
        """The sequence flows that enter an element, in document order."""
        return self._entering.get(element, ())

    def boundaries(self, element: str) -> tuple[Element, ...]:
        """The boundary events on an activity, in document order."""
        return self._attached.get(element, ())

    def stations(self) -> tuple[Element, ...]:
        """Where tokens rest, handlers included, in document order."""
        return tuple(e for e in self.elements.values() if e.kind in STATIONS)


_Item = TypeVar("_Item")


def _grouped(items: Iterable[_Item], by: Callable[[_Item], str]) -> dict[str, tuple[_Item, ...]]:
    groups: dict[str, list[_Item]] = {}
    for item in items:
        groups.setdefault(by(item), []).append(item)
    return {key: tuple(group) for key, group in groups.items()}
