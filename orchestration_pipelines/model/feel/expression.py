"""Expressions as they are used: read once, evaluated as often as wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from orchestration_pipelines.model.feel import invocation, iteration, operations, parser, testing
from orchestration_pipelines.model.feel.builtins import BUILTINS
from orchestration_pipelines.model.feel.evaluation import Evaluation, FeelLimit
from orchestration_pipelines.model.feel.names import Names, is_plain
from orchestration_pipelines.model.feel.nodes import INPUT, Node
from orchestration_pipelines.model.feel.place import Place, Rule
from orchestration_pipelines.model.feel.scope import Compiled, Scope
from orchestration_pipelines.model.feel.types import ContextType, ListType, Type

Context = Mapping[str, Any]

_RULES: Mapping[type[Node], Rule] = {
    **operations.RULES, **testing.RULES, **iteration.RULES, **invocation.RULES,
}  # fmt: skip
_NO_TYPES: Mapping[str, Type] = MappingProxyType({})
#: a text that is longer is read again: what is remembered of hostile ones would fill the memory
_REMEMBERED_CHARS = 500
#: how many values of a context are looked at for names of entries that have a space or a symbol
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: evaluated as often as wanted, over any context."""

    text: str
    tree: Node  #: what was read
    names: frozenset[str]  #: that it reads from the context, functions included unless they are built in
    calls: frozenset[str]  #: those of the names that it calls
    _compiled: Compiled = field(repr=False, compare=False)

    def evaluate(self, context: Context, evaluation: Evaluation | None = None) -> Any:
        """The value over a context: null for what has no meaning, for a reason that the evaluation is told.

        Raises :class:`FeelLimit` when it would take too long, too much, or too deep a stack.
        """
        try:
            return self._compiled(Scope(evaluation or Evaluation(), context))
        except RecursionError:
            raise FeelLimit("the evaluation was stopped: the program's own stack is used up") from None


def compile(
    text: str,
    names: Collection[str] = frozenset(),
    types: Mapping[str, Type] = _NO_TYPES,
    members: Collection[str] = frozenset(),
) -> Expression:
    """Read an expression; :class:`FeelError` says where it cannot be read.

    ``names`` are those in scope: they need be given only where they have a space or a symbol, or hide a built-in
    function. ``members`` are names of entries: behind a dot and in a filter. ``types`` are known by their names.
    """
    return _read(parser.expression, text, names, types, members)


def unary_tests(
    text: str,
    names: Collection[str] = frozenset(),
    types: Mapping[str, Type] = _NO_TYPES,
    members: Collection[str] = frozenset(),
) -> Expression:
    """Read the tests of a decision table's cell; they are about the value named ``?``, as :func:`compile` otherwise."""
    return _read(parser.unary_tests, text, names, types, members)


def evaluate(expression: str, context: Context) -> Any:
    """The value of an expression over a context; what has no meaning is None."""
    names = frozenset(name for name in context if not is_plain(name) or name in BUILTINS)
    return compile(expression, names, members=_members(context.values())).evaluate(context)


def _read(
    read: parser.Reading, text: str, names: Collection[str], types: Mapping[str, Type], members: Collection[str]
) -> Expression:
    if types or len(text) > _REMEMBERED_CHARS:
        return _compiled(read, text, frozenset(names), types, frozenset(members))
    return _remembered(read, text, frozenset(names), frozenset(members))


@lru_cache(maxsize=2_048)
def _remembered(read: parser.Reading, text: str, names: frozenset[str], members: frozenset[str]) -> Expression:
    return _compiled(read, text, names, _NO_TYPES, members)


def _compiled(
    read: parser.Reading, text: str, names: frozenset[str], types: Mapping[str, Type], members: frozenset[str]
) -> Expression:
    entries = members.union(*map(_entries, types.values())) if types else members
    tree = read(text, _in_scope(names), _behind_dots(entries).copy(), types)
    place = Place(_RULES, names)
    compiled = place.compiled(tree)
    free = frozenset(place.names - {INPUT} if read is parser.unary_tests else place.names)
    return Expression(text, tree, free, frozenset(place.calls), compiled)


#: names of several words that stand behind a dot
_PROPERTIES = ("time offset", "start included", "end included")


@lru_cache(maxsize=256)
def _in_scope(names: frozenset[str]) -> Names:
    return Names([*BUILTINS, *(name for name in names if not is_plain(name))])


@lru_cache(maxsize=256)
def _behind_dots(names: frozenset[str]) -> Names:
    return Names([*_PROPERTIES, *names])


def _entries(of: Type) -> Iterable[str]:
    while isinstance(of, ListType):
        of = of.item
    if isinstance(of, ContextType):
        for name, entry in of.entries:
            yield name
            yield from _entries(entry)


def _members(values: Iterable[Any]) -> frozenset[str]:
    """The names of entries in a context that could not be read as one token."""
    found: set[str] = set()
    waiting = list(values)
    for _ in range(_LOOKED_AT):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, Mapping):
            found.update(name for name in value if not is_plain(name))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return frozenset(found)
