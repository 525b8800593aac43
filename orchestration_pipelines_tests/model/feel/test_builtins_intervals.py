"""Range functions (clause 10.3.4.7): the standard's examples, and the table's formulas over every small range."""

from __future__ import annotations

from itertools import product

import pytest

from orchestration_pipelines.model.feel.builtins import BUILTINS
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.ranges import Range
from orchestration_pipelines_tests.model.feel.evaluating import told, value

#: of each function the arguments for which it is true, and those for which it is false
_EXAMPLES: dict[str, tuple[str, str]] = {
    "before": (
        "1, 10 | 1, (1..10] | 1, [5..10] | [1..10), 10 | [1..10], 15 | [1..10], [15..20] | "
        "[1..10), [10..20] | [1..10], (10..20]",
        "10, 1 | 1, [1..10] | [1..10], 10 | [1..10], [10..20]",
    ),
    "after": (
        "10, 5 | 12, [1..10] | 10, [1..10) | [11..20], 10 | (11..20], 11 | [11..20], [1..10] | [11..20], [1..11) | "
        "(11..20], [1..11]",
        "5, 10 | 10, [1..10] | [11..20], 12 | [11..20], 11 | [1..10], [11..20]",
    ),
    "meets": ("[1..5], [5..10]", "[1..5), [5..10] | [1..5], (5..10] | [1..5], [6..10]"),
    "met by": ("[5..10], [1..5]", "[5..10], [1..5) | (5..10], [1..5] | [6..10], [1..5]"),
    "overlaps": (
        "[1..5], [3..8] | [3..8], [1..5] | [1..8], [3..5] | [3..5], [1..8] | [1..5], [5..8] | [5..8], [1..5]",
        "[1..5], [6..8] | [6..8], [1..5] | [1..5], (5..8] | [1..5), [5..8] | [1..5), (5..8] | (5..8], [1..5] | "
        "[5..8], [1..5) | (5..8], [1..5)",
    ),
    "overlaps before": (
        "[1..5], [3..8] | [1..5], [5..8] | [1..5), (1..5] | [1..5], (1..5]",
        "[1..5], [6..8] | [1..5], (5..8] | [1..5), [5..8] | [1..5), [1..5] | [1..5], [1..5]",
    ),
    "overlaps after": (
        "[3..8], [1..5] | [5..8], [1..5] | (1..5], [1..5) | (1..5], [1..5]",
        "[6..8], [1..5] | (5..8], [1..5] | [5..8], [1..5) | [1..5], [1..5) | [1..5], [1..5]",
    ),
    "finishes": (
        "10, [1..10] | [5..10], [1..10] | [5..10), [1..10) | [1..10], [1..10] | (1..10], [1..10]",
        "10, [1..10) | [5..10), [1..10]",
    ),
    "finished by": (
        "[1..10], 10 | [1..10], [5..10] | [1..10), [5..10) | [1..10], [1..10] | [1..10], (1..10]",
        "[1..10), 10 | [1..10], [5..10)",
    ),
    "includes": (
        "[1..10], 5 | [1..10], 1 | [1..10], 10 | [1..10], [4..6] | [1..10], [1..5] | (1..10], (1..5] | "
        "[1..10], (1..10) | [1..10), [5..10) | [1..10], [1..10) | [1..10], (1..10] | [1..10], [1..10]",
        "[1..10], 12 | (1..10], 1 | [1..10), 10",
    ),
    "during": (
        "5, [1..10] | 1, [1..10] | 10, [1..10] | [4..6], [1..10] | [1..5], [1..10] | (1..5], (1..10] | "
        "(1..10), [1..10] | [5..10), [1..10) | [1..10), [1..10] | (1..10], [1..10] | [1..10], [1..10]",
        "12, [1..10] | 1, (1..10] | 10, [1..10)",
    ),
    "starts": (
        "1, [1..10] | [1..5], [1..10] | (1..5], (1..10] | [1..10], [1..10] | [1..10), [1..10] | (1..10), (1..10)",
        "1, (1..10] | 2, [1..10] | (1..5], [1..10] | [1..5], (1..10]",
    ),
    "started by": (
        "[1..10], 1 | [1..10], [1..5] | (1..10], (1..5] | [1..10], [1..10] | [1..10], [1..10) | (1..10), (1..10)",
        "(1..10], 1 | [1..10], 2 | [1..10], (1..5] | (1..10], [1..5]",
    ),
    "coincides": ("5, 5 | [1..5], [1..5]", "3, 4 | (1..5), [1..5] | [1..5], [2..6]"),
}


