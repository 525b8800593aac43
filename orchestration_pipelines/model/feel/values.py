"""What FEEL's operators mean for Python values: three-valued logic, exact numbers, null for what has no meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException
from typing import Any

#: DMN numbers are decimal128 (clause 10.3.2.3.1)
_DECIMAL128 = Context(prec=34, Emin=-6143, Emax=6144)


@dataclass(frozen=True, slots=True)
class Range:
    """``[low..high]`` with each end open or closed; None is unbounded."""

    low: Any
    low_closed: bool
    high: Any
    high_closed: bool

    def holds(self, value: Any) -> bool | None:
        """Whether the value lies within; null where it cannot be compared."""
        above = True if self.low is None else compare(">=" if self.low_closed else ">", value, self.low)
        below = True if self.high is None else compare("<=" if self.high_closed else "<", value, self.high)
        return both(above, below)


def number(value: Any) -> Decimal | None:
    """The value as a number, or None: an int is exact, a bool is no number, a float is not let in."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return None


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """``+ - * / **`` on numbers (and ``+`` on text); null for anything else."""
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) <= 1_000_000 else None
    a, b = number(left), number(right)
    if a is None or b is None:
        return None
    try:
        match operator:
            case "+":
                return _DECIMAL128.add(a, b)
            case "-":
                return _DECIMAL128.subtract(a, b)
            case "*":
                return _DECIMAL128.multiply(a, b)
            case "/":
                return _DECIMAL128.divide(a, b)
            case _:
                return _DECIMAL128.power(a, b)
    except DecimalException:
        return None


def equal(left: Any, right: Any) -> bool | None:
    """Equality (clause 10.3.2.15): null equals null alone; values of different types are not comparable."""
    if left is None or right is None:
        return left is right
    a, b = number(left), number(right)
    if a is not None and b is not None:
        return a == b
    for kind in (str, bool, list, Mapping):
        if isinstance(left, kind) and isinstance(right, kind):
            return bool(left == right)
    return None


def compare(operator: str, left: Any, right: Any) -> bool | None:
    """``< <= > >=`` on numbers and on text; null for anything else."""
    a, b = number(left), number(right)
    if a is None or b is None:
        if not (isinstance(left, str) and isinstance(right, str)):
            return None
        a, b = left, right  # type: ignore[assignment] # text compares as numbers do
    match operator:
        case "<":
            return a < b  # type: ignore[operator] # both are numbers, or both text
        case "<=":
            return a <= b  # type: ignore[operator] # the same
        case ">":
            return a > b  # type: ignore[operator] # the same
        case _:
            return a >= b  # type: ignore[operator] # the same


def both(left: Any, right: Any) -> bool | None:
    """``and`` (table 38): false wins over null."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def either(left: Any, right: Any) -> bool | None:
    """``or`` (table 38): true wins over null."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


def negated(value: Any) -> bool | None:
    """``not``: null stays null."""
    return not value if isinstance(value, bool) else None


def member(value: Any, test: Any) -> bool | None:
    """``value in test`` where the test is a range, a list of tests, or a value to equal."""
    if isinstance(test, Range):
        return test.holds(value)
    if isinstance(test, list):
        answer: bool | None = False
        for item in test:
            answer = either(answer, member(value, item))
        return answer
    return equal(value, test)


def path(value: Any, name: str) -> Any:
    """``value.name``: of a context its entry, of a list each item's; null where there is none."""
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, list):
        return [path(item, name) for item in value]
    return None
