"""How a built-in function is declared and called: its signatures, their parameters, and the conversions they bring.

DMN 1.5, clauses 10.3.2.13.1 and 10.3.4. A signature is written as the standard's tables have it::

    substring: "string: string; start position: number; length?: number"

``?`` behind a name: it may be left out. ``...``: as many as there are. ``|`` between types: one of them; ``null``
among them lets null in; ``any`` lets everything in. A null that is not let in makes the value null, without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from typing import Any

from orchestration_pipelines.model.feel import temporal
from orchestration_pipelines.model.feel.arithmetic import DECIMAL128, number, rounded
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.function import Function
from orchestration_pipelines.model.feel.types import (
    DATE,
    DATE_AND_TIME,
    LIST,
    NUMBER,
    FunctionType,
    Type,
    described,
    kind,
)

Body = Callable[..., Any]  #: takes the evaluation, then the arguments
_UNFIT = object()  #: what does not fit a parameter
#: what may be a point on a line, and the end of a range
POINT = "number | string | date | time | date and time | days and time duration | years and months duration"


@dataclass(frozen=True, slots=True)
class Taken:
    """A parameter of a signature."""

    name: str
    kinds: frozenset[str]  #: none: any value, null too
    optional: bool
    many: bool

    def fitting(self, value: Any) -> Any:
        """The value as it is handed on, if it is of one of the kinds; else ``_UNFIT``."""
        if not self.kinds:
            return value
        of = "null" if value is None else kind(value)
        if of not in self.kinds:
            return _UNFIT
        if of == NUMBER:
            exact = number(value)
            exact = None if exact is None else rounded(exact)
            return _UNFIT if exact is None else exact
        return value

    def converted(self, value: Any) -> Any:
        """The same, after the conversions of clause 10.3.2.9.4."""
        if isinstance(value, list) and len(value) == 1 and LIST not in self.kinds:
            value = value[0]
        fit = self.fitting(value)
        if fit is not _UNFIT or value is None:
            return fit
        if LIST in self.kinds and not isinstance(value, list):
            return [value]
        if DATE_AND_TIME in self.kinds and kind(value) == DATE:
            return temporal.midnight(value)
        return _UNFIT


def _parameter(written: str) -> Taken:
    name, _, kinds = written.partition(":")
    name = name.strip()
    among = frozenset(part.strip() for part in kinds.split("|"))
    optional, many = name.endswith("?"), name.endswith("...")
    return Taken(name.rstrip("?."), frozenset() if "any" in among else among, optional, many)


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function."""

    written: str
    parameters: tuple[Taken, ...]
    body: Body
    required: int  #: as many arguments, at the least

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.required <= count and (count <= len(self.parameters) or self.many)

    @property
    def many(self) -> bool:
        """Whether its last parameter takes as many arguments as there are."""
        return bool(self.parameters) and self.parameters[-1].many

    def accepts(self, types: Sequence[Type]) -> bool:
        """Whether it can be called with any values of these types."""
        last = len(self.parameters) - 1
        return self.takes(len(types)) and all(
            not self.parameters[min(at, last)].kinds
            or str(each).partition("<")[0] in self.parameters[min(at, last)].kinds
            for at, each in enumerate(types)
        )

    def bound(self, positional: Sequence[Any], fit: Callable[[Taken, Any], Any]) -> list[Any] | None:
        """The arguments of the body; None when one does not fit."""
        arguments: list[Any] = []
        for at, value in enumerate(positional):
            parameter = self.parameters[min(at, len(self.parameters) - 1)]
            fitted = fit(parameter, value)
            if fitted is _UNFIT:
                return None
            arguments.append(fitted)
        if self.many:
            several = len(self.parameters) - 1
            return [*arguments[:several], arguments[several:]]
        return arguments

    def ordered(self, named: Mapping[str, Any]) -> list[Any] | None:
        """Named arguments in order, up to the last that is given; None when they are not for this signature."""
        names = [parameter.name for parameter in self.parameters]
        if not named.keys() <= set(names) or not all(name in named for name in names[: self.required]):
            return None
        last = max((at for at, name in enumerate(names) if name in named), default=-1)
        return [named.get(name) for name in names[: last + 1]]

    def __str__(self) -> str:
        return f"({self.written.replace(';', ',')})"


