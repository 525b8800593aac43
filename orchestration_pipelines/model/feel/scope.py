"""The names that a compiled expression sees when it is evaluated: a stack of contexts (DMN 1.5, clause 10.3.2.11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestration_pipelines.model.feel.evaluation import Evaluation

#: what every part of an expression becomes
Compiled = Callable[["Scope"], Any]
#: a test of a value: true, false, or null
Test = Callable[["Scope", Any], bool | None]

NOTHING: Mapping[str, Any] = {}


class Scope:
    """A context of the stack, with those around it; the outermost is the context that was given."""

    __slots__ = ("evaluation", "given", "item", "outer", "values")

    def __init__(self, evaluation: Evaluation, given: Mapping[str, Any]) -> None:
        self.evaluation = evaluation
        self.given = given
        self.values: Mapping[str, Any] = given
        self.item: Any = None  #: of a filter: what it looks at
        self.outer: Scope = self

    def inner(self, values: Mapping[str, Any]) -> Scope:
        """A further context on top of the stack."""
        scope = Scope.__new__(Scope)
        scope.evaluation = self.evaluation
        scope.given = self.given
        scope.values = values
        scope.item = None
        scope.outer = self
        return scope

    def of_item(self, item: Any) -> Scope:
        """The context in which a filter looks at an item: its entries, if it has any, and the item."""
        scope = self.inner(item if isinstance(item, Mapping) else NOTHING)
        scope.item = item
        return scope
