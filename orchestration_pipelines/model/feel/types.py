"""FEEL's types: what conforms to them, and the conversions that a declared type brings (DMN 1.5, clause 10.3.2.9)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model.feel import lexical
from orchestration_pipelines.model.feel.evaluation import Evaluation

NUMBER, STRING, BOOLEAN = "number", "string", "boolean"
DATE, TIME, DATE_AND_TIME = "date", "time", "date and time"
DAYS, YEARS = "days and time duration", "years and months duration"
LIST, CONTEXT, RANGE, FUNCTION = "list", "context", "range", "function"

_KINDS: Mapping[type, str] = {
    Decimal: NUMBER,
    int: NUMBER,
    str: STRING,
    bool: BOOLEAN,
    date: DATE,
    time: TIME,
    datetime: DATE_AND_TIME,
    timedelta: DAYS,
    list: LIST,
    dict: CONTEXT,
}


def kind(value: Any) -> str | None:
    """The name of a value's type; None for null and for what is no FEEL value.

    Our own classes say it themselves, in the class attribute ``feel_type``.
    """
    known = _KINDS.get(type(value))
    return known if known is not None else getattr(value, "feel_type", CONTEXT if isinstance(value, Mapping) else None)


class Type(ABC):
    """A type; null conforms to each of them (clause 10.3.2.9.2)."""

    __slots__ = ()

    @abstractmethod
    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """Whether a value is of this type, as it is."""

    @abstractmethod
    def admits(self, other: Type) -> bool:
        """Whether every value of the other type is one of this type."""


@dataclass(frozen=True, slots=True)
class Anything(Type):
    """``Any``."""

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """Always."""
        return True

    def admits(self, other: Type) -> bool:
        """Always."""
        return True

    def __str__(self) -> str:
        return "Any"


ANY = Anything()


@dataclass(frozen=True, slots=True)
class Null(Type):
    """``Null``, whose one value is null."""

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """Null alone."""
        return value is None

    def admits(self, other: Type) -> bool:
        """Itself alone."""
        return isinstance(other, Null)

    def __str__(self) -> str:
        return "Null"


@dataclass(frozen=True, slots=True)
class Simple(Type):
    """A type without parts, by its name: number, date and time, or list and context of whatever."""

    name: str

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """By the kind of the value."""
        return value is None or kind(value) == self.name

    def admits(self, other: Type) -> bool:
        """Itself, and the types with parts of its kind."""
        return isinstance(other, Null) or str(other).partition("<")[0] == self.name

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType(Type):
    """``list<T>``."""

    item: Type

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """A list, and so does each of its items."""
        if value is None:
            return True
        if not isinstance(value, list):
            return False
        evaluation.spend(len(value))
        return all(self.item.conforms(item, evaluation) for item in value)

    def admits(self, other: Type) -> bool:
        """Lists of what its item type admits."""
        return isinstance(other, Null) or (isinstance(other, ListType) and self.item.admits(other.item))

    def __str__(self) -> str:
        return f"list<{self.item}>"


@dataclass(frozen=True, slots=True)
class RangeType(Type):
    """``range<T>``: the ends are of the type, where there are any."""

    end: Type

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """A range, and so do its ends."""
        return value is None or (
            kind(value) == RANGE
            and self.end.conforms(value.low, evaluation)
            and self.end.conforms(value.high, evaluation)
        )

    def admits(self, other: Type) -> bool:
        """Ranges over what its own ends admit."""
        return isinstance(other, Null) or (isinstance(other, RangeType) and self.end.admits(other.end))

    def __str__(self) -> str:
        return f"range<{self.end}>"


@dataclass(frozen=True, slots=True)
class ContextType(Type):
    """``context<a: S, b: T>``: further entries are let in, missing ones are not."""

    entries: tuple[tuple[str, Type], ...]

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """A context that has each entry, of its type."""
        if value is None:
            return True
        if not isinstance(value, Mapping):
            return False
        evaluation.spend(len(self.entries))
        return all(name in value and entry.conforms(value[name], evaluation) for name, entry in self.entries)

    def admits(self, other: Type) -> bool:
        """Contexts with these entries, and perhaps more."""
        if isinstance(other, Null):
            return True
        if not isinstance(other, ContextType):
            return False
        theirs = dict(other.entries)
        return all(name in theirs and entry.admits(theirs[name]) for name, entry in self.entries)

    def __str__(self) -> str:
        return f"context<{', '.join(f'{name}: {entry}' for name, entry in self.entries)}>"


@dataclass(frozen=True, slots=True)
class FunctionType(Type):
    """``function<S, T> -> U``: parameters may be wider, the result narrower."""

    parameters: tuple[Type, ...]
    result: Type

    def conforms(self, value: Any, evaluation: Evaluation) -> bool:
        """A function that takes these and gives that."""
        return value is None or (kind(value) == FUNCTION and bool(value.fits(self)))

    def admits(self, other: Type) -> bool:
        """Functions of as many parameters, each as wide or wider, with a result as narrow or narrower, or unknown."""
        if isinstance(other, Null):
            return True
        return (
            isinstance(other, FunctionType)
            and len(self.parameters) == len(other.parameters)
            and all(theirs.admits(ours) for ours, theirs in zip(self.parameters, other.parameters, strict=True))
            and (other.result == ANY or self.result.admits(other.result))
        )

    def __str__(self) -> str:
        return f"function<{', '.join(map(str, self.parameters))}> -> {self.result}"


#: the types that need no definition, by the names that they may have
TYPES: Mapping[str, Type] = {
    "Any": ANY,
    "Null": Null(),
    **{
        name: Simple(name)
        for name in (NUMBER, STRING, BOOLEAN, DATE, TIME, DATE_AND_TIME, DAYS, YEARS, LIST, CONTEXT, RANGE, FUNCTION)
    },
    # as item definitions write them
    "dateTime": Simple(DATE_AND_TIME),
    "dayTimeDuration": Simple(DAYS),
    "yearMonthDuration": Simple(YEARS),
}


def instance_of(value: Any, type_: Type, evaluation: Evaluation) -> bool:
    """``value instance of type``: null is an instance of ``Null`` alone."""
    if value is None:
        return isinstance(type_, Null)
    return type_.conforms(value, evaluation)


def coerced(value: Any, type_: Type, evaluation: Evaluation) -> Any:
    """The value as the type has it, by the conversions of clause 10.3.2.9.4; null where there is none.

    A list of one is its item, an item is a list of one, a date is its midnight in UTC.
    """
    if type_.conforms(value, evaluation):
        return value
    if isinstance(value, list) and len(value) == 1 and type_.conforms(value[0], evaluation):
        return value[0]
    if isinstance(type_, ListType) and type_.item.conforms(value, evaluation):
        return [value]
    if type_ == TYPES[LIST] and not isinstance(value, list):
        return [value]
    if type(value) is date and type_ == TYPES[DATE_AND_TIME]:
        return datetime.combine(value, time(tzinfo=UTC))
    return evaluation.fault(f"expected {type_}, found {described(value)}")


def described(value: Any) -> str:
    """A value for a diagnostic: short, with its type."""
    if value is None:
        return "null"
    of = kind(value) or type(value).__name__
    if of in (LIST, CONTEXT):
        return f"a {of} of {len(value)}"
    if of == FUNCTION:
        return "a function"
    if of == BOOLEAN:
        return "true" if value else "false"
    written = f'"{value}"' if of == STRING else lexical.text(value) or str(value)
    return f"{written if len(written) <= 40 else written[:37] + '…'} ({of})"
