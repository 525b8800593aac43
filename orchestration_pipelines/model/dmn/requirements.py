"""What the elements of a model require, and that no decision requires itself (DMN 1.5, clause 6.3.11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET

from orchestration_pipelines.model.dmn.document import Document
from orchestration_pipelines.model.dmn.elements import Reference
from orchestration_pipelines.model.dmn.items import name_of
from orchestration_pipelines.model.dmn.model import Model
from orchestration_pipelines.model.dmn.problems import Problem

#: the elements in which a reference is written, and those around them
_REQUIREMENTS = ("informationRequirement", "knowledgeRequirement")
_REQUIRED = ("requiredDecision", "requiredInput", "requiredKnowledge")


class Requirements:
    """The references of one file: to its own elements, and to those of the models that it imports."""

    def __init__(self, document: Document, imports: Mapping[str, Model], problems: list[Problem]) -> None:
        self._document, self._imports, self._problems = document, imports, problems

    def of(self, element: ET.Element) -> tuple[Reference, ...]:
        """What an element requires: inputs, decisions and functions."""
        drawn = [
            required
            for requirement in self._document.children(element, *_REQUIREMENTS)
            for required in self._document.children(requirement, *_REQUIRED)
        ]
        return self.referred(drawn, element)

    def referred(self, drawn: Sequence[ET.Element], element: ET.Element) -> tuple[Reference, ...]:
        """The references of some elements; what they name must be there."""
        found = []
        for reference in drawn:
            href = reference.get("href", "")
            target = self._target(href)
            if target is None:
                reason = (
                    f"it needs {href}, which neither this file nor one that it imports has: draw it, or the line anew"
                )
                name = name_of(element)
                self._problems.append(Problem(element.get("id") or name, name, "", reason))
            elif target not in found:
                found.append(target)
        return tuple(found)

    def _target(self, href: str) -> Reference | None:
        namespace, _, own = href.rpartition("#")
        if namespace in ("", self._document.namespace):
            return Reference(None, own) if own in self._document.by_id else None
        for name, model in self._imports.items():
            if model.namespace == namespace and own in model.elements:
                return Reference(name, own)
        return None


def circles(requires: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The ways on which something requires itself; each way once."""
    done: set[str] = set()
    for start in requires:
        if start in done:
            continue
        way: list[str] = [start]
        ahead: list[Iterator[str]] = [iter(requires[start])]
        standing = {start}
        while ahead:
            following = next(ahead[-1], None)
            if following is None:
                ahead.pop()
                left = way.pop()
                standing.discard(left)
                done.add(left)
            elif following in standing:
                yield (*way[way.index(following) :], following)
            elif following not in done and following in requires:
                way.append(following)
                standing.add(following)
                ahead.append(iter(requires[following]))
