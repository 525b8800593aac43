"""What is to happen, in order: the next instant at which anything does."""

from __future__ import annotations

import heapq
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple


class Kind(IntEnum):
    """What happens; of what happens at one instant, the smaller first."""

    ARRIVAL = 1
    LEG_OVER = 2  #: somebody has done what they meant to do on a task
    LEAVES = 3  #: somebody's shift ends
    COMES = 4  #: … begins
    READY = 5  #: what a task set aside waited for has come
    ANSWER = 6  #: a requester answers
    AWAKE = 7  #: the engine has something due


class Event(NamedTuple):
    """Something that happens at an instant."""

    at: datetime
    kind: Kind
    who: str  #: of several at once, who goes first by name
    turn: int  #: of a member when it was planned
    no: int
    about: Any = None


class Agenda:
    """Events to come."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._planned = 0

    def plan(self, at: datetime, kind: Kind, who: str = "", turn: int = 0, about: Any = None) -> None:
        """Something will happen."""
        self._planned += 1
        heapq.heappush(self._events, Event(at, kind, who, turn, self._planned, about))

    def next_at(self) -> datetime | None:
        """When the next of them happens."""
        return self._events[0].at if self._events else None

    def take(self, at: datetime) -> list[Event]:
        """Everything that happens up to an instant, in order; it is no longer to come."""
        taken = []
        while self._events and self._events[0].at <= at:
            taken.append(heapq.heappop(self._events))
        return taken
