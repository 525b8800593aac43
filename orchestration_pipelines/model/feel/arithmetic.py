"""``+ - * / **`` on every kind of value that has them (DMN 1.5, tables 56 to 60)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from fractions import Fraction
from typing import Any

from orchestration_pipelines.model.feel import temporal
from orchestration_pipelines.model.feel.durations import DAY, YearsMonths, nanoseconds, of_nanoseconds
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.types import (
    DATE,
    DATE_AND_TIME,
    DAYS,
    NUMBER,
    STRING,
    TIME,
    YEARS,
    described,
    kind,
)

#: FEEL's numbers (clause 10.3.2.3.1)
DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144)
#: for what is rounded once, at the end
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN, Emin=-99_999, Emax=99_999)
_LARGEST_EXPONENT = 999_999_999
#: no text is longer
MAX_TEXT = 1_000_000

Operation = Callable[[Evaluation, Any, Any], Any]


def number(value: Any) -> Decimal | None:
    """The value as a number, or None: an int is exact, a bool is no number, a float is not let in."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return None


def rounded(exact: Decimal) -> Decimal | None:
    """A number with the digits that FEEL has; None where it is beyond them."""
    try:
        return DECIMAL128.plus(exact)
    except DecimalException:
        return None


def arithmetic(evaluation: Evaluation, operator: str, left: Any, right: Any) -> Any:
    """``left operator right``; null where the tables of the standard have nothing."""
    if left is None or right is None:
        return None
    return OPERATIONS[operator](evaluation, left, right)


def _numeric(
    sign: str, exact: Callable[[Decimal, Decimal], Decimal | None], others: Mapping[tuple[str, str], Any]
) -> Operation:
    """The operation on numbers, and on the other kinds that the table has."""

    def operation(evaluation: Evaluation, left: Any, right: Any) -> Any:
        if type(left) is Decimal and type(right) is Decimal:
            a: Decimal | None = left
            b: Decimal | None = right
        else:
            kinds = (kind(left) or "", kind(right) or "")
            if kinds != (NUMBER, NUMBER):
                return _other(evaluation, sign, kinds, others, left, right)
            a, b = number(left), number(right)
        try:
            result = None if a is None or b is None else exact(a, b)
        except DecimalException:
            result = None
        if result is None or not result.is_finite():
            return evaluation.fault(f"{described(left)} {sign} {described(right)} is no number that FEEL has")
        return result or result.copy_abs()  # there is one zero

    return operation


def _other(
    evaluation: Evaluation,
    sign: str,
    kinds: tuple[str, str],
    others: Mapping[tuple[str, str], Any],
    left: Any,
    right: Any,
) -> Any:
    if left is None or right is None:
        return None
    calculate = others.get(kinds)
    if calculate is None:
        return evaluation.fault(f"{described(left)} {sign} {described(right)} has no meaning")
    try:
        result = calculate(evaluation, left, right)
    except (DecimalException, ZeroDivisionError):
        result = None
    if result is None:
        return evaluation.fault(f"{described(left)} {sign} {described(right)} has no value")
    return result


# -- texts


def _joined(evaluation: Evaluation, left: str, right: str) -> str | None:
    length = len(left) + len(right)
    evaluation.write(min(length, MAX_TEXT))
    return left + right if length <= MAX_TEXT else None


# -- dates, times and durations


def _span_between(_: Evaluation, left: Any, right: Any) -> Any:
    """Two dates or dates and times: both with a zone, or neither; a date is its midnight in UTC."""
    if kind(left) == kind(right) == DATE:
        return of_nanoseconds((temporal.day_number(left) - temporal.day_number(right)) * DAY)
    one = temporal.midnight(left) if kind(left) == DATE else left
    other = temporal.midnight(right) if kind(right) == DATE else right
    return _difference(temporal.moment_key(one), temporal.moment_key(other))


def _clock_between(_: Evaluation, left: Any, right: Any) -> Any:
    zoned = temporal.offset_of(left), temporal.offset_of(right)
    a, b = temporal.clock_of(left) - (zoned[0] or 0), temporal.clock_of(right) - (zoned[1] or 0)
    return _difference((zoned[0] is None, a), (zoned[1] is None, b))


def _difference(left: tuple[bool, int], right: tuple[bool, int]) -> Any:
    return of_nanoseconds(left[1] - right[1]) if left[0] == right[0] else None


