"""A cell held against its limit: within by the upper bound, beyond by the lower one, else too little is known."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.domain.quality import MOST_NEEDED, Stratum, Verdict, judge, needed
from orchestration_pipelines.domain.sampling import Answers, is_above, is_below, upper_bound

_RATES = st.sampled_from([0.05, 0.25, 1.0])
_ANSWERS = st.lists(st.builds(Answers, _RATES, st.integers(0, 150), st.integers(0, 6)), max_size=3)
_STRATA = st.builds(Stratum, _RATES, st.sampled_from([0.05, 0.1, 0.3]))


@settings(deadline=None, max_examples=60)
@given(_ANSWERS, _STRATA)
def test_within_is_what_the_bound_says(answers: list[Answers], stratum: Stratum) -> None:
    """A cell passes if and only if its upper bound is at the limit or below."""
    judged = judge(answers, stratum, 0.95)
    assert judged.bound == upper_bound(answers, 0.95)
    if abs(judged.bound - stratum.limit) > 1e-9:
        assert (judged.verdict is Verdict.WITHIN) == (judged.bound < stratum.limit)


@settings(deadline=None, max_examples=60)
@given(_ANSWERS, _STRATA)
def test_as_many_more_as_needed_are_enough_and_one_less_is_not(answers: list[Answers], stratum: Stratum) -> None:
    """If all of them agree."""
    more = needed(answers, stratum, 0.95)
    if more == MOST_NEEDED:
        return
    assert judge([*answers, Answers(stratum.rate, more, 0)], stratum, 0.95).verdict is Verdict.WITHIN
    assert (more == 0) == (judge(answers, stratum, 0.95).verdict is Verdict.WITHIN)
    if more:
        less = judge([*answers, Answers(stratum.rate, more - 1, 0)], stratum, 0.95)
        assert less.verdict is not Verdict.WITHIN


@settings(deadline=None, max_examples=60)
@given(_ANSWERS, _STRATA)
def test_beyond_is_proved_and_never_together_with_within(answers: list[Answers], stratum: Stratum) -> None:
    """The lower bound is above the limit; one more disagreement never takes that back."""
    judged = judge(answers, stratum, 0.95)
    assert (judged.verdict is Verdict.BEYOND) == is_above(answers, stratum.limit, 0.95)
    assert not (is_above(answers, stratum.limit, 0.95) and is_below(answers, stratum.limit, 0.95))
    if judged.verdict is Verdict.BEYOND:
        more = [*answers, Answers(stratum.rate, 0, 1)]
        assert judge(more, stratum, 0.95).verdict is Verdict.BEYOND


def test_a_few_disagreements_are_not_beyond_and_nothing_is_too_few() -> None:
    """With a limit of 5 %: one that disagrees is no proof, two of two are; six of fifty are not, ten are."""
    stratum = Stratum(1.0, 0.05)
    nothing = judge([], stratum, 0.95)
    assert (nothing.verdict, nothing.needed, nothing.estimate) == (Verdict.TOO_FEW, 84, None)
    assert judge([Answers(1.0, 0, 1)], stratum, 0.95).verdict is Verdict.TOO_FEW
    assert judge([Answers(1.0, 0, 2)], stratum, 0.95).verdict is Verdict.BEYOND
    assert judge([Answers(1.0, 44, 6)], stratum, 0.95).verdict is Verdict.TOO_FEW
    assert judge([Answers(1.0, 40, 10)], stratum, 0.95).verdict is Verdict.BEYOND
    assert judge([Answers(1.0, 84, 0)], stratum, 0.95).verdict is Verdict.WITHIN
