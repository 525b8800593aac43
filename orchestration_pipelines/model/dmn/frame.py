"""Evaluating a requirement graph: each decision once, after what it requires (DMN 1.5, clause 10.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestration_pipelines.model.dmn.boxed.logic import Scope
from orchestration_pipelines.model.dmn.elements import Decision, Element, InputData, Knowledge, Reference, Service
from orchestration_pipelines.model.dmn.explanation import Explanation, Run
from orchestration_pipelines.model.dmn.fitting import fitting
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.feel.evaluation import Evaluation, FeelLimit
from orchestration_pipelines.model.feel.function import Defined, Function, Parameter
from orchestration_pipelines.model.feel.names import is_spelled, plain
from orchestration_pipelines.model.feel.types import kind

if TYPE_CHECKING:
    from orchestration_pipelines.model.dmn.model import Model

#: the steps of a call of a function of a model, and what it takes of Python's stack before its logic
_CALL, _FRAMES = 10, 5
#: the steps of evaluating an element of a graph, beside its logic
_ELEMENT = 20


class Frame:
    """A model while it is evaluated over some inputs: what has been found is kept, so that it is found once."""

    def __init__(self, model: Model, inputs: Mapping[str, Any], run: Run, given: dict[str, Any] | None = None) -> None:
        self._model, self._inputs, self._run = model, inputs, run
        #: values by element id; a decision service is given those of its parameters
        self._values: dict[str, Any] = given or {}
        self._imported: dict[str, Frame] = {}

    def value(self, own: str) -> Any:
        """The value of an element of this model."""
        waiting = [own]
        while waiting:
            current = waiting[-1]
            if current in self._values:
                waiting.pop()
                continue
            element = self._model.elements[current]
            if isinstance(element, Decision):
                missing = [needed.id for needed in element.requires if needed.model is None and self._open(needed.id)]
                if missing:
                    waiting.extend(missing)
                    continue
            self._run.evaluation.spend(_ELEMENT)
            self._values[current] = self._evaluated(element)
        return self._values[own]

    def _open(self, own: str) -> bool:
        return own not in self._values and isinstance(self._model.elements[own], Decision)

    def _evaluated(self, element: Element) -> Any:
        if isinstance(element, InputData):
            return self._input(element)
        if isinstance(element, Knowledge):
            return self._knowledge(element)
        if isinstance(element, Service):
            return self._service(element)
        return self._decision(element)

    def _input(self, element: InputData) -> Any:
        value = self._inputs.get(element.variable)
        if value is None:
            value = self._inputs.get(element.name)
        value = self._let_in(value, element.name)
        return fitting(value, element.type, f"the input {element.name}", self._run)

    def _let_in(self, value: Any, name: str) -> Any:
        """What is given, if it is a value of FEEL; a float is none, since it is not the number that was written."""
        if value is None or kind(value) is not None:
            return value
        advice = (
            "a Decimal or an int" if isinstance(value, float) else "a value that FEEL has, as docs/feel.md lists them"
        )
        return self._run.evaluation.fault(f"the input {name} is a {type(value).__name__} of Python: give {advice}")

    # -- decisions

    def _decision(self, decision: Decision) -> Any:
        run = self._run
        scope = self.scope(decision.requires, decision.undeclared)
        return decided(decision, scope, run)

    def scope(self, requires: Sequence[Reference], undeclared: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The names that logic sees which requires these."""
        given = self._inputs
        scope: dict[str, Any] = {name: self._let_in(given[name], name) for name in undeclared if name in given}
        for needed in requires:
            if needed.model is None:
                scope[self._model.elements[needed.id].variable] = self.value(needed.id)
                continue
            frame = self.imported(needed.model)
            name, value = frame._model.elements[needed.id].variable, frame.value(needed.id)
            if needed.model:
                scope.setdefault(needed.model, {})[name] = value
            else:
                scope[name] = value
        return scope

    def imported(self, name: str) -> Frame:
        """The frame of the model that is imported under this name."""
        frame = self._imported.get(name)
        if frame is None:
            self._run.evaluation.spend(5 * _ELEMENT)
            given = _given(name, self._inputs, self._model)
            frame = self._imported[name] = Frame(self._model.imports[name], given, self._run)
        return frame

    def _at(self, reference: Reference) -> Frame:
        return self if reference.model is None else self.imported(reference.model)

    def element(self, reference: Reference) -> Element:
        """The element that a reference names."""
        return self._at(reference)._model.elements[reference.id]

    # -- functions

    def _knowledge(self, element: Knowledge) -> Function:
        def called(_: Evaluation, arguments: Sequence[Any]) -> Any:
            seen = self.scope(element.requires)
            seen.setdefault(element.variable, self._values[element.id])
            seen.update(zip((parameter.name for parameter in element.parameters), arguments, strict=True))
            return fitting(element.logic.value(seen, self._run), element.result, element.name, self._run)

        return Defined(element.name, element.parameters, called, element.result, cost=_CALL, frames=_FRAMES)

    def _service(self, service: Service) -> Function:
        def called(_: Evaluation, arguments: Sequence[Any]) -> Any:
            if not service.outputs:
                return self._run.evaluation.fault(f"{service.name} has no output decision")
            inner = Frame(self._model, {}, self._run)
            for parameter, argument in zip(service.inputs, arguments, strict=True):
                inner._at(parameter)._values[parameter.id] = argument
            found = {inner.element(output).variable: inner._at(output).value(output.id) for output in service.outputs}
            value = next(iter(found.values())) if len(service.outputs) == 1 else found
            return fitting(value, service.result, service.name, self._run)

        parameters = tuple(
            Parameter(element.variable, element.type)
            for element in map(self.element, service.inputs)
            if isinstance(element, InputData | Decision)
        )
        return Defined(service.name, parameters, called, service.result, cost=2 * _CALL, frames=2 * _FRAMES)


