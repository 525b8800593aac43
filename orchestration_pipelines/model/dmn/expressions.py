"""Reading boxed expressions: from XML to what can be evaluated, with the names that each of them sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn import boxed
from orchestration_pipelines.model.dmn.document import Document, foreign
from orchestration_pipelines.model.dmn.items import Items, name_of
from orchestration_pipelines.model.dmn.problems import DmnRefused, Problem
from orchestration_pipelines.model.dmn.rules import read_table
from orchestration_pipelines.model.feel.function import Parameter
from orchestration_pipelines.model.feel.names import plain
from orchestration_pipelines.model.feel.types import ANY, FunctionType, Type
from orchestration_pipelines.model.xml import local

Names = frozenset[str]

#: how much FEEL is read in one file: characters, and so many more for each text; about two seconds' work
MAX_FEEL = 800_000
_A_TEXT = 40


@dataclass(frozen=True)
class Place:
    """Where in a model something stands: for problems, and for the names that are seen there."""

    id: str  #: of the nearest element with an id
    owner: str  #: the decision, function or service around it
    names: Names  #: seen there
    entry: str = ""  #: the entry or rule within the owner

    def seeing(self, *names: str) -> Place:
        """The same place with more names in sight."""
        return replace(self, names=self.names | set(names))

    def at(self, entry: str) -> Place:
        """A place within it."""
        return replace(self, entry=f"{self.entry} {entry}".strip())

    def problem(self, reason: str) -> Problem:
        """What is wrong here."""
        return Problem(self.id, self.owner, self.entry, reason)

    @property
    def name(self) -> str:
        """For a record: the owner, and the entry within it."""
        return f"{self.owner}, {self.entry}" if self.entry else self.owner


class Expressions:
    """The reader of one file's expressions. What it cannot read, or what makes no sense, becomes a problem."""

    def __init__(self, document: Document, items: Items, members: Names, problems: list[Problem]) -> None:
        self.document, self.problems = document, problems
        self._items, self._members = items, members
        self._texts: set[str] = set()
        self._left = MAX_FEEL
        self.unknown: set[str] = set()  #: names that were read and not in sight, since it was last emptied
        self._readers: dict[str, Callable[[ET.Element, Place], boxed.Logic]] = {
            "literalExpression": self._literal,
            "decisionTable": self._table,
            "context": self._context,
            "invocation": self._invocation,
            "list": self._list,
            "relation": self._relation,
            "functionDefinition": self._function,
            "conditional": self._conditional,
            "filter": self._filter,
            "for": self._for,
            "some": self._quantified,
            "every": self._quantified,
        }

    # -- texts

    def text(self, text: str, place: Place) -> boxed.Logic:
        """A text in FEEL; none at all is null."""
        try:
            return boxed.Literal(self.compiled(text or "null", place))
        except feel.FeelError as error:
            return self.trouble(place, str(error))

    def compiled(self, text: str, place: Place) -> feel.Expression:
        """The same; FeelError if it cannot be read."""
        self._count(text)
        return self._noted(feel.compile(text, place.names, self._types(text), self._members), place)

    def tests(self, text: str, place: Place) -> feel.Expression:
        """Unary tests; FeelError if they cannot be read."""
        self._count(text)
        return self._noted(feel.unary_tests(text, place.names, self._types(text), self._members), place)

    def _count(self, text: str) -> None:
        if text in self._texts:
            return
        self._texts.add(text)
        self._left -= _A_TEXT + len(text)
        if self._left < 0:
            raise DmnRefused(
                self.document.name,
                [f"it has more FEEL than is read ({len(self._texts):,} texts so far): split it into files that import"],
            )

    def _types(self, text: str) -> Mapping[str, Type]:
        """The types that a text may name; reading one without them is quicker, and most name none."""
        return self._items.types if "instance" in text or "function" in text else {}

    def _noted(self, expression: feel.Expression, place: Place) -> feel.Expression:
        self.unknown |= expression.names - place.names - self._members
        for name in sorted(expression.calls - place.names - self._members):
            self.problems.append(place.problem(f"there is no function {name!r}: define it, or require the one that is"))
        return expression

    def trouble(self, place: Place, reason: str) -> boxed.Logic:
        """What stands for an element that cannot be evaluated."""
        problem = place.problem(reason)
        self.problems.append(problem)
        return boxed.Unreadable(problem)

    def typed(self, logic: boxed.Logic, reference: str | None, place: Place) -> boxed.Logic:
        """The expression held against a type, if one is named."""
        item = self.type_of(reference, place)
        return logic if item is ANY else boxed.Typed(logic, item, place.name)

    def type_of(self, reference: str | None, place: Place) -> Type:
        """The type of this name; one that is defined nowhere is a problem, and holds anything."""
        found = self._items.named(reference) if reference else ANY
        if found is None:
            self.problems.append(
                place.problem(f"the type {reference!r} is defined nowhere: define it, or name another")
            )
            return ANY
        return found

    # -- expressions

    def inside(self, parent: ET.Element, place: Place) -> boxed.Logic:
        """The expression that an element holds."""
        element = self.document.boxed(parent)
        return boxed.Nothing(place.name) if element is None else self.logic(element, place)

    def part(self, parent: ET.Element, kind: str, place: Place) -> boxed.Logic:
        """The expression in a named part of another, such as ``then``."""
        element = self.document.child(parent, kind)
        if element is None:
            return self.trouble(place, f"a {local(parent.tag)} without {kind}: add it")
        logic = self.inside(element, place.at(kind))
        return self.typed(logic, element.get("typeRef"), place)

    def logic(self, element: ET.Element, place: Place) -> boxed.Logic:
        """A boxed expression, held against the type that it names."""
        place = replace(place, id=element.get("id") or place.id)
        logic = self._readers[local(element.tag)](element, place)
        if local(element.tag) == "functionDefinition":
            return logic  # its type is that of what it gives, and held there
        return self.typed(logic, element.get("typeRef"), place)

    def _literal(self, element: ET.Element, place: Place) -> boxed.Logic:
        if self.document.child(element, "importedValues") is not None:
            return self.trouble(place, "its values are imported from another file: write them here")
        if reason := foreign(element):
            return self.trouble(place, reason)
        return self.text(self.document.text(element), place)

    def _table(self, element: ET.Element, place: Place) -> boxed.Logic:
        return read_table(self, element, place)

    def _context(self, element: ET.Element, place: Place) -> boxed.Logic:
        entries: list[boxed.Entry] = []
        result: boxed.Logic | None = None
        drawn = self.document.children(element, "contextEntry")
        for number, entry in enumerate(drawn, 1):
            variable = self.document.child(entry, "variable")
            if variable is None:
                if number < len(drawn):
                    return self.trouble(place, f"entry {number} has no name, and is not the last: name it")
                result = self.inside(entry, place.at("result"))
                continue
            name = name_of(variable)
            logic = self.typed(self.inside(entry, place.at(name)), variable.get("typeRef"), place.at(name))
            entries.append(boxed.Entry(name, logic))
            place = place.seeing(name)
        return boxed.Boxed(tuple(entries), result)

    def _invocation(self, element: ET.Element, place: Place) -> boxed.Logic:
        bindings: list[tuple[str, boxed.Logic]] = []
        for binding in self.document.children(element, "binding"):
            parameter = self.document.child(binding, "parameter")
            name = "" if parameter is None else name_of(parameter)
            logic = self.inside(binding, place.at(name))
            reference = None if parameter is None else parameter.get("typeRef")
            bindings.append((name, self.typed(logic, reference, place.at(name))))
        callee = self.document.boxed(element)
        name = self.document.text(callee)
        return boxed.Invoked(self.inside(element, place), name, tuple(bindings))

    def _list(self, element: ET.Element, place: Place) -> boxed.Logic:
        items = [c for c in self.document.children(element) if local(c.tag) in self._readers]
        return boxed.Listed(tuple(self.logic(item, place.at(f"item {n}")) for n, item in enumerate(items, 1)))

    def _relation(self, element: ET.Element, place: Place) -> boxed.Logic:
        columns = self.document.children(element, "column")
        rows = []
        for number, row in enumerate(self.document.children(element, "row"), 1):
            cells = [c for c in self.document.children(row) if local(c.tag) in self._readers]
            if len(cells) != len(columns):
                return self.trouble(place, f"row {number} has {len(cells)} cells for {len(columns)} columns")
            rows.append(
                tuple(
                    self.typed(self.logic(cell, place.at(f"row {number}")), column.get("typeRef"), place)
                    for cell, column in zip(cells, columns, strict=True)
                )
            )
        return boxed.Related(tuple(map(name_of, columns)), tuple(rows))

    # -- functions

    def function(self, element: ET.Element, result: Type, place: Place) -> boxed.Closure:
        """A function definition, or the logic of a business knowledge model."""
        parameters = tuple(
            Parameter(name_of(drawn), self.type_of(drawn.get("typeRef"), place.at(name_of(drawn))))
            for drawn in self.document.children(element, "formalParameter")
        )
        kind = element.get("kind", "FEEL")
        if kind not in ("FEEL", "F"):
            body = self.trouble(place, f"a function of the kind {kind} is not run: write it in FEEL")
        else:
            body = self.inside(element, place.seeing(*(parameter.name for parameter in parameters)))
        return boxed.Closure(place.name, parameters, result, body)

    def _function(self, element: ET.Element, place: Place) -> boxed.Logic:
        item = self.type_of(element.get("typeRef"), place)
        return self.function(element, item.result if isinstance(item, FunctionType) else ANY, place)

    # -- of DMN 1.4

    def _conditional(self, element: ET.Element, place: Place) -> boxed.Logic:
        return boxed.Chosen(*(self.part(element, kind, place) for kind in ("if", "then", "else")))

    def _filter(self, element: ET.Element, place: Place) -> boxed.Logic:
        inner = place.seeing("item", *self._members)
        return boxed.Filtered(self.part(element, "in", place), self.part(element, "match", inner))

    def _for(self, element: ET.Element, place: Place) -> boxed.Logic:
        variable = plain(element.get("iteratorVariable", ""))
        source = self.part(element, "in", place)
        result = self.part(element, "return", place.seeing(variable, "partial"))
        return boxed.Iterated(variable, source, result, any("partial" in (each.text or "") for each in element.iter()))

    def _quantified(self, element: ET.Element, place: Place) -> boxed.Logic:
        variable = plain(element.get("iteratorVariable", ""))
        source = self.part(element, "in", place)
        satisfies = self.part(element, "satisfies", place.seeing(variable))
        return boxed.Quantified(local(element.tag) == "every", variable, source, satisfies)
