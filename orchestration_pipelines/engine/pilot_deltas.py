"""Did it get better? Cases that closed before and after, in a corridor, against one that did not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.domain.deltas import Corridor, Delta, Sample, TooFew, compare
from orchestration_pipelines.domain.measures import ClosedCase
from orchestration_pipelines.engine.measures import day_window
from orchestration_pipelines.model import feel
from orchestration_pipelines.store import measures as table
from orchestration_pipelines.store.measures import Known, Window
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


def pilot_deltas(
    connection: psycopg.Connection,
    workflow: str,
    before: Period,
    after: Period,
    *,
    corridor: str = "",
    unchanged: str | None = None,
    seed: int = 0,
) -> Deltas:
    """Compare the cases that closed in two periods; ``corridor`` and ``unchanged`` are FEEL over a case's variables.

    A case belongs to the day of its closing. :class:`Refused` says what cannot be compared.
    """
    if not before.last < after.first:
        raise Refused(f"the periods {before} and {after} overlap: the first must end before the second begins")
    chosen = _corridor(corridor)
    held = None if unchanged is None else _corridor(unchanged)
    sides = [_cases(connection, workflow, period) for period in (before, after)]
    inside = [[case for case in side if chosen is None or _is_in(chosen, case[1])] for side in sides]
    beside = None
    if held is not None:
        beside = _figures(*([case for case in side if _is_in(held, case[1])] for side in sides))
    ours = _figures(*inside)
    try:
        shared = {name: each for name, each in ours.items() if beside is None or name in beside}
        deltas = compare(shared, beside, seed=seed)
    except TooFew as error:
        raise Refused(str(error)) from None
    return Deltas(workflow, before, after, corridor, unchanged, len(inside[0]), len(inside[1]), deltas)


_Case = tuple[ClosedCase, Known]


def _corridor(written: str) -> feel.Expression | None:
    if not written.strip():
        return None
    try:
        return feel.compile(written)
    except feel.FeelError as error:
        raise Refused(f"the corridor cannot be read: {error}") from None


def _cases(connection: psycopg.Connection, workflow: str, period: Period) -> list[_Case]:
    window = Window(workflow, day_window(workflow, period.first).begin, day_window(workflow, period.last).end)
    with table.measuring(connection):
        closed = table.closed_cases(connection, window)
        known = table.known(connection, [case.case_id for case in closed])
    return [(case, known[case.case_id]) for case in closed]


def _is_in(corridor: feel.Expression, known: Known) -> bool:
    return corridor.evaluate(decode(known.variables)) is True


def _figures(before: Sequence[_Case], after: Sequence[_Case]) -> dict[str, Corridor]:
    """The figures that both sides have; a breach rate only where promises were made."""
    sides = (before, after)
    figures = {
        "lead time, h": Corridor(_lead(before), _lead(after)),
        "rework rate": Corridor(*(_sample(side, [case.reworked for case, _ in side]) for side in sides)),
        "first-pass yield": Corridor(*(_sample(side, [case.first_pass for case, _ in side]) for side in sides)),
    }
    promised = [[case for case in side if case[1].breached is not None] for side in sides]
    if all(promised):
        broken = (_sample(side, [bool(known.breached) for _, known in side]) for side in promised)
        figures["breach rate"] = Corridor(*broken)
    return figures


def _lead(cases: Sequence[_Case]) -> Sample:
    return _sample(cases, [(case.closed_at - case.submitted_at) / timedelta(hours=1) for case, _ in cases])


def _sample(cases: Sequence[_Case], values: Sequence[float]) -> Sample:
    days = [(_day(case.closed_at) - _EPOCH).days for case, _ in cases]
    return Sample(np.array(days, dtype=np.int64), np.array(values, dtype=float))


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
