"""The figures of a simulation, all of them read from its tables: plain SQL over a kept database gives the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg

from orchestration_pipelines.domain.calendar import BusinessCalendar
from orchestration_pipelines.domain.measures import figures as flow_figures
from orchestration_pipelines.domain.spread import Spread
from orchestration_pipelines.engine import measures
from orchestration_pipelines.engine.simulation.member import Member
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store import simulation as table
from orchestration_pipelines.store.measures import Window

_HOUR_S = 3_600.0
_DIGITS = 4


@dataclass(frozen=True)
class QueueFigures:
    """A queue. Depth is its open tasks, in hand or not; WIP are those in somebody's hands."""

    queue: str
    tasks: int
    decided: int
    lead_hours: Spread  #: from the task's opening to its decision, elapsed
    depth_mean: float
    depth_max: int
    wip_mean: float
    wip_max: int
    breaches: int
    reassignments: int
    utilisation: float | None  #: work in this queue, of the working time of those who have its role


@dataclass(frozen=True)
class PersonFigures:
    """A person."""

    person: str
    decided: int
    utilisation: float | None  #: work between claim, pauses and decision, of their working time
    wip_mean: float
    wip_max: int


@dataclass(frozen=True)
class Figures:
    """What a simulation came to. Hours are elapsed unless they are named business hours."""

    submitted: int
    closed: int
    under_way: int
    lead_hours: Spread
    lead_business_hours: Spread | None
    promises: int
    breaches: int
    reassignments: int
    reassigned: Mapping[str, int]  #: by cause
    rungs: Mapping[str, int]  #: that fired, by what they do
    utilisation: float | None  #: of everybody together
    queues: Sequence[QueueFigures]
    people: Sequence[PersonFigures]

    def as_dict(self) -> dict[str, Any]:
        """As JSON has them, rounded so that the order in which a sum was made does not show."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


def read(
    connection: psycopg.Connection,
    workflow: Workflow,
    members: Sequence[Member],
    office: BusinessCalendar,
    begin: datetime,
    end: datetime,
) -> Figures:
    """Read the figures of the time from ``begin`` up to ``end``."""
    facts = measures.facts(connection, Window(workflow.name, begin, end), end)
    flow = flow_figures(facts, lambda since, until: office.elapsed(since, until).total_seconds())
    working = {each.id: each.works(begin, end).total_seconds() for each in members}
    roles = {each.id: set(each.person.roles) for each in members}
    people = table.people(connection, workflow.name, begin, end, sorted(working))
    queues = []
    for each in table.queues(connection, workflow.name, begin, end):
        role = workflow.queues[each.queue].role
        available = sum(seconds for person, seconds in working.items() if role in roles[person])
        lead = (each.lead_mean_s, each.lead_p50_s, each.lead_p85_s, each.lead_p95_s)
        queues.append(
            QueueFigures(
                queue=each.queue,
                tasks=each.tasks,
                decided=each.decided,
                lead_hours=Spread(*(None if seconds is None else float(seconds) / _HOUR_S for seconds in lead)),
                depth_mean=float(each.open_mean),
                depth_max=int(each.open_max),
                wip_mean=float(each.wip_mean),
                wip_max=int(each.wip_max),
                breaches=each.breaches,
                reassignments=each.reassigned,
                utilisation=_part(each.worked_s, available),
            )
        )
    return Figures(
        submitted=flow.submitted,
        closed=flow.closed,
        under_way=flow.under_way,
        lead_hours=flow.lead_hours,
        lead_business_hours=flow.lead_business_hours,
        promises=flow.promises,
        breaches=flow.breaches,
        reassignments=flow.reassignments,
        reassigned=facts.reassigned,
        rungs=table.rungs(connection, workflow.name),
        utilisation=_part(sum(each.worked_s for each in people), sum(working.values())),
        queues=queues,
        people=[
            PersonFigures(
                each.person,
                each.decided,
                _part(each.worked_s, working[each.person]),
                float(each.wip_mean),
                int(each.wip_max),
            )
            for each in people
        ],
    )


def _part(some: float, of: float) -> float | None:
    return some / of if of else None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
