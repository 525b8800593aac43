"""Automatic decisions looked at again: the day's sample, what the answers say, and when people must decide instead.

What a rule decides by itself is drawn, asked of a person again who does not know what it chose, and counted by cell. A
cell beyond its limit decides nothing any more until two people lift that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import psycopg

from orchestration_pipelines.domain.quality import Judged, Quality, Verdict, judge
from orchestration_pipelines.domain.sampling import Answers, is_sampled
from orchestration_pipelines.engine.measures import day_window
from orchestration_pipelines.engine.policy_reading import read_policy
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store import faults, policy, reviews
from orchestration_pipelines.store import quality as table
from orchestration_pipelines.store.measures import measuring
from orchestration_pipelines.store.quality import AutoDecision, Fallback
from orchestration_pipelines.store.refusal import Refused, refusals
from orchestration_pipelines.store.versions import lock_workflow

#: under which name the machine draws, and lets a cell fall back
CHECK = "auto_decision_quality"
#: so far back the first draw looks, and no day is drawn that is older than the last one drawn by more than one
_FIRST_DAYS = 7
#: a cell of which nothing was drawn for so long is not judged any more
_RECENT_DAYS = 90


@dataclass(frozen=True)
class Cell:
    """A cell, held against the policy."""

    workflow: str
    name: str
    rate: float
    limit: float
    judged: Judged
    waiting: int  #: reviews that are open
    fallback: Fallback | None


def decided(connection: psycopg.Connection, workflow: str, day: date) -> list[AutoDecision]:
    """What rules decided by themselves on a day, in UTC."""
    window = day_window(workflow, day)
    with measuring(connection):
        return table.auto_decisions(connection, workflow, window.begin, window.end)


def asked_for(connection: psycopg.Connection, workflow: str) -> Quality | None:
    """What the policy in force asks of automatic decisions; None: nothing."""
    holds = policy.newest(connection, workflow)
    return None if holds is None else read_policy(holds.document.encode()).quality


# -- drawing


def draw_due(
    connection: psycopg.Connection, workflow: Workflow, quality: Quality, now: datetime, also: Iterable[date] = ()
) -> int:
    """Draw the days since the last one that was drawn, today included; how many reviews were opened."""
    today = now.astimezone(UTC).date()
    last = table.last_drawn(connection, workflow.name)
    first = today - timedelta(days=_FIRST_DAYS) if last is None else min(last, today) - timedelta(days=1)
    days = {first + timedelta(days=number) for number in range((today - first).days + 1)}
    return sum(draw_day(connection, workflow, quality, day, now) for day in sorted(days.union(also)))


def draw_day(connection: psycopg.Connection, workflow: Workflow, quality: Quality, day: date, now: datetime) -> int:
    """Draw the sample of a day and open its reviews; how many were opened. Drawn again, it opens nothing new."""
    found = decided(connection, workflow.name, day)
    if not found:
        return 0
    asked = [table.Draw(cell, quality.seed, quality.of(cell).rate) for cell in sorted({each.cell for each in found})]
    written = {name for worker in workflow.workers.values() for name in worker.outputs}
    with connection.transaction():
        lock_workflow(connection, workflow.name, workflow.owner)
        draws = table.keep_draws(connection, workflow.name, day, asked, now)
        drawn = [each for each in found if not each.sampled and _is_drawn(draws[each.cell], day, each)]
        opened = table.open_reviews(
            connection,
            workflow.name,
            day,
            drawn,
            queue=quality.queue,
            question=quality.question,
            written=sorted(written),
            now=now,
        )
        if opened:
            table.note_drawn(connection, opened, CHECK, now)
            _alarm(connection, workflow, drawn, now)
    return len(opened)


def _is_drawn(draw: table.Draw, day: date, decision: AutoDecision) -> bool:
    return is_sampled(draw.seed, day, decision.case_key, draw.rate)


def _alarm(connection: psycopg.Connection, workflow: Workflow, drawn: Sequence[AutoDecision], now: datetime) -> None:
    """A quality review that nobody may do is an incident, like any other task."""
    orphaned = reviews.orphans(connection, [(each.case_id, each.visit) for each in drawn])
    told = [
        faults.NewIncident(
            each.case_id,
            drawn[0].element,
            "nobody may decide",
            f"{each.tasks} quality reviews in the queue {each.queue} can be done by nobody (submitted by "
            f"{each.requested_by}): give somebody the role {each.role}",
            workflow.owner,
        )
        for each in orphaned
    ]
    faults.open_incidents(connection, workflow.name, told, now)


# -- judging


def cells(connection: psycopg.Connection, workflow: str, quality: Quality, now: datetime) -> list[Cell]:
    """Every cell of late, held against the policy."""
    since = now.astimezone(UTC).date() - timedelta(days=_RECENT_DAYS)
    told: dict[str, list[Answers]] = defaultdict(list)
    waiting: dict[str, int] = defaultdict(int)
    for found in table.answers(connection, workflow, since):
        told[found.cell] += [] if found.rate is None else [Answers(found.rate, found.agreed, found.disagreed)]
        waiting[found.cell] += found.waiting
    fallen = {fallback.cell: fallback for fallback in table.fallbacks(connection, workflow)}
    return [
        Cell(
            workflow,
            name,
            stratum.rate,
            stratum.limit,
            judge(told[name], stratum, quality.confidence),
            waiting[name],
            fallen.get(name),
        )
        for name in sorted(told)
        for stratum in (quality.of(name),)
    ]


def listed(connection: psycopg.Connection, now: datetime, workflow: str | None = None) -> list[Cell]:
    """The cells of a workflow, or of all, whose policy asks for quality; :class:`Refused` where none does."""
    found: list[Cell] | None = None
    for name in [workflow] if workflow is not None else policy.workflows(connection):
        if (quality := asked_for(connection, name)) is not None:
            found = [*(found or []), *cells(connection, name, quality, now)]
    if found is None:
        raise Refused("no policy has a section quality: write one (docs/metrics.md), then orchestrate policy set")
    return found


def hold_to_limits(connection: psycopg.Connection, workflow: Workflow, quality: Quality, now: datetime) -> list[Cell]:
    """Judge every cell; one beyond its limit falls back to people at once."""
    with connection.transaction():
        lock_workflow(connection, workflow.name, workflow.owner)
        found = cells(connection, workflow.name, quality, now)
        for cell in found:
            if cell.judged.verdict is Verdict.BEYOND and cell.fallback is None:
                reason = (
                    f"people disagreed with {cell.judged.disagreed} of {cell.judged.answers} of its decisions, and "
                    f"the limit is {cell.limit:.1%}"
                )
                table.fall_back(connection, workflow.name, cell.name, by=CHECK, reason=reason, now=now)
        return cells(connection, workflow.name, quality, now)


def lift(
    connection: psycopg.Connection,
    cell: str,
    workflow: str | None = None,
    *,
    person: str,
    reason: str,
    now: datetime,
    asserted_by: str | None = None,
) -> bool:
    """One of two people lets a cell decide again; True when the second has. :class:`Refused` says why not."""
    standing = table.fallbacks(connection, workflow, cell)
    if not standing:
        raise Refused(f"no cell {cell!r} is with people: see orchestrate quality list")
    if len(standing) > 1:
        names = ", ".join(fallback.workflow for fallback in standing)
        raise Refused(f"{cell!r} is a cell of several workflows ({names}): say which with --workflow")
    with refusals(), connection.transaction():
        table.lift(connection, standing[0].id, person=person, asserted_by=asserted_by, reason=reason, now=now)
    return not table.fallbacks(connection, standing[0].workflow, cell)
