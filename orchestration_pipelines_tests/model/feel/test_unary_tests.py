"""The cells of decision tables (rules 7 to 16, table 55)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel import nodes


@pytest.mark.parametrize(
    ("cell", "holding", "failing"),
    [
        ("-", [1, None, "a"], []),
        ("< 5", [4], [5, None, "a"]),
        (">= 5", [5], [4, None, "a"]),
        ("= 5", [5], [4, None]),
        ("!= 5", [4, None], [5]),
        ("< limit - 1", [5], [6]),
        ("[0.7..0.9)", [feel.evaluate("0.7", {})], [feel.evaluate("0.9", {}), feel.evaluate("0.69", {}), None, "a"]),
        ("]1..3[", [2], [1, 3]),
        ("(1..limit]", [2, 7], [1, 8]),
        ("[3..1]", [], [1, 2, 3, None]),
        ('"a","b"', ["a", "b"], ["c", None]),
        ('not("a","b")', ["c"], ["a"]),
        ("not(< 5)", [5], [4]),
        ("not([1..3], 7)", [4], [1, 7, None]),
        ("not(null)", [1], [None]),
        ("not(? > 5) or ? = 9", [5, 9], [6]),
        ("null", [None], [1]),
        ("? > 5 and ? < 9", [6], [5, 9]),
        ("? in (1, 2)", [1, 2], [3]),
        ("1, ? > 7", [1, 8], [2]),
        ("limit", [7], [8]),
        ("limit, > 10", [7, 11], [8]),
        ("[1, 2]", [1, 2, [1, 2]], [3, [1]]),
        ("offers", [1, 5], [3]),
        ("-5", [-5], [5]),
        ("- 5 + 2", [-3], [3]),
        ("true", [True], [False, 1, None]),
        ("false", [False], [True, None]),
        ("limit > 3", [True], [False, 7]),
        ("list contains(?, 1)", [[1, 2]], [[2], 1.5]),
        ('contains(?, "a")', ["abc"], ["b", 1]),
        ("{a: ?}.a = 3", [3], [4]),
        ("some i in offers satisfies i = ?", [1], [2]),
        ('@"2026-01-01"', [feel.evaluate('@"2026-01-01"', {})], [feel.evaluate('@"2026-01-02"', {})]),
        ('< date("2026-01-02")', [feel.evaluate('@"2026-01-01"', {})], [feel.evaluate('@"2026-01-02"', {}), 1]),
    ],
)
def test_unary_tests(cell: str, holding: list[Any], failing: list[Any]) -> None:
    """A cell is about its input, and true alone is a match."""
    test = feel.unary_tests(cell)
    scope = {"limit": 7, "offers": [1, feel.evaluate("[5..6]", {})]}
    assert [value for value in holding if test.evaluate({"?": value, **scope}) is not True] == []
    assert [value for value in failing if test.evaluate({"?": value, **scope}) is True] == []
    assert "?" not in test.names


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("-", ()),
        ("< 5", (nodes.Half,)),
        ("[1..2], 3", (nodes.Interval, nodes.Literal)),
        ("-5", (nodes.Negation,)),
        ("? > 5", (nodes.Comparison,)),
    ],
)
def test_the_tree_of_a_cell_is_its_tests(cell: str, kinds: tuple[type[nodes.Node], ...]) -> None:
    """As the checks of a table read it."""
    tree = feel.unary_tests(cell).tree
    assert isinstance(tree, nodes.Anything) if not kinds else isinstance(tree, nodes.Tests) and not tree.negated
    assert tuple(map(type, nodes.children(tree))) == kinds


def test_a_cell_in_not_is_negated() -> None:
    """With the same tests below it."""
    tree = feel.unary_tests("not(1, 2)").tree
    assert isinstance(tree, nodes.Tests)
    assert tree.negated and len(tree.tests) == 2
