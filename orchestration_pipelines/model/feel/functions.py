"""The built-in functions that can be called (DMN 1.5, clause 10.3.4): null in, null out, never an exception."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from functools import partial, reduce
from typing import Any

from orchestration_pipelines.model.feel.values import arithmetic, equal, negated, number


def _not(value: Any = None) -> Any:
    return negated(value)


def _whole(rounding: str) -> Callable[..., Any]:
    def rounded(value: Any = None) -> Any:
        exact = number(value)
        return None if exact is None else exact.to_integral_value(rounding=rounding)

    return rounded


def _abs(value: Any = None) -> Any:
    exact = number(value)
    return None if exact is None else exact.copy_abs()


def _number(value: Any = None) -> Any:
    try:
        exact = Decimal(value) if isinstance(value, str) else number(value)
    except InvalidOperation:
        return None
    return exact if exact is not None and exact.is_finite() else None


def _string_length(value: Any = None) -> Any:
    return Decimal(len(value)) if isinstance(value, str) else None


def _contains(value: Any = None, part: Any = None) -> Any:
    return part in value if isinstance(value, str) and isinstance(part, str) else None


def _count(value: Any = None) -> Any:
    return Decimal(len(value)) if isinstance(value, list) else None


def _list_contains(value: Any = None, item: Any = None) -> Any:
    return any(equal(entry, item) is True for entry in value) if isinstance(value, list) else None


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*values: Any) -> Any:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        numbers = [number(item) for item in items]
        if items and all(exact is not None for exact in numbers):
            return choose(numbers)
        return choose(items) if items and all(isinstance(item, str) for item in items) else None

    return chosen


def _sum(*values: Any) -> Any:
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    numbers = [exact for exact in map(number, items) if exact is not None]
    if not items or len(numbers) != len(items):
        return None
    return reduce(partial(arithmetic, "+"), numbers)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "not": _not,
    "floor": _whole(ROUND_FLOOR),
    "ceiling": _whole(ROUND_CEILING),
    "abs": _abs,
    "number": _number,
    "contains": _contains,
    "count": _count,
    "min": _extreme(min),
    "max": _extreme(max),
    "sum": _sum,
}
#: those whose names have a space
SPACED: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("string", "length"): _string_length,
    ("list", "contains"): _list_contains,
}
