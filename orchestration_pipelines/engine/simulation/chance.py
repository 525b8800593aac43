"""Chance that can be repeated: each draw has a name, so that it is the same however the others fall.

The same case takes the same time and has the same right answer under every policy that is tried, which makes two
policies comparable over fewer cases (common random numbers: Law, Simulation Modeling and Analysis, 11.2).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from math import log


@dataclass(frozen=True)
class Chance:
    """All draws of one simulation."""

    seed: int

    def of(self, *name: object) -> random.Random:
        """The generator of what has this name."""
        return random.Random(":".join(map(str, (self.seed, *name))))  # noqa: S311 - repeatable, not secret

    def happens(self, probability: float, *name: object) -> bool:
        """Whether something of a probability happens."""
        return self.of(*name).random() < probability

    def lasts(self, mean: timedelta, spread: float, *name: object) -> timedelta:
        """A lognormal time with this mean; ``spread`` is the standard deviation of its logarithm."""
        drawn = self.of(*name).lognormvariate(log(mean.total_seconds()) - spread**2 / 2, spread)
        return timedelta(seconds=max(1, round(drawn)))
