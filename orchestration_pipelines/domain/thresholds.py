"""What people's judgements say of a threshold above which a machine decides: how far down may it lie?

A candidate is accepted if the upper bound of the error among the cases at or above it is within the limit. Candidates
are tried from the top down and the search stops at the first that is not accepted, so that looking at many costs
nothing: fixed-sequence testing, as in Angelopoulos et al., *Learn then Test* (2021). Where it starts depends on how
many judgements there are, never on what they say; several searches share the error between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestration_pipelines.domain.sampling import Answers, estimate, is_below, reviews_needed, upper_bound

#: one search starts where there are just enough judgements above to prove anything, the others at these parts of all
_STARTS = (1 / 8, 1 / 4, 1 / 2)
_BINS = 10


class Scored(NamedTuple):
    """A case that was scored, and what people said of it."""

    score: float
    rate: float | None  #: the part of its like that people judged (1: all of them); None: nobody judged it
    wrong: bool = False  #: they would not have approved


@dataclass(frozen=True)
class Standing:
    """What is known of a threshold."""

    at: float
    judged: int
    wrong: int
    estimate: float | None
    bound: float  #: of the error among the cases at or above it
    automated: float  #: the part of all cases that lies at or above it


def standing(cases: Sequence[Scored], at: float, confidence: float) -> Standing:
    """What is known of one threshold that was not searched for."""
    above = [case for case in cases if case.score >= at]
    told = _answers(above)
    judged = sum(each.agreed + each.disagreed for each in told)
    return Standing(
        at=at,
        judged=judged,
        wrong=sum(each.disagreed for each in told),
        estimate=estimate(told),
        bound=upper_bound(told, confidence),
        automated=len(above) / len(cases) if cases else 0.0,
    )


def learnt(
    cases: Sequence[Scored], candidates: Sequence[float], limit: float, confidence: float = 0.95
) -> Standing | None:
    """The lowest candidate that is proved to keep the error within the limit; None if none is.

    ``confidence`` is that of the whole search: the error above the threshold that it returns exceeds the limit with
    probability 1 - ``confidence`` at the most. ``candidates`` must not have been chosen by what people said.
    """
    each = 1 - (1 - confidence) / (1 + len(_STARTS))
    steps = _steps(cases, candidates)
    most = max((step.judged for step in steps), default=0)
    accepted: _Step | None = None
    for start in (reviews_needed(limit, each), *(part * most for part in _STARTS)):
        for step in steps:
            if step.judged < start:
                continue
            if not is_below(step.answers, limit, each):
                break
            if accepted is None or step.at < accepted.at:
                accepted = step
    return None if accepted is None else standing(cases, accepted.at, each)


class _Step(NamedTuple):
    """A candidate, and what people said of the cases at or above it."""

    at: float
    judged: int
    answers: list[Answers]


def _steps(cases: Sequence[Scored], candidates: Sequence[float]) -> list[_Step]:
    """The candidates from the top down."""
    left = sorted((case for case in cases if case.rate is not None), key=lambda case: case.score)
    above: list[Scored] = []
    steps = []
    for at in sorted(set(candidates), reverse=True):
        while left and left[-1].score >= at:
            above.append(left.pop())
        steps.append(_Step(at, len(above), _answers(above)))
    return steps


def _answers(cases: Sequence[Scored]) -> list[Answers]:
    told = Counter((case.rate, case.wrong) for case in cases if case.rate is not None)
    return [Answers(rate, told[rate, False], told[rate, True]) for rate in sorted({rate for rate, _ in told})]


class Bin(NamedTuple):
    """Cases with scores between two bounds: what the score said, and how often people said yes."""

    low: float
    high: float
    judged: int
    said: float
    approved: float


@dataclass(frozen=True)
class Calibration:
    """How far a score is a probability that people say yes; cases count for those that they stand for."""

    bins: Sequence[Bin]  #: the reliability diagram (DeGroot and Fienberg 1983)
    brier: float  #: the mean squared difference (Brier 1950): 0 is perfect, 0.25 is a coin
    without: float  #: the same for whoever always says the mean: a score that is no better says nothing


def calibration(cases: Sequence[Scored]) -> Calibration | None:
    """The calibration of scores from 0 to 1 by what people said; None where nobody said anything."""
    judged = [(case, 1 / case.rate) for case in cases if case.rate is not None]
    if not judged:
        return None
    if any(not 0 <= case.score <= 1 for case, _ in judged):
        raise ValueError("a score that is a probability lies between 0 and 1")
    of_all = sum(weight for _, weight in judged)
    yes = sum(weight * (not case.wrong) for case, weight in judged) / of_all
    brier = sum(weight * (case.score - (not case.wrong)) ** 2 for case, weight in judged) / of_all
    bins = []
    for number in range(_BINS):
        inside = [(case, weight) for case, weight in judged if min(int(case.score * _BINS), _BINS - 1) == number]
        if inside:
            of = sum(weight for _, weight in inside)
            said = sum(weight * case.score for case, weight in inside) / of
            approved = sum(weight * (not case.wrong) for case, weight in inside) / of
            bins.append(Bin(number / _BINS, (number + 1) / _BINS, len(inside), said, approved))
    return Calibration(bins, brier, yes * (1 - yes))
