"""What a sweep did, counted by station."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

_SAMPLE = 5


@dataclass
class Tally:
    """Counts by station; ``closed`` is by outcome, ``handed`` by the station that was handed to."""

    completed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)  #: to be tried again
    dead: Counter[str] = field(default_factory=Counter)
    stuck: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  #: the lease was no longer ours
    given_back: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    handed: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    samples: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  #: opaque case ids

    def hand(self, station: str, case_id: int) -> None:
        """Count one case handed to a station."""
        self.handed[station] += 1
        sample = self.samples[station]
        if len(sample) < _SAMPLE:
            sample.append(case_id)

    def spend(self, seconds: Mapping[str, float]) -> None:
        """Add time spent, by station."""
        for station, spent in seconds.items():
            self.seconds[station] += spent

    def merge(self, other: Tally) -> None:
        """Add another's counts."""
        for name in ("completed", "failed", "dead", "stuck", "lost", "given_back", "closed", "handed"):
            getattr(self, name).update(getattr(other, name))
        self.spend(other.seconds)
        for station, sample in other.samples.items():
            mine = self.samples[station]
            mine.extend(sample[: _SAMPLE - len(mine)])

    @property
    def moved(self) -> int:
        """How many visits came to an end of some kind."""
        return sum(map(sum, (self.completed.values(), self.failed.values(), self.dead.values(), self.stuck.values())))