def _day_shifted(sign: int) -> Operation:
    def shifted(_: Evaluation, day: Any, span: Any) -> Any:
        return temporal.date_of(temporal.day_number(day) + sign * nanoseconds(span) // DAY)

    return shifted


def _day_by_months(sign: int) -> Operation:
    return lambda _, day, span: temporal.months_later(day, sign * span.months)


def _moment_by_months(sign: int) -> Operation:
    def shifted(_: Evaluation, at: Any, span: Any) -> Any:
        day = temporal.months_later(temporal.day_of(at), sign * span.months)
        return None if day is None else temporal.combined(day, temporal.time_at(at))

    return shifted


def _moment_shifted(sign: int) -> Operation:
    return lambda _, at, span: temporal.moved(at, sign * nanoseconds(span))


def _time_shifted(sign: int) -> Operation:
    return lambda _, at, span: temporal.time_moved(at, of_nanoseconds(sign * nanoseconds(span)))


def _turned(operation: Operation) -> Operation:
    """Addition commutes: the same, with the sides exchanged."""
    return lambda evaluation, left, right: operation(evaluation, right, left)


def _days_sum(sign: int) -> Operation:
    return lambda _, left, right: of_nanoseconds(nanoseconds(left) + sign * nanoseconds(right))


def _months_sum(sign: int) -> Operation:
    return lambda _, left, right: YearsMonths(left.months + sign * right.months)


def _shifts(sign: int) -> dict[tuple[str, str], Operation]:
    return {
        (DATE, DAYS): _day_shifted(sign),
        (DATE, YEARS): _day_by_months(sign),
        (DATE_AND_TIME, DAYS): _moment_shifted(sign),
        (DATE_AND_TIME, YEARS): _moment_by_months(sign),
        (TIME, DAYS): _time_shifted(sign),
    }


#: a calculation with a duration is exact, and its result is cut to whole nanoseconds or months; a longer one is null
_LONGEST = 10**40
_FURTHEST_FACTOR = 60  #: the digits before or behind the point of what a duration is multiplied with


def _scaled(times: Callable[[int, Fraction], Fraction]) -> Operation:
    def scaled(_: Evaluation, span: Any, factor: Any) -> Any:
        exact = number(factor)
        if exact is None or abs(exact.adjusted()) > _FURTHEST_FACTOR:
            return None
        months = isinstance(span, YearsMonths)
        whole = int(times(span.months if months else nanoseconds(span), Fraction(exact)))  # towards zero
        if abs(whole) > _LONGEST:
            return None
        return YearsMonths(whole) if months else of_nanoseconds(whole)

    return scaled


_multiplied, _divided = _scaled(lambda length, by: length * by), _scaled(lambda length, by: length / by)


def _days_ratio(_: Evaluation, left: Any, right: Any) -> Any:
    return DECIMAL128.divide(Decimal(nanoseconds(left)), Decimal(nanoseconds(right)))


def _months_ratio(_: Evaluation, left: Any, right: Any) -> Any:
    return DECIMAL128.divide(Decimal(left.months), Decimal(right.months))


def _power(base: Decimal, exponent: Decimal) -> Decimal | None:
    if abs(exponent) > _LARGEST_EXPONENT:
        return None
    if not exponent:
        return Decimal(1)
    return DECIMAL128.plus(_WIDE.power(base, exponent))


OPERATIONS: Mapping[str, Operation] = {
    "+": _numeric(
        "+",
        DECIMAL128.add,
        {
            (STRING, STRING): _joined,
            (DAYS, DAYS): _days_sum(1),
            (YEARS, YEARS): _months_sum(1),
            **_shifts(1),
            **{(right, left): _turned(operation) for (left, right), operation in _shifts(1).items()},
        },
    ),
    "-": _numeric(
        "-",
        DECIMAL128.subtract,
        {
            (DATE, DATE): _span_between,
            (DATE_AND_TIME, DATE_AND_TIME): _span_between,
            (DATE, DATE_AND_TIME): _span_between,
            (DATE_AND_TIME, DATE): _span_between,
            (TIME, TIME): _clock_between,
            (DAYS, DAYS): _days_sum(-1),
            (YEARS, YEARS): _months_sum(-1),
            **_shifts(-1),
        },
    ),
    "*": _numeric(
        "*",
        DECIMAL128.multiply,
        {
            (DAYS, NUMBER): _multiplied,
            (YEARS, NUMBER): _multiplied,
            (NUMBER, DAYS): _turned(_multiplied),
            (NUMBER, YEARS): _turned(_multiplied),
        },
    ),
    "/": _numeric(
        "/",
        DECIMAL128.divide,
        {(DAYS, NUMBER): _divided, (YEARS, NUMBER): _divided, (DAYS, DAYS): _days_ratio, (YEARS, YEARS): _months_ratio},
    ),
    "**": _numeric("**", _power, {}),
}
