"""How a duration is spread over cases. Percentiles are of type 7 (Hyndman and Fan 1996)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How a duration is spread over the cases, in hours; all None where there is no case."""

    mean: float | None
    p50: float | None
    p85: float | None
    p95: float | None

    @classmethod
    def of(cls, hours: Floats) -> Spread:
        """The mean and the percentiles."""
        if not hours.size:
            return cls(None, None, None, None)
        p50, p85, p95 = np.percentile(hours, [50, 85, 95])
        return cls(float(hours.mean()), float(p50), float(p85), float(p95))
