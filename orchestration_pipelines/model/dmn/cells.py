"""What a cell compares with, where that is all that it does: its value then changes at those values alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.partition import Comparand
from orchestration_pipelines.model.feel import nodes

_ORDERING = frozenset({"<", "<=", ">", ">="})
#: functions that make a value of a text that is written out
_WRITTEN = frozenset({"date", "time", "date and time", "duration"})


class General(Exception):
    """A cell that does more than compare with written values; the message says what."""


def comparands(cell: feel.Expression) -> list[Comparand]:
    """The values that a cell, or a list of allowed values, compares with; :class:`General` if it does more."""
    return list(_test(cell.tree, cell.text))


def _test(node: nodes.Node, text: str) -> Iterator[Comparand]:
    """What a test compares the value with."""
    match node:
        case nodes.Anything():
            return
        case nodes.Tests(tests=tests) | nodes.Or(operands=tests) | nodes.And(operands=tests):
            for test in tests:
                yield from _test(test, text)
        case nodes.Half(operator=operator, end=end):
            yield from _values(end, text, ordered=operator in _ORDERING)
        case nodes.Interval(low=low, high=high):
            yield from _values(low, text, ordered=True)
            yield from _values(high, text, ordered=True)
        case nodes.Listing(items=items):
            for item in items:
                yield from _test(item, text)
        case (
            nodes.Comparison(operator=operator, left=nodes.Name(name=nodes.INPUT), right=other)
            | nodes.Comparison(operator=operator, left=other, right=nodes.Name(name=nodes.INPUT))
        ):
            yield from _values(other, text, ordered=operator in _ORDERING)
        case nodes.Between(value=nodes.Name(name=nodes.INPUT), low=low, high=high):
            yield from _values(low, text, ordered=True)
            yield from _values(high, text, ordered=True)
        case nodes.In(value=nodes.Name(name=nodes.INPUT), tests=tests):
            for test in tests:
                yield from _test(test, text)
        case _:
            yield from _values(node, text, ordered=False)


def _values(node: nodes.Node, text: str, *, ordered: bool) -> Iterator[Comparand]:
    value = _constant(node, text)
    if value is not None or isinstance(node, nodes.Literal):  # date("nonsense") is null, and compares with nothing
        yield Comparand(value, ordered)


def _constant(node: nodes.Node, text: str) -> Any:
    match node:
        case nodes.Literal(value=value):
            return value
        case nodes.Negation(operand=operand) if nodes.is_number(operand):
            return feel.evaluate("-value", {"value": _constant(operand, text)})
        case nodes.Call(function=nodes.Name(name=name), arguments=(nodes.Literal(value=str(written)),)) if (
            name in _WRITTEN
        ):
            return feel.evaluate(f"{name}(written)", {"written": written})
    raise General(f"{_short(text)} does more than compare with written values")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
