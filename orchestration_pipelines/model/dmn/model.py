"""A model: what it holds, and how it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from orchestration_pipelines.model.dmn.elements import Decision, Element, InputData, Knowledge, Service
from orchestration_pipelines.model.dmn.explanation import Explanation, Run
from orchestration_pipelines.model.dmn.frame import bounded, evaluated, spelled
from orchestration_pipelines.model.dmn.problems import Problem
from orchestration_pipelines.model.dmn.question import Question
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.feel.names import plain
from orchestration_pipelines.model.feel.types import Type

Inputs = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """A DMN file and the models that it imports: decisions and functions by name, and what is wrong with them."""

    file_name: str
    name: str
    namespace: str
    digest: str  #: SHA-256 of the file
    elements: Mapping[str, Element]  #: of the requirement graph, by id
    decisions: Mapping[str, Decision]  #: by name
    functions: Mapping[str, Knowledge | Service]  #: business knowledge models and decision services, by name
    imports: Mapping[str, Model]  #: by the name of the import
    types: Mapping[str, Type]  #: item definitions by name
    names: frozenset[str]  #: of its variables and imports
    members: frozenset[str]  #: names that its contexts may have
    problems: tuple[Problem, ...]  #: what cannot be evaluated, and is null; the engine takes no model that has any
    _questions: dict[str, Question] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def inputs(self) -> Mapping[str, InputData]:
        """The input data, by name."""
        return {element.variable: element for element in self.elements.values() if isinstance(element, InputData)}

    @cached_property
    def tables(self) -> Mapping[str, DecisionTable]:
        """The tables that are the whole logic of a decision or function, by its name."""
        holders = {**self.functions, **self.decisions}
        found = {name: holder.logic for name, holder in holders.items() if isinstance(holder, Decision | Knowledge)}
        return {name: logic for name, logic in found.items() if isinstance(logic, DecisionTable)}

    def evaluate(self, decision_name: str, inputs: Inputs) -> Any:
        """A decision's value. KeyError if there is no such decision; FeelLimit if it takes too long."""
        return self._asked(decision_name).value(inputs)

    def evaluate_many(self, decision_name: str, rows: Iterable[Inputs]) -> list[Any]:
        """A decision's value for each row."""
        return list(map(self._asked(decision_name).value, rows))

    def explain(self, decision_name: str, inputs: Inputs) -> Explanation:
        """A decision's value and how it came about."""
        return self._asked(decision_name).explanation(inputs)

    def explain_many(self, decision_name: str, rows: Iterable[Inputs]) -> list[Explanation]:
        """The same for each row."""
        return list(map(self._asked(decision_name).explanation, rows))

    def invoke(self, function_name: str, inputs: Inputs) -> Any:
        """What a decision service or a business knowledge model gives for its parameters; one not given is null."""
        name = plain(function_name)
        if name not in self.functions:
            raise KeyError(
                f"{self.file_name} has no decision service or business knowledge model {name!r}; "
                f"it has {', '.join(sorted(self.functions)) or 'none'}"
            )
        run, inputs = Run(), spelled(inputs)
        function = evaluated(self, {}, run, self.functions[name].id)
        given = {parameter: inputs.get(parameter) for parameter in function.parameters}
        with bounded():
            return function.call_named(run.evaluation, given)

    def _asked(self, decision_name: str) -> Question:
        name = plain(decision_name)
        if name not in self.decisions:
            raise KeyError(
                f"{self.file_name} has no decision {name!r}; it has {', '.join(sorted(self.decisions)) or 'none'}"
            )
        asked = self._questions.get(name)
        if asked is None:
            asked = self._questions[name] = Question(self, self.decisions[name])
        return asked
