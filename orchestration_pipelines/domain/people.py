"""People as their manager describes them, and what would be wrong with a description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration_pipelines.domain.calendar import DAY_S
from orchestration_pipelines.domain.standing import ALONE
from orchestration_pipelines.domain.week import DAYS, clock_text

HIGHEST_LEVEL = 9
#: the name under which timers and the routing act
SYSTEM = "system"


class Shift(NamedTuple):
    """When somebody works, by the wall clock of their zone; one that ends at or before its start ends the next day."""

    weekday: int  #: ISO: Monday is 1
    starts: int  #: seconds since midnight
    ends: int

    def __str__(self) -> str:
        return f"{DAYS[self.weekday - 1]} {clock_text(self.starts)}-{clock_text(self.ends)}"

    @property
    def stretch(self) -> tuple[int, int]:
        """Begin and end in seconds since Monday's midnight; the end may lie in the next week."""
        begin = (self.weekday - 1) * DAY_S + self.starts
        return begin, begin + (self.ends - self.starts) + (DAY_S if self.ends <= self.starts else 0)


@dataclass(frozen=True)
class Person:
    """A reviewer: what they may do, can do, and when."""

    id: str  #: never changes; what people call them is the title
    roles: tuple[str, ...] = ()
    title: str = ""
    team: str | None = None
    level: int = 1
    skills: Mapping[str, int] = field(default_factory=dict)  #: with levels; none said: not limited by skills
    regions: tuple[str, ...] = ()  #: none said: every region
    zone: str = "UTC"
    capacity: int | None = None  #: tasks in hand at once; None: no limit
    address: str | None = None  #: where notifications go
    shifts: tuple[Shift, ...] = ()  #: none said: never off shift

    def fits(self, role: str, skill: str | None) -> bool:
        """Whether somebody described so can do work of a role and a skill. Whether they may, the database says."""
        return role in self.roles and (skill is None or not self.skills or skill in self.skills)


@dataclass(frozen=True)
class Team:
    """People who work together."""

    name: str
    title: str = ""
    lead: str | None = None


@dataclass(frozen=True)
class Staff:
    """People and teams that come in together."""

    people: Mapping[str, Person]
    teams: Mapping[str, Team] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What a description may refer to."""

    skills: frozenset[str]
    regions: frozenset[str]
    teams: frozenset[str]
    people: frozenset[str]


def problems(staff: Staff, known: Known) -> list[str]:
    """Everything that is wrong with descriptions, each by its place; empty: they can come in."""
    teams, people = known.teams | set(staff.teams), known.people | set(staff.people)
    return [
        *(told for person in staff.people.values() for told in _person_problems(person, known, teams)),
        *(
            f"teams.{team.name}.lead: there is nobody {team.lead!r}"
            for team in staff.teams.values()
            if team.lead is not None and team.lead not in people
        ),
    ]


def _person_problems(person: Person, known: Known, teams: frozenset[str] | set[str]) -> Iterator[str]:
    place = f"people.{person.id}"
    if person.id.strip() != person.id or not person.id or not person.id.isprintable():
        yield f"{place}: {person.id!r} is no name for a person: write one without blanks around it"
    if person.id == SYSTEM:
        yield f"{place}: {SYSTEM} is the name under which timers and the routing act: choose another"
    if not person.roles:
        yield f"{place}.roles: say at least one: without a role there is nothing that they may do"
    for role in person.roles:
        if role == "requester":
            yield f"{place}.roles: requester is whoever submitted a case, and given to nobody"
        if role in ALONE and len(person.roles) > 1:
            yield f"{place}.roles: {role} stands alone: whoever has it reviews nothing, take the others away"
    for skill, level in person.skills.items():
        if skill not in known.skills:
            listed = ", ".join(sorted(known.skills)) or "none"
            yield f"{place}.skills: no policy knows the skill {skill!r}: there are {listed} (orchestrate policy show)"
        if not 1 <= level <= HIGHEST_LEVEL:
            yield f"{place}.skills.{skill}: levels go from 1 to {HIGHEST_LEVEL}"
    if not 1 <= person.level <= HIGHEST_LEVEL:
        yield f"{place}.level: levels go from 1 to {HIGHEST_LEVEL}"
    for region in person.regions:
        if region not in known.regions:
            listed = ", ".join(sorted(known.regions)) or "none"
            yield f"{place}.regions: no policy knows the region {region!r}: there are {listed}"
    if person.team is not None and person.team not in teams:
        yield f"{place}.team: there is no team {person.team!r}: there are {', '.join(sorted(teams)) or 'none'}"
    try:
        ZoneInfo(person.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f"{place}.zone: there is no time zone {person.zone!r}: write one like Europe/Berlin"
    yield from (f"{place}.shifts: {told}" for told in _overlaps(person.shifts))


def _overlaps(shifts: tuple[Shift, ...]) -> Iterator[str]:
    """Shifts that overlap, over midnight and over the end of the week too."""
    ordered = sorted(shifts, key=lambda shift: shift.stretch)
    for earlier, later in pairwise(ordered):
        if later.stretch[0] < earlier.stretch[1]:
            yield f"{earlier} and {later} overlap"
    if len(ordered) > 1 and ordered[-1].stretch[1] - 7 * DAY_S > ordered[0].stretch[0]:
        yield f"{ordered[-1]} and {ordered[0]} overlap"


def circle(person: str, delegate: str, delegates: Mapping[str, str]) -> list[str] | None:
    """The way back to ``person`` along those who stand in for one another at one time; None if there is none."""
    way, here = [person], delegate
    while here not in way:
        way.append(here)
        if here not in delegates:
            return None
        here = delegates[here]
    return [*way, here] if here == person else None


def asked_of(role: str, skill: str | None, region: str | None, level: int) -> str:
    """What somebody would need to be able to do a task that asks this."""
    asked = [f"the role {role}"]
    if skill is not None:
        asked.append(f"the skill {skill} (level {level})")
    if region is not None:
        asked.append(f"the region {region}")
    return ", ".join(asked)