def evaluated(model: Model, inputs: Mapping[str, Any], run: Run, own: str) -> Any:
    """The value of an element of a model over these inputs."""
    with bounded():
        return Frame(model, spelled(inputs), run).value(own)


def spelled(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is given, under names with one space where any white space is written."""
    return inputs if all(map(is_spelled, inputs)) else {plain(name): value for name, value in inputs.items()}


@contextmanager
def bounded() -> Iterator[None]:
    """Python's stack is a limit like any other."""
    try:
        yield
    except RecursionError:
        raise FeelLimit("the evaluation was stopped: the program's own stack is used up") from None


def decided(decision: Decision, scope: Scope, run: Run) -> Any:
    """A decision's value over what it requires, held against its type; kept in the run if that keeps a record."""
    if run.asked is None:
        return fitting(decision.logic.value(scope, run), decision.type, decision.name, run)
    told = run.evaluation.diagnostics
    before = len(told)
    logic = decision.logic
    inputs: Mapping[str, Any] = {name: seen for name, seen in scope.items() if not isinstance(seen, Function)}
    rules: tuple[str, ...] = ()
    if isinstance(logic, DecisionTable):
        value, inputs, rules = logic.answer(scope, run)
    else:
        value = logic.value(scope, run)
    value = fitting(value, decision.type, decision.name, run)
    run.asked.append(Explanation(value, decision.digest, inputs, rules, tuple(told[before:]), decision.name))
    return value


def _given(name: str, inputs: Mapping[str, Any], model: Model) -> Mapping[str, Any]:
    """The inputs of an imported model: under its name, or with its name and a dot before theirs.

    Where neither is given, names that the importing model does not use itself are the imported one's.
    """
    if not name:
        return inputs
    own = inputs.get(name)
    if isinstance(own, Mapping):
        return own
    prefix = f"{name}."
    dotted = {key.removeprefix(prefix): value for key, value in inputs.items() if key.startswith(prefix)}
    return {**{key: value for key, value in inputs.items() if key not in model.names}, **dotted}
