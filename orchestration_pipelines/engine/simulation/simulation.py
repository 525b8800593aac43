"""One simulation from its setting to its figures, in a scratch database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import psycopg

from orchestration_pipelines.domain.calendar import BusinessCalendar, Hours
from orchestration_pipelines.domain.people import Person, Staff
from orchestration_pipelines.domain.policy import CASE, Policy
from orchestration_pipelines.engine import people, policy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.simulation.agenda import Agenda
from orchestration_pipelines.engine.simulation.arrivals import Supply, arrivals
from orchestration_pipelines.engine.simulation.chance import Chance
from orchestration_pipelines.engine.simulation.conduct import Conduct
from orchestration_pipelines.engine.simulation.course import Course, Happened, SimulatedClock, jitter
from orchestration_pipelines.engine.simulation.figures import Figures, read
from orchestration_pipelines.engine.simulation.member import Member, member
from orchestration_pipelines.engine.simulation.setting import Setting, without_anybody
from orchestration_pipelines.engine.simulation.team import Team
from orchestration_pipelines.engine.workflow import Workflow, WorkflowRefused
from orchestration_pipelines.store import scratch, urls
from orchestration_pipelines.store.connection import connect

#: a Monday: the same seed is to give the same figures, whatever day it is
START = datetime(2026, 1, 5, tzinfo=UTC)
#: when people work, and cases arrive, where neither shifts nor a calendar say so
OFFICE = BusinessCalendar("UTC", tuple(Hours(day, 9 * 3_600, 17 * 3_600) for day in range(1, 6)))
#: who brings the people in and sets the policy
_MANAGER = "simulation"
_WHY = "to be tried"


@dataclass(frozen=True)
class Trial:
    """What is simulated."""

    workflow: Workflow
    setting: Setting
    supply: Supply
    days: int = 30
    seed: int = 7
    per_day: float = 40.0  #: cases on a business day, on average
    start: datetime = START
    conduct: Conduct = field(default_factory=Conduct)

    @property
    def end(self) -> datetime:
        """When it is over; what is under way then stays so."""
        return self.start + timedelta(days=self.days)


@dataclass(frozen=True)
class Simulated:
    """What a simulation came to."""

    figures: Figures
    happened: Happened


@contextmanager
def scratch_databases(beside: str, workflow: Workflow, *, keep: bool = False) -> Iterator[str]:
    """A database for a simulation, and one for each of its tools' systems; dropped behind it unless they are kept."""
    url = scratch.beside(beside, "simulation")
    try:
        scratch.make(url)
        yield url
    finally:
        if not keep:
            scratch.drop([url, *(urls.sibling(url, tool) for tool in workflow.tools)])


def simulate(trial: Trial, url: str, progress: Callable[[datetime, Happened], None] = lambda _, __: None) -> Simulated:
    """Run a trial in an empty database at the newest schema."""
    workflow = contained(trial.workflow)
    if wrong := without_anybody(workflow, trial.setting.staff):
        raise WorkflowRefused(workflow.name, wrong)
    chance, clock, agenda = Chance(trial.seed), SimulatedClock(trial.start), Agenda()
    tools = {tool: _set_up(workflow, tool, urls.sibling(url, tool)) for tool in workflow.tools}
    engine = Engine(url, workflow, clock=clock, tool_urls=tools, chance=jitter(trial.seed))
    with engine.connect() as connection, connect(url, sweeper=True) as machines:
        held = _bring_in(engine, connection, trial)
        office = _office(held)
        members = _members(workflow, trial.setting, office)
        team = Team(connection, workflow.name, members, trial.conduct, chance, agenda)
        course = Course(engine, clock, machines, team, agenda, trial.supply)
        coming = arrivals(trial.supply, chance, office, trial.start, trial.end, trial.per_day)
        happened = course.run(coming, trial.end, progress)
        return Simulated(read(connection, workflow, members, office, trial.start, trial.end), happened)


def contained(workflow: Workflow) -> Workflow:
    """The workflow with nobody in it yet, and no hand on the world outside; refused if that cannot be had.

    A tool whose system is set up by ``TOOL_SETUP`` has one of its own here; one that ``SIMULATED`` in ``workers.py``
    names is replaced; one that a worker has an external effect through must be either.
    """
    replaced: Mapping[str, Callable[..., object]] = getattr(workflow.package, "SIMULATED", {})
    own = {*getattr(workflow.package, "TOOL_SETUP", {}), *replaced}
    outside = sorted({each.external for each in workflow.workers.values() if each.external is not None} - own)
    if outside:
        told = (
            f"the tool {tool!r} reaches a system outside, and a simulation would really call it: name what stands in "
            f"for it in workers.py, SIMULATED = {{{tool!r}: ...}}"
            for tool in outside
        )
        raise WorkflowRefused(workflow.name, told)
    return replace(workflow, tools={**workflow.tools, **replaced}, reviewers={})


def _set_up(workflow: Workflow, tool: str, url: str) -> str:
    set_up = getattr(workflow.package, "TOOL_SETUP", {}).get(tool)
    if set_up is not None:
        urls.ensure_database(url)
        set_up(url)
        scratch.hasten(url)
    return url


def _bring_in(engine: Engine, connection: psycopg.Connection, trial: Trial) -> Policy:
    """The policy and the people, by the ways in which a manager would."""
    now, setting = engine.clock(), trial.setting
    engine.version  # noqa: B018 - released on first use
    manager = Staff({_MANAGER: Person(_MANAGER, roles=("manager",))})
    people.bring_in(connection, manager, by=_MANAGER, at=now)
    document = setting.policy if setting.policy is not None else b"{}"
    named = setting.policy_name
    policy.put(connection, engine.workflow, document, by=_MANAGER, reason=_WHY, at=now, name=named)
    people.bring_in(connection, setting.staff, by=_MANAGER, at=now, name=setting.people_name)
    for each in setting.absences:
        starts = max(each.starts, trial.start)
        people.set_absent(
            connection,
            each.person,
            starts=starts,
            ends=each.ends,
            delegate=each.delegate,
            reason=each.reason or _WHY,
            by=_MANAGER,
            at=now,
        )
    return policy.check(connection, engine.workflow, document, named)


def _office(held: Policy) -> BusinessCalendar:
    """The calendar by which cases are promised, else the first one, else plain office hours."""
    if CASE in held.promises:
        return held.calendars[held.promises[CASE].calendar].business
    return next((calendar.business for calendar in held.calendars.values()), OFFICE)


def _members(workflow: Workflow, setting: Setting, office: BusinessCalendar) -> Sequence[Member]:
    """Those of the staff who have the role of some queue."""
    roles = {queue.role for queue in workflow.queues.values()}
    return [
        member(person, office, setting.absences)
        for person in setting.staff.people.values()
        if roles & set(person.roles)
    ]
