"""The clock of a promise: business time that runs, stands still while the case waits for others, and stops for good.

A clock belongs to a step (one visit) or to the case. Its ladder is a list of rungs, each due after so much business
time since the clock's start; time in which the clock stood still does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from orchestration_pipelines.domain.calendar import BusinessCalendar

#: a rung that fires later than this after it was due says so: the safety net looks every minute
LATE_AFTER = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


class ClockStatus(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class ClockMove(NamedTuple):
    """A legal move of a clock, and what makes it."""

    source: ClockStatus
    act: str
    target: ClockStatus


CLOCK_MOVES: tuple[ClockMove, ...] = (
    ClockMove(ClockStatus.RUNNING, "pause", ClockStatus.PAUSED),
    ClockMove(ClockStatus.PAUSED, "resume", ClockStatus.RUNNING),
    ClockMove(ClockStatus.RUNNING, "stop", ClockStatus.STOPPED),
    ClockMove(ClockStatus.PAUSED, "stop", ClockStatus.STOPPED),
)


class IllegalMove(ValueError):
    """A clock was asked for what it cannot do as it stands."""


@dataclass(frozen=True)
class Clock:
    """The state of one clock. Business time is counted in whole seconds; what is begun is not counted."""

    left: timedelta  #: business time left when it last began to run; negative once it is past due
    status: ClockStatus
    running_since: datetime | None
    due_at: datetime | None  #: None while it stands still
    version: int = 1  #: a pause voids the rungs of the version before

    @classmethod
    def started(cls, budget: timedelta, at: datetime, calendar: BusinessCalendar) -> Clock:
        """A clock that begins to run."""
        return cls(budget, ClockStatus.RUNNING, at, calendar.due(at, budget))

    def left_at(self, at: datetime, calendar: BusinessCalendar) -> timedelta:
        """The business time left at an instant, in whole seconds."""
        if self.running_since is None:
            return self.left
        return self.left - max(calendar.elapsed(self.running_since, at), timedelta(0)) // _SECOND * _SECOND

    def pause(self, at: datetime, calendar: BusinessCalendar) -> Clock:
        """The clock standing still: nothing of it is due, and its rungs of before are void by the version."""
        left = self.left_at(at, calendar)
        paused = replace(self, left=left, running_since=None, due_at=None)
        return replace(paused, status=self._after("pause"), version=self.version + 1)

    def resume(self, at: datetime, calendar: BusinessCalendar) -> Clock:
        """The clock running again, with the business time that was left."""
        # Past due when it was paused, it is due at once.
        due_at = calendar.due(at, max(self.left, timedelta(0)))
        return replace(self, status=self._after("resume"), running_since=at, due_at=due_at)

    def stop(self) -> Clock:
        """The clock stopped for good; when it was due stays known."""
        return replace(self, status=self._after("stop"), running_since=None, version=self.version + 1)

    def rung_due(self, after: timedelta, budget: timedelta, calendar: BusinessCalendar) -> datetime | None:
        """When a rung is due that comes so much business time after the start; None while the clock stands still."""
        if self.running_since is None:
            return None
        return calendar.due(self.running_since, max(after - (budget - self.left), timedelta(0)))

    def _after(self, act: str) -> ClockStatus:
        for move in CLOCK_MOVES:
            if (move.source, move.act) == (self.status, act):
                return move.target
        raise IllegalMove(f"a clock that is {self.status} cannot {act}")
