"""Functions as values, and their invocation by the names of their parameters (clauses 7.3.4, 7.3.8 and 10.3.2.13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.model.dmn.boxed.logic import Logic, Scope
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.dmn.fitting import fitting
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.function import Defined, Function, Parameter
from orchestration_pipelines.model.feel.types import Type

#: the steps of a call, and what it takes of Python's stack before the body
_CALL, _FRAMES = 10, 5


@dataclass(frozen=True, slots=True)
class Closure:
    """A function definition: its value is a function that sees the names around it."""

    name: str
    parameters: tuple[Parameter, ...]
    result: Type
    body: Logic

    def value(self, scope: Scope, run: Run) -> Any:
        """The function."""

        def called(_: Evaluation, arguments: Sequence[Any]) -> Any:
            return self.called(scope, arguments, run)

        return Defined(self.name, self.parameters, called, self.result, cost=_CALL, frames=_FRAMES)

    def called(self, scope: Scope, arguments: Sequence[Any], run: Run) -> Any:
        """What it gives for these arguments over the names around it."""
        given = zip((parameter.name for parameter in self.parameters), arguments, strict=True)
        return fitting(self.body.value({**scope, **dict(given)}, run), self.result, self.name, run)


@dataclass(frozen=True, slots=True)
class Invoked:
    """An invocation: what is called, and an expression for each parameter that is bound."""

    callee: Logic
    name: str
    bindings: tuple[tuple[str, Logic], ...]

    def value(self, scope: Scope, run: Run) -> Any:
        """What the function gives for these."""
        callee = self.callee.value(scope, run)
        if not isinstance(callee, Function):
            return run.evaluation.fault(f"{self.name} is no function, and is invoked")
        bound = {name: logic.value(scope, run) for name, logic in self.bindings}
        with run.evaluation.deeper():
            return callee.call_named(run.evaluation, bound)
