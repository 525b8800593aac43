"""A table that learns from what people said: the confidence from which a machine may decide, cell by cell.

What is proposed is a new version of the DMN file with a few cells changed. It becomes active as any other release does:
somebody proposes it, somebody else approves, and it can be rolled back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from statistics import quantiles
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.domain.drift import Drift, drift
from orchestration_pipelines.domain.quality import Quality
from orchestration_pipelines.domain.thresholds import Calibration, Scored, Standing, calibration, learnt, standing
from orchestration_pipelines.engine import proposing, quality
from orchestration_pipelines.engine.proposing import Proposed
from orchestration_pipelines.engine.releases import Person
from orchestration_pipelines.engine.tables import ActiveTables, read_table
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.model.dmn import wording
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.dmn.thresholds import Threshold, moved, thresholds
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.store import judged as table
from orchestration_pipelines.store.judged import Judged
from orchestration_pipelines.store.measures import measuring
from orchestration_pipelines.store.refusal import Refused

#: how far back people's judgements count
LEARNS_DAYS = 180
#: drift: these days are held against those before them
_NOW_DAYS = 28
#: a period is read up to so many answers, the latest
MOST = 50_000
#: as many candidates are looked at between the cells' bounds
_CANDIDATES = 40
_DIGITS = 3


@dataclass(frozen=True)
class Band:
    """A threshold above which the table decides by itself, and what people's judgements say of it."""

    threshold: Threshold
    label: str  #: of the column that it cuts
    limit: float  #: the policy's
    cases: int  #: in both cells
    now: Standing
    best: Standing | None  #: the lowest that is proved; None: none is

    @property
    def moves_to(self) -> Decimal | None:
        """Where the threshold should lie; None: where it is, or nobody can tell."""
        if self.best is None or Decimal(str(self.best.at)) == self.threshold.at:
            return None
        return Decimal(str(self.best.at))

    def row(self) -> dict[str, Any]:
        """For a person."""
        best = self.best
        return {
            "cell": self.threshold.upper,
            "from": float(self.threshold.at),
            "to": float(self.moves_to) if self.moves_to is not None else None,
            "error below": best.bound if best else self.now.bound,
            "limit": self.limit,
            "judged": best.judged if best else self.now.judged,
            "wrong": best.wrong if best else self.now.wrong,
            "automatic now": self.now.automated,
            "then": best.automated if best else self.now.automated,
        }


@dataclass(frozen=True)
class Learnt:
    """What was learnt of a step's table."""

    workflow: str
    element: str
    file_name: str
    digest: str  #: of the table in force
    cases: int
    judged: int
    bands: Sequence[Band]
    calibration: Calibration | None
    drifts: Sequence[Drift]
    content: bytes | None  #: of the new version; None where nothing moves
    differences: Sequence[str]  #: against the table in force, in words
    effect: Mapping[str, int]  #: on the cases that it was learnt from


class _Told(NamedTuple):
    """An answer of the table, with its values."""

    at: datetime
    inputs: Mapping[str, Any]
    facts: Mapping[str, Any]
    rules: Sequence[str]
    chosen: str | None
    rate: float | None
    wrong: bool


def learn(connection: psycopg.Connection, workflow: Workflow, now: datetime, days: int = LEARNS_DAYS) -> list[Learnt]:
    """What the tables that decide by themselves could be; :class:`Refused` where the policy sets no limits."""
    asked = quality.asked_for(connection, workflow.name)
    if asked is None:
        raise Refused("the policy has no section quality: it says which error is allowed (docs/metrics.md)")
    active = ActiveTables(workflow.name)
    active.refresh(connection)
    begin = datetime.combine(now.astimezone(UTC).date(), time(), UTC) - timedelta(days=days)
    found = []
    for element in workflow.process.elements.values():
        decision = element.calls or element.id
        if element.kind is Kind.RULE and "approvedWhen" in element.extra:
            with measuring(connection):
                told = [_told(each) for each in table.judged(connection, workflow.name, element.id, begin, now, MOST)]
            found.append(_learnt(workflow.name, element.id, _Table(active, decision), told, asked, now))
    return [each for each in found if each is not None]


def propose(
    connection: psycopg.Connection, workflow: Workflow, found: Learnt, *, by: Person, reason: str, now: datetime
) -> Proposed:
    """Propose what was learnt, in somebody's name; somebody else approves it (``orchestrate model approve``)."""
    if found.content is None:
        raise Refused(f"{found.file_name} stays as it is: no threshold is proved to lie better elsewhere")
    return proposing.propose(connection, workflow, found.file_name, found.content, by=by, reason=reason, now=now)


class _Table:
    """A decision's table in force, and how it would be with other thresholds."""

    def __init__(self, active: ActiveTables, decision: str) -> None:
        self.file = active[decision]
        self.decision = self.file.model.decisions[decision]
        self.grid = self.decision.logic if isinstance(self.decision.logic, DecisionTable) else None
        self._beside = {file.file_name: file.content for file in active.values()}

    def moved(self, moves: Mapping[Threshold, Decimal]) -> tuple[bytes | None, Sequence[str]]:
        """The new version of the file, and its differences in words; nothing where nothing moves."""
        if not moves:
            return None, ()
        content = moved(self.file.content, self.decision, moves)
        after = read_table(self.file.file_name, content, self._beside)
        return content, wording.differences(self.file.model, after.model)


