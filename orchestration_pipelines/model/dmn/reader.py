"""Reading a DMN file: its elements, what they require, and the models that it imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from orchestration_pipelines.model.dmn import boxed
from orchestration_pipelines.model.dmn.document import Document, document, said
from orchestration_pipelines.model.dmn.elements import Decision, Element, InputData, Knowledge, Reference, Service
from orchestration_pipelines.model.dmn.expressions import Expressions, Place
from orchestration_pipelines.model.dmn.imports import MAX_IMPORTS, Folder, Given, Shelf
from orchestration_pipelines.model.dmn.items import Items, name_of
from orchestration_pipelines.model.dmn.model import Model
from orchestration_pipelines.model.dmn.problems import DmnRefused, Problem
from orchestration_pipelines.model.dmn.profile import NAMESPACES
from orchestration_pipelines.model.dmn.requirements import Requirements, circles
from orchestration_pipelines.model.feel.types import ANY, FunctionType, Type
from orchestration_pipelines.model.xml import content_of, local


def load(path: str | Path) -> Model:
    """Read a DMN file; the models that it imports are looked for beside it."""
    place = Path(path)
    return _Library(Shelf(Folder(place.parent))).model(document(content_of(place), place.name))


def loads(content: bytes, name: str, beside: Mapping[str, bytes] | None = None) -> Model:
    """Read DMN XML, with other files that it may import; :class:`DmnRefused` says everything that is wrong with it."""
    return _Library(Shelf(Given(beside or {}))).model(document(content, name))


class _Library:
    """Models that import each other, each read once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._models: dict[str, Model] = {}

    def model(self, read: Document, importing: tuple[str, ...] = ()) -> Model:
        """The model of a document, after those that it imports."""
        if read.digest not in self._models:
            imports, problems = self._imports(read, (*importing, read.name))
            self._models[read.digest] = _Reader(read, imports, problems).model()
        return self._models[read.digest]

    def _imports(self, read: Document, importing: tuple[str, ...]) -> tuple[dict[str, Model], list[Problem]]:
        found: dict[str, Model] = {}
        problems: list[Problem] = []
        refused: list[str] = []
        for element in read.children(read.root, "import"):
            name, wanted = element.get("name", ""), element.get("namespace", "")
            if (kind := element.get("importType", "")) not in NAMESPACES:
                problems.append(Problem(said(element), "", "", f"it imports {kind}: only DMN 1.3 to 1.5 is imported"))
                continue
            beside = self._shelf.find(wanted, element.get("locationURI", ""))
            if beside is None:
                refused.append(
                    f"{said(element)}: no file beside it has the namespace {wanted!r}: put the model that it imports "
                    "into the same folder"
                )
            elif beside.name in importing:
                circle = " → ".join([*importing[importing.index(beside.name) :], beside.name])
                refused.append(f"{said(element)}: models import each other in a circle ({circle}): take one import out")
            elif len(importing) > MAX_IMPORTS:
                refused.append(f"{said(element)}: more than {MAX_IMPORTS} models import each other in a row")
            elif name in found:
                refused.append(f"{said(element)}: a second import has the name {name!r}; give each its own")
            else:
                found[name] = self.model(beside, importing)
        if refused:
            raise DmnRefused(read.name, refused)
        return found, problems


