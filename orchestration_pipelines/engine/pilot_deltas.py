"""Did it get better? Cases that closed before and after, in a corridor, against one that did not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.domain.deltas import Corridor, Delta, Sample, TooFew, compare
from orchestration_pipelines.domain.event_log import EventLog
from orchestration_pipelines.domain.measures import ClosedCase
from orchestration_pipelines.engine.event_logs import stored
from orchestration_pipelines.engine.log_facts import known_of, log_facts
from orchestration_pipelines.engine.measures import day_window
from orchestration_pipelines.model import feel
from orchestration_pipelines.store import measures as table
from orchestration_pipelines.store.measures import Window
from orchestration_pipelines.store.refusal import Refused

__all__ = ["Deltas", "Period", "pilot_deltas"]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Period:
    """Days, both included, in UTC."""

    first: date
    last: date

    @classmethod
    def read(cls, written: str) -> Period:
        """``2026-03-01..2026-03-31``; :class:`Refused` for anything else."""
        try:
            first, last = (date.fromisoformat(part.strip()) for part in written.split(".."))
        except ValueError:
            raise Refused(f"{written!r} is no period: write 2026-03-01..2026-03-31, both days included") from None
        if last < first:
            raise Refused(f"{written!r} ends before it begins")
        return cls(first, last)

    def has(self, day: int) -> bool:
        """Whether a day, counted since 1970, is one of them."""
        return self.first <= _EPOCH + timedelta(days=day) <= self.last

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


@dataclass(frozen=True)
class Deltas:
    """What a comparison found."""

    workflow: str
    before: Period
    after: Period
    corridor: str  #: FEEL; "" is every case
    unchanged: str | None
    cases_before: int
    cases_after: int
    deltas: Sequence[Delta]
    log: str | None = None  #: the imported log that the cases before are of

    @property
    def title(self) -> str:
        """What was compared, in words."""
        first = f"{self.cases_before:,} cases of {self.log or self.workflow} in {self.before}"
        return f"{self.workflow}: {first}, {self.cases_after:,} in {self.after}"

    def rows(self) -> list[dict[str, object]]:
        """A row for each figure."""
        return [
            {
                "figure": delta.figure,
                "before": delta.before,
                "after": delta.after,
                "difference": delta.difference,
                "low": delta.low,
                "high": delta.high,
                "without the change": delta.against,
                "says": delta.words,
            }
            for delta in self.deltas
        ]


class _Case(NamedTuple):
    """A case that closed: its day, its figures (None where nobody knows), and what a corridor may ask."""

    day: int
    figures: Mapping[str, float | None]
    known: Mapping[str, Any]


def pilot_deltas(
    connection: psycopg.Connection,
    workflow: str | None,
    before: Period | None,
    after: Period,
    *,
    corridor: str = "",
    unchanged: str | None = None,
    log: str | None = None,
    seed: int = 0,
) -> Deltas:
    """Compare the cases that closed in two periods; ``corridor`` and ``unchanged`` are FEEL over a case's variables.

    A case belongs to the day of its closing. With ``log`` the cases before are those of an imported log (all of it
    where there is no period), and without a workflow those after too; of its cases a corridor asks ``activities``,
    ``resources``, ``events``, ``breached`` and ``reopened``. :class:`Refused` says what cannot be compared.
    """
    chosen, held = _corridor(corridor), None if unchanged is None else _corridor(unchanged)
    read = None if log is None else _of_log(stored(connection, log))
    if before is None:
        if read is None or workflow is None:
            raise Refused(
                "say which days come before: only where a whole log is compared with a workflow they go unsaid"
            )
        days = [case.day for case in read]
        before = Period(*(_EPOCH + timedelta(days=day) for day in (min(days), max(days))))
    if not before.last < after.first and (log is None or workflow is None):
        raise Refused(f"the periods {before} and {after} overlap: the first must end before the second begins")
    sides = [
        _cases(connection, workflow, period) if read is None else [case for case in read if period.has(case.day)]
        for period, read in ((before, read), (after, None if workflow is not None else read))
    ]
    inside = [[case for case in side if chosen is None or chosen.evaluate(case.known) is True] for side in sides]
    ours, beside = _figures(*inside), None
    if held is not None:
        beside = _figures(*([case for case in side if held.evaluate(case.known) is True] for side in sides))
    try:
        shared = {name: each for name, each in ours.items() if beside is None or name in beside}
        deltas = compare(shared, beside, seed=seed)
    except TooFew as error:
        raise Refused(str(error)) from None
    return Deltas(workflow or str(log), before, after, corridor, unchanged, len(inside[0]), len(inside[1]), deltas, log)


def _corridor(written: str) -> feel.Expression | None:
    if not written.strip():
        return None
    try:
        return feel.compile(written)
    except feel.FeelError as error:
        raise Refused(f"the corridor cannot be read: {error}") from None


def _cases(connection: psycopg.Connection, workflow: str | None, period: Period) -> list[_Case]:
    if workflow is None:
        raise Refused("say which workflow, or with --log which imported log")
    window = Window(workflow, day_window(workflow, period.first).begin, day_window(workflow, period.last).end)
    with table.measuring(connection):
        closed = table.closed_cases(connection, window)
        known = table.known(connection, [case.case_id for case in closed])
    return [
        _Case(
            _day(case.closed_at),
            _told(case, first_pass=case.first_pass, breached=known[case.case_id].breached),
            decode(known[case.case_id].variables),
        )
        for case in closed
    ]


def _of_log(log: EventLog) -> list[_Case]:
    """The cases of a log. It says nothing of what was sent back or undone: they have no first pass."""
    return [
        _Case(_day(case.closed_at), _told(case, first_pass=None, breached=known["breached"]), known)
        for case, known in zip(log_facts(log).closed, known_of(log), strict=True)
    ]


def _told(case: ClosedCase, *, first_pass: bool | None, breached: bool | None) -> Mapping[str, float | None]:
    return {
        "lead time, h": (case.closed_at - case.submitted_at) / timedelta(hours=1),
        "rework rate": case.reworked,
        "first-pass yield": first_pass,
        "breach rate": breached,
    }


def _figures(before: Sequence[_Case], after: Sequence[_Case]) -> dict[str, Corridor]:
    """The figures that both sides know; a breach rate only where promises were made."""
    sides = (before, after)
    names = ("lead time, h", "rework rate", "first-pass yield", "breach rate")
    known = {name: [[case for case in side if case.figures[name] is not None] for side in sides] for name in names}
    return {
        name: Corridor(*(_sample(side, name) for side in both))
        for name, both in known.items()
        if all(both) or name == names[0]
    }


def _sample(cases: Sequence[_Case], figure: str) -> Sample:
    days = np.array([case.day for case in cases], dtype=np.int64)
    return Sample(days, np.array([case.figures[figure] for case in cases], dtype=float))


def _day(at: datetime) -> int:
    return (at.astimezone(UTC).date() - _EPOCH).days
