"""What is learnt about a threshold holds as often as it says, and moves as far as it may."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.domain.sampling import Answers, upper_bound
from orchestration_pipelines.domain.thresholds import Scored, calibration, learnt, standing

_CANDIDATES = [round(0.5 + 0.02 * number, 2) for number in range(25)]


def _error(score: float) -> float:
    """Of whoever has this score: none at 1, half at 0."""
    return (1 - score) / 2


def _cases(chance: random.Random, count: int, rate: float = 1.0) -> list[Scored]:
    """Scores from 0.5 to 1; above 0.9 a part is judged, below it everybody."""
    told = []
    for _ in range(count):
        score = chance.uniform(0.5, 1)
        wrong = chance.random() < _error(score)
        part = rate if score >= 0.9 else 1.0
        told.append(Scored(score, part if chance.random() < part else None, wrong))
    return told


def test_the_lowest_threshold_that_is_proved_is_found() -> None:
    """Above t the error is (1 - t) / 4: a limit of 7 % allows 0.72; with 4,000 judgements 0.82 is found."""
    found = learnt(_cases(random.Random(5), 4_000), _CANDIDATES, limit=0.07)
    assert found is not None
    assert 0.72 <= found.at <= 0.86
    assert found.bound <= 0.07
    assert found.automated == pytest.approx((1 - found.at) * 2, abs=0.03)


def test_the_search_stops_where_a_candidate_is_not_accepted() -> None:
    """All is well at 0.9, not at 0.8, and again at 0.5: who goes on past a refusal has tried too often."""
    cases = [Scored(0.95, 1.0, False)] * 100 + [Scored(0.6, 1.0, False)] * 1_000
    cases += [Scored(0.85, 1.0, number % 20 < 3) for number in range(1_000)]
    assert standing(cases, 0.5, 0.99).bound < 0.1 < standing(cases, 0.8, 0.99).bound
    found = learnt(cases, [0.9, 0.8, 0.5], limit=0.1)
    assert found is not None and found.at == 0.9


def test_nothing_is_proved_by_few_judgements_or_against_the_facts() -> None:
    """Nor where the highest scores are wrong too often."""
    assert learnt(_cases(random.Random(5), 60), _CANDIDATES, limit=0.07) is None
    assert learnt([Scored(0.95, 1.0, number % 4 == 0) for number in range(2_000)], _CANDIDATES, limit=0.07) is None
    assert learnt([], _CANDIDATES, limit=0.07) is None
    assert learnt([Scored(0.9, None)] * 500, _CANDIDATES, limit=0.07) is None


def test_the_error_above_what_was_learnt_exceeds_the_limit_as_rarely_as_it_says() -> None:
    """In 200 samples, a third of the automatic cases judged: at most 5 % plus three standard errors exceed it."""
    chance, runs, limit = random.Random(11), 200, 0.1
    exceeded = moved = 0
    for _ in range(runs):
        found = learnt(_cases(chance, 1_500, rate=0.3), _CANDIDATES, limit)
        if found is not None:
            moved += 1
            exceeded += (1 - found.at) / 4 > limit
    assert moved > runs / 2, "it must find something most of the time"
    assert exceeded <= runs * 0.05 + 3 * math.sqrt(runs * 0.05 * 0.95)


def test_choosing_the_best_of_all_would_exceed_it() -> None:
    """What the fixed sequence is for: the lowest that looks good, each at 50 %, is wrong far more often."""
    chance, limit = random.Random(11), 0.1
    exceeded = 0
    for _ in range(100):
        cases = _cases(chance, 1_500, rate=0.3)
        good = [at for at in _CANDIDATES if (standing(cases, at, 0.5).estimate or 1) <= limit]
        exceeded += bool(good) and (1 - min(good)) / 4 > limit
    assert exceeded > 10


@given(
    st.lists(
        st.builds(Scored, st.floats(0, 1), st.sampled_from([None, 0.25, 1.0]), st.booleans()), min_size=1, max_size=60
    ),
    st.floats(0, 1),
)
def test_a_threshold_stands_on_the_cases_at_or_above_it(cases: list[Scored], at: float) -> None:
    """Each weighted by those that it stands for; what nobody judged counts for the automation alone."""
    found = standing(cases, at, 0.95)
    above = [case for case in cases if case.score >= at]
    judged = [case for case in above if case.rate is not None]
    assert (found.judged, found.wrong) == (len(judged), sum(case.wrong for case in judged))
    assert found.automated == len(above) / len(cases)
    rates = {case.rate for case in judged if case.rate is not None}
    told = [
        Answers(rate, *(sum(case.rate == rate and case.wrong is wrong for case in judged) for wrong in (False, True)))
        for rate in sorted(rates)
    ]
    assert found.bound == upper_bound(told, 0.95)


def test_a_score_that_says_what_happens_is_calibrated() -> None:
    """By hand: 0.9 twice, once right, and 0.1 right: (0.01 + 0.81 + 0.01) / 3 against 1/3 · 2/3."""
    found = calibration([Scored(0.9, 1.0, False), Scored(0.9, 1.0, True), Scored(0.1, 1.0, True), Scored(0.5, None)])
    assert found is not None
    assert found.brier == pytest.approx(0.83 / 3)
    assert found.without == pytest.approx(2 / 9)
    assert [(each.low, each.judged, each.said, each.approved) for each in found.bins] == [
        (0.1, 1, 0.1, 0.0),
        (0.9, 2, 0.9, 0.5),
    ]


def test_a_judgement_counts_for_those_that_it_stands_for() -> None:
    """One in four was drawn: it weighs four."""
    found = calibration([Scored(1.0, 0.25, False), Scored(0.0, 1.0, False)])
    assert found is not None
    assert found.brier == pytest.approx(1 / 5)


def test_what_is_no_probability_is_not_calibrated() -> None:
    """A score of points has no reliability diagram; nor have cases that nobody judged."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration([Scored(700, 1.0, False)])
    assert calibration([Scored(0.5, None)]) is None


@settings(max_examples=50)
@given(st.lists(st.builds(Scored, st.floats(0, 1), st.just(1.0), st.booleans()), min_size=1, max_size=80))
def test_the_bins_hold_every_judgement_once(cases: list[Scored]) -> None:
    """And the mean over them is the mean of all."""
    found = calibration(cases)
    assert found is not None
    assert sum(each.judged for each in found.bins) == len(cases)
    mean = sum(each.approved * each.judged for each in found.bins) / len(cases)
    assert mean == pytest.approx(sum(not case.wrong for case in cases) / len(cases))
    assert 0 <= found.brier <= 1
