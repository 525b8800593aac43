"""What a drawing must be for the engine to keep its promises; each reason names the element and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.duration import due
from orchestration_pipelines.model.process import ENDS, STATIONS, Element, Kind, Process

_SINKS = ENDS | {Kind.END_COMPENSATION}
_BOUNDARY = frozenset({Kind.BOUNDARY_TIMER, Kind.BOUNDARY_ERROR, Kind.BOUNDARY_COMPENSATION})


def problems(process: Process) -> Iterator[str]:
    """Everything that is wrong with a process."""
    dangling = list(_dangling(process))
    yield from dangling
    if dangling:
        return
    yield from _starts(process)
    for element in process.elements.values():
        yield from _ways_out(process, element)
        yield from _people(process, element)
        yield from _compensation(process, element)
        yield from _expressions(element)
    yield from _conditions(process)
    yield from _reach(process)
    yield from _gateway_loops(process)
    yield from fail_open_timers(process)


def _named(element: Element) -> str:
    return f"{element.id} ({element.name})" if element.name != element.id else element.id


def _dangling(process: Process) -> Iterator[str]:
    for flow in process.flows:
        for end in (flow.source, flow.target):
            if end not in process.elements:
                yield f"{flow.id}: it leads from or to {end!r}, which is not in this process"
    for element in process.elements.values():
        if element.attached_to is not None and element.attached_to not in process.elements:
            yield f"{_named(element)}: it sits on {element.attached_to!r}, which is not in this process"
        if element.compensates is not None and element.compensates not in process.elements:
            yield f"{_named(element)}: it compensates {element.compensates!r}, which is not in this process"


def _starts(process: Process) -> Iterator[str]:
    starts = [e for e in process.elements.values() if e.kind is Kind.START]
    if len(starts) != 1:
        yield f"{process.id}: a process needs exactly one start event and has {len(starts)}"


def _ways_out(process: Process, element: Element) -> Iterator[str]:
    flows = process.outgoing(element.id)
    if element.kind in _SINKS or element.is_handler or element.kind is Kind.BOUNDARY_COMPENSATION:
        if flows:
            yield f"{_named(element)}: no sequence flow may leave it"
        return
    if not flows:
        yield f"{_named(element)}: no sequence flow leaves it; draw the way on"
    if element.kind is not Kind.EXCLUSIVE and len(flows) > 1:
        yield f"{_named(element)}: {len(flows)} flows leave it, which is a parallel split: not yet; use a gateway"
    if element.kind is not Kind.EXCLUSIVE and any(flow.condition for flow in flows):
        yield f"{_named(element)}: a condition on a flow that leaves no gateway: put a gateway behind it"


def _conditions(process: Process) -> Iterator[str]:
    for flow in process.flows:
        source = process.elements[flow.source]
        splits = source.kind is Kind.EXCLUSIVE and len(process.outgoing(source.id)) > 1
        if splits and flow.condition is None and not flow.is_default:
            yield f"{flow.id}: it leaves the gateway {_named(source)} without a condition and is not its default"
        if flow.condition is not None:
            try:
                feel.compile(flow.condition)
            except feel.FeelError as error:
                yield f"{flow.id}: {error}"


def _expressions(element: Element) -> Iterator[str]:
    texts = {f"orch:{name}": text for name, text in element.extra.items()}
    if element.timer is not None:
        texts["timer"] = element.timer.text
        if not element.timer.text.startswith("="):
            try:
                due(element.timer.text, datetime(2024, 1, 31, tzinfo=UTC))
            except ValueError as error:
                yield f"{_named(element)}: {error}"
    for where, text in texts.items():
        if text.startswith("="):
            try:
                feel.compile(text[1:])
            except feel.FeelError as error:
                yield f"{_named(element)}: {where}: {error}"


def _people(process: Process, element: Element) -> Iterator[str]:
    if element.kind is not Kind.USER:
        return
    if not any(b.kind is Kind.BOUNDARY_TIMER for b in process.boundaries(element.id)):
        yield f"{_named(element)}: a user task without a deadline may wait for ever: attach a boundary timer to it"
    if not (element.extra.get("owner") or process.extra.get("owner")):
        yield f"{_named(element)}: nobody owns it: set orch:owner on it or on the process"
    if not element.extra.get("queue"):
        yield f"{_named(element)}: it has no queue: set orch:queue"


def _compensation(process: Process, element: Element) -> Iterator[str]:
    if element.kind is Kind.BOUNDARY_COMPENSATION:
        handler = process.elements.get(element.handler or "")
        if handler is None or not handler.is_handler or handler.kind is not Kind.SERVICE:
            yield (
                f'{_named(element)}: it needs an association to a service task with isForCompensation="true", '
                "which undoes the activity"
            )
    if element.kind in _BOUNDARY and element.attached_to is not None:
        host = process.elements[element.attached_to]
        if host.kind not in (Kind.SERVICE, Kind.USER, Kind.RULE):
            yield f"{_named(element)}: it sits on {_named(host)}, which is no activity"
        if element.kind is Kind.BOUNDARY_TIMER and host.kind is not Kind.USER:
            yield f"{_named(element)}: a timer on a machine's step: not yet; set the worker's timeout_s"
    if element.is_handler and process.incoming(element.id):
        yield f"{_named(element)}: a compensation handler is reached by association, not by sequence flow"


def _reach(process: Process) -> Iterator[str]:
    reached = _reached(process)
    leading = _leading_to_an_end(process)
    for element in process.elements.values():
        if element.id not in reached:
            yield f"{_named(element)}: no token can reach it: connect it, or take it out"
        elif element.id not in leading and not element.is_handler and element.kind is not Kind.BOUNDARY_COMPENSATION:
            yield f"{_named(element)}: no way leads from it to an end event"


def _reached(process: Process) -> set[str]:
    reached: set[str] = set()
    queue = [e.id for e in process.elements.values() if e.kind is Kind.START]
    while queue:
        here = queue.pop()
        if here in reached:
            continue
        reached.add(here)
        queue.extend(flow.target for flow in process.outgoing(here))
        for boundary in process.boundaries(here):
            queue.append(boundary.id)
            if boundary.handler is not None and boundary.handler in process.elements:
                queue.append(boundary.handler)
    return reached


def _leading_to_an_end(process: Process) -> set[str]:
    leading = {e.id for e in process.elements.values() if e.kind in _SINKS}
    while more := {flow.source for flow in process.flows if flow.target in leading} - leading:
        leading |= more
    return leading


def _gateway_loops(process: Process) -> Iterator[str]:
    """A circle of gateways alone would turn a token for ever."""
    for gateway in process.elements.values():
        if gateway.kind is not Kind.EXCLUSIVE:
            continue
        seen: set[str] = set()
        queue = [flow.target for flow in process.outgoing(gateway.id)]
        while queue:
            element = process.elements[queue.pop()]
            if element.id == gateway.id:
                yield f"{_named(gateway)}: a circle of gateways with no step in it; put a task into it"
                break
            if element.kind is Kind.EXCLUSIVE and element.id not in seen:
                seen.add(element.id)
                queue.extend(flow.target for flow in process.outgoing(element.id))


def fail_open_timers(process: Process) -> Iterator[str]:
    """Timers behind which something that needs an approval runs though nobody decided (invariant H5)."""
    if process.extra.get("timeoutMayApprove") == "true":
        return
    for timer in process.elements.values():
        if timer.kind is not Kind.BOUNDARY_TIMER:
            continue
        seen: set[str] = set()
        queue = [flow.target for flow in process.outgoing(timer.id)]
        while queue:
            element = process.elements[queue.pop()]
            if element.id in seen:
                continue
            seen.add(element.id)
            if element.extra.get("requiresApproval") == "true":
                yield (
                    f"{_named(timer)}: when time runs out, {_named(element)} can run though nobody approved: lead the "
                    'timer elsewhere, or say orch:timeoutMayApprove="true" on the process'
                )
            if element.kind in STATIONS and element.kind in (Kind.USER, Kind.RULE):
                continue  # somebody, or a table, decides again
            queue.extend(flow.target for flow in process.outgoing(element.id))
