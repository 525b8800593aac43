"""Where work is as a sweep begins, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestration_pipelines.engine.sweep import Swept
from orchestration_pipelines.engine.tally import Tally


@dataclass
class Dispatch:
    """Where work is, as a sweep begins."""

    number: int
    stations: dict[str, bool] = field(default_factory=dict)  #: to True where an urgent token waits
    earlier: bool = False  #: work waits on earlier versions of the drawing
    fired: int = 0
    woken: int = 0
    buried: int = 0


@dataclass(frozen=True)
class Unserved:
    """Work that no sweep has begun on."""

    dispatches: int  #: the number of the last dispatch
    age_s: float  #: of the first in order


@dataclass
class SweepReport:
    """What a whole sweep did, station by station."""

    stations: list[Swept] = field(default_factory=list)

    @property
    def tally(self) -> Tally:
        """The counts of all stations together."""
        whole = Tally()
        for swept in self.stations:
            whole.merge(swept.tally)
        return whole

    @property
    def errors(self) -> list[str]:
        """What stopped a lane anywhere."""
        return [f"{swept.station}: {error}" for swept in self.stations for error in swept.errors]
