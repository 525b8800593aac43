"""The population stability index, by hand and against chance."""

from __future__ import annotations

import math
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.drift import drift


def test_by_hand() -> None:
    """Two classes of 50 and 50 that became 75 and 25, half a case added to each."""
    found = drift("kind", ["a"] * 50 + ["b"] * 50, ["a"] * 75 + ["b"] * 25)
    assert found is not None
    p, q = (75.5 / 101, 25.5 / 101), (50.5 / 101, 50.5 / 101)
    assert found.psi == pytest.approx(sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True)))
    assert found.by_chance == pytest.approx(3.84 * 2 / 100, rel=0.03)
    assert found.says == "shifted"


def test_chance_alone_is_no_drift_and_a_shift_is() -> None:
    """Of 300 pairs of samples of one population few are beyond chance; half a standard deviation always is."""
    random_ = random.Random(3)

    def sample(mean: float, count: int) -> list[float]:
        return [random_.gauss(mean, 1) for _ in range(count)]

    same = [drift("x", sample(0, 400), sample(0, 200)) for _ in range(300)]
    beyond = sum(found is not None and found.psi > found.by_chance for found in same)
    assert beyond <= 300 * 0.05 + 3 * math.sqrt(300 * 0.05 * 0.95)
    assert all(found is not None and found.says == "stable" for found in same if found and found.psi <= found.by_chance)
    shifted = drift("x", sample(0, 400), sample(0.6, 200))
    assert shifted is not None and shifted.says != "stable"


def test_a_missing_value_and_a_new_text_are_classes_of_their_own() -> None:
    """What was never missing and now is has drifted."""
    numbers: list[float | Decimal | None] = [Decimal(number) for number in range(100)]
    found = drift("x", numbers, [*numbers[:60], *[None] * 40])
    assert found is not None and found.says == "shifted"
    new = drift("y", ["a", "b"] * 50, ["a", "b"] * 20 + ["c"] * 60)
    assert new is not None and new.says == "shifted"


@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(0, 30), st.text(max_size=3)), min_size=1, max_size=80))
def test_the_same_has_not_moved(values: list[object]) -> None:
    """And a side without a case says nothing."""
    found = drift("x", values, values)
    assert found is not None
    assert found.psi == pytest.approx(0)
    assert found.says == "stable"
    assert drift("x", values, []) is None and drift("x", [], values) is None


@given(st.lists(st.integers(0, 9), min_size=5, max_size=60), st.lists(st.integers(0, 9), min_size=5, max_size=60))
def test_it_is_never_negative(before: list[int], now: list[int]) -> None:
    """Each term is a product of two of one sign."""
    found = drift("x", before, now)
    assert found is not None and found.psi >= -1e-12
