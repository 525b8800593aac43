"""What every boxed expression is, and the simplest of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.dmn.fitting import fitting
from orchestration_pipelines.model.dmn.problems import Problem
from orchestration_pipelines.model.feel.types import Type

#: the names that an expression sees
Scope = Mapping[str, Any]


class Logic(Protocol):
    """An expression of a model; what has no value is None, told in the run's diagnostics."""

    def value(self, scope: Scope, run: Run) -> Any:
        """What it comes to over these names."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text in FEEL."""

    expression: feel.Expression

    def value(self, scope: Scope, run: Run) -> Any:
        """What the text comes to."""
        return self.expression.evaluate(scope, run.evaluation)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A text that is no FEEL, or a table with such a text: null, for this reason."""

    problem: Problem

    def value(self, scope: Scope, run: Run) -> Any:
        """Null."""
        return run.evaluation.fault(str(self.problem))


@dataclass(frozen=True, slots=True)
class Nothing:
    """An element for which no logic is drawn."""

    name: str

    def value(self, scope: Scope, run: Run) -> Any:
        """Null."""
        return run.evaluation.fault(f"{self.name} has no logic")


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression whose value is held against a type."""

    logic: Logic
    type: Type
    name: str  #: of what has the type, for the diagnostic

    def value(self, scope: Scope, run: Run) -> Any:
        """The value as the type has it, or null."""
        return fitting(self.logic.value(scope, run), self.type, self.name, run)
