"""Decision tables (DMN 1.5, clause 8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.boxed.logic import Logic, Scope
from orchestration_pipelines.model.dmn.columns import Column
from orchestration_pipelines.model.dmn.explanation import Explanation, Run
from orchestration_pipelines.model.dmn.fitting import fitting
from orchestration_pipelines.model.dmn.policies import POLICIES, RANKED, Hit, Row, aggregated
from orchestration_pipelines.model.feel.nodes import INPUT
from orchestration_pipelines.model.feel.types import Type

#: how many combinations of rules are remembered with what they come to
_REMEMBERED = 10_000
#: the steps of asking a table, beside those of its columns and outputs
_STEPS = 20


@dataclass(frozen=True)
class Output:
    """An output column."""

    name: str  #: "" if it is the only one
    label: str  #: for a person
    type: Type
    allowed: tuple[feel.Expression, ...] = ()  #: tests of the values that it may take, the first of the highest rank
    default: Logic | None = None  #: what it is where no rule matches

    def checked(self, value: Any, run: Run) -> Any:
        """The value as its type has it, or null if it is none of those allowed."""
        value = fitting(value, self.type, f"the output {self.label}", run)
        if value is not None and self.allowed and self.rank(value, run) == len(self.allowed):
            return run.evaluation.fault(f"the output {self.label} is none of the values that it may take")
        return value

    def rank(self, value: Any, run: Run) -> int:
        """Where a value stands in the list of output values; behind the last if it is not there."""
        for index, test in enumerate(self.allowed):
            if test.evaluate({INPUT: value}, run.evaluation) is True:
                return index
        return len(self.allowed)


@dataclass(frozen=True)
class Rule:
    """A rule as it is written, for a person, and its outputs."""

    id: str
    cells: tuple[str, ...]
    texts: tuple[str, ...]  #: of the outputs
    annotations: tuple[str, ...]
    outputs: tuple[Logic, ...]


class Answer(NamedTuple):
    """What a table says, the values it saw, and the rules that it stands on."""

    value: Any
    inputs: dict[str, Any]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class DecisionTable:
    """A decision table: columns, rules, and the policy that says which of them count."""

    id: str
    name: str  #: of the decision, function or entry that it is the logic of
    policy: str
    aggregation: str  #: of COLLECT, or ""
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    annotations: tuple[str, ...]  #: heads of the annotation columns
    rules: tuple[Rule, ...]
    digest: str
    constant: bool  #: whether no output reads anything
    _decided: dict[int, tuple[Any, tuple[str, ...], tuple[str, ...]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def value(self, scope: Scope, run: Run) -> Any:
        """The table's value; how it came about is kept in the run."""
        if run.asked is None:
            return self.answer(scope, run).value
        before = len(run.evaluation.diagnostics)
        value, inputs, rules = self.answer(scope, run)
        told = tuple(run.evaluation.diagnostics[before:])
        run.asked.append(Explanation(value, self.digest, inputs, rules, told, self.name))
        return value

    def answer(self, scope: Scope, run: Run) -> Answer:
        """The value over these names, and the rules that gave it."""
        run.evaluation.spend(_STEPS + len(self.columns))
        allowed = 1 << len(self.rules)
        mask = (allowed << 1) - 1
        inputs: dict[str, Any] = {}
        for column in self.columns:
            value = inputs[column.text] = column.expression.value(scope, run)
            mask &= column.mask(value, scope, run, mask)
        if not mask & allowed:
            run.evaluation.fault(f"the table {self.name} does not allow {self._refused(inputs, scope, run)}")
            return Answer(None, inputs, ())
        if self.constant:
            value, rules = self._remembered(mask, scope, run)
        else:
            value, rules = self._decide(mask, scope, run)
        return Answer(value, inputs, rules)

    def _refused(self, inputs: dict[str, Any], scope: Scope, run: Run) -> str:
        allowed = 1 << len(self.rules)
        outside = [c for c in self.columns if not c.mask(inputs[c.text], scope, run, allowed) & allowed]
        return ", ".join(f"this value of {column.label}" for column in outside)

    def _remembered(self, mask: int, scope: Scope, run: Run) -> tuple[Any, tuple[str, ...]]:
        known = self._decided.get(mask)
        if known is None:
            before = len(run.evaluation.diagnostics)
            value, rules = self._decide(mask, scope, run)
            if len(self._decided) < _REMEMBERED:
                self._decided[mask] = value, rules, tuple(run.evaluation.diagnostics[before:])
            return fresh(value), rules
        value, rules, told = known
        if told:
            run.evaluation.diagnostics.extend(told)
        return fresh(value), rules

    def _decide(self, mask: int, scope: Scope, run: Run) -> tuple[Any, tuple[str, ...]]:
        matching = [rule for index, rule in enumerate(self.rules) if mask >> index & 1]
        if not matching:
            return self._without_a_rule(scope, run), ()
        if self.policy == "FIRST":
            matching = matching[:1]  # what the others say is not asked
        hits = [self._hit(rule, scope, run) for rule in matching]
        rows, rules = POLICIES[self.policy](hits, run.evaluation)
        if isinstance(rows, list):
            items = [self._shaped(row) for row in rows]
            return aggregated(self.aggregation, items, run.evaluation) if self.aggregation else items, rules
        return None if rows is None else self._shaped(rows), rules

    def _hit(self, rule: Rule, scope: Scope, run: Run) -> Hit:
        run.evaluation.spend(len(self.outputs))
        row = tuple(
            output.checked(logic.value(scope, run), run)
            for output, logic in zip(self.outputs, rule.outputs, strict=True)
        )
        if self.policy not in RANKED:
            return Hit(rule.id, row, ())
        return Hit(
            rule.id, row, tuple(output.rank(value, run) for output, value in zip(self.outputs, row, strict=True))
        )

    def _without_a_rule(self, scope: Scope, run: Run) -> Any:
        if any(output.default for output in self.outputs):
            return self._shaped(
                tuple(
                    output.checked(output.default.value(scope, run), run) if output.default else None
                    for output in self.outputs
                )
            )
        if self.aggregation == "COUNT":
            return Decimal(0)
        run.evaluation.fault("no rule matches")
        return [] if self.policy == "COLLECT" and not self.aggregation else None

    def _shaped(self, row: Row) -> Any:
        """One value, or a context of several."""
        if len(self.outputs) == 1:
            return row[0]
        return {output.name: value for output, value in zip(self.outputs, row, strict=True)}


def fresh(value: Any) -> Any:
    """The value, so that no caller changes what is remembered."""
    if type(value) is str:
        return value
    if isinstance(value, list):
        return [fresh(item) for item in value]
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    return value
