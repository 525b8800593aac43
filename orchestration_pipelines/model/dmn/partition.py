"""A column's values in classes: within one, no cell of the column tells two values apart.

What cells compare with cuts the values of its kind: each of the values is a class, and what lies between two neighbours
is one. Texts that are only named, and never ordered, are classes of their own beside "any other text".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cmp_to_key
from itertools import pairwise
from typing import Any, NamedTuple

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel import types


class Comparand(NamedTuple):
    """A value that a cell compares with."""

    value: Any
    ordered: bool  #: with <, > or as an end of a range, and not only for being equal


class Uncut(Exception):
    """Values that make no classes; the message says why."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a class, to stand for all of it."""

    value: Any
    named: bool  #: whether a cell names it, or it is of a kind that the cells name; only null may be of none


#: what lies between two values of an ordered kind, below one, and above one: the first that does is taken
_BESIDE: Mapping[str, tuple[str, ...]] = {
    types.DATE: ('low + duration("P1D")', 'high - duration("P1D")'),
    types.DATE_AND_TIME: (
        'low + duration("P1D")',
        'low + duration("PT1M")',
        'low + duration("PT0.000001S")',
        'high - duration("P1D")',
    ),
    types.TIME: (
        'low + duration("PT1M")',
        'low + duration("PT0.000001S")',
        'high - duration("PT1M")',
        'high - duration("PT0.000001S")',
    ),
    types.DAYS: ('low + duration("P1D")', 'low + duration("PT0.000001S")', 'high - duration("P1D")'),
    types.YEARS: ('low + duration("P1M")', 'high - duration("P1M")'),
}
#: FEEL's numbers; what is none of them is NaN
_EXACT = Context(prec=34, Emax=6144, Emin=-6143, traps=[])
_OTHERS = ("other", "something else")


def values(comparands: Sequence[Comparand]) -> list[Value]:
    """A value for each class, null last, since any column may hold it; :class:`Uncut` says why there are none."""
    kinds: dict[str, list[Comparand]] = {}
    for each in comparands:
        if each.value is not None:
            kinds.setdefault(types.kind(each.value) or type(each.value).__name__, []).append(each)
    found = [Value(value, True) for kind, named in kinds.items() for value in _of_kind(kind, named)]
    null = any(each.value is None for each in comparands)
    return [*found, Value(None, null or not found)]


def _of_kind(kind: str, named: Sequence[Comparand]) -> Iterator[Any]:
    if kind == types.BOOLEAN:
        return iter((True, False))
    if kind == types.STRING and not any(each.ordered for each in named):
        return _texts({each.value for each in named})
    if kind in (types.NUMBER, types.STRING, *_BESIDE):
        return _ordered(kind, [each.value for each in named])
    raise Uncut(f"a cell compares with a {kind}")


def _texts(named: set[str]) -> Iterator[str]:
    yield from sorted(named)
    other = next((text for text in _OTHERS if text not in named), None)
    yield other if other is not None else max(named, key=len) + "x"


def _ordered(kind: str, found: list[Any]) -> Iterator[Any]:
    """The values and what is between them, from the least up."""
    cuts: list[Any] = []
    for value in sorted(found, key=cmp_to_key(_compared)):
        if not cuts or _compared(cuts[-1], value):
            cuts.append(value)
    yield from _first(kind, None, cuts[0])
    for low, high in pairwise(cuts):
        yield low
        yield from _first(kind, low, high)
    yield cuts[-1]
    yield from _first(kind, cuts[-1], None)


def _compared(one: Any, other: Any) -> int:
    if isinstance(one, Decimal | str):
        return bool(one > other) - bool(one < other)
    answers = [feel.evaluate(f"a {sign} b", {"a": one, "b": other}) for sign in ("<", "=", ">")]
    if True not in answers:
        raise Uncut(f"{words(one)} and {words(other)} cannot be compared with each other")
    return answers.index(True) - 1


def _first(kind: str, low: Any, high: Any) -> Iterator[Any]:
    """A value between two, if there is any: days, months and microseconds have neighbours."""
    for value in _candidates(kind, low, high):
        if (
            value is not None
            and (low is None or _compared(low, value) < 0)
            and (high is None or _compared(value, high) < 0)
        ):
            yield value
            return


def _candidates(kind: str, low: Any, high: Any) -> Iterator[Any]:
    if kind == types.NUMBER:
        return _numbers(low, high)
    if kind == types.STRING:
        return iter(("",) if low is None else (low + "m", low + " ", low + "\0"))
    given = {name: value for name, value in (("low", low), ("high", high)) if value is not None}
    return (feel.evaluate(text, given) for text in _BESIDE[kind] if text.split()[0] in given)


def _numbers(low: Decimal | None, high: Decimal | None) -> Iterator[Decimal]:
    """Short ones first."""
    if low is None and high is not None:
        yield from (Decimal(0), _EXACT.subtract(high, Decimal(1)), _EXACT.next_minus(high))
    elif high is None and low is not None:
        yield from (Decimal(0), _EXACT.add(low.to_integral_value(), Decimal(1)), _EXACT.next_plus(low))
    elif low is not None and high is not None:
        width = _EXACT.subtract(high, low)
        middle = _EXACT.add(low, _EXACT.divide(width, Decimal(2)))
        for digits in range(3):
            yield middle.quantize(Decimal((0, (1,), width.adjusted() - digits)), context=_EXACT)
        yield from (middle, _EXACT.next_plus(low))


def words(value: Any) -> str:
    """A value as FEEL writes it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Decimal):
        plain = f"{value:f}"
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        return plain if len(plain) <= 40 else str(value)
    kind = types.kind(value)
    name = "duration" if kind in (types.DAYS, types.YEARS) else kind
    return f'{name}("{feel.evaluate("string(v)", {"v": value})}")'
