"""Three-valued logic, comparison, ``between``, ``in`` and ``if`` (clauses 10.3.2.4 and 10.3.2.15)."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import feel

_WRITTEN: dict[Any, str] = {True: "true", False: "false", None: "null", "other": '"other"'}
_TRUTH = [True, False, None, "other"]
_COMPARED = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
             ">=": operator.ge}  # fmt: skip


@pytest.mark.parametrize("left", _TRUTH)
@pytest.mark.parametrize("right", _TRUTH)
def test_the_logic_is_three_valued(left: Any, right: Any) -> None:
    """Tables 50 and 51, with what is no truth value among the operands."""
    both = False if False in (left, right) else True if (left, right) == (True, True) else None
    either = True if True in (left, right) else False if (left, right) == (False, False) else None
    a, b = _WRITTEN[left], _WRITTEN[right]
    assert feel.evaluate(f"{a} and {b}", {}) is both
    assert feel.evaluate(f"{a} or {b}", {}) is either
    assert feel.evaluate(f"not({a})", {}) is (not left if isinstance(left, bool) else None)


@given(st.lists(st.sampled_from([True, False, None]), min_size=2, max_size=6))
def test_every_and_and_some_or_are_the_same(values: list[bool | None]) -> None:
    """``every`` is an ``and`` of all, ``some`` an ``or``; and ``not`` turns one into the other."""
    names = {f"v{n}": value for n, value in enumerate(values)}
    for word, joining in (("every", " and "), ("some", " or ")):
        joined = feel.evaluate(joining.join(names), names)
        assert feel.evaluate(f"{word} v in [{', '.join(names)}] satisfies v", names) is joined
    turned = feel.evaluate(" or ".join(f"not({name})" for name in names), names)
    assert feel.evaluate(f"not({' and '.join(names)})", names) is turned


@given(st.sampled_from(sorted(_COMPARED)), st.decimals(-9, 9, places=1), st.decimals(-9, 9, places=1))
def test_numbers_compare_as_numbers(symbol: str, left: Decimal, right: Decimal) -> None:
    """Whatever their digits: 1 = 1.0; and an int is as good as a Decimal."""
    expected = _COMPARED[symbol](left, right)
    assert feel.evaluate(f"a {symbol} b", {"a": left, "b": right}) is expected
    assert feel.evaluate(f"a {symbol} b", {"a": int(left), "b": right}) is _COMPARED[symbol](int(left), right)
    assert feel.unary_tests(f"{symbol} b").evaluate({"?": left, "b": right}) is expected


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("x = 3.00", True),
        ('x = "3"', None),
        ('x != "3"', None),
        ("x = null", False),
        ("x != null", True),
        ("missing = null", True),
        ("missing > 3", None),
        ('"a" < "b"', True),
        ("true = true", True),
        ("true < false", None),
        ("[1, 2] = [1, 2]", True),
        ("[1, 2] = [2, 1]", False),
        ("{a: 1, b: 2} = {b: 2, a: 1}", True),
        ("{a: 1} = {a: 2}", False),
        ("[1..3] = [1..3]", True),
        ("[1..3] = [1..3)", False),
        ('@"2026-01-01" < @"2026-01-02"', True),
        ("x between 1 and 3", True),
        ("x between 4 and 9", False),
        ("x between null and 3", None),
        ("x between 4 and null", False),
        ('x between "a" and "b"', None),
        ("x in 3", True),
        ("x in [1..5]", True),
        ("x in (3..5]", False),
        ("x in ]3..5[", False),
        ("x in ]2..5[ and y", True),
        ("x in (1, 3)", True),
        ("x in ([1..2], [3..4])", True),
        ("x in (< 2, > 7)", False),
        ("x in > 2", True),
        ("x in (> 2)", True),
        ("x in != 2", True),
        ("x in [1, 2, 3]", True),
        ("x in [[1..2], [3..4]]", True),
        ("x in list", True),
        ("x in within", True),
        ("x in (? > 2 and ? < 4)", True),
        ("x in (? - 1)", False),
        ("[1, 2] in [[1, 2], [3]]", True),
        ("[1, 2] in [1, 2]", True),
        ("null in null", True),
        ("null in [1, null]", True),
        ("null in [1..2]", None),
        ("x in [5..1]", None),
        ("x in null", False),
    ],
)
def test_comparisons(text: str, answer: bool | None) -> None:
    """What cannot be compared is null; ``in`` binds tighter than ``and``."""
    context = {"x": Decimal(3), "y": True, "list": [Decimal(3)], "within": feel.evaluate("[1..4]", {})}
    assert feel.evaluate(text, context) is answer


@pytest.mark.parametrize(
    ("condition", "value"), [("true", 1), ("false", 2), ("null", 2), ('"true"', 2), ("1 = 1", 1), ("missing", 2)]
)
def test_if_takes_only_true(condition: str, value: int) -> None:
    """All else is "else"; and the way that is not taken is not gone."""
    endless = "count(for i in 1..100000000 return i)"
    then, otherwise = ("1", endless) if value == 1 else (endless, "2")
    assert feel.evaluate(f"if {condition} then {then} else {otherwise}", {}) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 and true", "'and' takes true and false, found 1 (number)"),
        ('false or "a"', "'or' takes true and false, found \"a\" (string)"),
        ("if 1 then 2 else 3", "'if' takes true and false, found 1 (number)"),
        ("some i in [1] satisfies i", "'some' takes true and false, found 1 (number)"),
        ("loan > 3", "there is no 'loan'"),
        ("{a: 1}.b", "the context has no entry 'b'"),
        ("[1, 2][3]", "a list of 2 has no item number 3"),
        ("for i in 1..1.5 return i", "goes from one whole number or date to another"),
        ("rate(3)", "rate is not called: it is null, no function"),
    ],
)
def test_a_null_has_a_reason(text: str, reason: str) -> None:
    """An error in FEEL is null, and told."""
    evaluation = feel.Evaluation()
    feel.compile(text).evaluate({}, evaluation)
    assert reason in " ".join(evaluation.diagnostics)
