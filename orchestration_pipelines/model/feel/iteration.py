"""Compiling ``for``, ``some``, ``every`` and filters (DMN 1.5, clauses 10.3.2.5, 10.3.2.14 and 10.3.2.15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.operations import constant, is_whole
from orchestration_pipelines.model.feel.place import Frame, Place, Rule
from orchestration_pipelines.model.feel.ranges import Range
from orchestration_pipelines.model.feel.scope import Compiled, Scope
from orchestration_pipelines.model.feel.types import described

#: the results of a for so far
PARTIAL = "partial"
#: what is true or false, or null, whatever it is about
_CONDITIONS = (nodes.Comparison, nodes.Between, nodes.In, nodes.And, nodes.Or, nodes.Quantified, nodes.InstanceOf)

#: the values that a variable goes through; None if there are none, for a reason that was told
_Domain = Callable[[Scope], Iterable[Any] | None]


class _NoDomainError(Exception):
    """A variable of an inner iteration has nothing to go through."""


def domain(value: Any, evaluation: Evaluation) -> Iterable[Any] | None:
    """What an iteration over a value goes through: a list, the whole numbers or days of a range, or the one value."""
    if value is None:
        return evaluation.fault("an iteration over null")
    if not isinstance(value, Range):
        return value if isinstance(value, list) else [value]
    low, high = _ordinal(value.low), _ordinal(value.high)
    if low is None or high is None or type(value.low) is not type(value.high):
        return _uncountable(value.low, value.high, evaluation)
    return _counting(value.low, range(low + (not value.low_closed), high + value.high_closed))


def counted(low: Any, high: Any, evaluation: Evaluation) -> Iterable[Any] | None:
    """From one whole number, or day, to another, up or down."""
    first, last = _ordinal(low), _ordinal(high)
    if first is None or last is None or isinstance(low, date) is not isinstance(high, date):
        return _uncountable(low, high, evaluation)
    by = 1 if first <= last else -1
    return _counting(low, range(first, last + by, by))


def _uncountable(low: Any, high: Any, evaluation: Evaluation) -> None:
    return evaluation.fault(
        f"an iteration goes from one whole number or date to another, not from {described(low)} to {described(high)}"
    )


def _ordinal(value: Any) -> int | None:
    """The number of a whole number or a day."""
    if type(value) is date:
        return value.toordinal()
    return int(value) if is_whole(value) else None


def _counting(kind: Any, ordinals: range) -> Iterator[Any]:
    return map(date.fromordinal, ordinals) if type(kind) is date else map(Decimal, ordinals)


def _domain(node: nodes.Iteration, place: Place) -> _Domain:
    first = place.compiled(node.domain)
    if node.end is None:
        return lambda scope: domain(first(scope), scope.evaluation)
    last = place.compiled(node.end)
    return lambda scope: counted(first(scope), last(scope), scope.evaluation)


def _iterated(
    iterations: tuple[nodes.Iteration, ...], body: Node, place: Place
) -> tuple[Callable[[Scope], Iterator[Scope]], Compiled]:
    """The scopes of all combinations, the last variable going fastest; and what is evaluated in each."""
    before = place.size
    domains: list[tuple[str, _Domain]] = []
    frames: list[Frame] = []
    for iteration in iterations:
        with place.inside(*frames):
            domains.append((iteration.name, _domain(iteration, place)))
        frames.append(Frame((iteration.name,)))
    with place.inside(*frames):
        compiled = place.compiled(body)
    cost = place.size - before + 1

    def combined(scope: Scope, index: int = 0) -> Iterator[Scope]:
        name, values = domains[index]
        found = values(scope)
        if found is None:
            raise _NoDomainError
        for value in found:
            scope.evaluation.spend(cost)
            inner = scope.inner({name: value})
            if index + 1 == len(domains):
                yield inner
            else:
                yield from combined(inner, index + 1)

    return combined, compiled


def _for(node: nodes.For, place: Place) -> Compiled:
    so_far = Frame((PARTIAL,))
    with place.inside(so_far):
        scopes, result = _iterated(node.iterations, node.result, place)
    reads_partial = PARTIAL in so_far.used

    def listed(scope: Scope) -> list[Any] | None:
        results: list[Any] = []
        seen: dict[str, Any] = {PARTIAL: []}
        try:
            for inner in scopes(scope.inner(seen)):
                if reads_partial:
                    # a list of its own, since it may be kept, and lists do not change
                    scope.evaluation.spend(len(results) // 10)
                    seen[PARTIAL] = list(results)
                results.append(result(inner))
        except _NoDomainError:
            return None
        return results

    return listed


def _quantified(node: nodes.Quantified, place: Place) -> Compiled:
    scopes, condition = _iterated(node.iterations, node.condition, place)
    decisive = not node.every
    word = "every" if node.every else "some"

    def answered(scope: Scope) -> bool | None:
        answer: bool | None = not decisive
        try:
            for inner in scopes(scope):
                holds = condition(inner)
                if holds is decisive:
                    return bool(holds)
                if not isinstance(holds, bool):
                    answer = None
                    if holds is not None:
                        scope.evaluation.fault(f"'{word}' takes true and false, found {described(holds)}")
        except _NoDomainError:
            return None
        return answer

    return answered


def _filter(node: nodes.Filter, place: Place) -> Compiled:
    source = place.compiled(node.source)
    if nodes.is_number(node.condition) and (known := constant(node.condition)) is not None:
        index = known(Scope.__new__(Scope))
        return lambda scope: _picked(source(scope), index, scope.evaluation)
    before = place.size
    with place.inside(Frame(is_filter=True)):
        condition = place.compiled(node.condition)
    cost = place.size - before + 1
    may_be_index = not isinstance(node.condition, _CONDITIONS)

    def filtered(scope: Scope) -> Any:
        value = source(scope)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        evaluation = scope.evaluation
        if may_be_index:
            first = condition(scope.of_item(items[0] if items else None))
            if isinstance(first, Decimal | int) and not isinstance(first, bool):
                return _picked(items, first, evaluation)
        kept = []
        for item in items:
            evaluation.spend(cost)
            holds = condition(scope.of_item(item))
            if holds is True:
                kept.append(item)
            elif holds is not False and holds is not None:
                return evaluation.fault(f"a filter takes a condition or a number, found {described(holds)}")
        return kept

    return filtered


def _picked(value: Any, index: Decimal | int, evaluation: Evaluation) -> Any:
    """The item at a number: from 1 at the front, from -1 at the end."""
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    whole = int(index)
    if not whole:
        return evaluation.fault(f"a list has no item number {index}; the first is 1, the last is -1")
    if abs(whole) > len(items):
        return evaluation.fault(f"a list of {len(items)} has no item number {index}")
    return items[whole - 1 if whole > 0 else whole]


RULES: Mapping[type[Node], Rule] = {nodes.For: _for, nodes.Quantified: _quantified, nodes.Filter: _filter}
