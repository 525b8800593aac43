"""What a decision table leaves open, decides twice, or never decides; each with an example in its own words.

The cells of a column cut its values into classes (:mod:`.partition`), and over classes the search is exact
(:mod:`.coverage`). What cannot be cut or searched is told as not checked; nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Any

from orchestration_pipelines.model.dmn.axes import Grid
from orchestration_pipelines.model.dmn.coverage import Box, Budget, Holes, TooLarge, shared, transposed
from orchestration_pipelines.model.dmn.inventory import tables
from orchestration_pipelines.model.dmn.model import Model
from orchestration_pipelines.model.dmn.partition import words
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.dmn.verdicts import Verdicts
from orchestration_pipelines.model.feel import FeelLimit
from orchestration_pipelines.model.feel.types import Type

#: how many findings of one kind are shown of one table; how many more there are is told
MAX_SHOWN = 20
#: pairs of rules that are held against each other, times columns
MAX_PAIRS = 1_000_000


class Level(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  #: the table cannot mean this
    WARNING = "warning"  #: most likely nobody meant it
    NOTE = "note"  #: to know, or not checked


@dataclass(frozen=True)
class Finding:
    """Something about a table that its owner should know."""

    level: Level
    kind: str  #: "problem", "gap", "overlap", "dead rule" or "not checked"
    table: str  #: its name, or that of what has the problem
    reason: str
    rules: tuple[str, ...] = ()  #: ids of those that it is about
    place: Mapping[str, Any] = field(default_factory=dict)  #: an example: input expression to value

    def __str__(self) -> str:
        return f"{self.level}: {self.table}: {self.reason}"


def check(model: Model) -> list[Finding]:
    """Problems of a model, and what its tables leave open, decide twice or never decide; the worst comes first."""
    found = [Finding(Level.ERROR, "problem", problem.name, str(problem)) for problem in model.problems]
    for table, types in tables(model):
        found += findings(table, types)
    return sorted(found, key=lambda each: list(Level).index(each.level))


def findings(table: DecisionTable, types: Mapping[str, Type] | None = None) -> list[Finding]:
    """All that is found in a table; ``types`` are those of the names that its input expressions may be."""
    try:
        return list(_Checks(table, types or {}).all())
    except FeelLimit as limit:
        return [Finding(Level.NOTE, "not checked", table.name, f"not checked: {limit}")]


class _Checks:
    def __init__(self, table: DecisionTable, types: Mapping[str, Type]) -> None:
        self._table = table
        self._grid = Grid.of(table, types)
        self._masks = [axis.masks for axis in self._grid.axes]
        self._rules = (1 << len(table.rules)) - 1
        self._verdicts = Verdicts(table)

    def all(self) -> Iterator[Finding]:
        for reason in self._grid.unchecked:
            yield self._finding(Level.NOTE, "not checked", f"not checked: {reason}")
        for what, found in (
            ("gap", self._gaps()),
            ("gap", self._gaps_of_null()),
            ("overlap", self._overlaps()),
            ("dead rule", self._empty()),
            ("dead rule", self._masked()),
        ):
            try:
                yield from self._some(what, found)
            except TooLarge:
                reason = f"not checked for {what}s: the table has too many different situations; split it"
                yield self._finding(Level.NOTE, "not checked", reason)

    def _some(self, kind: str, found: Iterator[Finding]) -> Iterator[Finding]:
        more: dict[Level, int] = {}
        for number, finding in enumerate(found):
            if number < MAX_SHOWN:
                yield finding
            else:
                more[finding.level] = more.get(finding.level, 0) + 1
        for level, count in more.items():
            yield self._finding(level, kind, f"and {count:,} more of this kind ({kind})")

    def _finding(
        self, level: Level, kind: str, reason: str, rules: Sequence[int] = (), place: Mapping[str, Any] | None = None
    ) -> Finding:
        ids = tuple(self._table.rules[rule].id for rule in rules)
        return Finding(level, kind, self._table.name, reason, ids, place or {})

    # -- gaps

    def _gaps(self) -> Iterator[Finding]:
        if self._verdicts.has_default:
            return
        holes = Holes(self._masks, [axis.usual for axis in self._grid.axes], Budget())
        for box in holes.of(self._rules):
            yield self._gap(Level.WARNING, box)
        if holes.more:
            yield self._finding(Level.WARNING, "gap", "no rule matches in more places than are shown")

    def _gaps_of_null(self) -> Iterator[Finding]:
        """A value may be missing, though no cell says so: that no rule matches then may well be meant."""
        if self._verdicts.has_default:
            return
        budget = Budget()
        for number, axis in enumerate(self._grid.axes):
            if not axis.unusual or self._rules & ~axis.masks[axis.unusual[0]] == 0:
                continue
            within = [each.unusual if at == number else each.usual for at, each in enumerate(self._grid.axes)]
            for box in Holes(self._masks, within, budget).of(self._rules)[:1]:
                yield self._gap(Level.NOTE, box, within)

    def _gap(self, level: Level, box: Box, within: Sequence[Sequence[int]] = ()) -> Finding:
        place = tuple(classes[0] for classes in box)
        told = [
            number
            for number, (axis, classes) in enumerate(zip(self._grid.axes, box, strict=True))
            if (within and within[number] == axis.unusual) or len(classes) < len(axis.usual)
        ]
        return self._finding(level, "gap", f"{self._words(place, told)}: no rule matches", (), self._values(place))

    # -- overlaps

    def _overlaps(self) -> Iterator[Finding]:
        if self._table.policy not in ("UNIQUE", "ANY", "PRIORITY"):
            return
        rows = self._rows()
        known = [rule for rule in range(len(rows)) if not self._grid.unknown >> rule & 1]
        self._bound_pairs(len(known))
        for one, other in combinations(known, 2):
            place = shared(rows[one], rows[other])
            wrong = None if place is None else self._verdicts.clash(one, other)
            if place is None or wrong is None:
                continue
            ids = f"{self._table.rules[one].id} and {self._table.rules[other].id}"
            told = [number for number, axis in enumerate(self._grid.axes) if not self._free(axis.masks, one, other)]
            yield self._finding(
                Level.ERROR if wrong.is_certain else Level.WARNING,
                "overlap",
                f"{self._words(place, told)}: {ids} both match, {wrong.reason}",
                (one, other),
                self._values(place),
            )

    def _free(self, masks: Sequence[int], *rules: int) -> bool:
        """Whether a column says nothing about any of these rules."""
        return all(mask >> rule & 1 for mask in masks for rule in rules)

    def _bound_pairs(self, rules: int) -> None:
        if rules * rules // 2 * max(1, len(self._grid.axes)) > MAX_PAIRS:
            raise TooLarge

    # -- rules that never fire

    def _empty(self) -> Iterator[Finding]:
        rows = transposed(self._masks, len(self._table.rules))
        for number, rule in enumerate(self._table.rules):
            for axis, anywhere in zip(self._grid.axes, rows[number], strict=True):
                if any(anywhere >> each & 1 for each in axis.usual):
                    continue
                cells = " and ".join(column.cells[number].text for column in axis.columns)
                forbidden = any(anywhere >> each & 1 and each not in axis.possible for each in range(len(axis.masks)))
                why = "holds only for values that may not occur there" if forbidden else "holds for no value"
                reason = f"{rule.id} never fires: {cells} {why} ({axis.label})"
                yield self._finding(Level.WARNING, "dead rule", reason, (number,))
                break

    def _masked(self) -> Iterator[Finding]:
        if self._table.policy not in ("FIRST", "PRIORITY"):
            return
        rows, budget = self._rows(), Budget()
        self._bound_pairs(len(rows))
        for number, rule in enumerate(self._table.rules):
            if not all(rows[number]):
                continue
            before = [
                other
                for other in self._verdicts.preferred(number)
                if not self._grid.unknown >> other & 1 and shared(rows[number], rows[other]) is not None
            ]
            within = [[each for each in range(mask.bit_length()) if mask >> each & 1] for mask in rows[number]]
            if before and not Holes(self._masks, within, budget).of(sum(1 << other for other in before)):
                first = ", ".join(self._table.rules[other].id for other in before)
                reason = f"{rule.id} never decides: wherever it matches, what comes first does too ({first})"
                yield self._finding(Level.WARNING, "dead rule", reason, (number, *before))

    # -- places

    def _rows(self) -> list[list[int]]:
        """For each rule and column, the classes that may occur and where its cell holds."""
        rows = transposed(self._masks, len(self._table.rules))
        may_occur = [sum(1 << each for each in axis.possible) for axis in self._grid.axes]
        return [[mask & among for mask, among in zip(row, may_occur, strict=True)] for row in rows]

    def _words(self, place: Sequence[int], told: Sequence[int]) -> str:
        axes = self._grid.axes
        return (
            " and ".join(f"{axes[at].label} = {words(axes[at].values[place[at]])}" for at in told)
            or "whatever the inputs"
        )

    def _values(self, place: Sequence[int]) -> dict[str, Any]:
        return {axis.text: axis.values[each] for axis, each in zip(self._grid.axes, place, strict=True)}
