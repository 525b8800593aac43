"""List functions that make one value of many (DMN 1.5, clause 10.3.4.4): of a list, or of the arguments themselves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from orchestration_pipelines.model.feel.arithmetic import DECIMAL128, number
from orchestration_pipelines.model.feel.builtins.library import Body, Library
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.types import described
from orchestration_pipelines.model.feel.values import compare

AGGREGATES = Library()

#: for what is rounded once, at the end
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN, Emin=-99_999, Emax=99_999)


def _numbers(evaluation: Evaluation, name: str, items: list[Any]) -> list[Decimal] | None:
    """The items, if each is a number."""
    evaluation.spend(len(items))
    exact = []
    for item in items:
        value = number(item)
        if value is None:
            return evaluation.fault(f"{name} takes numbers, found {described(item)}")
        exact.append(value)
    return exact


Calculation = Callable[[list[Decimal]], Any]


def _of_numbers(name: str) -> Callable[[Calculation], Calculation]:
    """Declare a function of the numbers of a list, or of its arguments."""

    def declared(calculate: Calculation) -> Calculation:
        def body(evaluation: Evaluation, items: list[Any]) -> Any:
            exact = _numbers(evaluation, name, items)
            return None if exact is None else calculate(exact)

        AGGREGATES.function(name, "list: list", "n...: any")(body)
        return calculate

    return declared


def _extreme(name: str, better: str) -> Body:
    def body(evaluation: Evaluation, items: list[Any]) -> Any:
        evaluation.spend(len(items))
        if not items:
            return None
        best = items[0]
        for item in items:
            beats = compare(evaluation, better, item, best)
            if beats is None:
                return evaluation.fault(f"{name} takes items that can be compared, found {described(item)}")
            if beats:
                best = item
        return best

    return body


for _name, _better in (("min", "<"), ("max", ">")):
    AGGREGATES.function(_name, "list: list", "c...: any")(_extreme(_name, _better))


@_of_numbers("sum")
def _sum(items: list[Decimal]) -> Decimal | None:
    total = Decimal(0)
    for item in items:
        total = DECIMAL128.add(total, item)
    return total if items else None


@_of_numbers("mean")
def _mean(items: list[Decimal]) -> Decimal | None:
    return DECIMAL128.plus(_average(items)) if items else None


def _average(items: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for item in items:
        total = _WIDE.add(total, item)
    return _WIDE.divide(total, Decimal(len(items)))


@_of_numbers("product")
def _product(items: list[Decimal]) -> Decimal | None:
    product = Decimal(1)
    for item in items:
        product = DECIMAL128.multiply(product, item)
    return product if items else None


@_of_numbers("median")
def _median(items: list[Decimal]) -> Decimal | None:
    if not items:
        return None
    ordered, middle = sorted(items), len(items) // 2
    if len(items) % 2:
        return ordered[middle]
    return DECIMAL128.plus(_average(ordered[middle - 1 : middle + 1]))


@_of_numbers("stddev")
def _stddev(items: list[Decimal]) -> Decimal | None:
    if len(items) < 2:
        return None
    mean, squares = _average(items), Decimal(0)
    for item in items:
        distance = _WIDE.subtract(item, mean)
        squares = _WIDE.add(squares, _WIDE.multiply(distance, distance))
    return DECIMAL128.plus(_WIDE.sqrt(_WIDE.divide(squares, Decimal(len(items) - 1))))


@_of_numbers("mode")
def _mode(items: list[Decimal]) -> list[Decimal]:
    counts: dict[Decimal, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(item for item, count in counts.items() if count == most)


def _decided(name: str, decisive: bool) -> Body:
    """One item decides; else every one must be the opposite; what is neither leaves it open."""

    def body(evaluation: Evaluation, items: list[Any]) -> bool | None:
        evaluation.spend(len(items))
        if any(item is decisive for item in items):
            return decisive
        for item in items:
            if not isinstance(item, bool):
                return None if item is None else evaluation.fault(f"{name} takes booleans, found {described(item)}")
        return not decisive

    return body


for _name, _decisive in (("all", False), ("any", True)):
    AGGREGATES.function(_name, "list: list", "b...: any")(_decided(_name, _decisive))
