"""Numeric functions (clause 10.3.4.5): the standard's examples, and exactness to 34 digits."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines_tests.model.feel.evaluating import agree, told, value

#: any number of 34 digits, with the point anywhere
numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent, Context(prec=60)),
    st.integers(-(10**34) + 1, 10**34 - 1),
    st.integers(-40, 10),
)

_ROUNDINGS = ("floor", "ceiling", "decimal", "round up", "round down", "round half up", "round half down")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("decimal(1/3, 2)", "0.33"),
        ("decimal(1.5, 0)", "2"),
        ("decimal(2.5, 0)", "2"),
        ("decimal(1234, -2)", "1200"),
        ("decimal(1, 6176)", "1"),
        ("decimal(n: 0.125, scale: 2)", "0.12"),
        ("floor(1.5)", "1"),
        ("floor(-1.5)", "-2"),
        ("floor(-1.56, 1)", "-1.6"),
        ("ceiling(1.5)", "2"),
        ("ceiling(-1.5)", "-1"),
        ("ceiling(-1.56, 1)", "-1.5"),
        ("round up(5.5, 0)", "6"),
        ("round up(-5.5, 0)", "-6"),
        ("round up(1.121, 2)", "1.13"),
        ("round up(-1.126, 2)", "-1.13"),
        ("round down(5.5, 0)", "5"),
        ("round down(-5.5, 0)", "-5"),
        ("round down(1.121, 2)", "1.12"),
        ("round down(-1.126, 2)", "-1.12"),
        ("round half up(5.5, 0)", "6"),
        ("round half up(-5.5, 0)", "-6"),
        ("round half up(1.121, 2)", "1.12"),
        ("round half up(-1.126, 2)", "-1.13"),
        ("round half down(5.5, 0)", "5"),
        ("round half down(-5.5, 0)", "-5"),
        ("round half down(1.121, 2)", "1.12"),
        ("round half down(-1.126, 2)", "-1.13"),
        ("abs(10)", "10"),
        ("abs(-10)", "10"),
        ("modulo(12, 5)", "2"),
        ("modulo(-12, 5)", "3"),
        ("modulo(12, -5)", "-3"),
        ("modulo(-12, -5)", "-2"),
        ("modulo(10.1, 4.5)", "1.1"),
        ("modulo(-10.1, 4.5)", "3.4"),
        ("modulo(10.1, -4.5)", "-3.4"),
        ("modulo(-10.1, -4.5)", "-1.1"),
        ("modulo(dividend: 10 ** 6000, divisor: 7)", "1"),
        ("sqrt(16)", "4"),
        ("sqrt(2)", "1.414213562373095048801688724209698"),
        ("log(10)", "2.302585092994045684017991454684364"),
        ("exp(5)", "148.4131591025766034211155800405523"),
        ("exp(0)", "1"),
        ("exp(-100000)", "0"),
        ("odd(5)", "true"),
        ("odd(2)", "false"),
        ("odd(-3)", "true"),
        ("even(5)", "false"),
        ("even(-2)", "true"),
        ("even(0)", "true"),
        ("odd(1.5)", "false"),
        ("even(0.1)", "false"),
        ("decimal(1 / 3, 2.5)", "0.33"),
        ("even(10 ** 6000)", "true"),
        ("2 ** 10", "1024"),
        ("2 ** -1", "0.5"),
        ("2 ** 0.5", "1.414213562373095048801688724209698"),
        ("0 ** 0", "1"),
        ("3 ** 100", "5.153775207320113310364611297656213 * 10 ** 47"),
        ("0 * -1", "0"),
        ("9999999999999999999999999999999999 + 0.5", "10 ** 34"),
    ],
)
def test_the_examples_of_the_standard(left: str, right: str) -> None:
    """Table 76, and exponents."""
    assert agree(left, right)


@pytest.mark.parametrize(
    "text",
    [
        "decimal(1, 6177)", "decimal(1, -6112)", 'decimal("1", 1)', "decimal(1)", "floor(true)",
        'ceiling("1")', "modulo(1, 0)", "sqrt(-1)", "log(0)", "log(-1)", "exp(100000)",
        "1 / 0", "0 ** -1", "(-8) ** (1/3)", "10 ** 6144 * 10", "10 ** 7000", "2 ** 1000000000", "1 - true",
        "abs([1, 2])",
    ],
)  # fmt: skip
def test_what_is_no_number_is_null_and_told(text: str) -> None:
    """Once."""
    found, why = told(text)
    assert found is None and len(why) == 1


@pytest.mark.parametrize(
    "text", ["decimal(null, 1)", "decimal(1, null)", "floor(null)", "abs(null)", "null + 1", "1 ** null"]
)
def test_null_in_null_out(text: str) -> None:
    """Without a word."""
    assert told(text) == (None, [])


@given(numbers, st.integers(-5, 45))
def test_rounding_is_exact_and_nearest(one: Decimal, scale: int) -> None:
    """Against whole numbers: no digit comes from a float."""
    step = Fraction(10) ** -scale
    exact = Fraction(one)
    down = exact // step * step
    found = {name: Fraction(value(f"{name}(x, s)", x=one, s=scale)) for name in _ROUNDINGS}
    assert found["floor"] == down
    assert found["ceiling"] == (down if exact == down else down + step)
    assert abs(found["decimal"] - exact) * 2 <= step and abs(found["round half up"] - exact) * 2 <= step
    assert abs(found["round up"]) >= abs(exact) >= abs(found["round down"])
    assert {found["round up"], found["round down"]} == {found["floor"], found["ceiling"]}
    if abs(found["decimal"] - exact) * 2 == step:
        assert found["decimal"] / step % 2 == 0
        assert (found["round half up"], found["round half down"]) == (found["round up"], found["round down"])


@given(numbers, numbers)
def test_modulo_is_what_division_leaves(dividend: Decimal, divisor: Decimal) -> None:
    """With the sign of the divisor; rounded once."""
    if divisor:
        rest = Fraction(dividend) % Fraction(divisor)
        expected = Context(prec=34).divide(Decimal(rest.numerator), Decimal(rest.denominator))
        assert value("modulo(a, b)", a=dividend, b=divisor) == expected


@given(numbers)
def test_roots_and_logarithms_are_right_to_the_last_digit(one: Decimal) -> None:
    """As with far more digits, rounded once."""
    if one > 0:
        narrow, wide = Context(prec=34), Context(prec=150)
        assert value("sqrt(x)", x=one) == narrow.plus(wide.sqrt(one))
        assert value("log(x)", x=one) == narrow.plus(wide.ln(one))
    small = Context(prec=34).plus(Context(prec=150).remainder_near(one, Decimal(100)))
    assert value("exp(x)", x=small) == Context(prec=34).plus(Context(prec=150).exp(small))


@given(numbers)
def test_no_digit_is_lost_on_the_way(one: Decimal) -> None:
    """A float keeps 17 of 34."""
    assert value("-(-x) + 0", x=one) == one
    assert value("abs(x)", x=one) == abs(Fraction(one))
