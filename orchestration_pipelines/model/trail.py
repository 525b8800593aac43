"""By which flows a case came: what is certain, from the stations that it visited and how each visit ended.

Which gateways were passed between two stations is not recorded. A flow is on the trail if there is no way without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from orchestration_pipelines.model.process import Flow, Kind, Process


class Stop(NamedTuple):
    """A visit that is over."""

    element: str
    outcome: str  #: completed, an outcome of people, error:CODE, timer:BOUNDARY, cancelled


class Trail(NamedTuple):
    """Every element that was passed, in order, and the flows between."""

    elements: tuple[str, ...]
    flows: frozenset[str]


def trail(process: Process, stops: Sequence[Stop], to: str | None) -> Trail:
    """The way over these stops and on to where the case stands or ended, if it is one place."""
    start = next((element.id for element in process.elements.values() if element.kind is Kind.START), None)
    elements: list[str] = []
    flows: set[str] = set()
    if start is not None:
        elements.append(start)
    legs: list[tuple[str | None, str | None]] = [(start, stops[0].element if stops else to)]
    legs += [(_left_by(process, here), there.element) for here, there in pairwise(stops)]
    if stops:
        legs.append((_left_by(process, stops[-1]), to))
    known: dict[tuple[str, str], tuple[list[str], set[str]]] = {}  # a case may go round and round
    for place, (source, target) in enumerate(legs):
        if place:
            stop = stops[place - 1].element
            elements.append(stop)
            if source is not None and source != stop:
                elements.append(source)
        if source is not None and target is not None:
            if (source, target) not in known:
                known[source, target] = _certain(process, source, target)
            passed, taken = known[source, target]
            elements += passed
            flows |= taken
    return Trail(tuple(element for element in elements if element in process.elements), frozenset(flows))


def _left_by(process: Process, stop: Stop) -> str | None:
    """Where the way on begins: the activity itself, or the boundary event that took it over."""
    how, _, what = stop.outcome.partition(":")
    if how == "timer":
        return what if what in process.elements else None
    if how == "error":
        caught = [event for event in process.boundaries(stop.element) if event.kind is Kind.BOUNDARY_ERROR]
        fitting = [event for code in (what, None) for event in caught if event.error_code == code]
        return fitting[0].id if fitting else None
    return None if stop.outcome == "cancelled" else stop.element


def _certain(process: Process, source: str, target: str) -> tuple[list[str], set[str]]:
    """The gateways and the flows that every way from one element to another passes, gateways alone between."""
    shortest = _way(process, source, target, ())
    flows = {flow.id for flow in shortest if not _way(process, source, target, (flow.id,))}
    passed = [onto.source for flow, onto in pairwise(shortest) if flow.id in flows or onto.id in flows]
    return passed, flows


def _way(process: Process, source: str, target: str, without: Iterable[str]) -> list[Flow]:
    """A shortest way; empty if there is none."""
    barred = frozenset(without)
    came: dict[str, Flow] = {}
    queue = [source]
    for here in queue:
        if here != source and process.elements[here].kind is not Kind.EXCLUSIVE:
            continue
        for flow in process.outgoing(here):
            if flow.id in barred or flow.target in came:
                continue
            came[flow.target] = flow
            if flow.target == target:
                return list(reversed(list(_back(came, source, target))))
            queue.append(flow.target)
    return []


def _back(came: dict[str, Flow], source: str, target: str) -> Iterator[Flow]:
    at = target
    while True:
        flow = came[at]
        yield flow
        at = flow.source
        if at == source:
            return
