"""Whether a new table means nowhere less human review than the old one: proved, or taken for not so.

The cells of both tables cut the values of each input expression into classes (:mod:`.partition`); within a place, a
class for each expression, neither table tells two cases apart. So the tables are evaluated once in each place, and the
answers compared there. Whatever cannot be cut, counted or compared is no proof, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from itertools import product
from math import prod
from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.boxed.logic import Literal, Logic, Scope, Typed
from orchestration_pipelines.model.dmn.cells import General, comparands
from orchestration_pipelines.model.dmn.columns import Column
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.dmn.items import Restricted
from orchestration_pipelines.model.dmn.masks import constant
from orchestration_pipelines.model.dmn.partition import Comparand, Uncut, values, words
from orchestration_pipelines.model.dmn.table import DecisionTable, Rule
from orchestration_pipelines.model.feel.types import ANY, Simple, Type

#: so many places are compared; a table with more is not proved
MAX_PLACES = 200_000
#: a value of each kind: one that no cell names is told from null alone
_SAMPLES: tuple[Any, ...] = (
    Decimal(0),
    "",
    True,
    date(2024, 1, 1),
    time(),
    datetime(2024, 1, 1, tzinfo=UTC),
    timedelta(),
    feel.evaluate('duration("P1M")', {}),
    [],
    {},
)
#: policies of which the answer needs no output of a rule to be chosen
_UNWEIGHED = frozenset({"UNIQUE", "FIRST", "RULE ORDER", "COLLECT"})

#: how much human review an answer means; components of two are compared one by one, None cannot be
Weight = tuple[Any, ...] | None


class Stop(Enum):
    """What weighs more than any answer: no machine goes on, and a person must mend it."""

    STOP = "stop"


class Change(StrEnum):
    """What a new table changes."""

    NEUTRAL = "neutral"
    TIGHTENING = "tightening"
    LOOSENING = "loosening"  #: or not proved to be anything else


@dataclass(frozen=True)
class Comparison:
    """What a new table changes, and why that is so."""

    change: Change
    why: str


@dataclass(frozen=True)
class Care:
    """How a drawing weighs the answers of a decision."""

    weigh: Callable[[Any], Weight]
    no_answer: Weight | Stop  #: of what holds where a table has no answer


class _Unproved(Exception):
    """Why nothing is proved."""


def compared(before: DecisionTable, after: DecisionTable, care: Care | None) -> Comparison:
    """What the table ``after`` changes where ``before`` was; without ``care`` only that it changes nothing."""
    try:
        return _compared(before, after, care)
    except _Unproved as error:
        return Comparison(Change.LOOSENING, str(error))


def _compared(before: DecisionTable, after: DecisionTable, care: Care | None) -> Comparison:
    sides = (_Side(before), _Side(after))
    axes = [_Axis(text, sides) for text in dict.fromkeys(column.text for side in sides for column in side.columns)]
    if prod(len(axis.classes) for axis in axes) > MAX_PLACES:
        raise _Unproved("the tables have too many different places to be compared in all of them")
    seen: set[tuple[int, ...]] = set()
    changed = False
    for place in product(*(axis.classes for axis in axes)):
        masks = tuple(side.rules for side in sides)
        for cell in place:
            masks = tuple(mask & among for mask, among in zip(masks, cell.masks, strict=True))
        if masks in seen:
            continue
        seen.add(masks)
        scope = {axis.text: cell.value for axis, cell in zip(axes, place, strict=True)}
        old, new = (side.answer(scope, mask) for side, mask in zip(sides, masks, strict=True))
        if old == new:
            continue
        changed = True
        _refuse_less(old, new, care, _where(axes, scope))
    if not changed:
        return Comparison(Change.NEUTRAL, "every answer is the same")
    return Comparison(Change.TIGHTENING, "nowhere is there less human review than before")


def _refuse_less(old: _Answer, new: _Answer, care: Care | None, where: str) -> None:
    """The new answer of a place must mean as much human review as the old one."""
    if care is None:
        raise _Unproved("the drawing does not say which answers mean more human review (orch:review)")
    if old.open != new.open:
        raise _Unproved(f"{where} it says something else that depends on more than the table's inputs")
    if old.has_null or new.has_null:
        raise _Unproved(f"{where} an output is null, which may count as no answer")
    weights = [care.no_answer if each.value is None else care.weigh(each.value) for each in (old, new)]
    if not at_least(weights[1], weights[0]):
        raise _Unproved(f"{where} it is {_said(new)} and was {_said(old)}")


def at_least(one: Weight | Stop, other: Weight | Stop) -> bool:
    """Whether each component of a weight is as true, or as much, as the other's."""
    if isinstance(one, Stop) or isinstance(other, Stop):
        return isinstance(one, Stop)
    if one is None or other is None or len(one) != len(other):
        return False
    return all(
        isinstance(mine, bool | int | Decimal)
        and isinstance(theirs, bool | int | Decimal)
        and isinstance(mine, bool) == isinstance(theirs, bool)
        and mine >= theirs
        for mine, theirs in zip(one, other, strict=True)
    )


# -- the tables, with their inputs given


@dataclass(frozen=True, slots=True)
class _Given:
    """An input expression that is not evaluated: its value is the place's."""

    text: str

    def value(self, scope: Scope, run: Run) -> Any:
        """What the place has for it."""
        return scope[self.text]


