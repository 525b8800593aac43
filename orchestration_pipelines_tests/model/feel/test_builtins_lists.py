"""List functions, sort and context functions (clauses 10.3.4.4, 10.3.4.9 and 10.3.4.10)."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from statistics import median, multimode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.feel.evaluation import FeelLimit
from orchestration_pipelines_tests.model.feel.evaluating import agree, told, value
from orchestration_pipelines_tests.model.feel.test_values import anything

_DECIMAL128 = Context(prec=34, Emin=-6143, Emax=6144)
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("list contains([1, 2, 3], 2)", "true"),
        ("list contains([1, null], null)", "true"),
        ('list contains([1, 2], "2")', "false"),
        ("list contains(list: [[1]], element: [1])", "true"),
        ("count([1, 2, 3])", "3"),
        ("count([])", "0"),
        ("count([1, [2, 3]])", "2"),
        ("count(1)", "1"),
        ("min([1, 2, 3])", "1"),
        ("max(1, 2, 3)", "3"),
        ("min(1)", "1"),
        ("min([1])", "1"),
        ("max([])", "null"),
        ('max("a", "b")', '"b"'),
        ('min([@"P2M", @"P1Y"])', '@"P2M"'),
        ('max(@"2020-01-01", @"2020-01-02")', '@"2020-01-02"'),
        ("sum([1, 2, 3])", "6"),
        ("sum(1, 2, 3)", "6"),
        ("sum(1)", "1"),
        ("sum([])", "null"),
        ("sum(list: [1, 2])", "3"),
        ("mean([1, 2, 3])", "2"),
        ("mean(1, 2, 3)", "2"),
        ("mean([])", "null"),
        ("all([false, null, true])", "false"),
        ("all(true)", "true"),
        ("all([true])", "true"),
        ("all([])", "true"),
        ("all([true, null])", "null"),
        ("any([false, null, true])", "true"),
        ("any(false)", "false"),
        ("any([])", "false"),
        ("any(null, false)", "null"),
        ("sublist([4, 5, 6], 1, 2)", "[4, 5]"),
        ("sublist([4, 5, 6], 2)", "[5, 6]"),
        ("sublist([4, 5, 6], -1)", "[6]"),
        ("append([1], 2, 3)", "[1, 2, 3]"),
        ("append([1], null)", "[1, null]"),
        ("append([], [1])", "[[1]]"),
        ("concatenate([1, 2], [3])", "[1, 2, 3]"),
        ("concatenate([1], 2)", "[1, 2]"),
        ("insert before([1, 3], 1, 2)", "[2, 1, 3]"),
        ("insert before([1, 3], -1, 2)", "[1, 2, 3]"),
        ("remove([1, 2, 3], 2)", "[1, 3]"),
        ("remove([1, 2, 3], -1)", "[1, 2]"),
        ("reverse([1, 2, 3])", "[3, 2, 1]"),
        ("index of([1, 2, 3, 2], 2)", "[2, 4]"),
        ("index of([1, null], null)", "[2]"),
        ("index of([1], 5)", "[]"),
        ("union([1, 2], [2, 3])", "[1, 2, 3]"),
        ("distinct values([1, 2, 3, 2, 1])", "[1, 2, 3]"),
        ('distinct values([1, true, "1", 1.0, null, null, [1], [1.0]])', '[1, true, "1", null, [1]]'),
        ("flatten([[1, 2], [[3]], 4])", "[1, 2, 3, 4]"),
        ("product([2, 3, 4])", "24"),
        ("product([])", "null"),
        ("product(2, 3, 4)", "24"),
        ("median(8, 2, 5, 3, 4)", "4"),
        ("median([6, 1, 2, 3])", "2.5"),
        ("median([])", "null"),
        ("stddev(2, 4, 7, 5)", "2.081665999466132735282297706979931"),
        ("stddev([47])", "null"),
        ("stddev(47)", "null"),
        ("stddev([])", "null"),
        ("mode(6, 3, 9, 6, 6)", "[6]"),
        ("mode([6, 1, 9, 6, 1])", "[1, 6]"),
        ("mode([])", "[]"),
        ("list replace([2, 4, 7, 8], 3, 6)", "[2, 4, 6, 8]"),
        ("list replace([2, 4, 7, 8], -1, 6)", "[2, 4, 7, 6]"),
        ("list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5)", "[5, 5, 7, 8]"),
        ("list replace(list: [1], position: 1, newItem: null)", "[null]"),
        ("sort(list: [3, 1, 4, 5, 2], precedes: function(x, y) x < y)", "[1, 2, 3, 4, 5]"),
        ("sort([{a: 2}, {a: 1}], function(x, y) x.a < y.a).a", "[1, 2]"),
        ("sort([], function(x, y) x < y)", "[]"),
        ("get value({key1: 1}, \"key1\")", "1"),
        ('get entries({a: 1, b: 2})', '[{key: "a", value: 1}, {key: "b", value: 2}]'),
        ('get entries({key1: "value1"})[key = "key1"].value', '["value1"]'),
        ('context([{key: "a", value: 1}, {key: "b", value: 2}])', "{a: 1, b: 2}"),
        ('context([{key: "a", value: 1, something: "else"}])', "{a: 1}"),
        ('context({key: "a", value: 1})', "{a: 1}"),
        ('context put({x: 1}, "y", 2)', "{x: 1, y: 2}"),
        ('context put({x: 1, y: 0, z: 0}, "y", 2)', "{x: 1, y: 2, z: 0}"),
        ('context put({x: 1}, ["y"], 2)', "{x: 1, y: 2}"),
        ('context put({x: 1, y: {a: 0}}, ["y", "a"], 2)', "{x: 1, y: {a: 2}}"),
        ('context put(context: {x: 1}, key: "x", value: null)', "{x: null}"),
        ('context put(context: {x: 1}, keys: ["x"], value: 2)', "{x: 2}"),
        ("context merge([{x: 1}, {y: 2}])", "{x: 1, y: 2}"),
        ("context merge([{x: 1, y: 0}, {y: 2}])", "{x: 1, y: 2}"),
    ],
)  # fmt: skip
def test_the_examples_of_the_standard(left: str, right: str) -> None:
    """Tables 75 and 80 to 81."""
    assert agree(left, right)


@pytest.mark.parametrize(
    "text",
    [
        'min(1, "a")', "max(true, false)", "min([1, null])", 'sum(1, "a")', "sum([1, null])", "mean([null])", "all(0)",
        "any([false, 0])", "sublist([1], 2)", "sublist([1], 0)", "sublist([1, 2], 1, 3)", "insert before([], 1, 1)",
        "remove([1], 2)", "list replace([1], 2, 0)", "list replace([1], function(a, b) 1, 0)",
        "list replace([1], function(a) true, 0)", "sort([1, 2], function(x, y) x + y)",
        "sort([1, 2], function(x) true)",
        'sort([1, "a"], function(x, y) x < y)', "sort([2, 1])", "sort([2, 1], 1)", "concatenate()", "count()", "mean()",
        "count(1, 2)", "union(list1: [1])", 'get value({a: 1}, "b")', 'get value([1], "a")', 'context([{key: "a"}])',
        'context([{key: 1, value: 1}])', 'context([{key: "a", value: 1}, {key: "a", value: 2}])', "context([1])",
        "context put({x: 1}, [], 2)", "context put({x: 1}, [1], 2)", 'context put({x: 1}, ["x", "y"], 2)',
        "context merge([{x: 1}, 1])", "context merge(1)",
    ],
)  # fmt: skip
def test_what_is_not_in_the_domain_is_null_and_told(text: str) -> None:
    """In one word or more."""
    found, why = told(text)
    assert found is None and why


@pytest.mark.parametrize(
    "text", ["count(null)", "list contains(null, 1)", "append(null, 1)", "concatenate([1], null)", "flatten(null)",
             "reverse(null)", "sum(null)", 'get value(null, "a")', 'context put(null, "a", 1)',
             "context put({}, null, 1)"]
)  # fmt: skip
def test_a_null_for_a_list_is_null(text: str) -> None:
    """Each of them."""
    assert value(text) is None


@given(st.lists(numbers, min_size=2, max_size=12))
def test_aggregates_agree_with_python(items: list[Decimal]) -> None:
    """To the last of 34 digits, whatever the order."""
    found = value("[sum(x), mean(x), min(x), max(x), median(x), mode(x), stddev(x)]", x=items)
    total = sum(items)
    mean = Fraction(total) / len(items)
    average = Context(prec=60).divide(Decimal(mean.numerator), Decimal(mean.denominator))
    spread = sum(((Fraction(item) - mean) ** 2 for item in items), Fraction(0)) / (len(items) - 1)
    assert found[:2] == [total, _DECIMAL128.plus(average)]
    assert found[2:6] == [min(items), max(items), median(items), sorted(multimode(items))]
    assert abs(Fraction(found[6]) ** 2 - spread) <= spread * Fraction(1, 10**33)
    assert value("stddev(x)", x=items[::-1]) == found[6]


@given(st.lists(numbers, max_size=12))
def test_sort_orders_and_is_stable(items: list[Decimal]) -> None:
    """By the rule that is given, and nothing else."""
    pairs: Any = [{"n": item, "at": at} for at, item in enumerate(items)]
    found = value("sort(x, function(a, b) a.n < b.n)", x=pairs)
    assert found == sorted(pairs, key=lambda pair: pair["n"])
    assert value("sort(x, function(a, b) a.n > b.n)", x=pairs) == sorted(pairs, key=lambda pair: -pair["n"])


@given(st.lists(anything, max_size=6), anything)
def test_lists_lose_and_invent_nothing(items: list[Any], one: Any) -> None:
    """Laws that bind the functions to each other."""
    assert value("reverse(reverse(x))", x=items) == items
    assert value("remove(append(x, y), -1)", x=items, y=one) == items
    assert value("count(concatenate(x, x))", x=items) == 2 * len(items)
    assert value("list contains(append(x, y), y)", x=items, y=one) is True
    assert value("distinct values(concatenate(x, x))", x=items) == value("distinct values(x)", x=items)
    assert value("union(x, x)", x=items) == value("distinct values(x)", x=items)
    if items:
        assert value("insert before(remove(x, 1), 1, x[1])", x=[*items, 1]) == [*items, 1]


@given(st.dictionaries(st.text(max_size=3), anything, max_size=5))
def test_a_context_and_its_entries_are_one(built: dict[str, Any]) -> None:
    """``context`` undoes ``get entries``, and ``context merge`` of one is itself."""
    assert value("context(get entries(x))", x=built) == built
    assert value("context merge([x])", x=built) == built


def test_a_list_that_is_given_stays_as_it_was() -> None:
    """Lists and contexts are immutable in FEEL."""
    items, built = [3, 1, 2], {"a": {"b": 1}}
    value("[append(x, 1), sort(x, function(a, b) a < b), reverse(x), remove(x, 1), list replace(x, 1, 0)]", x=items)
    value('context put(x, ["a", "b"], 2)', x=built)
    assert items == [3, 1, 2] and built == {"a": {"b": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "sort(for i in 1..3000 return i, function(a, b) count(for j in 1..1000 return j) > a)",
        "for i in 1..100000 return distinct values(for j in 1..100 return {a: j})",
        "for i in 1..100000 return concatenate(partial, partial)",
    ],
)
def test_work_is_bounded(text: str) -> None:
    """By the evaluation's budget."""
    with pytest.raises(FeelLimit):
        value(text)
