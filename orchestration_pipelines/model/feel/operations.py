"""Compiling logic, comparison and arithmetic (DMN 1.5, clauses 10.3.2.4, 10.3.2.15 and 9.2)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.place import Place, Rule
from orchestration_pipelines.model.feel.scope import Compiled, Scope
from orchestration_pipelines.model.feel.types import DAYS, YEARS, described, instance_of, kind
from orchestration_pipelines.model.feel.values import arithmetic, both, compare, equal

#: what compares two numbers, or two texts, as FEEL does
DIRECT: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


#: a power with a fraction in its exponent takes as long as that many other nodes
_POWER_COST = 100


def is_whole(value: Any) -> bool:
    """Whether a value is a number without a fraction."""
    return type(value) is int or (type(value) is Decimal and value == value.to_integral_value())


def constant(node: Node) -> Compiled | None:
    """The closure of a literal, perhaps with a minus; None of anything else."""
    if isinstance(node, nodes.Literal):
        value = node.value
        return lambda _: value
    if nodes.is_number(node) and isinstance(node, nodes.Negation) and isinstance(node.operand, nodes.Literal):
        negative = node.operand.value.copy_negate() if node.operand.value else node.operand.value
        return lambda _: negative
    return None


def comparing(symbol: str) -> Callable[[Scope, Any, Any], bool | None]:
    """``left symbol right`` for two values."""
    direct = DIRECT[symbol]

    def compared(scope: Scope, left: Any, right: Any) -> bool | None:
        kind = type(left)
        if kind is type(right) and (kind is Decimal or kind is str):
            try:
                return direct(left, right)
            except InvalidOperation:  # a caller's number that is none
                return scope.evaluation.fault(f"{left} {symbol} {right} cannot be compared")
        if symbol == "=":
            return equal(scope.evaluation, left, right)
        if symbol == "!=":
            same = equal(scope.evaluation, left, right)
            return None if same is None else not same
        return compare(scope.evaluation, symbol, left, right)

    return compared


def _comparison(node: nodes.Comparison, place: Place) -> Compiled:
    left, right, compared = place.compiled(node.left), place.compiled(node.right), comparing(node.operator)
    direct = DIRECT[node.operator]

    def answered(scope: Scope) -> bool | None:
        a, b = left(scope), right(scope)
        kind = type(a)
        if kind is type(b) and (kind is Decimal or kind is str):
            try:
                return direct(a, b)
            except InvalidOperation:
                return compared(scope, a, b)
        return compared(scope, a, b)

    return answered


def _between(node: nodes.Between, place: Place) -> Compiled:
    value, low, high = place.compiled(node.value), place.compiled(node.low), place.compiled(node.high)
    above, below = comparing(">="), comparing("<=")

    def answered(scope: Scope) -> bool | None:
        found = value(scope)
        return both(above(scope, found, low(scope)), below(scope, found, high(scope)))

    return answered


def _and(node: nodes.And, place: Place) -> Compiled:
    return _decided("and", False, node.operands, place)


def _or(node: nodes.Or, place: Place) -> Compiled:
    return _decided("or", True, node.operands, place)


def _decided(word: str, decisive: bool, operands: tuple[Node, ...], place: Place) -> Compiled:
    """One operand decides; else every one must be the opposite; what is no truth value leaves it open."""
    compiled = [place.compiled(operand) for operand in operands]

    def answered(scope: Scope) -> bool | None:
        answer: bool | None = not decisive
        for operand in compiled:
            value = operand(scope)
            if value is decisive:
                return bool(value)
            if value is not (not decisive):
                answer = None
                if value is not None:
                    scope.evaluation.fault(f"'{word}' takes true and false, found {described(value)}")
        return answer

    return answered


def _if(node: nodes.If, place: Place) -> Compiled:
    condition, then, otherwise = (place.compiled(part) for part in (node.condition, node.then, node.otherwise))

    def chosen(scope: Scope) -> Any:
        holds = condition(scope)
        if holds is True:
            return then(scope)
        if holds is not False and holds is not None:
            scope.evaluation.fault(f"'if' takes true and false, found {described(holds)}")
        return otherwise(scope)

    return chosen


def _arithmetic(node: nodes.Arithmetic, place: Place) -> Compiled:
    if node.operator == "**" and not (isinstance(node.right, nodes.Literal) and is_whole(node.right.value)):
        place.size += _POWER_COST
    left, right, symbol = place.compiled(node.left), place.compiled(node.right), node.operator
    return lambda scope: arithmetic(scope.evaluation, symbol, left(scope), right(scope))


def _negation(node: nodes.Negation, place: Place) -> Compiled:
    if (known := constant(node)) is not None:
        return known
    operand = place.compiled(node.operand)
    zero, minus = Decimal(0), Decimal(-1)

    def negative(scope: Scope) -> Any:
        value = operand(scope)
        if kind(value) in (DAYS, YEARS):
            return arithmetic(scope.evaluation, "*", value, minus)
        return arithmetic(scope.evaluation, "-", zero, value)

    return negative


def _instance_of(node: nodes.InstanceOf, place: Place) -> Compiled:
    value, wanted, written = place.compiled(node.value), node.type, node.written

    def answered(scope: Scope) -> bool | None:
        if wanted is None:
            return scope.evaluation.fault(f"there is no type {written!r}; a list, a context, a range or a function"
                                          " has those of its parts in angle brackets")  # fmt: skip
        return instance_of(value(scope), wanted, scope.evaluation)

    return answered


def _literal(node: nodes.Literal, _: Place) -> Compiled:
    value = node.value
    return lambda _: value


def _name(node: nodes.Name, place: Place) -> Compiled:
    return place.name(node.name)


RULES: Mapping[type[Node], Rule] = {
    nodes.Literal: _literal, nodes.Name: _name, nodes.Negation: _negation, nodes.Arithmetic: _arithmetic,
    nodes.Comparison: _comparison, nodes.Between: _between, nodes.And: _and, nodes.Or: _or, nodes.If: _if,
    nodes.InstanceOf: _instance_of,
}  # fmt: skip
