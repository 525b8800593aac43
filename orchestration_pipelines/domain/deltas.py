"""Did it get better? A corridor of cases before and after, against one that did not change where there is one.

Days are drawn again, not cases: the cases of a day share its weather. Where several figures are compared at once, each
interval is widened (Bonferroni), so that the whole comparison is wrong as rarely as it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from orchestration_pipelines.domain.event_log import Ints
from orchestration_pipelines.domain.spread import Floats

#: how often the days are drawn again
DRAWS = 4_000
#: with fewer days on a side than this the cases themselves are drawn
_DAYS = 20


@dataclass(frozen=True)
class Sample:
    """One figure of the cases of a corridor in a period: a value per case, and the day that the case belongs to."""

    days: Ints
    values: Floats

    def __post_init__(self) -> None:
        if self.days.shape != self.values.shape:
            raise ValueError("each value belongs to one day")

    @property
    def units(self) -> int:
        """How many are drawn from: the days, or the cases where there are few days."""
        return int(self._unit_of.max()) + 1

    @property
    def _unit_of(self) -> Ints:
        """The unit that each case is drawn with."""
        days, at = np.unique(self.days, return_inverse=True)
        return at if len(days) >= _DAYS else np.arange(len(self.values))

    def means(self, random: np.random.Generator) -> Floats:
        """The mean in each of :data:`DRAWS` drawings.

        One less is drawn than there are: as many would vary too little.
        """
        at = self._unit_of
        sums, counts = np.bincount(at, self.values), np.bincount(at)
        units = len(counts)
        found = np.empty(DRAWS)
        at_once = max(1, 4_000_000 // units)
        for begin in range(0, DRAWS, at_once):
            end = min(begin + at_once, DRAWS)
            drawn = random.multinomial(units - 1, np.full(units, 1 / units), size=end - begin)
            found[begin:end] = (drawn @ sums) / (drawn @ counts)
        return found


@dataclass(frozen=True)
class Corridor:
    """A corridor before and after."""

    before: Sample
    after: Sample


@dataclass(frozen=True)
class Delta:
    """How one figure changed, and what can be said of it."""

    figure: str
    before: float
    after: float
    difference: float  #: after minus before; less what the corridor that did not change did meanwhile
    low: float  #: of the interval
    high: float
    against: float | None  #: what the corridor that did not change did; None where there is none

    @property
    def is_shown(self) -> bool:
        """Whether an effect is shown: no change at all is outside the interval."""
        return not self.low <= 0 <= self.high

    @property
    def words(self) -> str:
        """What can be said, in words."""
        if not self.is_shown:
            return f"no effect shown (between {self.low:+.3g} and {self.high:+.3g})"
        return f"{'higher' if self.difference > 0 else 'lower'} by {abs(self.low):.3g} to {abs(self.high):.3g}"


class TooFew(ValueError):
    """A comparison that can say nothing; the message names the side and what is missing."""


def compare(
    figures: Mapping[str, Corridor],
    unchanged: Mapping[str, Corridor] | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Delta]:
    """The change of each figure, with intervals that hold together at ``confidence``.

    ``unchanged`` has the same figures of a corridor that did not change: then differences of differences are taken.
    The same seed gives the same intervals. :class:`TooFew` where a side has fewer than two cases.
    """
    if not figures:
        raise TooFew("there is no figure to compare")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, and is {confidence}")
    random = np.random.default_rng(seed)
    tail = (1 - confidence) / len(figures) / 2
    return [
        _delta(figure, corridor, None if unchanged is None else unchanged[figure], tail, random)
        for figure, corridor in figures.items()
    ]


def _delta(
    figure: str, corridor: Corridor, unchanged: Corridor | None, tail: float, random: np.random.Generator
) -> Delta:
    difference, spread = _change(figure, corridor, random)
    against = None
    if unchanged is not None:
        against, spread_against = _change(f"{figure}, of the corridor that did not change,", unchanged, random)
        difference, spread = difference - against, spread - spread_against
    # The drawn differences spread about ours as ours spreads about the truth: the interval is turned over.
    wide = _few_days(tail, corridor if unchanged is None else unchanged)
    low, high = difference - wide * (np.quantile(spread, [1 - tail, tail]) - difference)
    return Delta(
        figure,
        float(corridor.before.values.mean()),
        float(corridor.after.values.mean()),
        difference,
        float(low),
        float(high),
        against,
    )


def _few_days(tail: float, corridor: Corridor) -> float:
    """How much wider an interval is that rests on few days: Student's t against the normal, by Cornish and Fisher."""
    normal = NormalDist().inv_cdf(1 - tail)
    return 1 + (normal**2 + 1) / (4 * max(1, corridor.before.units + corridor.after.units - 2))


def _change(figure: str, corridor: Corridor, random: np.random.Generator) -> tuple[float, npt.NDArray[np.float64]]:
    for side, sample in (("before", corridor.before), ("after", corridor.after)):
        if len(sample.values) < 2:
            raise TooFew(f"{figure} has {len(sample.values)} cases {side}: at least 2 are needed to compare")
    change = float(corridor.after.values.mean() - corridor.before.values.mean())
    return change, corridor.after.means(random) - corridor.before.means(random)
