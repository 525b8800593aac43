"""The policy of a workflow's human work, as a manager sets it, and what would be wrong with one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from orchestration_pipelines.domain.calendar import BadCalendar, BusinessCalendar, Hours
from orchestration_pipelines.domain.quality import Quality, quality_problems
from orchestration_pipelines.domain.reasons import Reason, reason_problems

#: the whole case, where a step is named
CASE = ""
#: how far ahead one step of priority goes, where the policy says nothing
STEP = timedelta(hours=1)
HIGHEST = 9
#: what the policy may bar by history beyond four eyes
EXCLUSIONS = ("decided_before", "team_of_requester")


class Strategy(StrEnum):
    """How a queue's tasks come to people."""

    PULL = "pull"
    ROUND_ROBIN = "round_robin"
    LEAST_LOAD = "least_load"
    BEST_SKILL = "best_skill"


class Act(StrEnum):
    """What a rung of a ladder does, from the mildest on."""

    REMIND = "remind"
    REASSIGN = "reassign"
    ESCALATE = "escalate"
    FALLBACK = "fallback"


_MILDEST_FIRST = list(Act)


@dataclass(frozen=True)
class QueuePolicy:
    """How a queue works."""

    title: str = ""
    strategy: Strategy = Strategy.PULL
    wip_limit: int | None = None  #: tasks in hand at once; None: no limit
    fallback: str | None = None  #: the queue of tasks that nobody here may do
    escalates_to: str | None = None  #: the queue of the next role
    stuck_after: timedelta | None = None  #: claimed and untouched for so long
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CalendarPolicy:
    """Business hours in a zone."""

    zone: str
    hours: tuple[Hours, ...]
    holidays: Mapping[date, str] = field(default_factory=dict)

    @property
    def business(self) -> BusinessCalendar:
        """The calendar that counts; :class:`BadCalendar` if it cannot be meant."""
        return BusinessCalendar(self.zone, self.hours, frozenset(self.holidays))


@dataclass(frozen=True)
class Rung:
    """What happens after so much business time."""

    act: Act
    after: timedelta


@dataclass(frozen=True)
class Promise:
    """Within how much business time a step, or the whole case, is done; and what happens on the way."""

    calendar: str
    budget: timedelta
    ladder: tuple[Rung, ...] = ()
    pauses: tuple[str, ...] = ()  #: of the case's: elements in which its clock stands still


@dataclass(frozen=True)
class Policy:
    """Everything that a manager may change."""

    calendars: Mapping[str, CalendarPolicy] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    weights: Mapping[int, timedelta] = field(default_factory=dict)  #: priority to how far ahead it is queued
    queues: Mapping[str, QueuePolicy] = field(default_factory=dict)
    station_limits: Mapping[str, int] = field(default_factory=dict)
    promises: Mapping[str, Promise] = field(default_factory=dict)  #: by step; :data:`CASE` is the whole case
    quality: Quality | None = None  #: how automatic decisions are looked at again; None: they are not
    reasons: Mapping[str, Reason] = field(default_factory=dict)  #: that a decision may name, by code

    def weight(self, priority: int) -> timedelta:
        """How far ahead of its time a task of this priority is queued."""
        return self.weights.get(priority, priority * STEP)


@dataclass(frozen=True)
class Ground:
    """What a policy stands on: the drawing, and what people and clocks use already."""

    roles: Mapping[str, str]  #: queue to the role that it asks for
    user_steps: Mapping[str, tuple[str, ...]]  #: user task to the queues where its tasks may go
    skills_asked: Mapping[str, str] = field(default_factory=dict)  #: skill to the user task that is drawn with it
    skills_held: Mapping[str, str] = field(default_factory=dict)  #: skill to somebody who has it
    regions_held: Mapping[str, str] = field(default_factory=dict)
    calendars_used: frozenset[str] = frozenset()  #: by clocks that run


def problems(policy: Policy, ground: Ground) -> list[str]:
    """Everything that is wrong with a policy, each by its place; empty: it can be set."""
    return [
        *_calendar_problems(policy, ground),
        *_name_problems(policy, ground),
        *_queue_problems(policy, ground),
        *_weight_problems(policy),
        *_limit_problems(policy, ground),
        *(
            told
            for step, promise in policy.promises.items()
            for told in _promise_problems(step, promise, policy, ground)
        ),
        *quality_problems(policy.quality, ground.roles),
        *reason_problems(policy.reasons, ground.user_steps),
    ]


def _calendar_problems(policy: Policy, ground: Ground) -> Iterator[str]:
    for name, calendar in policy.calendars.items():
        try:
            calendar.business  # noqa: B018 - making it is the check
        except BadCalendar as error:
            yield f"calendars.{name}: {error}"
    for name in sorted(ground.calendars_used - set(policy.calendars)):
        yield f"calendars: clocks are running by the calendar {name!r}: keep it until they have stopped"


