"""What a BPMN file has that is drawn: its elements and lines, as their symbols need them known.

Wider than the profile that runs (``reader``): a picture of what is refused helps to mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from orchestration_pipelines.model.bpmn.profile import BPMN
from orchestration_pipelines.model.xml import local, namespace

_IN = "{" + BPMN + "}"
#: of a name, more is not drawn
MAX_NAME = 400

EVENTS = frozenset({"startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"})
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"})
SUBPROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
#: activities of one step, and the type that a symbol in their corner tells
TASKS = {
    "task": "",
    "userTask": "user",
    "serviceTask": "service",
    "businessRuleTask": "rule",
    "scriptTask": "script",
    "sendTask": "send",
    "receiveTask": "receive",
    "manualTask": "manual",
    "callActivity": "",
}
_GLOBAL = {
    "globalUserTask": "user",
    "globalScriptTask": "script",
    "globalManualTask": "manual",
    "globalBusinessRuleTask": "rule",
    "globalTask": "",
}
ACTIVITIES = frozenset(TASKS) | SUBPROCESSES
FLOW_NODES = EVENTS | GATEWAYS | ACTIVITIES
DATA = frozenset({"dataObjectReference", "dataObject", "dataStoreReference", "dataStore", "dataInput", "dataOutput"})
ARTIFACTS = frozenset({"textAnnotation", "group"})
POOLS = frozenset({"participant", "lane"})
LINES = frozenset({"sequenceFlow", "messageFlow", "association", "dataInputAssociation", "dataOutputAssociation"})


@dataclass(frozen=True, slots=True)
class Figure:
    """An element that is drawn as a shape."""

    id: str
    kind: str  #: its name in BPMN
    name: str
    parent: str = ""  #: the process, sub-process or participant that it stands in
    event: str = ""  #: of an event: timer, error, message …, or multiple; "" is a plain one
    task: str = ""  #: of a task: user, service, rule, script, send, receive, manual
    attached_to: str = ""  #: of a boundary event: its activity
    #: throws, non_interrupting, loop, parallel, sequential, compensation, ad_hoc, event_subprocess, transaction, call,
    #: calls_process, collection, instantiate, several, open (a pool of which the inside is known), marked (a gateway)
    traits: frozenset[str] = frozenset()
    holds: tuple[str, ...] = ()  #: of a lane: the elements in it; of a pool: its process


@dataclass(frozen=True, slots=True)
class Line:
    """A flow or an association."""

    id: str
    kind: str
    name: str
    source: str
    target: str
    traits: frozenset[str] = frozenset()  #: default, conditional, directed, both


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that a file could show, in document order."""

    title: str
    figures: Mapping[str, Figure]
    lines: Mapping[str, Line]
    processes: tuple[str, ...] = field(default=())


def contents(root: ET.Element) -> Contents:
    """Read the elements and the lines of a document."""
    known = {node.get("id", ""): node for node in root.iter() if node.get("id") and namespace(node) == BPMN}
    defaults = {node.get("default", "") for node in known.values()}
    figures: dict[str, Figure] = {}
    lines: dict[str, Line] = {}
    for parent, node in _nested(root, ""):
        kind, identity = local(node.tag), node.get("id", "")
        if namespace(node) != BPMN or not identity:
            continue
        if kind in LINES:
            lines.setdefault(identity, _line(kind, node, parent, known, defaults))
        elif kind in FLOW_NODES or kind in DATA or kind in ARTIFACTS or kind in POOLS:
            figures.setdefault(identity, _figure(kind, node, parent, known))
    processes = root.findall(f"{_IN}process")
    named = [clean(node.get(by, "")) for by in ("name", "id") for node in (*processes, root)]
    return Contents(
        title=next((name for name in named if name), "process"),
        figures=figures,
        lines=lines,
        processes=tuple(node.get("id", "") for node in processes),
    )


def reference(written: str | None) -> str:
    """The id that a QName refers to."""
    return (written or "").strip().rpartition(":")[2]


def clean(text: str) -> str:
    """A name on one line, without what would turn or hide what stands beside it."""
    line = " ".join(text[: 2 * MAX_NAME].split())
    return "".join(letter for letter in line if letter.isprintable())[:MAX_NAME]


def _nested(node: ET.Element, parent: str) -> Iterator[tuple[str, ET.Element]]:
    """Every element with the id of what it stands in."""
    for child in node:
        yield parent, child
        inside = child.get("id") or parent
        keeps = local(child.tag) not in ("laneSet", "lane", "childLaneSet", "ioSpecification", "collaboration")
        yield from _nested(child, inside if keeps else parent)