def _given(logic: Logic, text: str) -> Logic:
    return replace(logic, logic=_given(logic.logic, text)) if isinstance(logic, Typed) else _Given(text)


@dataclass(frozen=True)
class _Answer:
    """What a table says in a place, as far as the place tells it."""

    value: Any  #: of the outputs that read nothing; None where there is no answer
    kinds: str  #: of its values: a number is no truth value, though Python's may be equal
    open: tuple[str, ...]  #: the texts of the outputs that read more than the table's inputs

    @property
    def has_null(self) -> bool:
        """Whether an output is null and the answer is not."""
        return isinstance(self.value, dict) and None in self.value.values()


class _Side:
    """One of the two tables."""

    def __init__(self, table: DecisionTable) -> None:
        self.columns = [replace(column, expression=_given(column.expression, column.text)) for column in table.columns]
        self.rules = (2 << len(table.rules)) - 1  #: and one bit more: whether the table allows the place
        self._table = replace(table, columns=tuple(self.columns))
        self._open = [
            index
            for index, output in enumerate(table.outputs)
            if not all(map(_is_constant, (rule.outputs[index] for rule in table.rules)))
            or not (output.default is None or _is_constant(output.default))
        ]
        if self._open and (len(table.outputs) == 1 or table.policy not in _UNWEIGHED or table.aggregation):
            raise _Unproved(f"what {table.name} says depends on more than its inputs")

    def answer(self, scope: Scope, mask: int) -> _Answer:
        """What the table says there."""
        table = self._table
        value = table.answer(scope, Run()).value
        matching = [rule for index, rule in enumerate(table.rules) if mask >> index & 1]
        told = tuple(rule.texts[index] for rule in self._counting(matching) for index in self._open)
        if self._open and not matching and value is not None:
            raise _Unproved(f"what {table.name} says by default depends on more than its inputs")
        value = self._closed(value)
        return _Answer(value, _kinds(value), told if value is not None else ())

    def _counting(self, matching: Sequence[Rule]) -> Sequence[Rule]:
        return matching[:1] if self._table.policy == "FIRST" else matching

    def _closed(self, value: Any) -> Any:
        """Without the outputs that read more."""
        if isinstance(value, list):
            return [self._closed(item) for item in value]
        names = {self._table.outputs[index].name for index in self._open}
        return {name: item for name, item in value.items() if name not in names} if isinstance(value, dict) else value


def _is_constant(logic: Logic) -> bool:
    return isinstance(logic, Literal) and constant(logic.expression)


def _kinds(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(_kinds(item) for item in value.values())
    return f"[{','.join(map(_kinds, value))}]" if isinstance(value, list) else str(isinstance(value, bool))


# -- the places


@dataclass(frozen=True)
class _Class:
    """Values of an input expression that no column of either table tells apart."""

    value: Any
    masks: tuple[int, ...]  #: for each side, the rules whose cells hold


class _Axis:
    """An input expression of either table, in classes."""

    def __init__(self, text: str, sides: Sequence[_Side]) -> None:
        self.text = text
        columns = [[column for column in side.columns if column.text == text] for side in sides]
        headed = [column for side in columns for column in side]
        self.label = headed[0].label
        found: dict[tuple[int, ...], _Class] = {}
        for value in self._values(headed):
            masks = tuple(_holding(side.rules, own, text, value) for side, own in zip(sides, columns, strict=True))
            found.setdefault(masks, _Class(value, masks))
        self.classes = list(found.values())

    def _values(self, columns: Sequence[Column]) -> list[Any]:
        named: list[Comparand] = []
        try:
            for column in columns:
                tests = [*column.cells, *([column.allowed] if column.allowed is not None else ())]
                for test in [*tests, *(each.allowed for each in _restrictions(column))]:
                    named += comparands(test)
            return [*(each.value for each in values(named)), *_SAMPLES]
        except (General, Uncut) as error:
            raise _Unproved(f"{self.label} cannot be cut into classes, because {error}") from None


def _restrictions(column: Column) -> Iterator[Restricted]:
    logic = column.expression
    while isinstance(logic, Typed):
        item: Type = logic.type
        while isinstance(item, Restricted):
            yield item
            item = item.base
        if item is not ANY and not isinstance(item, Simple):
            raise _Unproved(f"{column.label} is a {item}, which is not cut into classes")
        logic = logic.logic


def _holding(rules: int, columns: Sequence[Column], text: str, value: Any) -> int:
    mask, run = rules, Run()
    for column in columns:
        mask &= column.mask(column.expression.value({text: value}, run), {}, run, -1)
    return mask


# -- words


def _where(axes: Sequence[_Axis], scope: Mapping[str, Any]) -> str:
    named = [
        f"{axis.label} = {words(scope[axis.text])}"
        for axis in axes
        if len(axis.classes) > 1 and not isinstance(scope[axis.text], list | dict)
    ]
    return f"where {' and '.join(named)}," if named else "in every case"


def _said(answer: _Answer) -> str:
    if answer.value is None:
        return "without an answer"
    if isinstance(answer.value, dict):
        return ", ".join(f"{name} {words(value)}" for name, value in answer.value.items())
    return words(answer.value) if not isinstance(answer.value, list) else f"a list of {len(answer.value)}"
