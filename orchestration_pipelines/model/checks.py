"""What a drawing must be for the engine to keep its promises; each reason names the element and what to do."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.duration import due
from orchestration_pipelines.model.process import ENDS, STATIONS, Element, Kind, Process

_SINKS = ENDS | {Kind.END_COMPENSATION}
_THROWS = frozenset({Kind.THROW_COMPENSATION, Kind.END_COMPENSATION})
_BOUNDARY = frozenset({Kind.BOUNDARY_TIMER, Kind.BOUNDARY_ERROR, Kind.BOUNDARY_COMPENSATION})

#: more than this is no drawing that a person reads
MAX_DRAWN = 2_000
#: ways through gateways alone, from one step to the next ones: each is compiled
MAX_WAYS = 500
#: gateways one behind the other
MAX_GATEWAYS = 50
#: ids become names of Dagster's ops, and names in FEEL (review.outcome)
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: the job's own ops and outputs, and the station that nobody draws; then names that Dagster keeps for itself
RESERVED = frozenset({"receive", "dispatch", "report", "earlier_versions", "done", "cancellation"}) | frozenset(
    {"context", "config", "conf", "meta", "input", "output", "arg_dict", "input_arg_dict", "output_arg_dict"}
    | {"type", "dict", "str", "int", "float", "bool"}
)


def problems(process: Process) -> Iterator[str]:
    """Everything that is wrong with a process."""
    if len(process.elements) + len(process.flows) > MAX_DRAWN:
        yield f"{process.id}: it draws more than {MAX_DRAWN:,} elements and flows: make several workflows of it"
        return
    dangling = list(_dangling(process))
    yield from dangling
    if dangling:
        return
    yield from _starts(process)
    for element in process.elements.values():
        yield from _ways_out(process, element)
        yield from _people(process, element)
        yield from _boundary(process, element)
        yield from _compensation(process, element)
        yield from _names(element)
        yield from _expressions(element)
    yield from _conditions(process)
    yield from _reach(process)
    loops = list(_gateway_loops(process))
    yield from loops
    if not loops:
        yield from _too_many_ways(process)
    yield from fail_open_timers(process)


def _named(element: Element) -> str:
    return f"{element.id} ({element.name})" if element.name != element.id else element.id


def _dangling(process: Process) -> Iterator[str]:
    for flow in process.flows:
        for end in (flow.source, flow.target):
            if end not in process.elements:
                yield f"{flow.id}: it leads from or to {end!r}, which is not in this process"
        target = process.elements.get(flow.target)
        if target is not None and target.kind in _BOUNDARY | {Kind.START}:
            yield f"{flow.id}: no sequence flow may enter {_named(target)}, which is a {target.kind} event"
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
        if flow.condition is not None and flow.is_default:
            yield f"{flow.id}: the default of {_named(source)} has a condition, which nobody asks: take one of them off"
        if flow.condition is not None:
            yield from (f"{flow.id}: {reason}" for reason in _unreadable(flow.condition))


def _unreadable(text: str) -> Iterator[str]:
    """Why an expression of a drawing cannot be evaluated: it is no FEEL, or it calls what nobody defines."""
    try:
        calls = feel.compile(text).calls
    except feel.FeelError as error:
        yield str(error)
    else:
        yield from (f"FEEL: there is no function {name!r} in {text!r}" for name in sorted(calls))


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
            yield from (f"{_named(element)}: {where}: {reason}" for reason in _unreadable(text[1:]))


def _people(process: Process, element: Element) -> Iterator[str]:
    if element.kind is not Kind.USER:
        return
    if not any(b.kind is Kind.BOUNDARY_TIMER for b in process.boundaries(element.id)):
        yield f"{_named(element)}: a user task without a deadline may wait for ever: attach a boundary timer to it"
    if not (element.extra.get("owner") or process.extra.get("owner")):
        yield f"{_named(element)}: nobody owns it: set orch:owner on it or on the process"
    if not (element.extra.get("queue") or element.extra.get("routing")):
        yield f"{_named(element)}: it has no queue: set orch:queue, or orch:routing"
    signatures = element.extra.get("signatures", "1")
    if not signatures.startswith("=") and not re.fullmatch(r"[1-9]", signatures):
        yield f"{_named(element)}: orch:signatures is {signatures!r}: write a number from 1 to 9, or = FEEL"
    for name, lowest in (("level", 1), ("priority", 0)):
        text = element.extra.get(name, "=")
        if not text.startswith("=") and not (re.fullmatch(r"\d", text) and int(text) >= lowest):
            yield f"{_named(element)}: orch:{name} is {text!r}: write a number from {lowest} to 9, or = FEEL"
    if element.extra.get("fallbackQueue") and element.extra.get("queue", "=")[0] != "=":
        yield f"{_named(element)}: orch:fallbackQueue has no use: orch:queue names one queue for all cases"


def _compensation(process: Process, element: Element) -> Iterator[str]:
    if element.kind is Kind.BOUNDARY_COMPENSATION:
        handler = process.elements.get(element.handler or "")
        if handler is None or not handler.is_handler or handler.kind is not Kind.SERVICE:
            yield (
                f'{_named(element)}: it needs an association to a service task with isForCompensation="true", '
                "which undoes the activity"
            )
    if element.kind in _THROWS:
        yield from _thrown(process, element)
    if element.is_handler and element.kind is not Kind.SERVICE:
        yield f"{_named(element)}: a compensation handler is a service task"
    if element.is_handler and process.incoming(element.id):
        yield f"{_named(element)}: a compensation handler is reached by association, not by sequence flow"


def _thrown(process: Process, throw: Element) -> Iterator[str]:
    undoable = {e.attached_to for e in process.elements.values() if e.kind is Kind.BOUNDARY_COMPENSATION}
    if throw.compensates is not None and throw.compensates not in undoable:
        yield f"{_named(throw)}: it undoes {throw.compensates!r}, which has no compensation event"
    elif not undoable:
        yield f"{_named(throw)}: it undoes nothing: no activity has a compensation event"


def _boundary(process: Process, element: Element) -> Iterator[str]:
    if element.kind not in _BOUNDARY:
        return
    host = process.elements.get(element.attached_to or "")
    if host is None or host.kind not in (Kind.SERVICE, Kind.USER, Kind.RULE):
        yield f"{_named(element)}: it sits on {_named(host) if host else 'nothing'}, which is no activity"
        return
    if host.is_handler:
        yield f"{_named(element)}: it sits on the compensation handler {_named(host)}, which nothing interrupts"
    if element.kind is Kind.BOUNDARY_TIMER and host.kind is not Kind.USER:
        yield f"{_named(element)}: a timer on a machine's step: not yet; set the worker's timeout_s"
    if element.kind is Kind.BOUNDARY_ERROR and host.kind is not Kind.SERVICE:
        yield f"{_named(element)}: {_named(host)} throws no business error: only a service task's worker does"
    if element.kind is not Kind.BOUNDARY_TIMER:
        alike = [b for b in process.boundaries(host.id) if (b.kind, b.error_code) == (element.kind, element.error_code)]
        if alike[0] is not element:
            yield f"{_named(element)}: {_named(alike[0])} on {_named(host)} catches the same first: take one out"


def _names(element: Element) -> Iterator[str]:
    if element.kind not in STATIONS:
        return
    if _ID.fullmatch(element.id) is None or keyword.iskeyword(element.id):
        yield (
            f"{_named(element)}: its id must be a name of letters, digits and _ that is no word of Python's: it names "
            "an op of the job and the step's answer in conditions"
        )
    elif element.id in RESERVED:
        yield f"{_named(element)}: the job has something of its own named {element.id}: give the element another id"


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


def _too_many_ways(process: Process) -> Iterator[str]:
    """Gateways behind gateways: each way is compiled, and their number can double at each."""
    counted: dict[str, tuple[int, int]] = {}  # gateway to the ways behind it, and how many gateways the longest has

    def count(gateway: str, depth: int) -> tuple[int, int]:
        if depth > MAX_GATEWAYS:
            return MAX_WAYS + 1, depth
        if gateway not in counted:
            onward = [
                count(flow.target, depth + 1)
                for flow in process.outgoing(gateway)
                if process.elements[flow.target].kind is Kind.EXCLUSIVE
            ]
            steps = len(process.outgoing(gateway)) - len(onward)
            counted[gateway] = (steps + sum(ways for ways, _ in onward), 1 + max((d for _, d in onward), default=0))
        return counted[gateway]

    for element in process.elements.values():
        if element.kind is Kind.EXCLUSIVE:
            ways, gateways = count(element.id, 0)
            if ways > MAX_WAYS or gateways > MAX_GATEWAYS:
                yield (
                    f"{_named(element)}: more than {MAX_WAYS} ways or {MAX_GATEWAYS} gateways in a row lead from it to "
                    "the next steps: put a business rule task in their place"
                )
                return


def fail_open_timers(process: Process) -> Iterator[str]:
    """Timers behind which something that needs an approval runs though nobody decided (invariant H5)."""
    if process.extra.get("timeoutMayApprove") == "true":
        return
    for timer, element in approving_timers(process):
        yield (
            f"{_named(timer)}: when time runs out, {_named(element)} can run though nobody approved: lead the "
            'timer elsewhere, or say orch:timeoutMayApprove="true" on the process'
        )


def approving_timers(process: Process) -> Iterator[tuple[Element, Element]]:
    """Timers, and what each leads to that needs an approval, with nobody and no table that decides between."""
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
                yield timer, element
            if element.kind in STATIONS and element.kind in (Kind.USER, Kind.RULE):
                continue  # somebody, or a table, decides again
            queue.extend(flow.target for flow in process.outgoing(element.id))
