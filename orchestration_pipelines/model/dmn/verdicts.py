"""What rules say, as far as it can be told without an input: whether two of them clash, and which comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from orchestration_pipelines.model.dmn.boxed.logic import Literal
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.dmn.masks import constant
from orchestration_pipelines.model.dmn.table import DecisionTable, Rule

#: outputs of a rule, None where one of them reads an input
Row = tuple[Any, ...] | None


class Clash(NamedTuple):
    """Why two rules may not match at once."""

    is_certain: bool
    reason: str


class Verdicts:
    """The outputs of a table's rules."""

    def __init__(self, table: DecisionTable) -> None:
        self._table = table
        self._run = Run()  # one budget for all: what a table says may be a long computation
        self._rows = [_row(table, rule, self._run) for rule in table.rules]
        self._ranks = [None if row is None else self._rank(row) for row in self._rows]

    @property
    def has_default(self) -> bool:
        """Whether something is said where no rule matches: a default output, or a count of none."""
        return self._table.aggregation == "COUNT" or any(output.default for output in self._table.outputs)

    def clash(self, one: int, other: int) -> Clash | None:
        """Why these rules may not both match; None if they may."""
        policy = self._table.policy
        if policy == "UNIQUE":
            return Clash(True, "and the policy is UNIQUE")
        ranks = self._ranks[one], self._ranks[other]
        if policy == "PRIORITY" and None not in ranks and ranks[0] != ranks[1]:
            return None
        if self._table.rules[one].texts == self._table.rules[other].texts:
            return None
        left, right = self._rows[one], self._rows[other]
        if left is None or right is None:
            return Clash(False, f"and may differ in what they say; the policy is {policy}")
        if left == right:
            return None
        same = "of the same priority, " if policy == "PRIORITY" else ""
        return Clash(True, f"{same}and differ in what they say; the policy is {policy}")

    def preferred(self, rule: int) -> Sequence[int]:
        """The rules that decide wherever they match together with this one."""
        if self._table.policy == "FIRST":
            return range(rule)
        own = self._ranks[rule]
        if own is None:
            return []
        return [other for other, rank in enumerate(self._ranks) if rank is not None and rank < own]

    def _rank(self, row: tuple[Any, ...]) -> tuple[int, ...]:
        return tuple(output.rank(value, self._run) for output, value in zip(self._table.outputs, row, strict=True))


def _row(table: DecisionTable, rule: Rule, run: Run) -> Row:
    if not all(isinstance(logic, Literal) and constant(logic.expression) for logic in rule.outputs):
        return None
    return tuple(
        output.checked(logic.value({}, run), run) for output, logic in zip(table.outputs, rule.outputs, strict=True)
    )
