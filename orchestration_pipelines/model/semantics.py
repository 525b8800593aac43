"""How tokens move on a process: pure functions, the same for the engine, a test and a simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.process import ENDS, STATIONS, Element, Flow, Kind, Process


@dataclass(frozen=True, slots=True)
class Arrive:
    """The token now stands at a station."""

    station: str
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """The token reached an end event."""

    end: str
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoBranch:
    """A gateway had no way on: an incident, never silence."""

    gateway: str
    passed: tuple[str, ...] = ()
    diagnostics: str = ""


Path = Arrive | Finish | NoBranch
Variables = Mapping[str, Any]
_Way = Callable[[Variables], Path]


class Router:
    """The ways of one process, each compiled when first gone."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._ways: dict[str, _Way] = {}

    def start(self, variables: Variables) -> Path:
        """From the start event to the first station."""
        return self._way(self._start.id)(variables)

    @cached_property
    def _start(self) -> Element:
        return next(e for e in self.process.elements.values() if e.kind is Kind.START)

    def leave(self, element: str, variables: Variables) -> Path:
        """On from an activity that completed, or from a throw event that is done."""
        if self.process.elements[element].kind is Kind.END_COMPENSATION:
            return Finish(element)
        return self._way(element)(variables)

    def catch_error(self, element: str, code: str, variables: Variables) -> Path | None:
        """The way behind the boundary event that catches a business error; None: nobody does."""
        catchers = [b for b in self.process.boundaries(element) if b.kind is Kind.BOUNDARY_ERROR]
        for wanted in (code, None):
            for catcher in catchers:
                if catcher.error_code == wanted:
                    return self._way(catcher.id)(variables)
        return None

    def fire_timer(self, boundary: str, variables: Variables) -> Path:
        """The way behind a boundary timer."""
        return self._way(boundary)(variables)

    def boundary_timers(self, element: str) -> tuple[Element, ...]:
        """The timers that start when an activity is entered."""
        return tuple(b for b in self.process.boundaries(element) if b.kind is Kind.BOUNDARY_TIMER)

    def compensation_handler(self, element: str) -> str | None:
        """What undoes a completed activity, if it declares anything."""
        for boundary in self.process.boundaries(element):
            if boundary.kind is Kind.BOUNDARY_COMPENSATION:
                return boundary.handler
        return None

    def next_stations(self, element: str) -> frozenset[str]:
        """Every station to which a token can be handed from here, on any way."""
        drawn = self.process.elements[element]
        if drawn.is_handler:
            return frozenset(e.id for e in self.process.elements.values() if _throws(e))
        handlers: frozenset[str] = frozenset()
        if _throws(drawn):
            handlers = frozenset(e.id for e in self.process.elements.values() if e.is_handler)
        sources = [element, *(b.id for b in self.process.boundaries(element))]
        return handlers.union(*(self._reachable(source) for source in sources))

    def _reachable(self, source: str) -> frozenset[str]:
        found: set[str] = set()
        seen: set[str] = set()
        queue = [flow.target for flow in self.process.outgoing(source)]
        while queue:
            element = self.process.elements[queue.pop()]
            if element.id in seen:
                continue
            seen.add(element.id)
            if element.kind in STATIONS:
                found.add(element.id)
            elif element.kind is Kind.EXCLUSIVE:
                queue.extend(flow.target for flow in self.process.outgoing(element.id))
        return frozenset(found)

    def reads(self, element: str) -> frozenset[str]:
        """The variables that the conditions behind an element depend on."""
        names: set[str] = set()
        seen: set[str] = set()
        queue = [element, *(b.id for b in self.process.boundaries(element))]
        while queue:
            source = queue.pop()
            if source in seen:
                continue
            seen.add(source)
            for flow in self.process.outgoing(source):
                if flow.condition is not None:
                    names |= feel.compile(flow.condition).names
                if self.process.elements[flow.target].kind is Kind.EXCLUSIVE:
                    queue.append(flow.target)
        return frozenset(names)

    # -- compiling

    def _way(self, source: str) -> _Way:
        way = self._ways.get(source)
        if way is None:
            way = self._ways[source] = self._from(source, ())
        return way

    def _from(self, source: str, passed: tuple[str, ...]) -> _Way:
        flows = self.process.outgoing(source)
        if len(flows) == 1 and flows[0].condition is None:
            return self._along(flows[0], passed)
        return self._split(source, flows, passed)

    def _along(self, flow: Flow, passed: tuple[str, ...]) -> _Way:
        passed = (*passed, flow.id)
        target = self.process.elements[flow.target]
        if target.kind in STATIONS:
            arrive = Arrive(target.id, passed)
            return lambda _: arrive
        if target.kind in ENDS:
            finish = Finish(target.id, passed)
            return lambda _: finish
        return self._from(target.id, (*passed, target.id))

    def _split(self, gateway: str, flows: tuple[Flow, ...], passed: tuple[str, ...]) -> _Way:
        """Conditions in document order, the first true one wins, the default last (BPMN 13.4.2)."""
        tests = [
            (feel.compile(flow.condition).evaluate, self._along(flow, passed))
            for flow in flows
            if not flow.is_default and flow.condition is not None
        ]
        default = next((self._along(flow, passed) for flow in flows if flow.is_default), None)
        written = "; ".join(flow.condition or "" for flow in flows if not flow.is_default)

        def way(variables: Variables) -> Path:
            for holds, onward in tests:
                if holds(variables) is True:
                    return onward(variables)
            if default is not None:
                return default(variables)
            return NoBranch(gateway, passed, f"no condition is true and there is no default flow: {written}")

        return way


def _throws(element: Element) -> bool:
    return element.kind in (Kind.THROW_COMPENSATION, Kind.END_COMPENSATION)