def _learnt(
    workflow: str, element: str, held: _Table, told: Sequence[_Told], asked: Quality, now: datetime
) -> Learnt | None:
    grid = held.grid
    if grid is None:
        return None
    automatic = {rule for each in told if each.chosen == "approve" for rule in each.rules}
    bands = [
        _band(grid, cut, told, asked)
        for cut in thresholds(grid)
        if cut.upper in automatic and cut.lower not in automatic
    ]
    content, differences = held.moved({band.threshold: band.moves_to for band in bands if band.moves_to is not None})
    scores = {grid.columns[band.threshold.column].text for band in bands}
    scored = [case for text in scores for case in _scored(told, text)]
    return Learnt(
        workflow=workflow,
        element=element,
        file_name=held.file.file_name,
        digest=held.file.model.digest,
        cases=len(told),
        judged=sum(each.rate is not None for each in told),
        bands=bands,
        calibration=calibration(scored) if len(scores) == 1 and all(0 <= case.score <= 1 for case in scored) else None,
        drifts=_drifts(told, now),
        content=content,
        differences=differences,
        effect=_effect(bands),
    )


def _told(answer: Judged) -> _Told:
    """The answer, and what people said: all who were asked judge at a rate of 1, quality reviews at theirs."""
    said, rate = answer.again, answer.rate
    if answer.chosen is None:
        said, rate = answer.people, 1.0
    if said is None:
        rate = None
    return _Told(
        answer.decided_at,
        decode(answer.inputs),
        decode(answer.facts),
        answer.rules,
        answer.chosen,
        rate,
        said == "reject",
    )


def _band(grid: DecisionTable, cut: Threshold, told: Sequence[_Told], asked: Quality) -> Band:
    """The cases of the two cells that meet at a threshold, whichever table once sent them where."""
    number = next(number for number, rule in enumerate(grid.rules) if rule.id == cut.upper)
    inside = [each for each in told if _lies_in(grid, each.inputs, cut, number)]
    text = grid.columns[cut.column].text
    cases = _scored(inside, text)
    limit = asked.of(cut.upper).limit
    candidates = _candidates([case.score for case in cases], cut)
    return Band(
        cut,
        grid.columns[cut.column].label,
        limit,
        len(cases),
        standing(cases, float(cut.at), asked.confidence),
        learnt(cases, candidates, limit, asked.confidence),
    )


def _lies_in(grid: DecisionTable, inputs: Mapping[str, Any], cut: Threshold, rule: int) -> bool:
    run, bit = Run(), 1 << rule
    for place, column in enumerate(grid.columns):
        value = inputs.get(column.text)
        if place == cut.column:
            if not isinstance(value, int | Decimal) or isinstance(value, bool):
                return False
            if (cut.begins is not None and value < cut.begins) or (cut.ends is not None and value >= cut.ends):
                return False
        elif not column.mask(value, inputs, run, bit) & bit:
            return False
    return True


def _scored(told: Sequence[_Told], text: str) -> list[Scored]:
    return [
        Scored(float(value), each.rate, each.wrong)
        for each in told
        if isinstance(value := each.inputs.get(text), int | Decimal) and not isinstance(value, bool)
    ]


def _candidates(scores: Sequence[float], cut: Threshold) -> list[float]:
    """Where the threshold may lie: chosen by how the scores are spread, never by what people said."""
    if len(scores) < 2:
        return [float(cut.at)]
    spread = [round(each, _DIGITS) for each in quantiles(scores, n=_CANDIDATES, method="inclusive")]
    inside = [at for at in spread if (cut.begins is None or at > cut.begins) and (cut.ends is None or at < cut.ends)]
    return sorted({*inside, float(cut.at)})


def _effect(bands: Sequence[Band]) -> dict[str, int]:
    """How many of the cases would have gone another way."""
    effect: dict[str, int] = defaultdict(int)
    for band in bands:
        if band.best is not None and band.moves_to is not None:
            gained = round((band.best.automated - band.now.automated) * band.cases)
            effect["from people to the machine" if gained > 0 else "from the machine to people"] += abs(gained)
    return dict(effect)


def _drifts(told: Sequence[_Told], now: datetime) -> list[Drift]:
    """The last four weeks against what was before: what the table sees, and what was submitted."""
    since = now - timedelta(days=_NOW_DAYS)
    sides = [[each for each in told if (each.at >= since) is late] for late in (False, True)]
    names = dict.fromkeys(name for each in told for name in (*each.inputs, *each.facts))
    found = []
    for name in names:
        values = [
            [_plain(each.inputs[name] if name in each.inputs else each.facts.get(name)) for each in side]
            for side in sides
        ]
        if (told_drift := drift(name, values[0], values[1])) is not None:
            found.append(told_drift)
    return sorted(found, key=lambda each: -each.psi)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, list | dict) else value


def drift_row(found: Drift) -> dict[str, Any]:
    """For a person."""
    return {
        "input": found.name,
        "PSI": found.psi,
        "by chance below": found.by_chance,
        "cases before": found.reference,
        "of late": found.now,
        "is": found.says,
    }
