"""What arrives, and when: a Poisson process in business time, of payloads that are drawn from given ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from orchestration_pipelines.domain.calendar import BusinessCalendar
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.simulation.chance import Chance

#: in whose names synthetic cases come where nobody says: none of them is real
REQUESTERS = ("client_1", "client_2", "client_3", "client_4", "client_5")


class Arrival(NamedTuple):
    """A case to come."""

    at: datetime
    row: Row


@dataclass(frozen=True)
class Supply:
    """Payloads to draw from; each arrival is one of them under a key of its own."""

    payloads: Sequence[Mapping[str, Any]]
    key: str  #: the column of the key
    requester: Callable[[Mapping[str, Any]], str] | None = None  #: in whose name a row comes

    def requested_by(self, row: Mapping[str, Any]) -> str:
        """In whose name a case comes; the same for the same key."""
        if self.requester is not None:
            return self.requester(row)
        return Chance(0).of("requester", row[self.key]).choice(REQUESTERS)


def arrivals(
    supply: Supply, chance: Chance, calendar: BusinessCalendar, start: datetime, end: datetime, per_day: float
) -> Iterator[Arrival]:
    """Cases from ``start`` up to ``end``, ``per_day`` on average on a day of the calendar's mean length."""
    rate = per_day / day_length(calendar).total_seconds()
    gaps, payloads = chance.of("gaps"), chance.of("payloads")
    worked, number = timedelta(), 0
    while True:
        number += 1
        worked += timedelta(seconds=round(gaps.expovariate(rate), 3))
        at = calendar.due(start, worked)
        if at >= end:
            return
        columns = payloads.choice(supply.payloads)
        yield Arrival(at, Row(number, {**columns, supply.key: f"S-{number:06}"}))


def day_length(calendar: BusinessCalendar) -> timedelta:
    """The mean length of a day on which the calendar is open."""
    open_s = sum(hours.closes - hours.opens for hours in calendar.hours)
    return timedelta(seconds=open_s / len({hours.weekday for hours in calendar.hours}))
