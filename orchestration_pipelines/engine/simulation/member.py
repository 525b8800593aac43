"""One synthetic person: when they work, what they are at, what they set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestration_pipelines.domain.calendar import DAY_S, BusinessCalendar, Hours
from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.store.people import Absence


@dataclass
class Job:
    """A task in somebody's hands, with the work that is left on it."""

    task: int
    left: timedelta  #: until it is decided, or set aside
    rest: timedelta | None = None  #: behind the wait, if it is set aside; None: it is decided
    wait: timedelta = timedelta()  #: business time


@dataclass
class Member:
    """Somebody of the team. One task is worked on at a time; others are set aside."""

    person: Person
    hours: BusinessCalendar
    absences: Sequence[tuple[datetime, datetime | None]] = ()
    there: bool = False
    idle_since: datetime | None = None
    job: Job | None = None  #: worked on, or paused over the night
    begun: datetime | None = None  #: when work on it last began; None while it is paused
    aside: dict[int, Job] = field(default_factory=dict)  #: waiting for something
    ready: dict[int, Job] = field(default_factory=dict)  #: … that has come, in its order
    turn: int = 0  #: grows with each change of plan: what was planned before is void

    @property
    def id(self) -> str:
        """Who they are."""
        return self.person.id

    def next_shift(self, at: datetime) -> datetime:
        """When they next are there, from ``at`` on."""
        while True:
            at = self.hours.next_opening(at)
            away = next((ends for starts, ends in self.absences if starts <= at and (ends is None or at < ends)), at)
            if away is None:
                return datetime.max.replace(tzinfo=at.tzinfo)
            if away == at:
                return at
            at = away

    def leaves(self, at: datetime) -> datetime:
        """When they next go, being there at ``at``."""
        closing = self.hours.next_closing(at) or at
        return min([closing, *(starts for starts, _ in self.absences if at < starts < closing)])

    def works(self, begin: datetime, end: datetime) -> timedelta:
        """How long they are there in a time."""
        away = sum(
            (
                self.hours.elapsed(max(begin, starts), min(end, ends or end))
                for starts, ends in self.absences
                if starts < end and (ends is None or ends > begin)
            ),
            timedelta(),
        )
        return self.hours.elapsed(begin, end) - away

    def lose(self, task: int) -> bool:
        """A task is no longer theirs; whether they were at it."""
        self.aside.pop(task, None)
        self.ready.pop(task, None)
        if self.job is None or self.job.task != task:
            return False
        self.job = self.begun = None
        self.turn += 1
        return True


def member(person: Person, office: BusinessCalendar, absences: Sequence[Absence]) -> Member:
    """Somebody with their shifts; who has none said works when the office is open."""
    away = sorted((each.starts, each.ends) for each in absences if each.person == person.id)
    return Member(person, _hours(person) or office, away)


def _hours(person: Person) -> BusinessCalendar | None:
    if not person.shifts:
        return None
    hours: list[Hours] = []
    for shift in person.shifts:
        if shift.starts < shift.ends:
            hours.append(Hours(shift.weekday, shift.starts, shift.ends))
            continue
        hours.append(Hours(shift.weekday, shift.starts, DAY_S))
        if shift.ends:
            hours.append(Hours(shift.weekday % 7 + 1, 0, shift.ends))
    return BusinessCalendar(person.zone, tuple(sorted(hours)))
