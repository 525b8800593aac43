"""What a drawing says and the reader gives no meaning to: each is a reason to refuse it, none is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from orchestration_pipelines.model.bpmn import profile
from orchestration_pipelines.model.xml import local, namespace

_IN = "{" + profile.BPMN + "}"
_OURS = "{" + profile.OURS + "}"


def problems(root: ET.Element, drawn: ET.Element) -> Iterator[str]:
    """Everything around and inside the process that would be shown and not done."""
    yield from _beside(root)
    yield from _attributes(drawn, "process")
    defaults = {node.get("default"): node for node in drawn if node.get("default")}
    leaving = {(flow.get("id"), flow.get("sourceRef")) for flow in drawn.findall(f"{_IN}sequenceFlow")}
    for flow_id, node in defaults.items():
        if local(node.tag) != "exclusiveGateway":
            yield f"{named(node)}: a default flow means something at an exclusive gateway only: take it off"
        elif (flow_id, node.get("id")) not in leaving:
            yield f"{named(node)}: its default flow {flow_id!r} does not leave it"
    for node in drawn:
        kind = local(node.tag)
        if namespace(node) == profile.BPMN and kind in profile.ATTRIBUTES:
            if not node.get("id"):
                yield f"{named(node)}: it has no id: give it one"
            yield from _attributes(node, kind)
            yield from _inside(node)
    for lane in drawn.iter(f"{_IN}lane"):
        yield from _extensions(lane, "lane")
    yield from _languages(root, drawn)


def named(node: ET.Element) -> str:
    """An element as a person finds it in the drawing: by id and name, or by what it is."""
    identity = node.get("id") or f"a {local(node.tag)} without an id"
    return f"{identity} ({node.get('name')})" if node.get("name") else identity


def _beside(root: ET.Element) -> Iterator[str]:
    for child in root:
        kind = local(child.tag)
        if namespace(child) == profile.BPMN and kind not in profile.BESIDE:
            yield f"{named(child)}: a {kind} beside the process is not supported: take it out"
    for collaboration in root.findall(f"{_IN}collaboration"):
        for child in collaboration:
            kind = local(child.tag)
            if kind == "messageFlow":
                yield f"{named(child)}: a message flow is not supported: a worker or a user task does what it shows"
            elif kind.endswith(("onversation", "onversationNode", "onversationLink")):
                yield f"{named(child)}: a {kind} is not supported: draw a process"
        for participant in collaboration.iter(f"{_IN}participantMultiplicity"):
            yield f"{named(collaboration)}: {named(participant)} is not supported: a pool stands for one participant"


def _attributes(node: ET.Element, kind: str) -> Iterator[str]:
    for name, value in node.attrib.items():
        if name.startswith("{") or name in ("id", "name", "default"):
            continue
        if name not in profile.ATTRIBUTES[kind]:
            yield f"{named(node)}: the attribute {name} is not in the profile of a {kind}: take it off"
        elif value != profile.ONLY.get(name, value):
            yield f"{named(node)}: {name}={value!r} is not supported: it can only be {profile.ONLY[name]}"
    yield from _extensions(node, kind)


def _extensions(node: ET.Element, kind: str) -> Iterator[str]:
    known = profile.EXTENSIONS.get(kind, {})
    for key, value in node.attrib.items():
        name = key.removeprefix(_OURS)
        if name == key:
            continue
        if name not in known:
            meant = ", ".join(f"orch:{other}" for other in known) or "none"
            yield f"{named(node)}: orch:{name} means nothing on a {kind}: there are {meant}"
        elif name in profile.FLAGS and value not in ("true", "false"):
            yield f"{named(node)}: orch:{name} is {value!r}: write true or false"
        elif value not in profile.CHOICES.get(name, (value,)):
            yield f"{named(node)}: orch:{name} is {value!r}: write {' or '.join(profile.CHOICES[name])}"
    for extension in node.findall(f"{_IN}extensionElements/*"):
        if namespace(extension) == profile.OURS:
            yield (
                f"{named(node)}: orch:{local(extension.tag)} stands in extensionElements, where it is not read: "
                "write it as an attribute"
            )


def _inside(node: ET.Element) -> Iterator[str]:
    for child in node:
        kind = local(child.tag)
        if namespace(child) != profile.BPMN:
            yield f"{named(node)}: {kind} of another tool stands outside extensionElements: move it into them"
        elif kind in ("dataInputAssociation", "dataOutputAssociation"):
            for mapping in child:
                if local(mapping.tag) in ("assignment", "transformation"):
                    yield f"{named(node)}: a data {local(mapping.tag)} is not done: workers declare their inputs"
        elif kind == "compensateEventDefinition" and child.get("waitForCompletion", "true") not in ("true", "1"):
            yield f"{named(node)}: waitForCompletion={child.get('waitForCompletion')!r} does not run: it waits"
        elif kind == "eventDefinitionRef":
            yield f"{named(node)}: eventDefinitionRef is not read: put the event definition into the event"


def _languages(root: ET.Element, drawn: ET.Element) -> Iterator[str]:
    general = root.get("expressionLanguage", "")
    for flow in drawn.findall(f"{_IN}sequenceFlow"):
        condition = flow.find(f"{_IN}conditionExpression")
        if condition is None:
            continue
        text = (condition.text or "").strip()
        language = condition.get("language") or general
        if not text:
            yield f"{named(flow)}: its condition is empty: write it in FEEL, or take it out"
        elif text.startswith(("${", "#{")) or (language and "feel" not in language.lower()):
            said = f" (the file says {language})" if language else ""
            yield f'{named(flow)}: its condition {text!r} is not FEEL{said}: write it in FEEL, such as  route = "auto"'
