"""The order of stations in a sweep: along the drawing, loops cut where they lead back."""

from __future__ import annotations

from orchestration_pipelines.engine.workflow import CANCELLATION, Workflow
from orchestration_pipelines.model.semantics import Arrive


def handoffs(workflow: Workflow) -> dict[str, tuple[str, ...]]:
    """To which stations each station can hand in the same sweep: the drawing's ways without those that lead back.

    A way that leads back (a case returned, a handler's throw) is the next sweep's: Dagster's graph has no loops.
    """
    elements = workflow.process.elements
    rank = {element: index for index, element in enumerate(elements)}
    nexts = {
        station.id: sorted(workflow.router.next_stations(station.id), key=rank.__getitem__)
        for station in workflow.process.stations()
    }
    forward: dict[str, list[str]] = {element: [] for element in nexts}
    state: dict[str, int] = {}

    def visit(element: str) -> None:
        state[element] = 1
        for target in nexts[element]:
            if state.get(target) == 1:
                continue  # leads back
            forward[element].append(target)
            if target not in state:
                visit(target)
        state[element] = 2

    for element in [*_first(workflow), *nexts]:
        if element in nexts and element not in state:
            visit(element)
    return {element: tuple(targets) for element, targets in forward.items()} | {CANCELLATION: ()}


def _first(workflow: Workflow) -> list[str]:
    way = workflow.router.start({})
    return [way.station] if isinstance(way, Arrive) else []


def sweeping_order(workflow: Workflow) -> tuple[str, ...]:
    """Every station once, each before those it hands to."""
    forward = handoffs(workflow)
    order: list[str] = []
    seen: set[str] = set()

    def visit(element: str) -> None:
        seen.add(element)
        for target in forward[element]:
            if target not in seen:
                visit(target)
        order.append(element)

    for element in reversed(list(forward)):
        if element not in seen:
            visit(element)
    return tuple(reversed(order))
