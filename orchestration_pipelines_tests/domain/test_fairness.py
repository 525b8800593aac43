"""The four-fifths rule and the exact test, against a table that is worked out by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.fairness import FEWEST, Group, impacts


def _exact(a: int, b: int, c: int, d: int) -> float:
    """Fisher's exact test by its definition: every table of these margins that is no more likely than ours."""
    row, column, whole = a + b, a + c, a + b + c + d

    def weight(x: int) -> int:
        return math.comb(row, x) * math.comb(whole - row, column - x)

    ours = weight(a)
    tables = range(max(0, row + column - whole), min(row, column) + 1)
    return sum(weight(x) for x in tables if weight(x) <= ours) / math.comb(whole, column)


def test_a_group_approved_half_as_often_is_treated_worse() -> None:
    """40 of 100 against 80 of 100: a ratio of 0.5, and no chance."""
    (impact,) = impacts([Group("sex", "f", 100, 40), Group("sex", "m", 100, 80)])
    assert (impact.group.value, impact.best.value, impact.ratio) == ("f", "m", Fraction(1, 2))
    assert impact.chance == pytest.approx(_exact(40, 60, 80, 20)) and impact.is_adverse


def test_what_chance_explains_is_not_held_against_the_automation() -> None:
    """18 of 30 against 24 of 30 breaks the rule, and happens by chance in one of six."""
    (impact,) = impacts([Group("sex", "f", 30, 18), Group("sex", "m", 30, 24)])
    assert impact.ratio < 0.8 and not impact.is_adverse
    assert impact.chance == pytest.approx(_exact(18, 12, 24, 6))


def test_four_fifths_are_enough() -> None:
    """Exactly four fifths is not below them, however many cases there are."""
    (impact,) = impacts([Group("sex", "f", 10_000, 6_400), Group("sex", "m", 10_000, 8_000)])
    assert impact.ratio == Fraction(4, 5) and not impact.is_adverse


def test_of_few_cases_nothing_is_said_and_each_attribute_has_its_own_best() -> None:
    """A group of 29 is left out; who is old is not compared with who is married."""
    found = impacts(
        [
            Group("old", "1", FEWEST - 1, 0),
            Group("old", "0", 100, 50),
            Group("married", "1", 100, 90),
            Group("married", "0", 100, 80),
        ]
    )
    assert [(impact.group.attribute, impact.best.value) for impact in found] == [("married", "1")]
    assert impacts([Group("old", "0", 100, 0), Group("old", "1", 100, 0)]) == []


@given(*[st.integers(FEWEST, 80)] * 2, *[st.floats(0, 1)] * 2)
def test_the_chance_is_fishers_and_the_ratio_at_most_one(cases: int, others: int, part: float, other: float) -> None:
    """Against the definition, for any two groups."""
    groups = [Group("a", "x", cases, round(cases * part)), Group("a", "y", others, round(others * other))]
    for impact in impacts(groups):
        group, best = impact.group, impact.best
        assert impact.ratio <= 1
        assert impact.chance == pytest.approx(
            _exact(group.approved, group.cases - group.approved, best.approved, best.cases - best.approved), rel=1e-6
        )
