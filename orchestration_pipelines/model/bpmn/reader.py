"""From BPMN 2.0 XML to a process. Everything is read or refused: no element is passed over in silence."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

from orchestration_pipelines.model import checks
from orchestration_pipelines.model.bpmn import leftovers, profile
from orchestration_pipelines.model.duration import is_duration
from orchestration_pipelines.model.process import Element, Flow, Kind, Process, Timer
from orchestration_pipelines.model.xml import XmlRefused, content_of, local, namespace, parse

_IN = "{" + profile.BPMN + "}"


class ModelRefused(ValueError):
    """A model that would do less than it shows; the message lists every reason."""

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{name} is refused:\n" + "\n".join(f"  - {problem}" for problem in self.problems))


def load(path: str | Path) -> Process:
    """Read a BPMN file; :class:`ModelRefused` says everything that is wrong with it."""
    return loads(content_of(Path(path)), Path(path).name)


def loads(content: bytes, name: str) -> Process:
    """Read BPMN XML."""
    try:
        root = parse(content, name)
    except XmlRefused as error:
        raise ModelRefused(name, [str(error)]) from None
    if root.tag != f"{_IN}definitions":
        raise ModelRefused(name, [f"its root is {root.tag}, not the definitions of a BPMN 2.0 file"])
    reader = _Reader(root)
    process = reader.process(sha256(content).hexdigest())
    problems = reader.problems or (list(checks.problems(process)) if process is not None else [])
    if process is None or problems:
        raise ModelRefused(name, problems or ["it has no executable process"])
    return process


class _Reader:
    def __init__(self, root: ET.Element) -> None:
        self._root = root
        self.problems: list[str] = []
        self._errors = {e.get("id"): e.get("errorCode") for e in root.iter(f"{_IN}error")}
        self._lane_of: dict[str, str] = {}
        self._lanes: dict[str, str] = {}
        self._handlers: dict[str, str] = {}

    def process(self, digest: str) -> Process | None:
        processes = self._root.findall(f"{_IN}process")
        candidates = [process for process in processes if _is_true(process.get("isExecutable"))]
        if len(candidates) != 1:
            self.problems.append(
                f'the file has {len(candidates)} processes with isExecutable="true"; exactly one can run, of: '
                + (", ".join(map(leftovers.named, processes)) or "none")
            )
            return None
        drawn = candidates[0]
        self.problems.extend(leftovers.problems(self._root, drawn))
        self._read_lanes(drawn)
        self._read_associations(drawn)
        defaults = {(child.get("id", ""), child.get("default")) for child in drawn}
        elements: dict[str, Element] = {}
        flows: list[Flow] = []
        for child in drawn:
            if namespace(child) != profile.BPMN:
                continue  # another tool's, kept in the file and of no effect
            kind = local(child.tag)
            if kind == "sequenceFlow":
                flows.append(_flow(child, defaults))
            elif kind not in profile.DOCUMENTATION:
                element = self._element(kind, child)
                if element is not None and element.id in elements:
                    self.problems.append(f"{element.id}: two elements have this id; give each its own")
                elif element is not None:
                    elements[element.id] = element
        return Process(
            id=drawn.get("id", ""),
            name=drawn.get("name") or drawn.get("id") or "",
            elements=elements,
            flows=tuple(flows),
            digest=digest,
            lanes=self._lanes,
            extra=_attributes(drawn, profile.OURS),
            documentation=_documentation(drawn),
        )

    def _refuse(self, node: ET.Element, reason: str) -> None:
        self.problems.append(f"{leftovers.named(node)}: {reason}")

    def _read_lanes(self, drawn: ET.Element) -> None:
        for lane in drawn.iter(f"{_IN}lane"):
            name = lane.get("name") or lane.get("id") or ""
            role = _attributes(lane, profile.OURS).get("role")
            if role is None:
                continue  # a picture: the standard gives lanes no meaning
            self._lanes[name] = role
            for reference in lane.findall(f"{_IN}flowNodeRef"):
                self._lane_of[(reference.text or "").strip()] = name

    def _read_associations(self, drawn: ET.Element) -> None:
        handlers = {node.get("id", "") for node in drawn if _is_true(node.get("isForCompensation"))}
        for association in drawn.findall(f"{_IN}association"):
            event, handler = association.get("sourceRef", ""), association.get("targetRef", "")
            if handler not in handlers:
                continue  # it leads to a note
            if event in self._handlers:
                self._refuse(association, f"{event} has a second handler, {handler}: one undoes the activity")
            self._handlers[event] = handler

    def _element(self, kind: str, node: ET.Element) -> Element | None:
        if kind in profile.ACTIVITIES:
            return self._activity(profile.ACTIVITIES[kind], node)
        if kind == "exclusiveGateway":
            return self._made(Kind.EXCLUSIVE, node)
        if kind == "startEvent":
            return self._start(node)
        if kind == "endEvent":
            return self._event(node, profile.END_EVENTS, "end event")
        if kind == "boundaryEvent":
            return self._boundary(node)
        if kind == "intermediateThrowEvent":
            return self._event(node, profile.INTERMEDIATE_EVENTS, "intermediate throw event")
        self._refuse(
            node,
            f"a {kind} is refused: {profile.REFUSED.get(kind, 'it is not in the profile (docs/bpmn-profile.md)')}",
        )
        return None

    def _activity(self, kind: Kind, node: ET.Element) -> Element:
        for child in node:
            name = local(child.tag)
            if name in ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"):
                self._refuse(node, f"{name} is refused: not yet; orch:signatures asks several people")
        ours = _attributes(node, profile.OURS)
        calls = ours.get("worker") if kind is Kind.SERVICE else ours.get("decision")
        return self._made(kind, node, calls=calls, is_handler=_is_true(node.get("isForCompensation")))

    def _start(self, node: ET.Element) -> Element:
        for definition in _definitions(node):
            name = local(definition.tag)
            self._refuse(
                node,
                f"a start event with {name}: {profile.START_EVENTS.get(name, 'not supported: use a plain one')}",
            )
        return self._made(Kind.START, node)

    def _event(self, node: ET.Element, kinds: dict[str | None, Kind] | dict[str, Kind], what: str) -> Element | None:
        definitions = _definitions(node)
        name = local(definitions[0].tag) if definitions else None
        if len(definitions) > 1 or name not in kinds:
            wanted = ", ".join(str(kind or "none") for kind in kinds)
            self._refuse(node, f"this {what} is refused: {name or 'none'} is not read yet; use one of {wanted}")
            return None
        kind = kinds[name]  # type: ignore[index] # the test above says that it is in
        error = self._error(node, definitions[0]) if name == "errorEventDefinition" else None
        compensates = definitions[0].get("activityRef") if name == "compensateEventDefinition" else None
        return self._made(kind, node, error_code=error, compensates=compensates)

    def _error(self, node: ET.Element, definition: ET.Element) -> str | None:
        reference = definition.get("errorRef")
        if reference is None:
            return None
        code = self._errors.get(reference)
        if code is None:
            self._refuse(node, f"it names the error {reference!r}, which has no errorCode in this file: add an <error>")
        return code

    def _boundary(self, node: ET.Element) -> Element | None:
        element = self._event(node, profile.BOUNDARY_EVENTS, "boundary event")
        if element is None:
            return None
        cancels = _is_true(node.get("cancelActivity", "true"))
        if not cancels and element.kind is Kind.BOUNDARY_TIMER:
            self._refuse(node, "a non-interrupting timer is refused: not yet; use an interrupting one")
        elif not cancels and element.kind is Kind.BOUNDARY_ERROR:
            self._refuse(node, "an error always interrupts its activity: take cancelActivity off")
        timer = self._timer(node) if element.kind is Kind.BOUNDARY_TIMER else None
        return self._made(
            element.kind,
            node,
            attached_to=node.get("attachedToRef"),
            cancel_activity=cancels,
            error_code=element.error_code,
            timer=timer,
            handler=self._handlers.get(element.id) if element.kind is Kind.BOUNDARY_COMPENSATION else None,
        )

    def _timer(self, node: ET.Element) -> Timer | None:
        written = [
            (name, (found.text or "").strip())
            for name in ("timeDate", "timeDuration", "timeCycle")
            for found in node.iter(_IN + name)
        ]
        if len(written) != 1:
            self._refuse(
                node,
                f"a timer needs exactly one of timeDate, timeDuration and timeCycle and has {len(written)}",
            )
            return None
        name, text = written[0]
        if name == "timeCycle":
            self._refuse(node, "a cycle on an interrupting timer fires once: use timeDuration")
        elif not text.startswith("=") and is_duration(text) != (name == "timeDuration"):
            self._refuse(node, f"{text!r} is no {name}: P3D is a timeDuration, 2026-03-01T09:00:00+01:00 a timeDate")
        return Timer(name.removeprefix("time").lower(), text)

    def _made(
        self,
        kind: Kind,
        node: ET.Element,
        *,
        attached_to: str | None = None,
        cancel_activity: bool = True,
        error_code: str | None = None,
        timer: Timer | None = None,
        compensates: str | None = None,
        is_handler: bool = False,
        handler: str | None = None,
        calls: str | None = None,
    ) -> Element:
        identity = node.get("id", "")
        for child in node:
            name = local(child.tag)
            known = name in profile.NODE_CHILDREN or name.endswith(("EventDefinition", "LoopCharacteristics"))
            if namespace(child) == profile.BPMN and not known:
                self._refuse(node, f"{name} inside it is not in the profile: take it out")
        return Element(
            id=identity,
            name=node.get("name") or identity,
            kind=kind,
            lane=self._lane_of.get(identity),
            attached_to=attached_to,
            cancel_activity=cancel_activity,
            error_code=error_code,
            timer=timer,
            compensates=compensates,
            is_handler=is_handler,
            handler=handler,
            calls=calls,
            documentation=_documentation(node),
            extra=_attributes(node, profile.OURS),
            hints=_hints(node),
        )


def _definitions(node: ET.Element) -> list[ET.Element]:
    return [
        child for child in node if namespace(child) == profile.BPMN and local(child.tag).endswith("EventDefinition")
    ]


def _is_true(written: str | None) -> bool:
    return written in ("true", "1")


def _flow(node: ET.Element, defaults: set[tuple[str, str | None]]) -> Flow:
    text = (node.findtext(f"{_IN}conditionExpression") or "").strip().removeprefix("=").strip()
    source = node.get("sourceRef", "")
    return Flow(
        id=node.get("id", ""),
        name=node.get("name", ""),
        source=source,
        target=node.get("targetRef", ""),
        condition=text or None,
        is_default=(source, node.get("id")) in defaults,
    )


def _attributes(node: ET.Element, of: str) -> dict[str, str]:
    prefix = "{" + of + "}"
    return {key.removeprefix(prefix): value for key, value in node.attrib.items() if key.startswith(prefix)}


def _hints(node: ET.Element) -> dict[str, str]:
    return {
        local(key): value
        for key, value in node.attrib.items()
        if key.startswith("{") and key[1:].startswith(profile.HINTS)
    }


def _documentation(node: ET.Element) -> str:
    return " ".join("".join(node.findtext(f"{_IN}documentation") or "").split())
