"""Types: ``instance of``, what conforms, and conversions (clause 10.3.2.9, table 61)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.types import (
    ANY,
    TYPES,
    ContextType,
    FunctionType,
    ListType,
    RangeType,
    Type,
    coerced,
)

_NUMBER, _STRING, _NULL = TYPES["number"], TYPES["string"], TYPES["Null"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1 instance of number", True),
        ('"a" instance of number', False),
        ('"a" instance of string', True),
        ("true instance of boolean", True),
        ('@"2026-01-31" instance of date', True),
        ('@"2026-01-31" instance of date and time', False),
        ('@"2026-01-31T10:00:00" instance of date and time', True),
        ('@"10:00:00" instance of time', True),
        ('@"P1D" instance of days and time duration', True),
        ('@"P1M" instance of days and time duration', False),
        ('@"P1M" instance of years and months duration', True),
        ("null instance of Null", True),
        ("null instance of number", False),
        ("null instance of Any", False),
        ("1 instance of Any", True),
        ("1 instance of Null", False),
        ("[1, 2] instance of list<number>", True),
        ('[1, "a"] instance of list<number>', False),
        ('[1, "a"] instance of list<Any>', True),
        ("[[1]] instance of list<list<number>>", True),
        ("[1, null] instance of list<number>", True),
        ("1 instance of list<number>", False),
        ("{a: 1} instance of context<a: number>", True),
        ("{a: 1, b: 2} instance of context<a: number>", True),
        ("{a: 1} instance of context<a: number, b: number>", False),
        ("{a b: 1} instance of context<a b: number>", True),
        ("[1..3] instance of range<number>", True),
        ("(< 3) instance of range<number>", True),
        ('[@"2026-01-01"..@"2026-01-31"] instance of range<number>', False),
        ("(function(a: number) a) instance of function<number> -> Any", True),
        ("(function(a: number) a) instance of function<number, number> -> Any", False),
        ("(function(a: number) a) instance of function<string> -> Any", False),
        ("(function(a) a) instance of function<string> -> Any", True),
        ("1 instance of function<> -> Any", False),
        ("(function(a: number) a) instance of function<number> -> number", True),
        ("(function(a: number) a + 1) instance of function<number> -> string", False),
        ('(function() "a") instance of function<> -> number', False),
        ("(function(a: number) a > 1) instance of function<number> -> boolean", True),
        ("(function() {a: [1, 2]}) instance of function<> -> context<a: list<number>>", True),
        ("(function() {a: [1, 2]}) instance of function<> -> context<a: list<string>>", False),
        ("(function() function(b: date) 1) instance of function<> -> function<date> -> number", True),
        ('(function() if true then 1 else "a") instance of function<> -> boolean', True),
        ("(function(a: date) a - a) instance of function<date> -> days and time duration", True),
        ("(function() date(1, 2, 3)) instance of function<> -> time", False),
        ("(function(a) foo(a)) instance of function<number> -> number", True),
        ("abs instance of function<number> -> number", True),
        ("abs instance of function<string> -> number", False),
        ("sum instance of function<list<number>> -> number", True),
        ("sum instance of function<number, number, number> -> number", True),
        ("[1] instance of list", None),
        ("{a: 1} instance of context", None),
        ("1 instance of tLoan", None),
        ("1 instance of Loan Amount", True),
        ("1 instance of imported.amount", True),
        ("{a: 1} instance of tOffer and true", True),
    ],
)
def test_instance_of(text: str, answer: bool | None) -> None:
    """By the lattice of types; a list or a context has those of its parts."""
    types = {"Loan Amount": _NUMBER, "imported.amount": _NUMBER, "tOffer": ContextType((("a", _NUMBER),))}
    assert feel.compile(text, types=types).evaluate({}) is answer


@pytest.mark.parametrize(
    ("wide", "narrow", "admits"),
    [
        (ANY, _NUMBER, True),
        (_NUMBER, ANY, False),
        (_NUMBER, _NULL, True),
        (_NULL, _NUMBER, False),
        (_NUMBER, _STRING, False),
        (TYPES["list"], ListType(_NUMBER), True),
        (ListType(ANY), ListType(_NUMBER), True),
        (ListType(_NUMBER), ListType(ANY), False),
        (RangeType(ANY), RangeType(_NUMBER), True),
        (ContextType((("a", ANY),)), ContextType((("a", _NUMBER), ("b", _NUMBER))), True),
        (ContextType((("a", ANY), ("b", ANY))), ContextType((("a", _NUMBER),)), False),
        (FunctionType((_NUMBER,), ANY), FunctionType((ANY,), _NUMBER), True),
        (FunctionType((ANY,), ANY), FunctionType((_NUMBER,), _NUMBER), False),
        (FunctionType((_NUMBER,), _NUMBER), FunctionType((_NUMBER,), ANY), True),
        (FunctionType((_NUMBER,), _NUMBER), FunctionType((_NUMBER,), _STRING), False),
    ],
)
def test_a_type_admits_what_conforms_to_it(wide: Type, narrow: Type, admits: bool) -> None:
    """Clause 10.3.2.9.2: parameters of functions the other way round; a result that is unknown is let in."""
    assert wide.admits(narrow) is admits
    assert wide.admits(wide) and narrow.admits(narrow)


@pytest.mark.parametrize(
    ("text", "wanted", "value"),
    [
        ("1", _NUMBER, 1),
        ("[1]", _NUMBER, 1),
        ("[1, 2]", _NUMBER, None),
        ("1", ListType(_NUMBER), [1]),
        ('"a"', ListType(_NUMBER), None),
        ("1", TYPES["list"], [1]),
        ("null", _NUMBER, None),
        ("[1]", ANY, [1]),
        ('"1"', _NUMBER, None),
        ('@"2026-01-31"', TYPES["date and time"], feel.evaluate('@"2026-01-31T00:00:00Z"', {})),
        ('@"2026-01-31T00:00:00Z"', TYPES["date"], None),
    ],
)
def test_conversions(text: str, wanted: Type, value: Any) -> None:
    """Clause 10.3.2.9.4: a list of one and its item, and a date's midnight; else null, with a reason."""
    evaluation = feel.Evaluation()
    given = feel.evaluate(text, {})
    assert coerced(given, wanted, evaluation) == value
    assert bool(evaluation.diagnostics) is (value is None and given is not None)
