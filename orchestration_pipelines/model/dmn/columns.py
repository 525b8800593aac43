"""Input columns of a decision table: which rules a value matches, found at little cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.boxed.logic import Logic, Scope
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.dmn.masks import constant, mask_of
from orchestration_pipelines.model.dmn.steps import Steps
from orchestration_pipelines.model.feel.evaluation import Evaluation

#: how many distinct values of one column are remembered with the rules that they match
_REMEMBERED = 10_000


@dataclass(frozen=True)
class Column:
    """An input column: an expression, the values that it may take, and a cell for each rule.

    Its masks have a bit for each rule, and one more that is set where the column allows the value.
    """

    label: str  #: for a person; the text of the expression, if nobody gave another
    text: str
    expression: Logic
    cells: tuple[feel.Expression, ...]
    allowed: feel.Expression | None = None
    _known: dict[Any, tuple[int, tuple[str, ...]]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def _tests(self) -> tuple[feel.Expression, ...]:
        return self.cells if self.allowed is None else (*self.cells, self.allowed)

    def _always(self, value: Any) -> int:
        """The bits that no test sets: where nothing is said every value is allowed, and a missing one always is."""
        return 1 << len(self.cells) if self.allowed is None or value is None else 0

    @cached_property
    def _steps(self) -> Steps | None:
        return Steps.of(self._tests)

    @cached_property
    def _constant(self) -> bool:
        return all(constant(test) for test in self._tests)

    def mask(self, value: Any, scope: Scope, run: Run, among: int) -> int:
        """The rules whose cell holds for the value; at least those that are still ``among`` them."""
        kind = type(value)
        if kind is Decimal or kind is int:
            if self._steps is not None:
                return self._steps.mask(value) | self._always(value)
        elif self._constant and (kind is str or kind is bool or value is None):
            return self._remembered(value, run)
        mask = mask_of(self._tests, scope, value, run.evaluation, among)
        return mask | self._always(value)

    def known(self, value: Any) -> int | None:
        """The same, if it takes no evaluation and there is nothing to tell."""
        kind = type(value)
        if kind is Decimal or kind is int:
            return None if self._steps is None else self._steps.mask(value) | self._always(value)
        found = self._known.get(value)
        return None if found is None or found[1] else found[0]

    def _remembered(self, value: Any, run: Run) -> int:
        known = self._known.get(value)
        if known is None:
            told = Evaluation()
            known = mask_of(self._tests, {}, value, told) | self._always(value), tuple(dict.fromkeys(told.diagnostics))
            if len(self._known) < _REMEMBERED:
                self._known[value] = known
        if known[1]:
            run.evaluation.diagnostics.extend(known[1])
        return known[0]
