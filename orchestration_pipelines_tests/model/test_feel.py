"""FEEL: three-valued logic, exact numbers, unary tests, errors with their position, and bounded parsing."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import feel

_WRITTEN: dict[Any, str] = {True: "true", False: "false", None: "null"}
_DECIMAL128 = Context(prec=34, Emin=-6143, Emax=6144)
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)


@pytest.mark.parametrize("left", [True, False, None])
@pytest.mark.parametrize("right", [True, False, None])
def test_the_logic_is_three_valued(left: bool | None, right: bool | None) -> None:
    """The standard's table 38, all nine."""
    both = False if False in (left, right) else None if None in (left, right) else True
    either = True if True in (left, right) else None if None in (left, right) else False
    a, b = _WRITTEN[left], _WRITTEN[right]
    assert feel.evaluate(f"{a} and {b}", {}) is both
    assert feel.evaluate(f"{a} or {b}", {}) is either
    assert feel.evaluate(f"not({a})", {}) is (None if left is None else not left)


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
        ("sum(1234567890123456789012345678901234, 0)", "1234567890123456789012345678901234"),
        ("abs(-1234567890123456789012345678901234)", "1234567890123456789012345678901234"),
        ("2 ** 3 * -2", "-16"),
        ("floor(-1.5) + ceiling(1.2)", "0"),
        ('number("12.50")', "12.50"),
        ("if x > 1 then 10 else 20", "20"),
    ],
)
def test_numbers_are_exact(text: str, value: str) -> None:
    """To all the 34 digits that they have."""
    assert str(feel.evaluate(text, {})) == value


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("x in [1..5] and y", True),
        ("x in (3..5]", False),
        ("x in ]3..5[", False),
        ("x in (1, 3)", True),
        ("x in (< 2, > 7)", False),
        ("x in > 2", True),
        ("x between 1 and 3 and y", True),
        ("x = null", False),
        ("missing = null", True),
        ('x = "3"', None),
        ("missing > 3", None),
        ('who.name = "Ann"', True),
        ("who.name.first = null", True),
        ("string length(who.name) = 3", True),
        ("count(1)", None),
    ],
)
def test_comparisons(text: str, answer: bool | None) -> None:
    """What cannot be compared is null; ``in`` binds tighter than ``and``."""
    assert feel.evaluate(text, {"x": Decimal(3), "y": True, "who": {"name": "Ann"}}) is answer


@pytest.mark.parametrize(
    ("cell", "holding", "failing"),
    [
        ("-", [1, None, "a"], []),
        ("< 5", [4], [5, None, "a"]),
        ("[0.7..0.9)", [Decimal("0.7")], [Decimal("0.9"), Decimal("0.69")]),
        ('"a","b"', ["a", "b"], ["c", None]),
        ('not("a","b")', ["c"], ["a"]),
        ("null", [None], [1]),
        ("? > 5 and ? < 9", [6], [5, 9]),
        ("? in (1, 2)", [1, 2], [3]),
        ("1, ? > 7", [1, 8], [2]),
        ("limit", [7], [8]),
        ("-5", [-5], [5]),
        ("true", [True], [False, 1]),
    ],
)
def test_unary_tests(cell: str, holding: list[Any], failing: list[Any]) -> None:
    """A cell is about its input, and true alone is a match."""
    test = feel.unary_tests(cell)
    assert [value for value in holding if test.evaluate({"?": value, "limit": 7}) is not True] == []
    assert [value for value in failing if test.evaluate({"?": value, "limit": 7}) is True] == []
    assert "?" not in test.names


@pytest.mark.parametrize(
    ("text", "position"),
    [("1 +", 3), ("a b", 2), ("(1", 2), ("1 ~ 2", 2), ("foo(1)", 0), ("if a then b", 11), ("", 0), ("1e99999", 0)],
)
def test_an_error_says_where(text: str, position: int) -> None:
    """Counted from one in the message, for people."""
    with pytest.raises(feel.FeelError, match=f"position {position + 1} of") as error:
        feel.compile(text)
    assert error.value.position == position


@pytest.mark.parametrize(
    "text",
    ["(" * 9_000, "[" * 9_000, "-" * 9_000 + "1", "1" + "+1" * 9_000, "a" + ".b" * 9_000, "x in (" * 3_000,
     "if " * 6_000, "not(" * 4_000, "1" * 30_000],
)  # fmt: skip
def test_a_monstrous_expression_is_refused(text: str) -> None:
    """No recursion of Python's is ever used up."""
    with pytest.raises(feel.FeelError):
        feel.compile(text)


def test_the_longest_expression_that_is_read_can_be_evaluated() -> None:
    """The bounds leave room on the stack."""
    assert feel.evaluate("1" + "+1" * 250, {}) == 251
    assert feel.evaluate("(" * 39 + "1" + ")" * 39, {}) == 1


_SYMBOLS = ("(", ")", "[", "]", "..", ",", ".", "-", "+", "**", "/", "<", "<=", "!=", "=", "?", "{", "/*", "\\", '"')
_WORDS = (
    "not",
    "in",
    "if",
    "then",
    "else",
    "and",
    "or",
    "between",
    "null",
    "true",
    "max",
    "string length",
    "a",
    "1",
    '"t"',
)
_FRAGMENTS = st.sampled_from(_SYMBOLS + _WORDS)
_TEXTS = st.text() | st.lists(_FRAGMENTS, max_size=25).map(" ".join)
_VALUES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2) | numbers
)


@given(_TEXTS, _VALUES)
def test_any_text_is_an_expression_or_a_feel_error(text: str, value: Any) -> None:
    """And what was read can be evaluated over anything."""
    for read in (feel.compile, feel.unary_tests):
        try:
            expression = read(text)
        except feel.FeelError:
            continue
        expression.evaluate({"a": value, "?": value})