class _Reader:
    """One file, with the models that it imports."""

    def __init__(self, read: Document, imports: Mapping[str, Model], problems: list[Problem]) -> None:
        self._document, self._imports, self._problems = read, imports, problems
        self._refused: list[str] = []
        self._items = Items(read, {name: model.types for name, model in imports.items()}, problems, self._refused)
        self._requirements = Requirements(read, imports, problems)
        members = members_of(read).union(*(model.members for model in imports.values()))
        self._members = members
        self._expressions = Expressions(read, self._items, members, problems)
        self._variables = {own: self._variable(element) for own, element in read.by_id.items()}
        self._names = frozenset(self._variables.values()) | {name for name in imports if name}
        for name, model in imports.items():
            self._names |= model.names if not name else frozenset()

    def model(self) -> Model:
        """The model; DmnRefused if it makes no sense."""
        readers: dict[str, Callable[[ET.Element, str], Element]] = {
            "inputData": self._input,
            "decision": self._decision,
            "businessKnowledgeModel": self._knowledge,
            "decisionService": self._service,
        }
        elements: dict[str, Element] = {
            own: readers[local(element.tag)](element, own) for own, element in self._document.by_id.items()
        }
        decisions = self._named(elements, Decision)
        functions = self._named(elements, Knowledge, Service)
        self._refuse_circles(elements)
        if not elements and not self._refused:
            self._refused.append("it has no decision")
        if self._refused:
            raise DmnRefused(self._document.name, self._refused)
        beneath = [problem for model in self._imports.values() for problem in model.problems]
        return Model(
            file_name=self._document.name,
            name=name_of(self._document.root),
            namespace=self._document.namespace,
            digest=self._document.digest,
            elements=elements,
            decisions=decisions,
            functions=functions,
            imports=self._imports,
            types=self._items.own,
            names=self._names,
            members=self._members,
            problems=tuple(dict.fromkeys([*beneath, *self._problems])),
        )

    # -- elements

    def _variable(self, element: ET.Element) -> str:
        """The name by which expressions know an element."""
        variable = self._document.child(element, "variable")
        return (name_of(variable) if variable is not None else "") or name_of(element)

    def _type_ref(self, element: ET.Element) -> str | None:
        variable = self._document.child(element, "variable")
        return None if variable is None else variable.get("typeRef")

    def _place(self, element: ET.Element, own: str, requires: tuple[Reference, ...]) -> Place:
        names = set()
        for needed in requires:
            if needed.model is None:
                names.add(self._variables[needed.id])
            else:
                names |= {self._imports[needed.model].elements[needed.id].variable, needed.model} - {""}
        return Place(own, name_of(element) or own, frozenset(names))

    def _input(self, element: ET.Element, own: str) -> InputData:
        place = self._place(element, own, ())
        item = self._expressions.type_of(self._type_ref(element), place)
        return InputData(own, name_of(element) or own, self._variables[own], item)

    def _decision(self, element: ET.Element, own: str) -> Decision:
        requires = self._requirements.of(element)
        place = self._place(element, own, requires)
        self._expressions.unknown.clear()
        logic = self._expressions.inside(element, place)
        undeclared = frozenset(self._expressions.unknown - self._names)
        self._tell_unseen(place, self._expressions.unknown & self._names)
        return Decision(
            id=own,
            name=name_of(element) or own,
            variable=self._variables[own],
            type=self._expressions.type_of(self._type_ref(element), place),
            logic=logic,
            requires=requires,
            undeclared=undeclared,
            digest=self._document.digest,
            description=self._written(element, "description"),
            question=self._written(element, "question"),
        )

    def _tell_unseen(self, place: Place, names: set[str] | frozenset[str]) -> None:
        for name in sorted(names):
            self._problems.append(place.problem(f"it reads {name!r}, which it does not require: it is null there"))

    def _written(self, element: ET.Element, kind: str) -> str:
        found = self._document.child(element, kind)
        return "" if found is None else (found.text or "").strip()

    def _knowledge(self, element: ET.Element, own: str) -> Knowledge:
        requires = self._requirements.of(element)
        place = self._place(element, own, requires).seeing(self._variables[own])
        result = self._result(self._type_ref(element), place)
        self._expressions.unknown.clear()
        drawn = self._document.child(element, "encapsulatedLogic")
        logic = boxed.Closure(place.owner, (), result, boxed.Nothing(place.owner))
        if drawn is not None:
            result = self._result(drawn.get("typeRef"), place) if result is ANY else result
            logic = self._expressions.function(drawn, result, place)
        self._tell_unseen(place, self._expressions.unknown)
        name = name_of(element) or own
        return Knowledge(own, name, self._variables[own], logic.parameters, result, logic.body, requires)

    def _result(self, reference: str | None, place: Place) -> Type:
        """The type of what a function gives, whether its own type or that of its value is named."""
        item = self._expressions.type_of(reference, place)
        return item.result if isinstance(item, FunctionType) else item

    def _service(self, element: ET.Element, own: str) -> Service:
        place = self._place(element, own, ())
        inputs = [*self._document.children(element, "inputData"), *self._document.children(element, "inputDecision")]
        outputs = self._document.children(element, "outputDecision")
        if not outputs:
            self._problems.append(Problem(own, name_of(element), "", "the service has no output decision: give it one"))
        return Service(
            id=own,
            name=name_of(element) or own,
            variable=self._variables[own],
            inputs=self._requirements.referred(inputs, element),
            outputs=self._requirements.referred(outputs, element),
            result=self._result(self._type_ref(element), place),
        )

    # -- the whole

    def _named(self, elements: Mapping[str, Element], *kinds: type[Element]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for element in elements.values():
            if isinstance(element, kinds) and found.setdefault(element.name, element) is not element:
                reason = "a second element has this name, and is not found by it: give each its own"
                self._problems.append(Problem(element.id, element.name, "", reason))
        return found

    def _refuse_circles(self, elements: Mapping[str, Element]) -> None:
        decisions = {own: element for own, element in elements.items() if isinstance(element, Decision)}
        requires = {
            own: [needed.id for needed in decision.requires if needed.model is None and needed.id in decisions]
            for own, decision in decisions.items()
        }
        for circle in circles(requires):
            names = " → ".join(decisions[own].name for own in circle)
            self._refused.append(f"{circle[0]}: decisions require each other in a circle ({names}): take one arrow out")


def members_of(read: Document) -> frozenset[str]:
    """The names that contexts of a file may have, for FEEL to know those that hold spaces or signs."""
    names = set()
    for kind in ("itemComponent", "output", "column"):
        names |= {name_of(element) for element in read.root.iter(read.own + kind)}
    for entry in read.root.iter(f"{read.own}contextEntry"):
        variable = read.child(entry, "variable")
        if variable is not None:
            names.add(name_of(variable))
    return frozenset(names - {""})