def _name_problems(policy: Policy, ground: Ground) -> Iterator[str]:
    for what, said, held in (
        ("skill", policy.skills, ground.skills_held),
        ("region", policy.regions, ground.regions_held),
    ):
        for name in sorted({name for name in said if said.count(name) > 1}):
            yield f"{what}s: {name!r} is there twice"
        for name, person in sorted(held.items()):
            if name not in said:
                yield f"{what}s: {person} has the {what} {name!r}: keep it, or take it from them first"
    for skill, step in sorted(ground.skills_asked.items()):
        if skill not in policy.skills:
            yield f"skills: {step} asks for the skill {skill!r}, which is not among them: add it"


def _queue_problems(policy: Policy, ground: Ground) -> Iterator[str]:
    for name, queue in policy.queues.items():
        place = f"queues.{name}"
        if name not in ground.roles:
            yield f"{place}: there is no such queue: workflow.yaml has {_listed(ground.roles)}"
            continue
        if ground.roles[name] == "requester" and queue.strategy is not Strategy.PULL:
            yield f"{place}.strategy: its tasks are asked of whoever submitted the case: they are given to nobody"
        for what, to in (("fallback", queue.fallback), ("escalates_to", queue.escalates_to)):
            if to is None:
                continue
            if to not in ground.roles:
                yield f"{place}.{what}: there is no queue {to!r}: workflow.yaml has {_listed(ground.roles)}"
            elif ground.roles[to] == "requester":
                yield f"{place}.{what}: {to} asks whoever submitted the case: name a queue of people who may decide"
        for excluded in queue.excludes:
            if excluded not in EXCLUSIONS:
                yield f"{place}.excludes: {excluded!r} is none: there are {', '.join(EXCLUSIONS)}"
    yield from _circles("fallback", {name: queue.fallback for name, queue in policy.queues.items()})
    yield from _circles("escalates_to", {name: queue.escalates_to for name, queue in policy.queues.items()})


def _circles(what: str, leads: Mapping[str, str | None]) -> Iterator[str]:
    told: set[str] = set()
    for start in leads:
        way: list[str] = []
        here: str | None = start
        while here is not None and here not in way and here not in told:
            way.append(here)
            here = leads.get(here)
        if here in way:
            circle = way[way.index(here) :]
            yield f"queues.{circle[0]}.{what}: {' → '.join([*circle, circle[0]])} goes round in a circle"
        told.update(way)


def _weight_problems(policy: Policy) -> Iterator[str]:
    for priority in policy.weights:
        if not 0 <= priority <= HIGHEST:
            yield f"weights.{priority}: priorities go from 0 to {HIGHEST}"
    for lower, higher in pairwise(range(HIGHEST + 1)):
        if policy.weight(higher) < policy.weight(lower):
            yield f"weights.{higher}: it weighs less than {lower}, and a higher priority goes first: make it weigh more"


def _limit_problems(policy: Policy, ground: Ground) -> Iterator[str]:
    for step in policy.station_limits:
        if step not in ground.user_steps:
            yield f"steps.{step}: there is no such user task: the drawing has {_listed(ground.user_steps)}"


def _promise_problems(step: str, promise: Promise, policy: Policy, ground: Ground) -> Iterator[str]:
    place = f"steps.{step}.sla" if step != CASE else "case.sla"
    if step not in (CASE, *ground.user_steps, *policy.station_limits):
        yield f"steps.{step}: there is no such user task: the drawing has {_listed(ground.user_steps)}"
    if promise.calendar not in policy.calendars:
        yield f"{place}.calendar: there is no calendar {promise.calendar!r}: there are {_listed(policy.calendars)}"
    if promise.budget <= timedelta():
        yield f"{place}.budget: it must be more than nothing"
    for paused in promise.pauses:
        if paused not in ground.user_steps:
            yield f"{place}.pauses: {paused!r} is no user task: the drawing has {_listed(ground.user_steps)}"
    if promise.pauses and step != CASE:
        yield f"{place}.pauses: only the clock of the case pauses: move it to case.sla"
    for no, rung in enumerate(promise.ladder, 1):
        if rung.after <= timedelta():
            yield f"{place}.ladder, rung {no}: after must be more than nothing"
    for no, (lower, higher) in enumerate(pairwise(promise.ladder), 2):
        if higher.after <= lower.after:
            yield f"{place}.ladder, rung {no}: it comes before the one below it: put the ladder in order of its times"
        if _MILDEST_FIRST.index(higher.act) < _MILDEST_FIRST.index(lower.act):
            yield f"{place}.ladder, rung {no}: {higher.act} after {lower.act}: the order is {', '.join(Act)}"
    if [rung.act for rung in promise.ladder].count(Act.FALLBACK) > 1:
        yield f"{place}.ladder: there is one fallback, at the top"
    if step == CASE and any(rung.act is not Act.REMIND for rung in promise.ladder):
        yield f"{place}.ladder: a case is in nobody's hands: its clock can only remind its owner"
    queues = ground.user_steps.get(step, ())
    leads = [name for name in queues if name in policy.queues and policy.queues[name].escalates_to]
    if queues and not leads and any(rung.act is Act.ESCALATE for rung in promise.ladder):
        yield f"{place}.ladder: it escalates, and none of {_listed(queues)} says escalates_to: name the next queue"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
