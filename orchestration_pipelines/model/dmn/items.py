"""Item definitions as FEEL types (DMN 1.5, clause 7.3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.document import Document, foreign, said
from orchestration_pipelines.model.dmn.problems import Problem
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.names import plain
from orchestration_pipelines.model.feel.nodes import INPUT
from orchestration_pipelines.model.feel.types import ANY, LIST, TYPES, ContextType, FunctionType, ListType, Type


@dataclass(frozen=True, slots=True, eq=False)
class Restricted(Type):
    """A type of which only some values are allowed."""

    name: str
    base: Type
    allowed: feel.Expression  #: unary tests

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """Of the base, and one of those allowed; null is."""
        return self.base.conforms(value, evaluation) and self.allows(value, evaluation)

    def allows(self, value: Any, evaluation: Evaluation) -> bool:
        """Whether a value of the base is one of those allowed."""
        return value is None or self.allowed.evaluate({INPUT: value}, evaluation) is True

    def admits(self, other: Type) -> bool:
        """Itself alone: what other types allow is not compared."""
        return other is self

    def __str__(self) -> str:
        return f"{self.name} ({self.base}: {self.allowed.text})" if self.name else f"{self.base}: {self.allowed.text}"


@dataclass(frozen=True, slots=True, eq=False)
class Named(Type):
    """A definition that is named within itself, such as a tree whose branches are trees."""

    name: str
    definitions: Mapping[str, Type]

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """As the definition."""
        with evaluation.deeper():
            return self.definitions[self.name].conforms(value, evaluation)

    def admits(self, other: Type) -> bool:
        """Itself alone."""
        return other is self or other is self.definitions[self.name]

    def __str__(self) -> str:
        return self.name


class Items:
    """The types that a file can name: its own, and those of the models that it imports as ``import.type``."""

    def __init__(
        self,
        document: Document,
        imported: Mapping[str, Mapping[str, Type]],
        problems: list[Problem],
        refused: list[str],
    ) -> None:
        self._document, self._problems, self._refused = document, problems, refused
        self._drawn = {name_of(element): element for element in document.children(document.root, "itemDefinition")}
        self._reading: list[str] = []
        self.types: dict[str, Type] = {
            f"{model}.{name}" if model else name: item
            for model, items in imported.items()
            for name, item in items.items()
        }
        self.own: dict[str, Type] = {}
        for name in self._drawn:
            self.named(name)

    def named(self, reference: str) -> Type | None:
        """The type of this name, or None if it is defined nowhere."""
        name = plain(reference.removeprefix("feel:"))
        if name in TYPES:
            return TYPES[name]
        if name in self.types:
            return self.types[name]
        if name not in self._drawn:
            return None
        if name in self._reading:
            return Named(name, self.types)
        self._reading.append(name)
        item = self._defined(self._drawn[name], name)
        self._reading.pop()
        if isinstance(_unrestricted(item), Named):
            self._refused.append(f"{said(self._drawn[name])}: the type {name!r} is defined by itself")
            item = ANY
        self.types[name] = self.own[name] = item
        return item

    def _defined(self, element: ET.Element, name: str) -> Type:
        if reason := foreign(element):
            self._problem(element, reason)
        item = self._restricted(self._base(element, name), element, "allowedValues", name)
        if element.get("isCollection") == "true":
            item = TYPES[LIST] if item is ANY else ListType(item)
        return self._restricted(item, element, "typeConstraint", name)

    def _base(self, element: ET.Element, name: str) -> Type:
        components = self._document.children(element, "itemComponent")
        if components:
            return ContextType(tuple((name_of(c), self._defined(c, f"{name}.{name_of(c)}")) for c in components))
        signature = self._document.child(element, "functionItem")
        if signature is not None:
            parameters = self._document.children(signature, "parameters")
            return FunctionType(
                tuple(self._referred(parameter.get("typeRef"), element) for parameter in parameters),
                self._referred(signature.get("outputTypeRef"), element),
            )
        written = self._document.child(element, "typeRef")
        return self._referred(None if written is None else written.text, element)

    def _referred(self, reference: str | None, element: ET.Element) -> Type:
        if not reference or not reference.strip():
            return ANY
        found = self.named(reference)
        if found is None:
            self._problem(element, f"the type {reference!r} is defined nowhere: define it, or name another")
        return found or ANY

    def _restricted(self, item: Type, element: ET.Element, kind: str, name: str) -> Type:
        text = self._document.text(self._document.child(element, kind))
        if not text:
            return item
        try:
            return Restricted(name, item, feel.unary_tests(text, types=self.types))
        except feel.FeelError as error:
            self._problem(element, str(error))
            return item

    def _problem(self, element: ET.Element, reason: str) -> None:
        self._problems.append(Problem(element.get("id") or name_of(element), name_of(element), "", reason))


def _unrestricted(item: Type) -> Type:
    while isinstance(item, Restricted):
        item = item.base
    return item


def name_of(element: ET.Element) -> str:
    """The name of an element, with one space where any white space is written."""
    return plain(element.get("name", ""))
