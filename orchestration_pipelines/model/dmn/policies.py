"""Hit policies: what a table makes of the rules that match (DMN 1.5, clause 8.2.10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from orchestration_pipelines.model.feel.builtins import BUILTINS
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.values import equal

#: what one rule says: a value for each output
Row = tuple[Any, ...]


class Hit(NamedTuple):
    """A rule that matches: its id, what it says, and where its outputs stand in the lists of output values."""

    rule: str
    row: Row
    rank: tuple[int, ...]


class Decided(NamedTuple):
    """What the policy chose: one row, or a list of them; and the rules that it stands on."""

    rows: Row | list[Row] | None
    rules: tuple[str, ...]


Policy = Callable[[Sequence[Hit], Evaluation], Decided]


def _unique(hits: Sequence[Hit], evaluation: Evaluation) -> Decided:
    rules = _rules(hits)
    if len(hits) > 1:
        evaluation.fault(f"the policy is UNIQUE, and {len(hits)} rules match: {', '.join(rules)}")
        return Decided(None, rules)
    return Decided(hits[0].row, rules)


def _any(hits: Sequence[Hit], evaluation: Evaluation) -> Decided:
    rules = _rules(hits)
    if _differ(hits, evaluation):
        evaluation.fault(f"the policy is ANY, and the rules that match differ in what they say: {', '.join(rules)}")
        return Decided(None, rules)
    return Decided(hits[0].row, rules)


def _first(hits: Sequence[Hit], _: Evaluation) -> Decided:
    return Decided(hits[0].row, (hits[0].rule,))


def _priority(hits: Sequence[Hit], evaluation: Evaluation) -> Decided:
    best = min(hit.rank for hit in hits)
    chosen = [hit for hit in hits if hit.rank == best]
    rules = _rules(chosen)
    if _differ(chosen, evaluation):
        evaluation.fault(f"the policy is PRIORITY, and rules of the same priority differ: {', '.join(rules)}")
        return Decided(None, rules)
    return Decided(chosen[0].row, rules)


def _collect(hits: Sequence[Hit], _: Evaluation) -> Decided:
    return Decided([hit.row for hit in hits], _rules(hits))


def _output_order(hits: Sequence[Hit], _: Evaluation) -> Decided:
    ordered = sorted(hits, key=lambda hit: hit.rank)
    return Decided([hit.row for hit in ordered], _rules(ordered))


def _differ(hits: Sequence[Hit], evaluation: Evaluation) -> bool:
    first = list(hits[0].row)
    return any(equal(evaluation, list(hit.row), first) is not True for hit in hits)


def _rules(hits: Sequence[Hit]) -> tuple[str, ...]:
    return tuple(hit.rule for hit in hits)


POLICIES: Mapping[str, Policy] = {
    "UNIQUE": _unique,
    "ANY": _any,
    "PRIORITY": _priority,
    "FIRST": _first,
    "RULE ORDER": _collect,
    "OUTPUT ORDER": _output_order,
    "COLLECT": _collect,
}
#: those for which the order of the output values counts
RANKED = frozenset({"PRIORITY", "OUTPUT ORDER"})


def aggregated(aggregation: str, items: list[Any], evaluation: Evaluation) -> Any:
    """One value of the outputs of a table with COLLECT; sorted, so that no order of rules shows in a last digit."""
    if aggregation == "SUM" and all(isinstance(item, Decimal) for item in items):
        items = sorted(items)
    return BUILTINS[aggregation.lower()].call(evaluation, [items])
