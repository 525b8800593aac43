"""Sampling automatic decisions: which are looked at again, and what the answers prove.

The draw is a function of a seed, the day and the case: whoever draws again draws the same. The bound is a confidence
sequence: it may be looked at after every answer, and stopped at whenever one likes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from orchestration_pipelines.domain.identity import length_prefixed

#: bets against a rate: how much of what an answer "wrong" would cost is kept. Many small ones are right when errors
#: are many, large ones when there are none; a mixture of them loses little either way.
_KEPT = (0.05, 0.20, 0.35, 0.50, 0.65, 0.80)
#: … and the same of bets that there are more: what is kept is kept by answers that agree, which are most of them
_KEPT_ABOVE = (0.40, 0.70, 0.85, 0.93, 0.97, 0.99, 0.995)
_STEPS = 60


def draw(seed: str, day: date, case_key: str) -> float:
    """A number in [0, 1) that belongs to this case on this day, under this seed."""
    mark = sha256(length_prefixed(seed, day.isoformat(), case_key)).digest()
    return int.from_bytes(mark[:8], "big") / 2**64


def is_sampled(seed: str, day: date, case_key: str, rate: float) -> bool:
    """Whether a decision is looked at again, where a part of ``rate`` (0 to 1) of its cell is."""
    return draw(seed, day, case_key) < rate


@dataclass(frozen=True)
class Answers:
    """Reviews of one cell that were sampled at one rate: how many agreed with the machine, how many did not."""

    rate: float  #: each stands for 1/rate decisions
    agreed: int
    disagreed: int

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ValueError(f"a sampling rate lies above 0 and at most at 1, and is {self.rate}")


def estimate(answers: Iterable[Answers]) -> float | None:
    """The rate of disagreement over the decisions, each answer weighted by those it stands for; None without one."""
    told = [each for each in answers if each.agreed + each.disagreed]
    stand_for = sum((each.agreed + each.disagreed) / each.rate for each in told)
    return sum(each.disagreed / each.rate for each in told) / stand_for if told else None


def upper_bound(answers: Iterable[Answers], confidence: float = 0.95) -> float:
    """What the rate of disagreement stays below, with this confidence, however often one looks.

    A rate is out of the question once a gambler who bets against it would have multiplied the stake by
    1 / (1 - confidence): by Ville's inequality that happens to the true rate with probability 1 - confidence at the
    most, at any time. (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting".)
    """
    told = [each for each in answers if each.agreed + each.disagreed]
    if not told:
        return 1.0
    enough = -math.log(1 - confidence)
    low, high = estimate(told) or 0.0, 1.0
    if high - low <= 0:
        return 1.0
    for _ in range(_STEPS):  # the gain grows with the rate that is bet against
        middle = (low + high) / 2
        low, high = (low, middle) if log_gain(told, middle) >= enough else (middle, high)
    return high


def is_below(answers: Iterable[Answers], rate: float, confidence: float) -> bool:
    """Whether :func:`upper_bound` is at a rate or below it: the same as to compare it, without looking for it."""
    told = [each for each in answers if each.agreed + each.disagreed]
    if not told or (estimate(told) or 0.0) >= rate:
        return False
    return log_gain(told, rate) >= -math.log(1 - confidence)


def is_above(answers: Iterable[Answers], rate: float, confidence: float) -> bool:
    """Whether the rate of disagreement is proved to lie above a rate, however often one looks.

    The same game with the bets turned over: who bets that disagreements are more than ``rate`` multiplies the stake by
    1 / (1 - confidence) with probability 1 - confidence at the most, at any time, where they are not.
    """
    told = [each for each in answers if each.agreed + each.disagreed]
    if not told or (estimate(told) or 0.0) <= rate:
        return False
    return _log_gain_above(told, rate) >= -math.log(1 - confidence)


def log_gain(answers: Iterable[Answers], rate: float) -> float:
    """The logarithm of what betting against ``rate`` would have made of a stake of 1."""
    told = list(answers)
    heaviest = max(1 / each.rate for each in told)
    return _mixed(
        _log_gain(told, rate, bet=(1 - kept) / (heaviest - rate) if heaviest > rate else 0.0) for kept in _KEPT
    )


def _log_gain_above(told: Sequence[Answers], rate: float) -> float:
    """The same of betting that there is more: an answer that agrees costs a part of the stake, each other one pays."""
    return _mixed(_log_gain(told, rate, bet=-(1 - kept) / rate) for kept in _KEPT_ABOVE)


def _log_gain(told: Sequence[Answers], rate: float, bet: float) -> float:
    """What one bettor would have made: an answer's weight, less ``rate``, times the bet is lost."""
    gain, unseen = 0.0, math.log1p(bet * rate)
    for each in told:
        # An answer stands for `weight` decisions: itself, and weight - 1 that nobody looked at.
        weight = 1 / each.rate
        gain += (each.agreed * weight + each.disagreed * (weight - 1)) * unseen
        if each.disagreed:
            gain += each.disagreed * math.log1p(bet * (rate - weight))
    return gain


def _mixed(gains: Iterable[float]) -> float:
    """The mean of what the bettors made."""
    made = list(gains)
    most = max(made)
    return most + math.log(sum(math.exp(gain - most) for gain in made) / len(made))


def reviews_needed(limit: float, confidence: float = 0.95) -> int:
    """How many answers prove that the rate stays below ``limit``, if none of them disagrees."""
    if not 0 < limit < 1:
        raise ValueError(f"a limit lies between 0 and 1, and is {limit}")
    few, many = 0, 1
    while upper_bound([Answers(1.0, many, 0)], confidence) > limit:
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if upper_bound([Answers(1.0, middle, 0)], confidence) <= limit else (middle, many)
    return many
