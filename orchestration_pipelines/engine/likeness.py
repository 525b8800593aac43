"""Decided cases that are like this one, and in what they differ: to compare with, never a reason by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg

from orchestration_pipelines.domain.facts import Fact, FactSheet
from orchestration_pipelines.store import similar as table
from orchestration_pipelines.store.casefile import Head
from orchestration_pipelines.store.similar import Alike

#: so many are shown, and of each so many facts in which it differs
SHOWN = 5
_DIFFERENCES = 3


@dataclass(frozen=True)
class Likeness:
    """A decided case beside this one."""

    case_id: int
    key: str
    outcome: str
    closed_at: datetime
    percent: int  #: 100: alike in everything that is compared
    compared: int
    differs: tuple[tuple[str, str, str], ...]  #: label, theirs, ours: where they differ most
    is_seen: bool  #: whether the viewer may open it


@dataclass(frozen=True)
class Likenesses:
    """The most similar ones, and among how many they were looked for."""

    found: tuple[Likeness, ...] = ()
    candidates: int = 0
    measured: tuple[str, ...] = ()  #: the labels of what is compared


def rows_of(connection: psycopg.Connection, head: Head, sheet: FactSheet) -> list[Alike]:
    """The decided cases most like this one. Only submitted columns count: what was withheld is not in a case at all."""
    compared = [(fact.name, _measure(fact)) for fact in sheet.compared]
    return table.alike(connection, head.case_id, head.workflow, compared, SHOWN)


def told(
    rows: Sequence[Alike], head: Head, sheet: FactSheet, called: Callable[[str], str], seen: Collection[int]
) -> Likenesses:
    """They and their differences in words; ``seen`` are those that the viewer may open."""
    return Likenesses(
        tuple(
            Likeness(
                row.case_id,
                row.key,
                called(row.outcome),
                row.closed_at,
                int(row.similarity * 100),
                row.compared,
                _differences(sheet, head.variables, row.variables),
                row.case_id in seen,
            )
            for row in rows
        ),
        rows[0].candidates if rows else 0,
        tuple(fact.label for fact in sheet.compared),
    )


def _measure(fact: Fact) -> str:
    """A number is measured by its distance; a flag, and a number that is a code, are equal or not."""
    return "number" if fact.type == "number" and not fact.values else "code"


def _differences(
    sheet: FactSheet, ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[tuple[str, str, str], ...]:
    """Where two cases differ most: codes and flags first, then numbers by their ratio."""
    weighed: list[tuple[float, Fact]] = []
    for fact in sheet.compared:
        mine, other = ours.get(fact.name), theirs.get(fact.name)
        if mine is None or other is None or mine == other:
            continue
        weighed.append((_apart(fact, mine, other), fact))
    weighed.sort(key=lambda pair: -pair[0])
    return tuple(
        (fact.label, fact.written(theirs.get(fact.name)), fact.written(ours.get(fact.name)))
        for _, fact in weighed[:_DIFFERENCES]
    )


def _apart(fact: Fact, mine: Any, other: Any) -> float:
    if _measure(fact) == "code" or not all(isinstance(value, int | Decimal) for value in (mine, other)):
        return 1.0
    one, two = Decimal(mine), Decimal(other)
    return float(abs(one - two) / max(abs(one), abs(two), Decimal(1)))
