"""What an expression is made of: frozen nodes. The parser builds them, the compiler and the table checks read them.

Two nodes are equal if they mean the same; where they stand in the text (``at``, from 0) does not count. The rules named
are those of the grammar in DMN 1.5, clause 10.3.1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from orchestration_pipelines.model.feel.types import ANY, Type

#: the name of the value that a unary test is about
INPUT = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a text, true, false, null, or what an at-literal stands for (rules 31 to 37, 65)."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name, resolved when it is compiled (rule 25); ``?`` is the value under test."""

    name: str


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """``-operand`` (rule 24)."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """``left + right``, and ``- * / **`` (rules 19 to 23)."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """``left = right``, and ``!= < <= > >=`` (rule 49a)."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``value between low and high`` (rule 49b)."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """``value in (test, …)``: whether one of the tests holds (rule 49c, 49d)."""

    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class And(Node):
    """``a and b and …``: two operands or more (rule 48)."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    """``a or b or …``: two operands or more (rule 47)."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    """``if condition then then else otherwise`` (rule 45)."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iteration(Node):
    """``name in domain``, or ``name in domain..end`` (rules 44, 46, 63)."""

    name: str
    domain: Node
    end: Node | None = None


@dataclass(frozen=True, slots=True)
class For(Node):
    """``for … return result`` (rule 44)."""

    iterations: tuple[Iteration, ...]
    result: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """``some … satisfies condition``, or ``every …`` (rule 46)."""

    every: bool
    iterations: tuple[Iteration, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """``source[condition]``: by a condition or by a number (rule 50)."""

    source: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Path(Node):
    """``source.name`` (rule 43)."""

    source: Node
    name: str


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """``[a, b, …]`` (rule 54)."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry(Node):
    """``key: value`` of a context (rule 58)."""

    key: str
    value: Node


@dataclass(frozen=True, slots=True)
class ContextOf(Node):
    """``{key: value, …}`` (rule 57)."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Interval(Node):
    """``[low..high]``, each end open or closed (rule 8)."""

    low: Node
    low_closed: bool
    high: Node
    high_closed: bool


@dataclass(frozen=True, slots=True)
class Half(Node):
    """``< end``, and ``<= > >= = !=``: as a test a comparison with the input, as a value a range (rule 7a)."""

    operator: str
    end: Node


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """``value instance of type``; a type that is not known, or lacks its parameters, is None (rule 51)."""

    value: Node
    type: Type | None
    written: str


@dataclass(frozen=True, slots=True)
class FormalParameter(Node):
    """A parameter of a function definition (rule 56)."""

    name: str
    type: Type = ANY


@dataclass(frozen=True, slots=True)
class Definition(Node):
    """``function(parameters) body``; the body of an external one says where it is to be found (rule 55)."""

    parameters: tuple[FormalParameter, ...]
    body: Node
    external: bool = False


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``function(argument, …)`` (rules 38, 42)."""

    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class NamedCall(Node):
    """``function(name: argument, …)`` (rules 38, 40)."""

    function: Node
    arguments: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Anything(Node):
    """``-``, the test that always holds (rule 15c)."""


@dataclass(frozen=True, slots=True)
class Tests(Node):
    """The unary tests of a cell: one of them must hold; ``negated``, none may (rule 15)."""

    tests: tuple[Node, ...]
    negated: bool = False


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node, in the order of the text."""
    for each in fields(node):
        value = getattr(node, each.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it; without recursion."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))


def height(node: Node) -> int:
    """How many nodes lie on the longest way down: as many frames of the stack it takes to evaluate it."""
    levels, level = 0, [node]
    while level:
        levels += 1
        level = [child for parent in level for child in children(parent)]
    return levels


def is_number(node: Node) -> bool:
    """Whether a node is a number that is written out, perhaps with a minus."""
    if isinstance(node, Negation):
        node = node.operand
    return isinstance(node, Literal) and type(node.value) is Decimal
