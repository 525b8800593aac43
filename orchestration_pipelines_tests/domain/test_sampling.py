"""The sample of automatic decisions and its bound: repeatable, unbiased, and right however often one looks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from orchestration_pipelines.domain.sampling import (
    Answers,
    draw,
    estimate,
    is_above,
    is_sampled,
    log_gain,
    reviews_needed,
    upper_bound,
)

_DAY = date(2026, 3, 2)


def test_a_draw_belongs_to_its_seed_day_and_case() -> None:
    """The same three draw the same number; another of any of them draws another."""
    drawn = draw("seed", _DAY, "case")
    assert drawn == draw("seed", _DAY, "case")
    others = [draw("other", _DAY, "case"), draw("seed", _DAY + timedelta(1), "case"), draw("seed", _DAY, "case2")]
    assert drawn not in others
    assert draw("a", _DAY, "bc") != draw("ab", _DAY, "c")


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5, 1.0])
def test_as_many_are_sampled_as_the_rate_says(rate: float) -> None:
    """Of 20,000 decisions the part that is drawn lies within four standard errors of the rate."""
    cases = 20_000
    drawn = sum(is_sampled("seed", _DAY, f"case {number}", rate) for number in range(cases))
    assert abs(drawn / cases - rate) <= 4 * np.sqrt(rate * (1 - rate) / cases)


def test_the_estimate_is_unbiased_over_rates_that_differ() -> None:
    """Half of the decisions sampled at 5 %, half at 50 %, with errors of 8 % and 2 %: on average 5 % are found."""
    random = np.random.default_rng(7)
    found = []
    for _ in range(800):
        told = []
        for rate, wrong in ((0.05, 0.08), (0.5, 0.02)):
            seen = random.binomial(2_000, rate)
            disagreed = random.binomial(seen, wrong)
            told.append(Answers(rate, int(seen - disagreed), int(disagreed)))
        found.append(estimate(told))
    values = np.array(found, dtype=float)
    assert abs(values.mean() - 0.05) <= 4 * values.std() / np.sqrt(len(values)) + 0.0005


@pytest.mark.parametrize("wrong", [0.005, 0.02, 0.1])
@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_the_bound_covers_however_often_one_looks(wrong: float, rate: float) -> None:
    """2,000 policies of a known rate, each looked at after every one of 400 answers and stopped at the worst moment.

    The bound lies below the truth at any time in at most 5 % of them, and three standard errors.
    """
    random = np.random.default_rng(20261124)
    policies, answers = 2_000, 400
    disagreed = (random.random((policies, answers)) < wrong).cumsum(axis=1)
    # for each number of disagreements, how many answers agree at the least before the truth is out of the question
    failed = np.zeros(policies, dtype=bool)
    for count in range(int(disagreed.max()) + 1):
        agreed = np.arange(1, answers + 1) - count
        refuted = np.array(
            [many >= 0 and log_gain([Answers(rate, int(many), count)], wrong) >= np.log(20) for many in agreed]
        )
        failed |= ((disagreed == count) & refuted[None, :]).any(axis=1)
    assert failed.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / policies)


@pytest.mark.parametrize("rate", [1.0, 0.2])
@pytest.mark.parametrize("answers", [50, 100, 200, 400, 1_000])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.02, 0.05, 0.1, 0.2])
def test_the_bound_is_at_most_half_as_wide_again_as_the_exact_one(answers: int, share: float, rate: float) -> None:
    """Against Clopper and Pearson's upper bound for a number of answers that was fixed beforehand."""
    disagreed = round(answers * share)
    exact = beta.ppf(0.95, disagreed + 1, answers - disagreed)
    assert exact < upper_bound([Answers(rate, answers - disagreed, disagreed)]) <= 1.5 * exact


@given(st.integers(0, 200), st.integers(0, 200))
def test_one_more_disagreement_raises_the_bound_and_one_more_agreement_lowers_it(agreed: int, disagreed: int) -> None:
    """More evidence moves the bound to where it points, and the estimate never lies beyond it."""
    bound = upper_bound([Answers(0.5, agreed, disagreed)])
    assert upper_bound([Answers(0.5, agreed, disagreed + 1)]) >= bound
    assert upper_bound([Answers(0.5, agreed + 1, disagreed)]) <= bound
    told = estimate([Answers(0.5, agreed, disagreed)])
    assert told is None or told <= bound


def test_without_an_answer_nothing_is_proved() -> None:
    """No answer: any rate is possible; all wrong: the rate may be all."""
    assert upper_bound([]) == 1.0 == upper_bound([Answers(0.1, 0, 0)])
    assert upper_bound([Answers(1.0, 0, 5)]) == 1.0


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.2])
def test_as_many_reviews_as_are_needed_prove_the_limit_and_one_less_does_not(limit: float) -> None:
    """The number that the asset check shows is the first that suffices."""
    needed = reviews_needed(limit)
    assert upper_bound([Answers(1.0, needed, 0)]) <= limit < upper_bound([Answers(1.0, needed - 1, 0)])
    with pytest.raises(ValueError, match="between 0 and 1"):
        reviews_needed(0)


def _stopped(wrong: float, rate: float, limit: float = 0.05, cells: int = 300, reviews: int = 600) -> list[int]:
    """When cells that are wrong so often are stopped, of so many that are looked at after every answer."""
    random = np.random.default_rng(9)
    stopped = []
    for _ in range(cells):
        disagrees = random.random(reviews) < wrong
        so_far = np.cumsum(disagrees)
        for many in np.flatnonzero(disagrees) + 1:  # only an answer that disagrees can be the last
            count = int(so_far[many - 1])
            if is_above([Answers(rate, int(many) - count, count)], limit, 0.95):
                stopped.append(int(many))
                break
    return stopped


@pytest.mark.parametrize("rate", [1.0, 0.1])
@pytest.mark.parametrize("wrong", [0.025, 0.05])
def test_a_sound_cell_is_stopped_as_rarely_as_it_says_however_often_one_looks(wrong: float, rate: float) -> None:
    """At the limit or at half of it: in at most 5 % plus three standard errors."""
    assert len(_stopped(wrong, rate)) <= 300 * 0.05 + 3 * np.sqrt(300 * 0.05 * 0.95)


@pytest.mark.parametrize("rate", [1.0, 0.25, 0.1])
def test_a_cell_at_twice_the_limit_is_stopped(rate: float) -> None:
    """Nearly always within 600 reviews, half of them within 220; whatever part is drawn."""
    stopped = _stopped(0.1, rate, cells=200)
    assert len(stopped) >= 0.9 * 200
    assert np.median(stopped) <= 220


def test_answers_that_were_drawn_at_several_rates_are_weighed() -> None:
    """Ten of 40 that disagree are beyond 5 %, if all were drawn alike; not if they stand for few."""
    assert is_above([Answers(1.0, 30, 10)], 0.05, 0.95)
    assert not is_above([Answers(0.05, 30, 0), Answers(1.0, 0, 10)], 0.05, 0.95)