@pytest.mark.parametrize("name", _EXAMPLES)
def test_the_examples_of_the_standard(name: str) -> None:
    """Table 78."""
    for arguments, answer in zip(_EXAMPLES[name], (True, False), strict=True):
        for written in arguments.split(" | "):
            assert value(f"{name}({written})") is answer, written


def _ranges() -> list[Range]:
    return [
        Range(low, low_closed, high, high_closed)
        for low, high in product(range(4), repeat=2)
        if low < high
        for low_closed, high_closed in product((True, False), repeat=2)
    ]


def _called(name: str, one: object, other: object) -> bool:
    answer = BUILTINS[name].call(Evaluation(), [one, other])
    assert isinstance(answer, bool)
    return answer


def test_the_relations_are_what_they_say_of_points() -> None:
    """Every pair of small ranges, as the sets of the points that they hold (on a grid of quarters)."""
    grid = [quarter / 4 for quarter in range(14)]
    held = {
        each: {at for at in grid if (each.low <= at if each.low_closed else each.low < at)
               and (at <= each.high if each.high_closed else at < each.high)}
        for each in _ranges()
    }  # fmt: skip
    for a, b in product(held, repeat=2):
        assert _called("includes", a, b) is (held[a] >= held[b])
        assert _called("overlaps", a, b) is bool(held[a] & held[b])
        assert _called("before", a, b) is (max(held[a]) < min(held[b]))
        assert _called("coincides", a, b) is (held[a] == held[b])
        assert _called("meets", a, b) is (held[a] & held[b] == {a.high} and a.high == b.low)
        assert _called("finishes", a, b) is (max(held[a]) == max(held[b]) and held[a] <= held[b])
        assert _called("starts", a, b) is (min(held[a]) == min(held[b]) and held[a] <= held[b])
        # the table lets a range that ends as the other does, or lies within its closed end, overlap before it
        sooner = min(held[a]) < min(held[b]) <= max(held[a]) <= max(held[b])
        assert _called("overlaps before", a, b) is sooner


@pytest.mark.parametrize(
    ("name", "other"),
    [("before", "after"), ("meets", "met by"), ("overlaps before", "overlaps after"), ("finishes", "finished by"),
     ("includes", "during"), ("starts", "started by"), ("overlaps", "overlaps"), ("coincides", "coincides")],
)  # fmt: skip
def test_each_relation_has_its_converse(name: str, other: str) -> None:
    """For every pair of small ranges."""
    for a, b in product(_ranges(), repeat=2):
        assert _called(name, a, b) is _called(other, b, a)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('includes([@"2020-01-01"..@"2020-12-31"], @"2020-06-01")', True),
        ('before(@"10:00:00", (@"10:00:00"..@"11:00:00"])', True),
        ('during("b", ["a".."c"])', True),
        ("before(point1: 1, point2: 2)", True),
        ("before(point: 1, range: [2..3])", True),
        ("before(range: [2..3], point: 4)", True),
        ("before(range1: [2..3], range2: [4..5])", True),
        ('includes(range("[1..)"), 10 ** 30)', True),
        ('before(range("[1..)"), 10)', False),
        ('after(range("(5..)"), 5)', True),
        ('includes(range("[1..)"), [2..3])', True),
        ('includes([2..3], range("[1..)"))', False),
        ('coincides(range("(..5]"), range("(..5]"))', True),
    ],
)
def test_every_kind_of_value_and_every_signature(text: str, answer: bool) -> None:
    """Dates, times, texts; names of parameters; an end that is not there lies beyond every value."""
    assert value(text) is answer


@pytest.mark.parametrize(
    "text", ['before(1, "a")', 'includes([1..2], "a")', "meets(1, [1..2])", "before(1)", "starts([1..2], 1)"]
)
def test_what_is_not_in_the_domain_is_null_and_told(text: str) -> None:
    """Once."""
    found, why = told(text)
    assert found is None and len(why) == 1


def test_null_in_null_out() -> None:
    """Without a word."""
    assert told("before(null, 1)") == (None, [])
