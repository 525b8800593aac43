"""What an offered row must look like, and what of it a case may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from orchestration_pipelines.domain.canonical import encode

MAX_FIELD_CHARS = 64 * 1024
MAX_KEY_CHARS = 200
MAX_NUMBER_DIGITS = 34  # DMN's decimal128
_DECIMAL128 = Context(prec=MAX_NUMBER_DIGITS)


class BadRow(ValueError):
    """A row that cannot become a case; the message names the field and says why."""


class BadColumns(ValueError):
    """The columns offered are not those the workflow declares; nothing of the file is taken."""


@dataclass(frozen=True)
class Offer:
    """A good row: the case's variables, and what was split off."""

    key: str
    variables: dict[str, Any]
    withheld: dict[str, dict[str, Any]]  #: kind to columns
    digest: bytes


@dataclass(frozen=True)
class Field:
    """One declared column."""

    name: str
    type: str
    optional: bool


@dataclass(frozen=True)
class Intake:
    """The declared columns of a workflow's input (``intake:`` in its workflow.yaml)."""

    key: str
    fields: tuple[Field, ...]
    withheld: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    @property
    def columns(self) -> frozenset[str]:
        """Every column that a file may have."""
        hidden = [name for names in self.withheld.values() for name in names]
        return self.ignored.union([self.key], [f.name for f in self.fields], hidden)

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raise :class:`BadColumns` unless every declared column is there and every one there is declared."""
        offered = set(columns)
        if len(offered) != len(columns):
            twice = sorted({name for name in columns if list(columns).count(name) > 1})
            raise BadColumns(f"the column {twice[0]!r} appears twice")
        needed = {self.key, *(f.name for f in self.fields)}
        if missing := sorted(needed - offered):
            raise BadColumns(f"missing column {', '.join(map(repr, missing))}: the file has {sorted(offered)}")
        if unknown := sorted(offered - self.columns):
            raise BadColumns(
                f"unknown column {', '.join(map(repr, unknown))}: declare it in workflow.yaml under intake "
                "(fields, withheld or ignored)"
            )

    def offer(self, row: Mapping[str, Any]) -> Offer:
        """The case that a row makes; :class:`BadRow` names the field and the reason."""
        key = case_key(row.get(self.key))
        variables = {f.name: self._typed(f, row.get(f.name)) for f in self.fields}
        withheld = {
            kind: {name: scalar(name, row[name]) for name in names if name in row}
            for kind, names in self.withheld.items()
        }
        return Offer(key, variables, withheld, sha256(encode([variables, withheld])).digest())

    def _typed(self, declared: Field, value: Any) -> Any:
        if is_missing(value):
            if declared.optional:
                return None
            raise BadRow(f"field {declared.name!r} is empty and must not be")
        return TYPES[declared.type](declared.name, value)


def is_missing(value: Any) -> bool:
    """No value: None, or text of nothing but space."""
    return value is None or (isinstance(value, str) and not value.strip())


def case_key(value: Any) -> str:
    """A case key as text; :class:`BadRow` if it could not be written in a list, a link or a lock."""
    if is_missing(value):
        raise BadRow("the case key is empty")
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadRow(f"the case key {str(value)[:40]!r} is a {type(value).__name__}: write it as text")
    if isinstance(value, int) and abs(value) >= 10**MAX_KEY_CHARS:
        raise BadRow(f"the case key has more than {MAX_KEY_CHARS} digits")
    key = str(value)
    if len(key) > MAX_KEY_CHARS:
        raise BadRow(f"the case key has {len(key)} characters; {MAX_KEY_CHARS} are allowed")
    if ":" in key or not key.isprintable() or key != key.strip():
        raise BadRow(
            f"the case key {key[:40]!r} has a colon, a line break or another character that keys must not have"
        )
    return key


def number(name: str, value: Any) -> int | Decimal:
    """An exact number, in one form for each value: 2, 2.0 and "2.00" are all 2."""
    if isinstance(value, bool):
        raise BadRow(f"field {name!r} is {value}, not a number")
    if isinstance(value, int):
        return _bounded(name, Decimal(value))
    if isinstance(value, float):
        value = float.__repr__(value)  # NumPy's floats have a repr of their own
    if not isinstance(value, str | Decimal):
        raise BadRow(f"field {name!r} is {str(value)[:40]!r} ({type(value).__name__}), not a number")
    try:
        exact = value if isinstance(value, Decimal) else Decimal(text(name, value).strip())
    except InvalidOperation:
        raise BadRow(f"field {name!r} is {str(value)[:40]!r}, not a number") from None
    if not exact.is_finite():
        raise BadRow(f"field {name!r} is {exact}, not a number")
    return _bounded(name, exact)


def _bounded(name: str, exact: Decimal) -> int | Decimal:
    if len(exact.as_tuple().digits) > MAX_NUMBER_DIGITS or abs(exact.adjusted()) > MAX_NUMBER_DIGITS:
        raise BadRow(f"field {name!r} has more than {MAX_NUMBER_DIGITS} digits")
    return int(exact) if exact == exact.to_integral_value() else _DECIMAL128.normalize(exact)


def text(name: str, value: Any) -> str:
    """Text that PostgreSQL can hold and a person can be shown."""
    if not isinstance(value, str):
        raise BadRow(f"field {name!r} is {str(value)[:40]!r} ({type(value).__name__}), not text")
    if len(value) > MAX_FIELD_CHARS:
        raise BadRow(f"field {name!r} has {len(value):,} characters; {MAX_FIELD_CHARS:,} are allowed")
    if "\x00" in value:
        raise BadRow(f"field {name!r} has a NUL byte")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadRow(f"field {name!r} is not valid Unicode text")
    return value


def flag(name: str, value: Any) -> bool:
    """True or false: also 1/0, yes/no, as spreadsheets write them."""
    if isinstance(value, bool):
        return value
    written = str(value).strip().lower()
    if written in {"1", "1.0", "true", "yes", "y"}:
        return True
    if written in {"0", "0.0", "false", "no", "n"}:
        return False
    raise BadRow(f"field {name!r} is {written[:40]!r}, not true or false")


def day(name: str, value: Any) -> str:
    """A date, kept as ISO 8601 text."""
    try:
        return date.fromisoformat(text(name, value.isoformat() if isinstance(value, date) else value)).isoformat()
    except ValueError:
        raise BadRow(f"field {name!r} is {str(value)[:40]!r}, not a date (YYYY-MM-DD)") from None


def scalar(name: str, value: Any) -> Any:
    """A withheld value: a number where it is one, else text; never looked at by a rule."""
    if is_missing(value):
        return None
    if isinstance(value, bool):
        return value
    try:
        return number(name, value)
    except BadRow:
        return text(name, str(value))


TYPES: Mapping[str, Callable[[str, Any], Any]] = {"number": number, "text": text, "flag": flag, "date": day}
