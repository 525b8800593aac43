"""Contexts, functions and calls (clauses 10.3.2.6 and 10.3.2.13)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.function import Defined, Parameter
from orchestration_pipelines.model.feel.types import TYPES


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1, b: a + 1}.b", 2),
        ('{"a b": 1, c: a b + 1}.c', 2),
        ("{x: x + 1}.x", 4),
        ("{a: b, b: 1}.a", None),
        ("{a: {b: x}, c: a.b + 1}.c", 4),
        ("(function(a, b) a - b)(3, 1)", 2),
        ("(function(a, b) a - b)(b: 3, a: 1)", -2),
        ("(function(a, b) b)(a: 1)", None),
        ("(function(a) a)(1, 2)", None),
        ("(function(a, b) a)(1)", None),
        ("(function(a) a)(c: 1)", None),
        ("(function() 5)()", 5),
        ("{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(20)}.r", 2432902008176640000),
        ("{add: function(n) function(m) n + m, r: add(1)(2)}.r", 3),
        ("{apply: function(f, v) f(v), r: apply(abs, -3)}.r", 3),
        ("{f: abs, r: f(-3)}.r", 3),
        ("{m: {double: function(n) n * 2}, r: m.double(4)}.r", 8),
        ("[function(n) n + 1][1](2)", 3),
        ("for f in [function(n) n + 1, function(n) n * 10] return f(2)", [3, 20]),
        ("(for i in [1, 2] return function() i)[1]()", 1),
        ("{a: 1, f: function() a, g: function(a) f(), r: g(2)}.r", 1),
        ("{sum: function(a) 42, r: sum(1)}.r", 42),
        ("(function(n: number) n)(3)", 3),
        ('(function(n: number) n)("3")', None),
        ("(function(n: number) n)([3])", 3),
        ("(function(l: list<number>) count(l))(3)", 1),
        ("(function(n: number) n)(null)", None),
        ('(function(m: date and time) m.hour)(@"2026-01-31")', 0),
        ("(function(c: context<a: number>) c.a)({a: 1, b: 2})", 1),
        ("(function(c: context<a: number>) c.a)({b: 2})", None),
        ('(function(a) external {java: {class: "java.lang.Math", method signature: "cos(double)"}})(1)', None),
        ("3(4)", None),
        ("x(1)", None),
        ("nothing(1)", None),
        ('string length("abc")', 3),
        ('substring(start position: 2, string: "abc")', "bc"),
        ("max(1, 2, 3)", 3),
        ("given(2)", 4),
        ("given(number: 2)", 4),
        ("date", "a text"),
        ('date("2026-01-31").day', 31),
        ("count(sort([3, 1, 2], function(a, b) a < b)[item > 1])", 2),
    ],
)
def test_calls(text: str, value: Any) -> None:
    """By position and by name, of what is defined, built in, passed on or given."""
    given = Defined("given", (Parameter("number", TYPES["number"]),), lambda _, values: values[0] * 2)
    assert feel.evaluate(text, {"x": Decimal(3), "given": given, "date": "a text"}) == value


def test_names_are_what_is_read_from_the_context() -> None:
    """Not what is bound in the text, unless an item of a filter may lack it; nor a built-in function that is called."""
    read = feel.compile("{a: loan, f: function(n) n + rate, r: sum(for i in offers return f(i)) + grade(a)}[a > limit]")
    assert read.names == {"loan", "rate", "offers", "grade", "limit", "a"}
    assert read.calls == {"grade"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(function(a, b) a)(1)", "the function takes 2 arguments (a, b), not 1"),
        ("{rate: function(n: number) n, r: rate(true)}.r", "rate was not called: its argument n is no number"),
        ("{f: function(a) a, r: f(b: 1)}.r", "f has no parameter 'b'; it has a"),
        ("{f: function(a) external {}, r: f(1)}.r", "f was not called: it lies outside of the model"),
        ("x(1)", "x is not called: it is 3 (number), no function"),
    ],
)
def test_a_call_that_fails_says_why(text: str, reason: str) -> None:
    """In the words of the text."""
    evaluation = feel.Evaluation()
    assert feel.compile(text).evaluate({"x": Decimal(3)}, evaluation) is None
    assert reason in " ".join(evaluation.diagnostics)


def test_a_function_has_the_evaluation_that_calls_it() -> None:
    """A function that is kept is told of errors where it is used, not where it was made."""
    kept = feel.evaluate("function(n) nothing", {})
    evaluation = feel.Evaluation()
    assert feel.compile("kept(1)").evaluate({"kept": kept}, evaluation) is None
    assert evaluation.diagnostics == ["there is no 'nothing'"]
