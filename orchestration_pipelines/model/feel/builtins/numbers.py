"""Numeric functions (DMN 1.5, clause 10.3.4.5): exact to the 34 digits that FEEL has, and never a float."""

from __future__ import annotations

import decimal
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from orchestration_pipelines.model.feel import durations
from orchestration_pipelines.model.feel.arithmetic import DECIMAL128
from orchestration_pipelines.model.feel.builtins.library import Body, Library, cut
from orchestration_pipelines.model.feel.durations import DaysTime, YearsMonths
from orchestration_pipelines.model.feel.evaluation import Evaluation

NUMBERS = Library()

_LOWEST_SCALE, _HIGHEST_SCALE = -6111, 6176


def scaled(value: Decimal, scale: int, rounding: str) -> Decimal:
    """The number with so many digits behind the point, as far as it has the room."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -scale:
        # nothing is rounded away: zeros are put on, if they are among the 34 digits
        room = 34 - len(value.as_tuple().digits)
        return value if exponent + scale > room else value.quantize(Decimal(1).scaleb(-scale), context=_wide(rounding))
    return DECIMAL128.plus(value.quantize(Decimal((0, (1,), -scale)), context=_wide(rounding)))


@lru_cache(maxsize=8)
def _wide(rounding: str) -> Context:
    return Context(prec=80, rounding=rounding, Emin=-99_999, Emax=99_999)


def _rounding(rounding: str) -> Body:
    def body(evaluation: Evaluation, value: Decimal, scale: Decimal = Decimal(0)) -> Any:
        places = cut(scale)
        if not _LOWEST_SCALE <= places <= _HIGHEST_SCALE:
            return evaluation.fault(f"a scale is a number from {_LOWEST_SCALE} to {_HIGHEST_SCALE}, not {scale}")
        return scaled(value, places, rounding)

    return body


for _name, _mode in (
    ("decimal", decimal.ROUND_HALF_EVEN),
    ("round up", decimal.ROUND_UP),
    ("round down", decimal.ROUND_DOWN),
    ("round half up", decimal.ROUND_HALF_UP),
    ("round half down", decimal.ROUND_HALF_DOWN),
):
    NUMBERS.function(_name, "n: number; scale: number")(_rounding(_mode))
for _name, _mode in (("floor", decimal.ROUND_FLOOR), ("ceiling", decimal.ROUND_CEILING)):
    NUMBERS.function(_name, "n: number", "n: number; scale: number")(_rounding(_mode))


@NUMBERS.function("abs", "n: number")
def _abs(_: Evaluation, value: Decimal) -> Decimal:
    return value.copy_abs()


@NUMBERS.function("abs", "n: days and time duration | years and months duration")
def _abs_duration(_: Evaluation, value: DaysTime | YearsMonths) -> DaysTime | YearsMonths:
    if isinstance(value, YearsMonths):
        return YearsMonths(abs(value.months))
    return durations.of_nanoseconds(abs(durations.nanoseconds(value)))


@NUMBERS.function("modulo", "dividend: number; divisor: number")
def _modulo(evaluation: Evaluation, dividend: Decimal, divisor: Decimal) -> Any:
    if not divisor:
        return evaluation.fault("modulo: the divisor is zero")
    rest = Fraction(dividend) % Fraction(divisor)
    return DECIMAL128.divide(Decimal(rest.numerator), Decimal(rest.denominator))


@NUMBERS.function("sqrt", "number: number")
def _sqrt(evaluation: Evaluation, value: Decimal) -> Any:
    if value < 0:
        return evaluation.fault(f"sqrt: {value} is negative")
    return DECIMAL128.sqrt(value)


#: steps of a logarithm or of an exponential: they take some 20 microseconds
_SERIES_COST = 30


@NUMBERS.function("log", "number: number")
def _log(evaluation: Evaluation, value: Decimal) -> Any:
    if value <= 0:
        return evaluation.fault(f"log: {value} is not greater than zero")
    evaluation.spend(_SERIES_COST)
    return DECIMAL128.ln(value)


@NUMBERS.function("exp", "number: number")
def _exp(evaluation: Evaluation, value: Decimal) -> Decimal:
    evaluation.spend(_SERIES_COST)
    return DECIMAL128.exp(value)


@NUMBERS.function("odd", "number: number")
def _odd(_: Evaluation, value: Decimal) -> bool:
    return abs(Fraction(value)) % 2 == 1


@NUMBERS.function("even", "number: number")
def _even(_: Evaluation, value: Decimal) -> bool:
    return abs(Fraction(value)) % 2 == 0
