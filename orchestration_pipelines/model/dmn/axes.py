"""A decision table as a grid: its input expressions cut into classes of values, and the rules that hold in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.boxed.logic import Literal, Typed
from orchestration_pipelines.model.dmn.cells import General, comparands
from orchestration_pipelines.model.dmn.columns import Column
from orchestration_pipelines.model.dmn.items import Restricted
from orchestration_pipelines.model.dmn.partition import Comparand, Uncut, Value, values
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.nodes import INPUT
from orchestration_pipelines.model.feel.types import Type

#: how often cells are evaluated to cut the columns of a table: about half a second
MAX_TESTS = 300_000
#: a value of each kind that a column may be of
_SAMPLES = ("other", Decimal(0), True, date(2024, 1, 1), time(), datetime(2024, 1, 1, tzinfo=UTC), timedelta())


@dataclass(frozen=True)
class Axis:
    """An input expression, with all columns that it heads, in classes."""

    columns: tuple[Column, ...]
    values: tuple[Any, ...]  #: one for each class
    masks: tuple[int, ...]  #: for each class, the rules whose cells hold, or cannot be told
    usual: tuple[int, ...]  #: the classes that may occur
    unusual: tuple[int, ...]  #: null, where nothing says whether a value may be missing

    @property
    def label(self) -> str:
        """For a person."""
        return self.columns[0].label

    @property
    def text(self) -> str:
        """The input expression."""
        return self.columns[0].text

    @property
    def possible(self) -> tuple[int, ...]:
        """Every class that is not forbidden."""
        return (*self.usual, *self.unusual)


@dataclass(frozen=True)
class Grid:
    """The axes of a table, and what could not be put on them."""

    axes: tuple[Axis, ...]
    unknown: int  #: rules with a cell that cannot be told: it counts as one that may hold anywhere
    unchecked: tuple[str, ...]  #: why

    @classmethod
    def of(cls, table: DecisionTable, types: Mapping[str, Type]) -> Grid:
        """The grid of a table, whose names have these types."""
        headed: dict[str, list[Column]] = {}
        for column in table.columns:
            headed.setdefault(column.text, []).append(column)
        reading = _Reading(table, types)
        axes = tuple(reading.axis(tuple(columns)) for columns in headed.values())
        reading.tell_relations([columns[0] for columns in headed.values()])
        return cls(axes, reading.unknown, tuple(reading.unchecked))


@dataclass(frozen=True)
class Limits:
    """What a value of a column must be: tests, of which some let null through, and types."""

    tests: tuple[tuple[feel.Expression, bool], ...]
    types: tuple[Type, ...]

    def admit(self, value: Any) -> bool:
        """Whether a value is allowed."""
        told = Evaluation()
        return all(item.conforms(value, told) for item in self.types) and all(
            (value is None and admits_null) or test.evaluate({INPUT: value}, told) is True
            for test, admits_null in self.tests
        )

    def another_kind(self, found: Sequence[Comparand]) -> list[Comparand]:
        """A value that the column may have, where its cells compare with null or with other kinds alone."""
        named = [each.value for each in found if each.value is not None]
        if not found or any(self.admit(each) for each in named):
            return []
        return [Comparand(each, False) for each in _SAMPLES if self.admit(each)][:1]


class _Reading:
    def __init__(self, table: DecisionTable, types: Mapping[str, Type]) -> None:
        self._table, self._types = table, types
        self._tests = 0
        self.unknown = 0
        self.unchecked: list[str] = []

    def axis(self, columns: tuple[Column, ...]) -> Axis:
        found, unknown = self._comparands(columns)
        limits = self._limits(columns, found)
        found += limits.another_kind(found)
        try:
            cut = self._cut(columns, found)
        except Uncut as error:
            self.unchecked.append(f"{columns[0].label}, because {error}")
            cut, unknown = [Value(None, True)], [(1 << len(self._table.rules)) - 1] * len(columns)
        masks = [(1 << len(self._table.rules)) - 1] * len(cut)
        for column, anywhere in zip(columns, unknown, strict=True):
            self.unknown |= anywhere
            for number, each in enumerate(cut):
                masks[number] &= _holding(column, each.value, anywhere) | anywhere
        allowed = [number for number, each in enumerate(cut) if len(cut) == 1 or limits.admit(each.value)]
        return Axis(
            columns,
            tuple(each.value for each in cut),
            tuple(masks),
            tuple(number for number in allowed if cut[number].named),
            tuple(number for number in allowed if not cut[number].named),
        )

    def _cut(self, columns: Sequence[Column], found: Sequence[Comparand]) -> list[Value]:
        cells = sum(len({cell.text for cell in column.cells}) for column in columns)
        self._tests += 2 * len(set(found)) * cells
        if self._tests > MAX_TESTS:
            raise Uncut("the cells of the table name too many values: split it")
        return values(found)

    def _comparands(self, columns: Sequence[Column]) -> tuple[list[Comparand], list[int]]:
        """What the cells compare with, and for each column the rules whose cell does something else."""
        found: list[Comparand] = []
        unknown = []
        for column in columns:
            general: dict[str, list[str]] = {}
            mask = 0
            for number, cell in enumerate(column.cells):
                try:
                    found += comparands(cell)
                except General as error:
                    mask |= 1 << number
                    general.setdefault(str(error), []).append(self._table.rules[number].id)
            for reason, rules in general.items():
                shown = ", ".join(rules[:5]) + (f" and {len(rules) - 5} more" if len(rules) > 5 else "")
                self.unchecked.append(f"{column.label} of {shown}, because {reason}")
            unknown.append(mask)
        return found, unknown

    def _limits(self, columns: Sequence[Column], found: list[Comparand]) -> Limits:
        """What a value of these columns must be; the values that this compares with are added to those found."""
        tests = [(column.allowed, False) for column in columns if column.allowed is not None]
        types = []
        for item in self._items(columns):
            while isinstance(item, Restricted):
                tests.append((item.allowed, True))
                item = item.base
            types.append(item)
        readable = []
        for allowed, admits_null in tests:
            try:
                found += comparands(allowed)
                readable.append((allowed, admits_null))
            except General as error:
                self.unchecked.append(f"which values {columns[0].label} may take, because {error}")
        return Limits(tuple(readable), tuple(types))

    def _items(self, columns: Sequence[Column]) -> Iterator[Type]:
        """The types that the input expression is held against: its own, and that of the input that it is."""
        for column in columns:
            logic = column.expression
            while isinstance(logic, Typed):
                yield logic.type
                logic = logic.logic
            if isinstance(logic, Literal) and logic.expression.text.strip() in self._types:
                yield self._types[logic.expression.text.strip()]

    def tell_relations(self, columns: Sequence[Column]) -> None:
        """Columns that read the same are taken as if they did not: an example may be one that cannot occur."""
        for number, column in enumerate(columns):
            for other in columns[number + 1 :]:
                if _names(column) & _names(other):
                    self.unchecked.append(f"whether {column.label} and {other.label}, which read the same, go together")


def _holding(column: Column, value: Any, unknown: int) -> int:
    names, told = {INPUT: value}, Evaluation()
    known: dict[str, bool] = {}
    mask = 0
    for number, cell in enumerate(column.cells):
        if unknown >> number & 1:
            continue
        if cell.text not in known:
            known[cell.text] = cell.evaluate(names, told) is True
        if known[cell.text]:
            mask |= 1 << number
    return mask


def _names(column: Column) -> frozenset[str]:
    logic = column.expression
    while isinstance(logic, Typed):
        logic = logic.logic
    return logic.expression.names if isinstance(logic, Literal) else frozenset()
