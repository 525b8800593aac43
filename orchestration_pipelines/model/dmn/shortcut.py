"""The short way through a decision that is one table over plain inputs: what was found once is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from orchestration_pipelines.model.dmn.boxed.logic import Literal, Typed
from orchestration_pipelines.model.dmn.columns import Column
from orchestration_pipelines.model.dmn.elements import Decision, Elements, InputData
from orchestration_pipelines.model.dmn.explanation import Explanation
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.feel import nodes, types
from orchestration_pipelines.model.feel.names import is_spelled

#: how many combinations of rules are remembered with what they come to
_REMEMBERED = 10_000
_TYPES: Mapping[types.Type, frozenset[type]] = {
    types.ANY: frozenset({Decimal, int, str, bool}),
    types.TYPES[types.NUMBER]: frozenset({Decimal, int}),
    types.TYPES[types.STRING]: frozenset({str}),
    types.TYPES[types.BOOLEAN]: frozenset({bool}),
}


class Plain(NamedTuple):
    """A column whose value is an input, or an entry of one."""

    column: Column
    name: str
    declared: bool  #: a declared input that is not given is null; any other name is unknown
    path: tuple[str, ...]  #: from the input to the value
    fits: frozenset[type]  #: of the values that no type makes anything else of


@dataclass(frozen=True)
class Shortcut:
    """A table whose answer depends on nothing but which rules match, and whose inputs need no evaluation."""

    plain: tuple[Plain, ...]
    rules: int
    _known: dict[int, Explanation] = field(default_factory=dict)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What the columns ask for, in their order."""
        return tuple(each.column.text for each in self.plain)

    @classmethod
    def of(cls, decision: Decision, elements: Elements) -> Shortcut | None:
        """The grid of a decision, if it is one."""
        table = decision.logic
        if not isinstance(table, DecisionTable) or not table.constant:
            return None
        inputs = {needed.id: elements.get(needed.id) for needed in decision.requires if needed.model is None}
        if len(inputs) < len(decision.requires):
            return None
        declared: dict[str, types.Type] = {}
        for element in inputs.values():
            if not isinstance(element, InputData) or element.name != element.variable:
                return None
            declared[element.variable] = element.type
        plain = [_plain(column, declared, decision.undeclared) for column in table.columns]
        if None in plain:
            return None
        return cls(tuple(each for each in plain if each is not None), len(table.rules))

    def look(self, inputs: Mapping[str, Any]) -> tuple[int, list[Any]] | None:
        """The rules that match as a mask, and the values of the columns; None if that takes an evaluation."""
        allowed = 1 << self.rules
        mask = (allowed << 1) - 1
        values: list[Any] = []
        for column, name, declared, path, fits in self.plain:
            if name not in inputs and not (declared and all(map(is_spelled, inputs))):
                return None
            value = inputs.get(name)
            for step in path:
                if not isinstance(value, dict) or step not in value:
                    return None
                value = value[step]
            if value is not None and type(value) not in fits:
                return None
            known = column.known(value)
            if known is None:
                return None
            mask &= known
            values.append(value)
        return (mask, values) if mask & allowed else None

    def answer(self, mask: int) -> Explanation | None:
        """What this combination of rules has come to before."""
        return self._known.get(mask)

    def learn(self, mask: int, answer: Explanation) -> None:
        """Remember what a combination of rules comes to."""
        if len(self._known) < _REMEMBERED:
            self._known[mask] = answer


def _plain(column: Column, declared: Mapping[str, types.Type], undeclared: frozenset[str]) -> Plain | None:
    typed = column.expression
    logic, item = (typed.logic, typed.type) if isinstance(typed, Typed) else (typed, types.ANY)
    path = _path(logic.expression.tree) if isinstance(logic, Literal) else ()
    if not path or not (path[0] in declared or path[0] in undeclared):
        return None
    root = declared.get(path[0], types.ANY)
    fits, roots = _TYPES.get(item), _TYPES.get(root)
    if fits is None or roots is None or (len(path) > 1 and root is not types.ANY):
        return None
    return Plain(column, path[0], path[0] in declared, path[1:], fits if len(path) > 1 else fits & roots)


def _path(node: nodes.Node) -> tuple[str, ...]:
    """The names of a path that starts at a variable; none for any other expression."""
    names: list[str] = []
    while isinstance(node, nodes.Path):
        names.append(node.name)
        node = node.source
    return (node.name, *reversed(names)) if isinstance(node, nodes.Name) else ()
