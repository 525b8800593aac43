"""What type the value of an expression has, as far as that is seen without evaluating it (DMN 1.5, clause 10.3.2.9)."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.types import (
    ANY,
    BOOLEAN,
    NUMBER,
    STRING,
    TYPES,
    ContextType,
    FunctionType,
    ListType,
    Type,
    kind,
)

_TRUE_OR_FALSE = (nodes.Comparison, nodes.Between, nodes.In, nodes.And, nodes.Or, nodes.InstanceOf, nodes.Quantified)
#: functions of the standard that make a value of the type whose name they have
_MAKING = frozenset({"number", "string", "date", "time", "date and time", "years and months duration"})


def inferred(node: Node, seen: Mapping[str, Type]) -> Type:
    """The type of an expression over names of these types; ``Any`` where it cannot be told."""
    match node:
        case nodes.Literal(value=value):
            return TYPES["Null" if value is None else kind(value) or "Any"]
        case nodes.Name(name=name):
            return seen.get(name, ANY)
        case nodes.ContextOf(entries=entries):
            return ContextType(tuple((entry.key, inferred(entry.value, seen)) for entry in entries))
        case nodes.Listing(items=items):
            return _list_of([inferred(item, seen) for item in items])
        case nodes.Definition(parameters=parameters, body=body, external=False):
            inner = {**seen, **{parameter.name: parameter.type for parameter in parameters}}
            return FunctionType(tuple(parameter.type for parameter in parameters), inferred(body, inner))
        case nodes.If(then=then, otherwise=otherwise):
            return _common(inferred(then, seen), inferred(otherwise, seen))
        case nodes.Arithmetic(left=left, right=right):
            both = _common(inferred(left, seen), inferred(right, seen))
            return both if both in (TYPES[NUMBER], TYPES[STRING]) else ANY
        case nodes.Negation(operand=operand):
            return inferred(operand, seen)
        case nodes.Call(function=nodes.Name(name=name)) if name in _MAKING and name not in seen:
            return TYPES[name]
        case _:
            return TYPES[BOOLEAN] if isinstance(node, _TRUE_OR_FALSE) else ANY


def _list_of(items: list[Type]) -> Type:
    first = items[0] if items else ANY
    return ListType(first if all(item == first for item in items) else ANY)


def _common(left: Type, right: Type) -> Type:
    """One type for both; where they differ, that is not told."""
    return left if left == right else ANY
