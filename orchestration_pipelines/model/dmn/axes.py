"""A decision table as a grid: its input expressions cut into classes of values, and the rules that hold in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.boxed.logic import Literal, Typed
from orchestration_pipelines.model.dmn.cells import General, comparands
from orchestration_pipelines.model.dmn.columns import Column
from orchestration_pipelines.model.dmn.items import Restricted
from orchestration_pipelines.model.dmn.masks import mask_of
from orchestration_pipelines.model.dmn.partition import Comparand, Uncut, Value, values
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.nodes import INPUT
from orchestration_pipelines.model.feel.types import Type

#: values that the cells of a column name, times rules: so many cells are evaluated to cut it
MAX_TESTS = 500_000
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


class _Reading:
    def __init__(self, table: DecisionTable, types: Mapping[str, Type]) -> None:
        self._table, self._types = table, types
        self.unknown = 0
        self.unchecked: list[str] = []

    def axis(self, columns: tuple[Column, ...]) -> Axis:
        found, unknown = self._comparands(columns)
        found += self._allowed(columns)
        found += self._another_kind(columns, found)
        try:
            cut = self._cut(found)
        except Uncut as error:
            self.unchecked.append(f"{columns[0].label}, because {error}")
            cut, unknown = [Value(None, True)], [(1 << len(self._table.rules)) - 1] * len(columns)
        masks = [(1 << len(self._table.rules)) - 1] * len(cut)
        for column, anywhere in zip(columns, unknown, strict=True):
            self.unknown |= anywhere
            for number, each in enumerate(cut):
                masks[number] &= _holding(column, each.value) | anywhere
        allowed = [number for number, each in enumerate(cut) if len(cut) == 1 or self._may_be(columns, each.value)]
        return Axis(
            columns,
            tuple(each.value for each in cut),
            tuple(masks),
            tuple(number for number in allowed if cut[number].named),
            tuple(number for number in allowed if not cut[number].named),
        )

    def _cut(self, found: Sequence[Comparand]) -> list[Value]:
        if len(set(found)) * len(self._table.rules) > MAX_TESTS:
            raise Uncut("its cells name too many values")
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

    def _allowed(self, columns: Sequence[Column]) -> list[Comparand]:
        found: list[Comparand] = []
        for tests in self._tests(columns):
            try:
                found += comparands(tests)
            except General as error:
                self.unchecked.append(f"which values {columns[0].label} may take ({tests.text}), because {error}")
        return found

    def _another_kind(self, columns: Sequence[Column], found: Sequence[Comparand]) -> list[Comparand]:
        """A value that the column may have, where its cells compare with null or with other kinds alone."""
        items = self._items(columns)
        named = [each.value for each in found if each.value is not None]
        if not found or any(all(item.conforms(each, Evaluation()) for item in items) for each in named):
            return []
        return [
            Comparand(each, False) for each in _SAMPLES if all(item.conforms(each, Evaluation()) for item in items)
        ][:1]

    def _tests(self, columns: Sequence[Column]) -> list[feel.Expression]:
        found = [column.allowed for column in columns if column.allowed is not None]
        return found + [item.allowed for item in self._items(columns) if isinstance(item, Restricted)]

    def _items(self, columns: Sequence[Column]) -> list[Type]:
        """The types that the input expression is held against: its own, and that of the input that it is."""
        found = []
        for column in columns:
            logic = column.expression
            while isinstance(logic, Typed):
                found.append(logic.type)
                logic = logic.logic
            if isinstance(logic, Literal) and logic.expression.text.strip() in self._types:
                found.append(self._types[logic.expression.text.strip()])
        return found

    def _may_be(self, columns: Sequence[Column], value: Any) -> bool:
        if any(column.allowed is not None and not _passes(column.allowed, value) for column in columns):
            return False
        return all(item.conforms(value, Evaluation()) for item in self._items(columns))

    def tell_relations(self, columns: Sequence[Column]) -> None:
        """Columns that read the same are taken as if they did not: an example may be one that cannot occur."""
        for number, column in enumerate(columns):
            for other in columns[number + 1 :]:
                if _names(column) & _names(other):
                    self.unchecked.append(f"whether {column.label} and {other.label}, which read the same, go together")


def _holding(column: Column, value: Any) -> int:
    known: dict[str, bool] = {}
    mask = 0
    for number, cell in enumerate(column.cells):
        if cell.text not in known:
            known[cell.text] = mask_of([cell], {}, value) == 1
        if known[cell.text]:
            mask |= 1 << number
    return mask


def _passes(tests: feel.Expression, value: Any) -> bool:
    return tests.evaluate({INPUT: value}, Evaluation()) is True


def _names(column: Column) -> frozenset[str]:
    logic = column.expression
    while isinstance(logic, Typed):
        logic = logic.logic
    return logic.expression.names if isinstance(logic, Literal) else frozenset()
