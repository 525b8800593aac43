"""Are groups treated alike? The four-fifths rule, and whether chance could be the reason.

Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D (1978): a rate of selection below four fifths of
the highest group's is evidence of adverse impact; with few cases, or a difference that chance explains, it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from operator import attrgetter

FOUR_FIFTHS = Fraction(4, 5)
#: a difference that chance makes more often than this shows nothing
SIGNIFICANT = 0.05
#: of fewer cases nothing is said
FEWEST = 30


@dataclass(frozen=True)
class Group:
    """How many cases of a group there were, and how many of them the automation approved by itself."""

    attribute: str
    value: str
    cases: int
    approved: int

    @property
    def rate(self) -> Fraction:
        """The part that was approved, exactly."""
        return Fraction(self.approved, self.cases)


@dataclass(frozen=True)
class Impact:
    """A group against the one that fares best."""

    group: Group
    best: Group
    ratio: Fraction  #: of the rates, exactly
    chance: float  #: of a difference at least so large, if groups were treated alike (Fisher's exact test, two-sided)

    @property
    def is_adverse(self) -> bool:
        """Whether the rule is broken, and chance does not explain it."""
        return self.ratio < FOUR_FIFTHS and self.chance < SIGNIFICANT


def impacts(groups: Sequence[Group]) -> list[Impact]:
    """Each group of each attribute against the best of it; groups of few cases are left out."""
    from scipy.stats import fisher_exact  # half a second, for whoever asks

    found: list[Impact] = []
    told = sorted((group for group in groups if group.cases >= FEWEST), key=attrgetter("attribute", "value"))
    for _, alike in groupby(told, key=attrgetter("attribute")):
        compared = list(alike)
        best = max(compared, key=attrgetter("rate"))
        if best.approved:
            found += [
                Impact(
                    group,
                    best,
                    group.rate / best.rate,
                    float(
                        fisher_exact(
                            [
                                [group.approved, group.cases - group.approved],
                                [best.approved, best.cases - best.approved],
                            ]
                        ).pvalue
                    ),
                )
                for group in compared
                if group is not best
            ]
    return found
