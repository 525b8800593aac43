"""Gone as soon as the built-ins are in."""
from __future__ import annotations
from typing import Any, Mapping
from orchestration_pipelines.model.feel.functions import FUNCTIONS, SPACED
from orchestration_pipelines.model.feel.function import Function
from orchestration_pipelines.model.feel.ranges import Range, range_between
from orchestration_pipelines.model.feel.values import arithmetic, compare, equal


class Builtin(Function):
    def __init__(self, name: str, function: Any) -> None:
        self.name, self.function = name, function

    @property
    def parameters(self) -> tuple[str, ...]:
        return ("value",)

    def call(self, evaluation: Any, positional: Any) -> Any:
        try:
            return self.function(*positional)
        except TypeError:
            return evaluation.fault(f"{self.name} was called with other arguments than it takes")

    def call_named(self, evaluation: Any, named: Any) -> Any:
        return self.call(evaluation, list(named.values()))

BUILTINS: Mapping[str, Function] = {name: Builtin(name, f) for name, f in {**FUNCTIONS, **{" ".join(k): v for k, v in SPACED.items()}}.items()}
