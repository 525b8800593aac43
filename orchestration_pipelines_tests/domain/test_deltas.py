"""Comparing before and after: nothing is found where nothing is, and what was planted is found."""

from __future__ import annotations

import numpy as np
import pytest

from orchestration_pipelines.domain.deltas import Corridor, Sample, TooFew, compare


def _sample(random: np.random.Generator, cases: int, days: int, lead: float, late: float) -> dict[str, Sample]:
    """A period: the days have a weather of their own, and lead times a long tail."""
    day = random.integers(0, days, cases)
    weather = random.normal(1.0, 0.1, days)[day]
    return {
        "lead time": Sample(day, random.lognormal(np.log(lead) - 0.32, 0.8, cases) * weather),
        "breach rate": Sample(day, (random.random(cases) < late).astype(float)),
        "rework": Sample(day, (random.random(cases) < 0.1).astype(float)),
        "first-pass yield": Sample(day, (random.random(cases) < 0.85).astype(float)),
    }


def _corridors(before: dict[str, Sample], after: dict[str, Sample]) -> dict[str, Corridor]:
    return {figure: Corridor(before[figure], after[figure]) for figure in before}


def _shown(seed: int, effect: float, *, control: bool = False, trend: float = 1.0) -> bool:
    """Whether a comparison of two months shows any effect."""
    random = np.random.default_rng(seed)

    def corridors(change: float) -> dict[str, Corridor]:
        return _corridors(_sample(random, 1_500, 30, 40, 0.08), _sample(random, 1_500, 30, 40 * change, 0.08))

    found = compare(corridors(effect * trend), corridors(trend) if control else None, seed=seed)
    return any(delta.is_shown for delta in found)


def test_where_nothing_changed_an_effect_is_shown_in_at_most_one_comparison_of_twenty() -> None:
    """80 comparisons of like with like, four figures each: at most 5 % and three standard errors say otherwise."""
    wrong = sum(_shown(seed, 1.0) for seed in range(80))
    assert wrong / 80 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)


def test_a_planted_effect_of_a_fifth_is_found() -> None:
    """Lead times a fifth shorter: shown in at least 16 of 20 comparisons."""
    assert sum(_shown(seed, 0.8) for seed in range(20)) >= 16


def test_what_happened_to_everybody_is_no_effect() -> None:
    """All got faster by a third: against a corridor that did not change, nothing is shown; without one it is."""
    assert sum(_shown(seed, 1.0, control=True, trend=0.67) for seed in range(15)) <= 4
    assert sum(_shown(seed, 1.0, trend=0.67) for seed in range(5)) >= 4


def test_a_difference_of_differences_is_worked_out_by_hand() -> None:
    """10 to 7 here and 10 to 9 there: 2 less than it would have been."""
    days = np.zeros(40, dtype=np.int64)

    def constant(value: float) -> Sample:
        return Sample(days, np.full(40, value))

    (delta,) = compare(
        {"lead time": Corridor(constant(10), constant(7))}, {"lead time": Corridor(constant(10), constant(9))}
    )
    assert (delta.before, delta.after, delta.difference, delta.against) == (10, 7, -2, -1)
    assert delta.words == "lower by 2 to 2"


def test_the_same_seed_gives_the_same_interval() -> None:
    """A report that is made again says the same."""
    random = np.random.default_rng(3)
    corridors = _corridors(_sample(random, 200, 30, 40, 0.1), _sample(random, 200, 30, 40, 0.1))
    assert compare(corridors, seed=5) == compare(corridors, seed=5) != compare(corridors, seed=6)


def test_too_few_cases_are_told() -> None:
    """One case on a side can be compared with nothing."""
    one, many = Sample(np.zeros(1, np.int64), np.ones(1)), Sample(np.zeros(9, np.int64), np.ones(9))
    with pytest.raises(TooFew, match="lead time has 1 cases after: at least 2"):
        compare({"lead time": Corridor(many, one)})
