"""The fact sheet of a workflow: under which label, in which unit and group a person is shown what a case holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from orchestration_pipelines.domain.canonical import decode, encode
from orchestration_pipelines.domain.notation import written

#: where submitted columns stand that no group names
UNGROUPED = "As submitted"


@dataclass(frozen=True)
class Fact:
    """One line of the sheet."""

    name: str  #: a variable, or a way into one: ``score.probability``
    label: str = ""
    group: str = UNGROUPED
    unit: str = ""  #: $, $1000, EUR, %, share, or a word in the plural: months
    values: Mapping[str, str] = field(default_factory=dict)  #: what codes mean
    type: str = ""  #: number, text, flag or date of a submitted column; empty where the machine derives it

    @property
    def is_submitted(self) -> bool:
        """Whether it is a column of the intake."""
        return bool(self.type)

    @property
    def variable(self) -> str:
        """The variable that it is, or is a part of."""
        return self.name.partition(".")[0]

    def of(self, variables: Mapping[str, Any]) -> Any:
        """Its value in a case; None where there is none."""
        value: Any = variables
        for part in self.name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def written(self, value: Any) -> str:
        """A value of it, as a person reads it."""
        return written(value, self.unit, self.values)


@dataclass(frozen=True)
class FactSheet:
    """How the facts of a workflow's cases are shown. A name that it does not know is shown under that name."""

    facts: tuple[Fact, ...] = ()
    similar: tuple[str, ...] = ()  #: the submitted columns that cases are compared by; empty: all numbers and flags
    told: tuple[str, ...] = ()  #: the derived facts that whoever submitted a case is told, beside what they submitted
    #: step to the variables that it writes, as its worker declares them
    outputs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def _by_name(self) -> Mapping[str, Fact]:
        return {fact.name: fact for fact in self.facts}

    def of(self, name: str) -> Fact:
        """The line of a variable, declared or not."""
        return self._by_name.get(name) or Fact(name, label=plain(name))

    def label(self, name: str) -> str:
        """What a variable is called."""
        return self.of(name).label or plain(name)

    def written(self, name: str, value: Any) -> str:
        """A value of a variable, as a person reads it; in one that is a mapping, facts stand under their labels."""
        if isinstance(value, Mapping) and value:
            return ", ".join(f"{self.label(key)}: {self.of(key).written(item)}" for key, item in value.items())
        return self.of(name).written(value)

    @cached_property
    def groups(self) -> Mapping[str, Sequence[Fact]]:
        """The lines by group, in the order declared."""
        grouped: dict[str, list[Fact]] = {}
        for fact in self.facts:
            grouped.setdefault(fact.group, []).append(fact)
        return grouped

    @cached_property
    def compared(self) -> Sequence[Fact]:
        """The submitted columns by which cases are compared."""
        named = [self.of(name) for name in self.similar] or self.facts
        return [fact for fact in named if fact.type in ("number", "flag")]

    @cached_property
    def known(self) -> frozenset[str]:
        """The variables of which some line is."""
        return frozenset(fact.variable for fact in self.facts)


def plain(name: str) -> str:
    """A name as words: ``rate_lock.valid_until`` is "rate lock valid until"."""
    return name.replace("_", " ").replace(".", " ")


def spread(name: str, value: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """The parts of a value with the ways to them; what is deeper, and lists, stay as they are."""
    if isinstance(value, Mapping) and value and depth:
        for key, item in value.items():
            yield from spread(f"{name}.{key}", item, depth - 1)
    else:
        yield name, value


def to_json(sheet: FactSheet) -> bytes:
    """A sheet as it is stored."""
    return encode(
        {
            "facts": [
                {
                    "name": fact.name,
                    "label": fact.label,
                    "group": fact.group,
                    "unit": fact.unit,
                    "values": dict(fact.values),
                    "type": fact.type,
                }
                for fact in sheet.facts
            ],
            "similar": list(sheet.similar),
            "told": list(sheet.told),
            "outputs": {step: list(names) for step, names in sheet.outputs.items()},
        }
    )


@lru_cache(maxsize=64)
def from_json(stored: bytes) -> FactSheet:
    """The sheet that :func:`to_json` wrote. A page asks it twice, and few workflows have another each time."""
    held = decode(stored)
    return FactSheet(
        facts=tuple(Fact(**fact) for fact in held["facts"]),
        similar=tuple(held["similar"]),
        told=tuple(held.get("told", ())),
        outputs=held["outputs"],
    )
