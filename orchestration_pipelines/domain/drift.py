"""Has what comes in changed? The population stability index of a period against a reference period.

PSI = Σ (p - q) ln(p / q) over the classes (Siddiqi, *Credit Risk Scorecards*, 2006: below 0.1 stable, above 0.25
shifted). Two samples of one population have a PSI, too: about χ²(classes - 1) · (1/n + 1/m) (Yurdakul, *Statistical
Properties of Population Stability Index*, 2018). What lies below the 95th percentile of that is no drift.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist, quantiles
from typing import Any, TypeGuard

#: numbers are cut at the deciles of the reference period
_CLASSES = 10
#: texts that are rarer than the first so many are one class
_MOST_TEXTS = 20
_SOME, _MUCH = 0.1, 0.25
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Drift:
    """How far the values of one input are from those of the reference period."""

    name: str
    reference: int  #: cases
    now: int
    psi: float
    by_chance: float  #: what two samples of one population stay below, in 95 of 100

    @property
    def says(self) -> str:
        """In words."""
        if self.psi <= max(self.by_chance, _SOME):
            return "stable"
        return "shifted" if self.psi > _MUCH else "moved"


def drift(name: str, reference: Sequence[Hashable], now: Sequence[Hashable]) -> Drift | None:
    """The drift of one input, None among its values included; None where a side has no case."""
    if not reference or not now:
        return None
    before, after = _classes(reference, now)
    kinds = set(before) | set(after)
    n, m = len(reference), len(now)
    # half a case is added to each class, so that one that is empty has a logarithm
    of_before, of_after = n + len(kinds) / 2, m + len(kinds) / 2
    psi = 0.0
    for kind in kinds:
        q, p = (before[kind] + 0.5) / of_before, (after[kind] + 0.5) / of_after
        psi += (p - q) * math.log(p / q)
    return Drift(name, n, m, psi, _chi_squared(len(kinds) - 1) * (1 / n + 1 / m))


def _classes(reference: Sequence[Hashable], now: Sequence[Hashable]) -> tuple[Counter[Any], Counter[Any]]:
    """How many values of each side are in each class; the classes are the reference period's."""
    numbers = [float(value) for value in reference if _is_number(value)]
    if len(set(numbers)) > _CLASSES:
        cuts = quantiles(numbers, n=_CLASSES, method="inclusive")

        def kind(value: Hashable) -> Hashable:
            return bisect_right(cuts, float(value)) if _is_number(value) else str(value)
    else:
        common = {text for text, _ in Counter(map(str, reference)).most_common(_MOST_TEXTS)}

        def kind(value: Hashable) -> Hashable:
            return str(value) if str(value) in common else "…"

    return Counter(map(kind, reference)), Counter(map(kind, now))


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _chi_squared(freedom: int) -> float:
    """The 95th percentile, by Wilson and Hilferty (1931): within 3 % from one degree of freedom on, and soon closer."""
    if freedom < 1:
        return 0.0
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + NormalDist().inv_cdf(_CONFIDENCE) * math.sqrt(part)) ** 3)
