"""Compiling ranges, ``in`` and the unary tests of a table's cells (DMN 1.5, rules 7 to 16 and table 55)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.nodes import INPUT, Node
from orchestration_pipelines.model.feel.operations import DIRECT, comparing, constant
from orchestration_pipelines.model.feel.place import Frame, Place, Rule
from orchestration_pipelines.model.feel.ranges import Range, range_between
from orchestration_pipelines.model.feel.scope import Compiled, Scope, Test
from orchestration_pipelines.model.feel.types import described
from orchestration_pipelines.model.feel.values import either, equal


def reads_input(node: Node) -> bool:
    """Whether an expression is about the value under test, so that it is itself the test."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Name) and node.name == INPUT:
            return True
        # the tests of another value have their own
        waiting.extend((node.value,) if isinstance(node, nodes.In) else nodes.children(node))
    return False


def holding(node: Node, place: Place) -> Test:
    """A test as a closure over the value."""
    if isinstance(node, nodes.Half):
        return _half_test(node, place)
    if isinstance(node, nodes.Interval):
        return _interval_test(node, place)
    if reads_input(node):
        return _own_test(node, place)
    inner = place.compiled(node)
    return lambda scope, value: member(scope.evaluation, value, inner(scope))


def _half_test(node: nodes.Half, place: Place) -> Test:
    end, compared = place.compiled(node.end), comparing(node.operator)
    known = constant(node.end)
    if known is None:
        return lambda scope, value: compared(scope, value, end(scope))
    bound, direct = known(Scope.__new__(Scope)), DIRECT[node.operator]
    kind = type(bound)

    def holds(scope: Scope, value: Any) -> bool | None:
        if type(value) is kind and (kind is Decimal or kind is str):
            try:
                return direct(value, bound)
            except InvalidOperation:
                return compared(scope, value, bound)
        return compared(scope, value, bound)

    return holds


def _interval_test(node: nodes.Interval, place: Place) -> Test:
    interval = place.compiled(node)
    known = constant(node.low), constant(node.high)

    def within(scope: Scope, value: Any) -> bool | None:
        ranged = interval(scope)
        return None if ranged is None else ranged.holds(scope.evaluation, value)

    if not (nodes.is_number(node.low) and nodes.is_number(node.high)) or None in known:
        return within
    low, high = (end(Scope.__new__(Scope)) for end in known if end is not None)
    above, below = DIRECT[">=" if node.low_closed else ">"], DIRECT["<=" if node.high_closed else "<"]

    def holds(scope: Scope, value: Any) -> bool | None:
        if type(value) is Decimal and low <= high and value.is_finite():
            return above(value, low) and below(value, high)
        return within(scope, value)

    return holds


def _own_test(node: Node, place: Place) -> Test:
    with place.inside(Frame((INPUT,))):
        inner = place.compiled(node)

    def holds(scope: Scope, value: Any) -> bool | None:
        answer = inner(scope.inner({INPUT: value}))
        return (
            answer if isinstance(answer, bool) else None if answer is None else member(scope.evaluation, value, answer)
        )

    return holds


def member(evaluation: Evaluation, value: Any, test: Any) -> bool | None:
    """``value in test`` where the test is a range, a list of values and ranges, or a value to equal."""
    if isinstance(test, Range):
        return test.holds(evaluation, value)
    if not isinstance(test, list):
        return equal(evaluation, value, test)
    evaluation.spend(len(test))
    answer: bool | None = isinstance(value, list) and equal(evaluation, value, test)
    for item in test:
        if answer is True:
            break
        holds = item.holds(evaluation, value) if isinstance(item, Range) else equal(evaluation, value, item)
        answer = either(answer, holds)
    return answer


def any_holding(tests: tuple[Node, ...], place: Place) -> Test:
    """Several tests as one: ``or`` of them."""
    compiled = [holding(test, place) for test in tests]
    if len(compiled) == 1:
        return compiled[0]

    def holds(scope: Scope, value: Any) -> bool | None:
        answer: bool | None = False
        for test in compiled:
            found = test(scope, value)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return holds


def _in(node: nodes.In, place: Place) -> Compiled:
    value, holds = place.compiled(node.value), any_holding(node.tests, place)
    return lambda scope: holds(scope, value(scope))


def _tests(node: nodes.Tests, place: Place) -> Compiled:
    holds = any_holding(node.tests, place)

    def negated(scope: Scope) -> bool | None:
        answer = holds(scope, scope.given.get(INPUT))
        return None if answer is None else not answer

    return negated if node.negated else lambda scope: holds(scope, scope.given.get(INPUT))


def _anything(_: nodes.Anything, __: Place) -> Compiled:
    return lambda _: True


def _interval(node: nodes.Interval, place: Place) -> Compiled:
    low, high = place.compiled(node.low), place.compiled(node.high)
    low_closed, high_closed = node.low_closed, node.high_closed
    return lambda scope: range_between(scope.evaluation, low(scope), low_closed, high(scope), high_closed)


def _half(node: nodes.Half, place: Place) -> Compiled:
    end, operator = place.compiled(node.end), node.operator

    def ranged(scope: Scope) -> Range | None:
        value = end(scope)
        if value is None:
            return scope.evaluation.fault("a range has no end that is null")
        if operator == "!=":
            return scope.evaluation.fault(f"what differs from {described(value)} is no range")
        if operator in ("<", "<="):
            return Range(None, False, value, operator == "<=")
        return Range(value, operator != ">", value if operator == "=" else None, operator == "=")

    return ranged


RULES: Mapping[type[Node], Rule] = {
    nodes.In: _in, nodes.Tests: _tests, nodes.Anything: _anything, nodes.Interval: _interval, nodes.Half: _half,
}  # fmt: skip
