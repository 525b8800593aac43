"""Where in an expression a node is compiled: the names around it, and what its evaluation will cost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from orchestration_pipelines.model.feel.builtins import BUILTINS
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.scope import Compiled, Scope

#: how a kind of node is compiled
Rule = Callable[[Any, "Place"], Compiled]

ITEM = "item"


class Frame:
    """A context of the stack that is there when the node is evaluated."""

    __slots__ = ("is_filter", "names", "used")

    def __init__(self, names: Iterable[str] = (), *, is_filter: bool = False) -> None:
        self.names = set(names)
        self.is_filter = is_filter  #: it has the entries of an item, which nobody knows before
        self.used: set[str] = set()


class Place:
    """The state of the compiler."""

    def __init__(self, rules: Mapping[type[Node], Rule], given: Collection[str]) -> None:
        self._rules = rules
        self.given = given  #: names that the context is said to have, and that may hide a built-in function
        self.frames: list[Frame] = []
        self.names: set[str] = set()  #: that are read from the context that is given
        self.calls: set[str] = set()  #: that are called, and neither built in nor defined in the expression
        self.depth = 0  #: how many frames of the stack lie between the expression, or the function, and here
        self.size = 0  #: how many nodes have been compiled
        self.called: str | None = None  #: the key under which a function is defined

    def compiled(self, node: Node) -> Compiled:
        """A node as a closure."""
        self.depth += 1
        self.size += 1
        compiled = self._rules[type(node)](node, self)
        self.depth -= 1
        return compiled

    @contextmanager
    def inside(self, *frames: Frame) -> Iterator[None]:
        """Compile with further contexts on the stack."""
        outer = len(self.frames)
        self.frames.extend(frames)
        yield
        del self.frames[outer:]

    def binds(self, name: str) -> bool:
        """Whether a name is bound within the expression."""
        return any(name in frame.names for frame in self.frames)

    def name(self, name: str) -> Compiled:
        """The value of a name: of the innermost context that has it."""
        passed: list[bool] = []
        for frame in reversed(self.frames):
            if name in frame.names:
                frame.used.add(name)
                return _through(name, passed, _local(name)) if any(passed) else _at(name, len(passed))
            passed.append(frame.is_filter)
            if frame.is_filter and name == ITEM:
                return _item(len(passed) - 1)
        self.names.add(name)
        return _through(name, passed, _global(name)) if any(passed) else _global(name)


def _at(name: str, hops: int) -> Compiled:
    if hops == 0:
        return lambda scope: scope.values[name]
    if hops == 1:
        return lambda scope: scope.outer.values[name]

    def found(scope: Scope) -> Any:
        for _ in range(hops):
            scope = scope.outer
        return scope.values[name]

    return found


def _local(name: str) -> Compiled:
    return lambda scope: scope.values[name]


def _item(hops: int) -> Compiled:
    def found(scope: Scope) -> Any:
        for _ in range(hops):
            scope = scope.outer
        return scope.values.get(ITEM, scope.item)

    return found


def _through(name: str, filters: list[bool], last: Compiled) -> Compiled:
    def found(scope: Scope) -> Any:
        for is_filter in filters:
            if is_filter and name in scope.values:
                return scope.values[name]
            scope = scope.outer
        return last(scope)

    return found


def _global(name: str) -> Compiled:
    builtin = BUILTINS.get(name)

    def found(scope: Scope) -> Any:
        try:
            return scope.given[name]
        except KeyError:
            return scope.evaluation.fault(f"there is no {name!r}") if builtin is None else builtin

    return found
