"""Decisions as values: tables compiled so that many rows cost little."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

from orchestration_pipelines.model.feel import Expression
from orchestration_pipelines.model.feel.expression import INPUT
from orchestration_pipelines.model.feel.lexer import Token, tokens
from orchestration_pipelines.model.feel.values import number

#: how many distinct values of one column are remembered with the rules that they match
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision's value and how it came about."""

    value: Any
    digest: str  #: of the file that holds the table
    inputs: Mapping[str, Any]  #: as used: input expression to value
    rules: tuple[str, ...]  #: ids of the rules that matched
    diagnostics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """An input column: which rules a value matches, as a bit mask."""

    label: str
    expression: Expression
    cells: tuple[Expression, ...]

    @cached_property
    def _reads_context(self) -> bool:
        return any(cell.names for cell in self.cells)

    @cached_property
    def _steps(self) -> Steps | None:
        return Steps.of(self.cells)

    @cached_property
    def _known(self) -> dict[Any, int]:
        return {}

    def mask(self, value: Any, context: Mapping[str, Any]) -> int:
        """The rules whose cell holds for the value."""
        if self._reads_context:
            return self._evaluated({**context, INPUT: value})
        if self._steps is not None and (exact := number(value)) is not None:
            return self._steps.mask(exact)
        if not isinstance(value, str | bool | None):
            return self._evaluated({INPUT: value})
        mask = self._known.get(value)
        if mask is None:
            mask = self._evaluated({INPUT: value})
            if len(self._known) < _REMEMBERED:
                self._known[value] = mask
        return mask

    def _evaluated(self, context: Mapping[str, Any]) -> int:
        return _mask(self.cells, context)


def _mask(cells: Sequence[Expression], context: Mapping[str, Any]) -> int:
    mask = 0
    for index, cell in enumerate(cells):
        if cell.evaluate(context) is True:
            mask |= 1 << index
    return mask


@dataclass(frozen=True)
class Steps:
    """A column whose cells only compare with written numbers: its mask is constant between them."""

    bounds: tuple[Decimal, ...]
    at: tuple[int, ...]  #: the mask at each bound
    between: tuple[int, ...]  #: below the first, between each two, above the last

    @classmethod
    def of(cls, cells: Sequence[Expression]) -> Steps | None:
        """The steps of a column, or None if a cell does anything but compare with written numbers."""
        bounds: set[Decimal] = set()
        for cell in cells:
            before: Token | None = None
            for token in tokens(cell.text):
                if token.kind == "number":
                    bounds |= {token.value, token.value.copy_negate()}
                elif token.value not in _COMPARING or (token.value == "-" and _ends_operand(before)):
                    return None
                before = token
        ordered = sorted(bounds)
        if not ordered:
            return None
        # three digits more than the longest bound: enough for a number between any two of them
        fine = Context(prec=max(len(bound.as_tuple().digits) for bound in ordered) + 3)
        inner = [fine.next_plus(low) for low, _ in pairwise(ordered)]
        outer = [fine.next_minus(ordered[0]), *inner, fine.next_plus(ordered[-1])]
        return cls(
            tuple(ordered),
            tuple(_mask(cells, {INPUT: bound}) for bound in ordered),
            tuple(_mask(cells, {INPUT: value}) for value in outer),
        )

    def mask(self, value: Decimal) -> int:
        """The rules that a number matches."""
        index = bisect_left(self.bounds, value)
        if index < len(self.bounds) and self.bounds[index] == value:
            return self.at[index]
        return self.between[index]


def _ends_operand(token: Token | None) -> bool:
    """Whether a minus behind this token subtracts, and does not only negate."""
    return token is not None and (token.kind != "symbol" or token.value in (")", "]"))


#: what a cell that only compares is written with
_COMPARING = frozenset({"<", "<=", ">", ">=", "=", "!=", "..", "[", "]", "(", ")", ",", "-", "not"})


@dataclass(frozen=True)
class DecisionTable:
    """A decision table (DMN 1.5, clause 8)."""

    policy: str  #: UNIQUE, FIRST or COLLECT
    columns: tuple[Column, ...]
    outputs: tuple[str | None, ...]  #: names; a single output has none
    rules: tuple[str, ...]
    results: tuple[tuple[Expression, ...], ...]
    digest: str

    def explain(self, context: Mapping[str, Any]) -> Explanation:
        """The value for a context, and the rules that gave it."""
        mask = (1 << len(self.rules)) - 1
        inputs: dict[str, Any] = {}
        for column in self.columns:
            value = column.expression.evaluate(context)
            inputs[column.label] = value
            mask &= column.mask(value, context)
        hits = [index for index in range(len(self.rules)) if mask >> index & 1]
        return self._hit(hits, inputs, context)

    def _hit(self, hits: list[int], inputs: Mapping[str, Any], context: Mapping[str, Any]) -> Explanation:
        rules = tuple(self.rules[index] for index in hits)
        if self.policy == "COLLECT":
            return Explanation([self._result(index, context) for index in hits], self.digest, inputs, rules)
        if not hits:
            return Explanation(None, self.digest, inputs, (), ("no rule matches",))
        if self.policy == "FIRST":
            return Explanation(self._result(hits[0], context), self.digest, inputs, rules[:1])
        if len(hits) > 1:
            violation = f"the policy is UNIQUE, and {len(hits)} rules match: {', '.join(rules)}"
            return Explanation(None, self.digest, inputs, rules, (violation,))
        return Explanation(self._result(hits[0], context), self.digest, inputs, rules)

    def _result(self, index: int, context: Mapping[str, Any]) -> Any:
        cells = self.results[index]
        if len(cells) == 1 and self.outputs[0] is None:
            return cells[0].evaluate(context)
        return {name: cell.evaluate(context) for name, cell in zip(self.outputs, cells, strict=True)}


@dataclass(frozen=True)
class Model:
    """A DMN file: its decisions by name, and its digest."""

    digest: str
    decisions: Mapping[str, DecisionTable]

    def _decision(self, name: str) -> DecisionTable:
        try:
            return self.decisions[name]
        except KeyError:
            raise KeyError(f"there is no decision {name!r}; there are {', '.join(sorted(self.decisions))}") from None

    def evaluate(self, decision_name: str, inputs: Mapping[str, Any]) -> Any:
        """A decision's value."""
        return self.explain(decision_name, inputs).value

    def evaluate_many(self, decision_name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """A decision's value for each row."""
        return [answer.value for answer in self.explain_many(decision_name, rows)]

    def explain(self, decision_name: str, inputs: Mapping[str, Any]) -> Explanation:
        """A decision's value and how it came about."""
        return self._decision(decision_name).explain(inputs)

    def explain_many(self, decision_name: str, rows: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """The same for each row."""
        explain: Callable[[Mapping[str, Any]], Explanation] = self._decision(decision_name).explain
        return [explain(row) for row in rows]
