"""Compiling contexts, paths, lists, functions and calls (DMN 1.5, clauses 10.3.2.6, 10.3.2.13 and table 63)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.builtins import BUILTINS
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.function import Defined, Function, Parameter
from orchestration_pipelines.model.feel.inference import inferred
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.place import Frame, Place, Rule
from orchestration_pipelines.model.feel.scope import Compiled, Scope
from orchestration_pipelines.model.feel.types import described
from orchestration_pipelines.model.feel.values import property_of

#: functions whose value, called with literals, is always the same, and never changes
_CONSTANT = frozenset({"date", "time", "date and time", "duration"})


def _listing(node: nodes.Listing, place: Place) -> Compiled:
    items = [place.compiled(item) for item in node.items]

    def listed(scope: Scope) -> list[Any]:
        scope.evaluation.spend(len(items))
        return [item(scope) for item in items]

    return listed


def _context(node: nodes.ContextOf, place: Place) -> Compiled:
    frame = Frame()
    compiled: list[tuple[str, Compiled]] = []
    with place.inside(frame):
        for entry in node.entries:
            if isinstance(entry.value, nodes.Definition):
                # it may call itself; any other entry sees only those before it
                frame.names.add(entry.key)
                place.called = entry.key
            compiled.append((entry.key, place.compiled(entry.value)))
            frame.names.add(entry.key)

    def built(scope: Scope) -> dict[str, Any]:
        scope.evaluation.spend(len(compiled))
        values: dict[str, Any] = {}
        inner = scope.inner(values)
        for key, value in compiled:
            values[key] = value(inner)
        return values

    return built


def _path(node: nodes.Path, place: Place) -> Compiled:
    source, name = place.compiled(node.source), node.name

    def found(scope: Scope) -> Any:
        value = source(scope)
        if type(value) is dict and name in value:
            return value[name]
        return _entry(scope.evaluation, value, name)

    return found


def _entry(evaluation: Evaluation, value: Any, name: str) -> Any:
    """``value.name``: a context's entry, of a list that of each item, or a property."""
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        return evaluation.fault(f"the context has no entry {name!r}")
    if not isinstance(value, list):
        return property_of(evaluation, value, name)
    evaluation.spend(len(value))
    with evaluation.deeper():
        return [_entry(evaluation, item, name) for item in value]


def _definition(node: nodes.Definition, place: Place) -> Compiled:
    name = place.called or "the function"
    place.called = None
    typed = tuple(Parameter(parameter.name, parameter.type) for parameter in node.parameters)
    if node.external:
        return lambda _: Defined(name, typed, _external(name))
    result = inferred(node.body, {parameter.name: parameter.type for parameter in typed})
    depth, before, place.depth = place.depth, place.size, 0
    names = [parameter.name for parameter in node.parameters]
    with place.inside(Frame(names)):
        body = place.compiled(node.body)
    place.depth, cost = depth, place.size - before

    def defined(scope: Scope) -> Defined:
        def called(evaluation: Evaluation, arguments: Sequence[Any]) -> Any:
            inner = scope.inner(dict(zip(names, arguments, strict=True)))
            inner.evaluation = evaluation
            return body(inner)

        return Defined(name, typed, called, result, cost=cost)

    return defined


def _external(name: str) -> Callable[[Evaluation, Sequence[Any]], None]:
    return lambda evaluation, _: evaluation.fault(
        f"{name} was not called: it lies outside of the model, in Java or PMML, and nothing is run from there"
    )


def _call(node: nodes.Call, place: Place) -> Compiled:
    arguments = [place.compiled(argument) for argument in node.arguments]
    if (known := _folded(node)) is not None:
        return lambda _: known
    return _called(
        node.function, place, lambda scope, function: function.call(
            scope.evaluation, [argument(scope) for argument in arguments]
        )
    )  # fmt: skip


def _named_call(node: nodes.NamedCall, place: Place) -> Compiled:
    arguments = [(entry.key, place.compiled(entry.value)) for entry in node.arguments]
    return _called(
        node.function, place, lambda scope, function: function.call_named(
            scope.evaluation, {name: argument(scope) for name, argument in arguments}
        )
    )  # fmt: skip


def _called(callee: Node, place: Place, call: Callable[[Scope, Function], Any]) -> Compiled:
    frames = place.depth  # of the expression; those of the function are its own to count
    builtin = BUILTINS.get(callee.name) if isinstance(callee, nodes.Name) else None
    if builtin is None:
        function = _function(callee, place)
    elif isinstance(callee, nodes.Name) and (place.binds(callee.name) or callee.name in place.given):
        function = _hiding(place.name(callee.name), builtin)
    else:

        def direct(scope: Scope) -> Any:
            evaluation = scope.evaluation
            evaluation.enter(frames)
            answer = call(scope, builtin)
            evaluation.leave(frames)
            return answer

        return direct

    def answered(scope: Scope) -> Any:
        found = function(scope)
        evaluation = scope.evaluation
        if not isinstance(found, Function):
            return evaluation.fault(f"{_written(callee)} is not called: it is {described(found)}, no function")
        evaluation.enter(frames)
        answer = call(scope, found)
        evaluation.leave(frames)
        return answer

    return answered


def _written(callee: Node) -> str:
    return callee.name if isinstance(callee, nodes.Name | nodes.Path) else "what stands before the bracket"


def _function(callee: Node, place: Place) -> Compiled:
    if isinstance(callee, nodes.Name) and not place.binds(callee.name):
        place.calls.add(callee.name)
    return place.compiled(callee)


def _hiding(value: Compiled, builtin: Function) -> Compiled:
    """A name that may hide a built-in function, if what it stands for is a function at all."""

    def found(scope: Scope) -> Any:
        hiding = value(scope)
        return hiding if isinstance(hiding, Function) else builtin

    return found


def _folded(node: nodes.Call) -> Any:
    """The value of a call that is always the same, or None."""
    if not isinstance(node.function, nodes.Name) or node.function.name not in _CONSTANT:
        return None
    literals = [argument.value for argument in node.arguments if isinstance(argument, nodes.Literal)]
    function = BUILTINS.get(node.function.name)
    if function is None or len(literals) < len(node.arguments) or not literals:
        return None
    return function.call(Evaluation(), literals)


RULES: Mapping[type[Node], Rule] = {
    nodes.Listing: _listing, nodes.ContextOf: _context, nodes.Definition: _definition, nodes.Call: _call,
    nodes.NamedCall: _named_call, nodes.Path: _path,
}  # fmt: skip
