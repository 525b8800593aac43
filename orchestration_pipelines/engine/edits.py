"""Edits as a person types them: read field by field, so that everything wrong with them is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from orchestration_pipelines.domain.intake import TYPES, BadRow, Field, is_missing
from orchestration_pipelines.store import reviews as table
from orchestration_pipelines.store.reviews import OpenTask


@dataclass(frozen=True)
class Edits:
    """What was typed."""

    values: Mapping[str, Any]  #: as values of the declared types; None takes a value away
    problems: Mapping[str, str]  #: field to what is wrong with it


def read_edits(
    connection: psycopg.Connection, task: OpenTask, written: Mapping[str, str], *, changed_only: bool = False
) -> Edits:
    """Typed text as edits of a task; ``changed_only`` leaves out what says the same as the case does."""
    declared = table.fields(connection, task.workflow)
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, text in written.items():
        if name not in task.editable:
            editable = ", ".join(task.editable) or "nothing"
            problems[name] = f"{name} cannot be edited in task {task.task} (editable: {editable})"
            continue
        held = task.facts.get(name)
        try:
            value = typed(declared.get(name) or undeclared(name, held), text)
        except BadRow as error:
            problems[name] = str(error)
            continue
        if not changed_only or value != held or isinstance(value, bool) != isinstance(held, bool):
            values[name] = value
    return Edits(values, problems)


def typed(field: Field, text: str) -> Any:
    """One field's text as its value; :class:`BadRow` says what it must be."""
    if is_missing(text):
        if field.optional:
            return None
        raise BadRow(f"field {field.name!r} must not be empty")
    return TYPES[field.type](field.name, text)


def undeclared(name: str, held: Any) -> Field:
    """How a variable that is no input column is read: as what it is already."""
    kind = "flag" if isinstance(held, bool) else "text" if held is None or isinstance(held, str) else "number"
    return Field(name, kind, True)
