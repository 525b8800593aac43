"""A decision before it is made: what was typed, field by field, and what the tables would say of it. No effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from orchestration_pipelines.engine.edits import Edits, read_edits
from orchestration_pipelines.engine.tables import ActiveTables, asked_by, of_version
from orchestration_pipelines.engine.workflow import Table
from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn import wording
from orchestration_pipelines.model.process import Kind, Process
from orchestration_pipelines.store import reviews as table
from orchestration_pipelines.store.reviews import OpenTask


@dataclass(frozen=True)
class Change:
    """One field that says something else."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Ruling:
    """What a table would say of the edited facts, beside what it said."""

    step: str  #: the name of the step that asks it
    before: Any
    after: Any
    rules: tuple[str, ...]  #: that hold then, in words
    as_before: tuple[str, ...]  #: what it reads that a machine derived before the edit; nobody derives it again here

    @property
    def is_another(self) -> bool:
        """Whether it would say something else."""
        return bool(self.before != self.after)


@dataclass(frozen=True)
class Preview:
    """What an edit would mean."""

    edits: Edits
    changes: Sequence[Change]
    rulings: Sequence[Ruling]


def preview(
    connection: psycopg.Connection, process: Process, version: int, task: OpenTask, written: Mapping[str, str]
) -> Preview:
    """What was typed into a task's fields, held against what the case says."""
    edits = read_edits(connection, task, written, changed_only=True)
    changes = differences(task.facts, {**task.facts, **edits.values})
    rulings: list[Ruling] = []
    if edits.values:
        active = ActiveTables(task.workflow)
        active.refresh(connection)
        declared = frozenset(table.fields(connection, task.workflow))
        rulings.extend(_rulings(process, of_version(connection, version, active), task.facts, edits.values, declared))
    return Preview(edits, changes, rulings)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The fields of which two states of a case do not say the same, in the order of the first."""
    names = [*before, *(name for name in after if name not in before)]
    return [
        Change(name, before.get(name), after.get(name))
        for name in names
        if not _alike(before.get(name), after.get(name))
    ]


def _alike(one: Any, other: Any) -> bool:
    """Equal, and not a number in one and a flag in the other."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _rulings(
    process: Process,
    tables: Mapping[str, Table],
    facts: Mapping[str, Any],
    edits: Mapping[str, Any],
    declared: frozenset[str],
) -> Iterator[Ruling]:
    """The tables that were asked on the way here and read what is edited; by what they say now, if it changed since."""
    for step in process.elements.values():
        decision = asked_by(step)
        if step.kind is not Kind.RULE or decision is None or facts.get(step.id) is None or decision not in tables:
            continue
        model = tables[decision].model
        read = set(model.inputs)
        if not read & set(edits):
            continue
        try:
            said = model.explain(decision, {**facts, **edits})
        except feel.FeelLimit:
            continue
        words = {(each.decision, each.rule): each.words for each in wording.rules(model)}
        yield Ruling(
            step.name or step.id,
            facts[step.id],
            feel.storable(said.value),
            tuple(words.get((said.name or decision, rule), f"rule {rule}") for rule in said.rules),
            tuple(sorted(name for name in read - declared if facts.get(name) is not None)),
        )