def _figure(kind: str, node: ET.Element, parent: str, known: Mapping[str, ET.Element]) -> Figure:
    return Figure(
        id=node.get("id", ""),
        kind=kind,
        name=_name(kind, node, known),
        parent=parent,
        event=_event(node) if kind in EVENTS else "",
        task=_task(kind, node, known),
        attached_to=reference(node.get("attachedToRef")) if kind == "boundaryEvent" else "",
        traits=frozenset(_traits(kind, node, known)),
        holds=_held(kind, node),
    )


def _name(kind: str, node: ET.Element, known: Mapping[str, ET.Element]) -> str:
    written = node.get("name") or ""
    if kind == "textAnnotation":
        written = node.findtext(f"{_IN}text") or ""
    elif kind == "group":
        category = known.get(reference(node.get("categoryValueRef")))
        written = written or (category.get("value", "") if category is not None else "")
    elif not written and kind in ("dataObjectReference", "dataStoreReference"):
        meant = known.get(reference(node.get("dataObjectRef") or node.get("dataStoreRef")))
        written = meant.get("name", "") if meant is not None else ""
    return clean(written)


def _event(node: ET.Element) -> str:
    found = [local(child.tag) for child in node if local(child.tag).endswith(("EventDefinition", "EventDefinitionRef"))]
    if len(found) > 1:
        return "parallel_multiple" if _true(node, "parallelMultiple") else "multiple"
    return found[0].removesuffix("EventDefinition") if found else ""


def _task(kind: str, node: ET.Element, known: Mapping[str, ET.Element]) -> str:
    if kind == "callActivity":
        called = known.get(reference(node.get("calledElement")))
        return _GLOBAL.get(local(called.tag), "") if called is not None else ""
    return TASKS.get(kind, "")


def _traits(kind: str, node: ET.Element, known: Mapping[str, ET.Element]) -> Iterator[str]:
    for child in node:
        name = local(child.tag)
        if name == "standardLoopCharacteristics":
            yield "loop"
        elif name == "multiInstanceLoopCharacteristics":
            yield "sequential" if _true(child, "isSequential") else "parallel"
        elif name == "participantMultiplicity":
            yield "several"
    said = {"isForCompensation": "compensation", "triggeredByEvent": "event_subprocess", "instantiate": "instantiate"}
    yield from (trait for attribute, trait in said.items() if _true(node, attribute))
    if kind in ("endEvent", "intermediateThrowEvent"):
        yield "throws"
    if node.get("cancelActivity") in ("false", "0") or node.get("isInterrupting") in ("false", "0"):
        yield "non_interrupting"
    if kind == "adHocSubProcess":
        yield "ad_hoc"
    elif kind == "transaction":
        yield "transaction"
    elif kind == "callActivity":
        yield "call"
        called = known.get(reference(node.get("calledElement")))
        if called is None or local(called.tag) == "process":
            yield "calls_process"
    elif kind == "participant" and node.get("processRef"):
        yield "open"
    elif kind in DATA:
        meant = known.get(reference(node.get("dataObjectRef")))
        if _true(node, "isCollection") or (meant is not None and _true(meant, "isCollection")):
            yield "collection"


def _held(kind: str, node: ET.Element) -> tuple[str, ...]:
    if kind == "lane":
        return tuple(reference(child.text) for child in node.findall(f"{_IN}flowNodeRef"))
    return (reference(node.get("processRef")),) if kind == "participant" and node.get("processRef") else ()


def _line(
    kind: str, node: ET.Element, parent: str, known: Mapping[str, ET.Element], defaults: set[str | None] | set[str]
) -> Line:
    source, target = reference(node.get("sourceRef")), reference(node.get("targetRef"))
    if kind == "dataInputAssociation":
        source, target = reference(node.findtext(f"{_IN}sourceRef")), parent
    elif kind == "dataOutputAssociation":
        source, target = parent, reference(node.findtext(f"{_IN}targetRef"))
    traits = set()
    if node.get("id") in defaults:
        traits.add("default")
    leaves = known.get(source)
    if leaves is not None and local(leaves.tag) in ACTIVITIES and node.find(f"{_IN}conditionExpression") is not None:
        traits.add("conditional")
    direction = node.get("associationDirection", "")
    if kind.startswith("data") or direction in ("One", "one"):
        traits.add("directed")
    elif direction in ("Both", "both"):
        traits |= {"directed", "both"}
    return Line(node.get("id", ""), kind, clean(node.get("name", "")), source, target, frozenset(traits))


def _true(node: ET.Element, attribute: str) -> bool:
    return node.get(attribute) in ("true", "1")
