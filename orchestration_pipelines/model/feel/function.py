"""Functions as values: what can be called, passed on and kept in a context (DMN 1.5, clause 10.3.2.13)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.model.feel.evaluation import CALL_FRAMES, Evaluation
from orchestration_pipelines.model.feel.types import ANY, FUNCTION, FunctionType, Type, coerced


class Function(ABC):
    """What can be called: a built-in, a lambda, a business knowledge model, a decision service.

    A call never raises for what it is given: too many, too few or wrong arguments are null, with a diagnostic.
    """

    __slots__ = ()

    feel_type = FUNCTION
    name: str  #: as a person knows it, for diagnostics

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """Their names, in order."""

    @property
    def type(self) -> FunctionType:
        """What it takes and gives, as far as it is known."""
        return FunctionType((ANY,) * len(self.parameters), ANY)

    def fits(self, wanted: FunctionType) -> bool:
        """Whether it can stand where a function of this type is wanted."""
        return wanted.admits(self.type)

    @abstractmethod
    def call(self, evaluation: Evaluation, positional: Sequence[Any]) -> Any:
        """The value for arguments in order."""

    @abstractmethod
    def call_named(self, evaluation: Evaluation, named: Mapping[str, Any]) -> Any:
        """The value for arguments by the names of the parameters."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter and the type that its arguments are held against."""

    name: str
    type: Type = ANY


@dataclass(frozen=True, slots=True, eq=False)
class Defined(Function):
    """A function that a model defines: its arguments are converted to their types, its calls are counted."""

    name: str
    typed: tuple[Parameter, ...]
    body: Callable[[Evaluation, Sequence[Any]], Any]  #: takes as many arguments as there are parameters
    result: Type = ANY
    cost: int = 1  #: the steps of one call
    frames: int = CALL_FRAMES  #: what one call takes of the stack

    @property
    def parameters(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(parameter.name for parameter in self.typed)

    @property
    def type(self) -> FunctionType:
        """By its parameters and its result."""
        return FunctionType(tuple(parameter.type for parameter in self.typed), self.result)

    def call(self, evaluation: Evaluation, positional: Sequence[Any]) -> Any:
        """The body's value, once every argument fits its parameter."""
        if len(positional) != len(self.typed):
            return evaluation.fault(
                f"{self.name} takes {len(self.typed)} arguments ({', '.join(self.parameters)}), not {len(positional)}"
            )
        arguments = []
        for parameter, value in zip(self.typed, positional, strict=True):
            if parameter.type is not ANY and value is not None:
                told = len(evaluation.diagnostics)
                value = coerced(value, parameter.type, evaluation)
                if value is None:
                    evaluation.diagnostics[told:] = [
                        f"{self.name} was not called: its argument {parameter.name} is no {parameter.type}"
                    ]
                    return None
            arguments.append(value)
        evaluation.spend(self.cost)
        evaluation.enter(self.frames)
        try:
            return self.body(evaluation, arguments)
        finally:
            evaluation.leave(self.frames)

    def call_named(self, evaluation: Evaluation, named: Mapping[str, Any]) -> Any:
        """The same, with the arguments put in order; one that is not given is null (clause 10.3.2.13.5)."""
        names = self.parameters
        if unknown := [name for name in named if name not in names]:
            return evaluation.fault(f"{self.name} has no parameter {unknown[0]!r}; it has {', '.join(names)}")
        return self.call(evaluation, [named.get(name) for name in names])