@dataclass(frozen=True, slots=True, eq=False)
class Builtin(Function):
    """A function of the standard, with all its signatures."""

    name: str
    signatures: list[Signature] = field(default_factory=list)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Those of its first signature."""
        return tuple(parameter.name for parameter in self.signatures[0].parameters)

    def fits(self, wanted: FunctionType) -> bool:
        """Whether one of its signatures takes what a function of this type takes; what it gives is not declared."""
        return any(signature.accepts(wanted.parameters) for signature in self.signatures)

    def call(self, evaluation: Evaluation, positional: Sequence[Any]) -> Any:
        """The value for arguments in order: by the first signature that fits as they are, else once converted."""
        evaluation.spend()
        count = len(positional)
        for fit in (Taken.fitting, Taken.converted):
            for signature in self.signatures:
                if signature.takes(count):
                    arguments = signature.bound(positional, fit)
                    if arguments is not None:
                        return self._value(evaluation, signature.body, arguments)
        if any(value is None for value in positional) and any(one.takes(count) for one in self.signatures):
            return None
        found = ", ".join(map(described, positional[:8])) or "nothing"
        return evaluation.fault(f"{self.name} takes {' or '.join(map(str, self.signatures))}; it was given {found}")

    def _value(self, evaluation: Evaluation, body: Body, arguments: list[Any]) -> Any:
        try:
            result = body(evaluation, *arguments)
        except DecimalException:
            return evaluation.fault(f"{self.name}: the result is no number that FEEL has")
        if type(result) is str:
            evaluation.write(len(result))
        return result

    def call_named(self, evaluation: Evaluation, named: Mapping[str, Any]) -> Any:
        """The value for arguments by name; a name that no signature has is told.

        Two signatures may have the same names, ``before(point, range)`` and ``before(range, point)``: the one whose
        order is that of the call is meant.
        """
        written = list(named)
        found: list[list[Any]] = []
        for signature in self.signatures:
            order = signature.ordered(named)
            if order is None:
                continue
            if [parameter.name for parameter in signature.parameters[: len(written)]] == written:
                return self.call(evaluation, order)
            found.append(order)
        for fit in (Taken.fitting, Taken.converted):
            for order in found:
                if any(one.takes(len(order)) and one.bound(order, fit) is not None for one in self.signatures):
                    return self.call(evaluation, order)
        if found:
            return self.call(evaluation, found[0])
        names = ", ".join(written) or "nothing"
        return evaluation.fault(f"{self.name} takes {' or '.join(map(str, self.signatures))}; it was given {names}")


class Library(dict[str, Builtin]):
    """The functions of one clause, by name."""

    def function(self, name: str, *signatures: str) -> Callable[[Body], Body]:
        """Declare a signature, or several that share a body."""

        def declared(body: Body) -> Body:
            builtin = self.setdefault(name, Builtin(name))
            for written in signatures:
                parameters = tuple(_parameter(part) for part in written.split(";")) if written else ()
                required = sum(not parameter.optional for parameter in parameters)
                builtin.signatures.append(Signature(written, parameters, body, required))
            return body

        return declared


def cut(value: Decimal) -> int:
    """A position, a length or a scale, as an int: what is behind the point is cut off. Beyond 10¹⁸ it is that."""
    return int(max(min(value, _FAR), -_FAR))


#: farther than any list, text or scale reaches
_FAR = Decimal(10**18)


def whole(value: Decimal) -> int | None:
    """A number without a fraction, as an int; None of any other."""
    return int(value) if value == DECIMAL128.to_integral_value(value) and abs(value) < 10**18 else None
