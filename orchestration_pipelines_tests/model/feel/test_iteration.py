"""``for``, ``some``, ``every``, filters and paths (clauses 10.3.2.5, 10.3.2.14 and 10.3.2.15)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import feel

_PEOPLE = '[{name: "Ann", age: 30}, {name: "Bob", age: 17}, {name: "Cy", age: null}]'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("for i in [1, 2, 3] return i * 2", [2, 4, 6]),
        ("for i in 1..4 return i", [1, 2, 3, 4]),
        ("for i in 4..2 return i", [4, 3, 2]),
        ("for i in -1..1 return i", [-1, 0, 1]),
        ("for i in x..x + 1 return i", [3, 4]),
        ("for i in [1..3] return i", [1, 2, 3]),
        ("for i in (1..4) return i", [2, 3]),
        ("for i in (1..2) return i", []),
        ("for i in 5 return i", [5]),
        ("for i in [] return i", []),
        ("for i in null return i", None),
        ("for i in (< 5) return i", None),
        ('for i in "a".."c" return i', None),
        ("for i in 1..2, j in [10, 20] return i + j", [11, 21, 12, 22]),
        ("for i in 1..3, j in 1..i return j", [1, 1, 2, 1, 2, 3]),
        ("for i in 1..2, j in null return j", None),
        ("for i in 0..5 return if i = 0 then 1 else i * partial[-1]", [1, 1, 2, 6, 24, 120]),
        ("(for i in 1..3 return partial)", [[], [[]], [[], [[]]]]),
        ("for i in [1, 2] return for j in [1, 2] return i * j", [[1, 2], [2, 4]]),
        ('(for d in @"2024-02-28"..@"2024-03-01" return d.day)', [28, 29, 1]),
        ('(for d in @"2024-03-01"..@"2024-02-28" return d.day)', [1, 29, 28]),
        ('(for d in [@"2024-02-28"..@"2024-03-01") return d.day)', [28, 29]),
        ('for i in 1..@"2024-02-28" return i', None),
        ("for each one in [1, 2] return each one + 1", [2, 3]),
        ("for i in [1], i in [i + 1] return i", [2]),
        ("some i in [1, 2, 3] satisfies i > 2", True),
        ("every i in [1, 2, 3] satisfies i > 2", False),
        ("some i in [] satisfies i > 2", False),
        ("every i in [] satisfies i > 2", True),
        ("some i in 1..3, j in 1..3 satisfies i + j = 6", True),
        ("every i in 1..3, j in 1..3 satisfies i + j < 6", False),
        ('some i in [1, "a"] satisfies i > 2', None),
        ('some i in ["a", 3] satisfies i > 2', True),
        ("some i in null satisfies i > 2", None),
    ],
)
def test_iterations(text: str, value: Any) -> None:
    """Over lists, ranges up and down, days, and one value; the last variable goes fastest."""
    assert feel.evaluate(text, {"x": Decimal(3)}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2, 3][item > 1]", [2, 3]),
        ("[1, 2, 3][2]", 2),
        ("[1, 2, 3][-1]", 3),
        ("[1, 2, 3][x]", 3),
        ("[1, 2, 3][x - 2]", 1),
        ("[1, 2, 3][count([1, 2])]", 2),
        ("[1, 2, 3][0]", None),
        ("[1, 2, 3][4]", None),
        ("[1, 2, 3][1.5]", 1),
        ("[][1]", None),
        ("[][x]", None),
        ("[][item > 1]", []),
        ("5[1]", 5),
        ("5[2]", None),
        ("5[item > 3]", [5]),
        ("5[item > 7]", []),
        ("null[1]", None),
        ("null[item = null]", None),
        ("[1, 2, 3][item > x - 1][1]", 3),
        ("[[1, 2], [3]][1][2]", 2),
        (f"{_PEOPLE}[age > 18].name", ["Ann"]),
        (f"{_PEOPLE}[item.age < 18].name", ["Bob"]),
        (f"{_PEOPLE}[age = null].name", ["Cy"]),
        (f"{_PEOPLE}[age >= x].name", ["Ann", "Bob"]),
        (f"count({_PEOPLE}[age != null])", 2),
        ('{name: "Ann"}[name = "Ann"].name', ["Ann"]),
        ("[{item: 1}, {item: 2}][item = 2]", [{"item": 2}]),
        ("[{x: 1}, {y: 2}][x = 3]", [{"y": 2}]),
        ("[true, false][item]", [True]),
        ('[1, 2]["a"]', None),
        ("[1, 2][{a: 1}]", None),
        ("[{a: [1, 2]}][count(a[item > 1]) = 1].a", [[1, 2]]),
        ("for i in [1, 2] return [1, 2, 3][item > i]", [[2, 3], [3]]),
    ],
)
def test_filters(text: str, value: Any) -> None:
    """By condition, with what an item has in scope; or by number, from either end."""
    assert feel.evaluate(text, {"x": Decimal(3)}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: {b: 1}}.a.b", 1),
        ("{a: 1}.b", None),
        ("null.a", None),
        ("(1).a", None),
        ("[{a: 1}, {a: 2}, {b: 3}].a", [1, 2, None]),
        ("[{b: [1]}, {b: [2.1, 2.2]}].b", [[1], [Decimal("2.1"), Decimal("2.2")]]),
        ("[1..3).start", 1),
        ("[1..3).end included", False),
        ("(<= 10).start", None),
        ("(<= 10).end", 10),
        ("(> 1).start included", False),
        ('@"2026-01-31".month', 1),
        ('@"2026-01-31".weekday', 6),
        ('@"2026-01-31T10:20:30Z".time offset', feel.evaluate('@"PT0S"', {})),
        ('@"10:20:30@Europe/Paris".timezone', "Europe/Paris"),
        ('@"P1DT2H3M4S".hours', 2),
        ('@"P1Y2M".months', 2),
        ('@"P1Y2M".days', None),
    ],
)
def test_paths(text: str, value: Any) -> None:
    """Of contexts, of lists of them, and the properties of tables 65 to 67."""
    assert feel.evaluate(text, {}) == value


@given(st.lists(st.integers(-9, 9), max_size=8), st.integers(-9, 9))
def test_a_filter_is_a_for_with_an_if(items: list[int], bound: int) -> None:
    """And an index picks from either end."""
    context = {"items": items, "bound": bound}
    kept = feel.evaluate("items[item > bound]", context)
    assert kept == [item for item in items if item > bound]
    assert feel.evaluate("count(items[item > bound]) > 0", context) is (
        feel.evaluate("some i in items satisfies i > bound", context)
    )
    picked = feel.evaluate("items[bound]", context)
    expected = None if bound == 0 or abs(bound) > len(items) else items[bound - 1 if bound > 0 else bound]
    assert picked == expected
