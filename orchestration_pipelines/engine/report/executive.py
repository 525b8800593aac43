"""Status and evidence on a page, for whoever answers for a workflow: how it stands, in words, and who owes what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.measures import FlowFigures
from orchestration_pipelines.domain.quality import Verdict
from orchestration_pipelines.engine import holds, quality
from orchestration_pipelines.engine.report.flow import FlowReport
from orchestration_pipelines.engine.report.tables import duration
from orchestration_pipelines.store import integrity

_HOUR_S = 3_600
#: so many of what breaks a rule are named
_NAMED = 3


class Stands(StrEnum):
    """What a line asks of whoever reads it."""

    GOOD = "good"
    LOOK = "look"
    ACT = "act"


@dataclass(frozen=True)
class Line:
    """How one thing stands."""

    topic: str
    stands: Stands
    says: str
    evidence: str  #: where one can see for oneself


class Owed(NamedTuple):
    """What waits for one owner."""

    owner: str
    late_tasks: int
    oldest_due_at: datetime | None
    to_mend: int  #: incidents and dead letters
    oldest_at: datetime | None


@dataclass(frozen=True)
class Executive:
    """A workflow at a glance."""

    workflow: str
    first: date
    last: date
    lines: Sequence[Line]
    owners: Sequence[Owed]

    @property
    def numbers(self) -> dict[str, int]:
        """What can be plotted: how many lines ask for something, and what is owed."""
        return {
            "to act on": sum(line.stands is Stands.ACT for line in self.lines),
            "to look at": sum(line.stands is Stands.LOOK for line in self.lines),
            "late tasks": sum(owed.late_tasks for owed in self.owners),
            "to mend": sum(owed.to_mend for owed in self.owners),
        }


def executive(
    connection: psycopg.Connection,
    flow: FlowReport,
    now: datetime,
    own: Mapping[str, Sequence[str]] | None = None,
) -> Executive:
    """How a workflow stands; ``own`` are the checks that it brings itself, with what each found broken."""
    owners = sorted(_owed(flow), key=lambda owed: (-owed.late_tasks - owed.to_mend, owed.owner))
    lines = [
        _flow(flow.figures),
        _promises(flow.figures, sum(owed.late_tasks for owed in owners)),
        _automation(connection, flow.workflow, now),
        _mending(sum(owed.to_mend for owed in owners), [owed for owed in owners if owed.to_mend]),
        _machines(connection, flow.workflow),
        _integrity(connection, flow.workflow, now, own or {}),
    ]
    return Executive(flow.workflow, flow.first, flow.last, lines, owners)


def _flow(figures: FlowFigures) -> Line:
    counted = f"{figures.submitted:,} came, {figures.closed:,} closed, {figures.under_way:,} are under way"
    p50, p85 = figures.lead_hours.p50, figures.lead_hours.p85
    if p50 is None or p85 is None:
        return Line("Flow", Stands.LOOK if figures.under_way else Stands.GOOD, counted, "asset flow")
    half, most = duration(p50 * _HOUR_S), duration(p85 * _HOUR_S)
    alone = f"; {figures.automation_rate:.0%} without a person" if figures.automation_rate is not None else ""
    return Line("Flow", Stands.GOOD, f"{counted}; half within {half}, 85 % within {most}{alone}", "asset flow")


def _promises(figures: FlowFigures, late: int) -> Line:
    stands = Stands.ACT if late else Stands.LOOK if figures.breaches else Stands.GOOD
    ended = (
        f"of {figures.promises:,} promises {figures.breaches:,} were broken ({figures.breaches / figures.promises:.1%})"
        if figures.promises
        else "no promise has ended"
    )
    told = f"{late:,} open {'task is' if late == 1 else 'tasks are'} past due; {ended}"
    return Line("Promises", stands, told, "console: Manage, Promises; asset deadlines")


def _automation(connection: psycopg.Connection, workflow: str, now: datetime) -> Line:
    evidence = "console: Manage, Quality; check auto_decision_quality"
    asked = quality.asked_for(connection, workflow)
    if asked is None:
        told = "no policy asks that automatic decisions be looked at again"
        return Line("Automation", Stands.LOOK, told, evidence)
    cells = quality.cells(connection, workflow, asked, now)
    if not cells:
        return Line("Automation", Stands.GOOD, "no rule has decided anything by itself of late", evidence)
    fallen = [cell.name for cell in cells if cell.fallback is not None]
    known = [cell for cell in cells if cell.judged.verdict is Verdict.WITHIN]
    worst = max(cells, key=lambda cell: cell.judged.bound / cell.limit)
    bound = f"{worst.name} stands worst: below {worst.judged.bound:.1%}, and the limit is {worst.limit:.1%}"
    told = f"{len(known)} of {len(cells)} rules are within their limits; {bound}"
    if fallen:
        return Line("Automation", Stands.ACT, f"with people: {', '.join(fallen)}; {told}", evidence)
    return Line("Automation", Stands.GOOD if len(known) == len(cells) else Stands.LOOK, told, evidence)


def _mending(waiting: int, owners: Sequence[Owed]) -> Line:
    evidence = "console: Manage, Incidents and Dead letters"
    if not waiting:
        return Line("Incidents", Stands.GOOD, "no incident is open, and no dead letter stands", evidence)
    oldest = min(owed.oldest_at for owed in owners if owed.oldest_at is not None)
    told = (
        f"{waiting:,} {'waits' if waiting == 1 else 'wait'} to be mended, the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
    )
    return Line("Incidents", Stands.ACT, told, evidence)


def _machines(connection: psycopg.Connection, workflow: str) -> Line:
    held = holds.standing(connection, workflow)
    told = "; ".join(f"{hold.element or 'all'} is held by {hold.held_by}: {hold.reason}" for hold in held)
    return Line("Machines", Stands.LOOK if held else Stands.GOOD, told or "nothing is held", "console: Manage, Holds")


def _integrity(connection: psycopg.Connection, workflow: str, now: datetime, own: Mapping[str, Sequence[str]]) -> Line:
    found = {name: integrity.broken(connection, name, workflow, now) for name in integrity.RULES}
    found["record_unchanged"] = integrity.changed_records(connection, workflow)
    told_of = {name: [f"case {case}: {wrong}" for case, wrong in broken] for name, broken in found.items()}
    every: dict[str, Sequence[str]] = {**told_of, **own}
    broken = {name: wrong for name, wrong in every.items() if wrong}
    evidence = "checks of the asset record"
    if not broken:
        told = f"{len(every)} rules hold; every hash of the record was computed again"
        return Line("Integrity", Stands.GOOD, told, evidence)
    told = "; ".join(f"{name}: {', '.join(wrong[:_NAMED])}" for name, wrong in broken.items())
    return Line("Integrity", Stands.ACT, f"{len(broken)} of {len(every)} rules are broken: {told}", evidence)


def _owed(flow: FlowReport) -> Iterator[Owed]:
    late, mend = defaultdict(list), defaultdict(list)
    for row in flow.tables["Late now"]:
        late[row["owner"]].append(row)
    for row in flow.tables["To be mended"]:
        mend[row["owner"]].append(row)
    for owner in {*late, *mend}:
        yield Owed(
            owner,
            sum(row["tasks"] for row in late[owner]),
            min((row["oldest_due_at"] for row in late[owner]), default=None),
            sum(row["open"] for row in mend[owner]),
            min((row["oldest_at"] for row in mend[owner]), default=None),
        )
