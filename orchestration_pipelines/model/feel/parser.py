"""Reading FEEL: from a text to its node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.grammar import Parser
from orchestration_pipelines.model.feel.lexer import FeelError
from orchestration_pipelines.model.feel.names import Names
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.phrases import PHRASES
from orchestration_pipelines.model.feel.reader import Reader
from orchestration_pipelines.model.feel.types import Type

#: how a text is read: as an expression, or as unary tests
Reading = Callable[[str, Names, Names, Mapping[str, Type]], Node]

#: how many nodes may lie one within the other: each is a frame of the stack when the expression is evaluated
MAX_HEIGHT = 150


def expression(text: str, names: Names, members: Names, types: Mapping[str, Type]) -> Node:
    """The node of an expression; :class:`FeelError` says where it cannot be read."""
    parser = Parser(Reader(text, names, members, types), PHRASES)
    return _low(text, parser.whole(parser.expression))


def unary_tests(text: str, names: Names, members: Names, types: Mapping[str, Type]) -> Node:
    """The node of a decision table's cell (rule 15): ``Anything`` or ``Tests``."""
    parser = Parser(Reader(text, names, members, types), PHRASES)
    reader = parser.reader
    if reader.sees("-") and reader.token(1).kind == "end":
        return nodes.Anything()
    if reader.token().value == "not" and reader.sees("(", ahead=1):
        reader.place += 2
        with suppress(FeelError):
            tests = parser.tests()
            if reader.take(")") and reader.token().kind == "end":
                return _low(text, nodes.Tests(tests, negated=True))
        # it goes on behind the bracket, so that it is an expression that begins with a call of not
        parser = Parser(Reader(text, names, members, types), PHRASES)
    return _low(text, parser.whole(lambda: nodes.Tests(parser.tests())))


def _low(text: str, node: Node) -> Node:
    if nodes.height(node) > MAX_HEIGHT:
        raise FeelError(text, 0, f"expected an expression of at most {MAX_HEIGHT} levels, found more of them")
    return node
