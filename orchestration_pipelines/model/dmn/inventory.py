"""Every decision table of a model, wherever it is drawn, with the types of the names that its columns may read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from orchestration_pipelines.model.dmn.elements import Decision, InputData, Knowledge
from orchestration_pipelines.model.dmn.model import Model
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.feel.types import Type

_BOXED = "orchestration_pipelines.model.dmn.boxed"


def tables(model: Model) -> Iterator[tuple[DecisionTable, Mapping[str, Type]]]:
    """The tables in the order of the file; those of imported models are these models' own."""
    for element in model.elements.values():
        if isinstance(element, Decision | Knowledge):
            seen = _types(model, element)
            for table in _within(element.logic):
                yield table, seen


def _types(model: Model, element: Decision | Knowledge) -> Mapping[str, Type]:
    """The names that an element's logic sees, and their types."""
    required = [model.elements.get(each.id) for each in element.requires if each.model is None]
    seen = {found.variable: found.type for found in required if isinstance(found, InputData | Decision)}
    if isinstance(element, Knowledge):
        seen.update({parameter.name: parameter.type for parameter in element.parameters})
    return seen


def _within(logic: Any) -> Iterator[DecisionTable]:
    if isinstance(logic, DecisionTable):
        yield logic
    elif isinstance(logic, tuple):
        for part in logic:
            yield from _within(part)
    elif is_dataclass(logic) and type(logic).__module__.startswith(_BOXED):
        for part in fields(logic):
            yield from _within(getattr(logic, part.name))
