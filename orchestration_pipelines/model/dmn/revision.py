"""What a new version of a DMN file changes: its tables are compared, and anything else that differs is no proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET

from orchestration_pipelines.model.dmn.document import Document, document
from orchestration_pipelines.model.dmn.elements import Decision, Element, Knowledge, Reference, Service
from orchestration_pipelines.model.dmn.model import Model
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.dmn.tightening import Care, Change, Comparison, compared
from orchestration_pipelines.model.xml import local, namespace

#: parts of a decision that change no answer
_BESIDE = frozenset({"description", "question", "allowedAnswers", "extensionElements"})
_DECIDING = frozenset(
    {"import", "itemDefinition", "inputData", "decision", "businessKnowledgeModel", "decisionService"}
)

#: the drawings' weighing of each decision that they ask; None where one of them says nothing
Cares = Mapping[str, Sequence[Care | None]]


def revised(name: str, before: tuple[bytes, Model], after: tuple[bytes, Model], cares: Cares) -> Comparison:
    """What a file changes; ``cares`` are by decision, as the drawings that ask for it have them."""
    told: list[Comparison] = []
    for reason in _elsewhere(document(before[0], name), document(after[0], name)):
        return Comparison(Change.LOOSENING, reason)
    for decision, old in before[1].decisions.items():
        new = after[1].decisions[decision]
        if isinstance(old.logic, DecisionTable) and isinstance(new.logic, DecisionTable):
            found = [compared(old.logic, new.logic, care) for care in cares.get(decision) or [None]]
            if any(each.change is not Change.NEUTRAL for each in found) and _required(after[1], new.id):
                found = [Comparison(Change.LOOSENING, f"other decisions stand on {decision}: no proof goes through")]
            told += found
    return next(
        (each for change in (Change.LOOSENING, Change.TIGHTENING) for each in told if each.change is change),
        Comparison(Change.NEUTRAL, "every answer is the same"),
    )


def _elsewhere(before: Document, after: Document) -> Iterator[str]:
    """What differs beside the tables that are the whole logic of a decision."""
    if _attributes(before.root) != _attributes(after.root):
        yield "the version or the namespace of the file is another: no proof goes through"
    old, new = _elements(before), _elements(after)
    for key in [*old, *(key for key in new if key not in old)]:
        if old.get(key) != new.get(key):
            what = "was there" if key not in new else "is new" if key not in old else "is not the same"
            yield f"{key[0]} {key[1]} {what}: only tables are compared"


def _attributes(root: ET.Element) -> tuple[str, ...]:
    return (root.tag, *(root.get(name, "") for name in ("namespace", "expressionLanguage", "typeLanguage")))


def _elements(read: Document) -> dict[tuple[str, str], str]:
    """The elements of a file in one form, without the tables of its decisions and what changes no answer."""
    found: dict[tuple[str, str], str] = {}
    for number, element in enumerate(read.children(read.root, *_DECIDING)):
        kind, kept = local(element.tag), element
        if kind == "decision":
            kept = ET.Element(element.tag, element.attrib)
            kept.extend(
                child
                for child in element
                if namespace(child) == read.dmn and local(child.tag) not in {*_BESIDE, "decisionTable"}
            )
        own = element.get("id") or element.get("name") or str(number)
        found[kind, own] = ET.canonicalize(ET.tostring(kept, encoding="unicode"), strip_text=True)
    return found


def _required(model: Model, decision: str) -> bool:
    """Whether anything in the model stands on a decision."""
    return any(
        reference.model is None and reference.id == decision
        for element in model.elements.values()
        for reference in _references(element)
    )


def _references(element: Element) -> Sequence[Reference]:
    match element:
        case Service():
            return (*element.inputs, *element.outputs)
        case Decision() | Knowledge():
            return element.requires
        case _:
            return ()
