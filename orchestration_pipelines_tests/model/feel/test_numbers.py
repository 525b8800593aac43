"""Arithmetic on numbers: decimal128, never a float (clause 10.3.2.3.1, tables 56 to 62)."""

from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import feel

_DECIMAL128 = Context(prec=34, Emin=-6143, Emax=6144)
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)


@given(numbers, numbers, st.sampled_from("+-*/"))
def test_arithmetic_is_decimal128(a: Decimal, b: Decimal, operator: str) -> None:
    """Never a float, never another precision."""
    by_hand = {"+": _DECIMAL128.add, "-": _DECIMAL128.subtract, "*": _DECIMAL128.multiply, "/": _DECIMAL128.divide}
    answer = feel.evaluate(f"a {operator} b", {"a": a, "b": b})
    if operator == "/" and b == 0:
        assert answer is None
    else:
        assert type(answer) is Decimal and answer == by_hand[operator](a, b)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1/3", "0.3333333333333333333333333333333333"),
        (".10 * 30.00", "3.0000"),
        ("sum(1234567890123456789012345678901234, 0)", "1234567890123456789012345678901234"),
        ("abs(-1234567890123456789012345678901234)", "1234567890123456789012345678901234"),
        ("2 ** 3 * -2", "-16"),
        ("-2 ** 2", "4"),
        ("- -2", "2"),
        ("-(1 + 2)", "-3"),
        ("10 - 4 - 3", "3"),
        ("1 + 3/2*2 - 2**3", "-4.0"),
    ],
)
def test_numbers_are_exact(text: str, value: str) -> None:
    """To all the 34 digits that they have."""
    assert str(feel.evaluate(text, {})) == value


@pytest.mark.parametrize(
    "text",
    ['1 + "1"', "1 + null", "null * 2", "true + 1", "[1] + {a: 1}", '-"a"', "-null", "1 / 0", "0 ** -1",
     "9e6144 * 10", "(-8) ** 0.5", "0.5 + x"],
)  # fmt: skip
def test_what_has_no_value_is_null(text: str) -> None:
    """By kind or by size; a float of Python's is let in nowhere."""
    assert feel.evaluate(text, {"x": 0.5}) is None


def test_a_duration_has_a_negative() -> None:
    """Of both kinds; there and back it is itself."""
    assert feel.evaluate('-@"P1DT2H" = @"-P1DT2H" and -(@"P1Y2M") = @"-P14M" and -(-@"P1D") = @"P1D"', {}) is True


def test_no_zero_is_negative() -> None:
    """There is one zero (clause 10.3.2.3.1)."""
    assert [str(feel.evaluate(text, {})) for text in ("-0", "-(0)", "0 * -1")] == ["0", "0", "0"]
