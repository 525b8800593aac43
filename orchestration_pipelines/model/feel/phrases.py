"""Reading what a word or a brace opens: contexts, functions, ``if``, ``for``, ``some`` and ``every``."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.grammar import Opening, Parser
from orchestration_pipelines.model.feel.names import Names
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.types import ANY

#: how many variables a for, a some or an every may go through
MAX_ITERATIONS = 20


def _context(parser: Parser) -> Node:
    at = parser.reader.at()
    parser.reader.must("{")
    seen = Names(())
    entries: list[nodes.Entry] = []
    if not parser.reader.take("}"):
        with parser.reader.nested(seen):
            entries = parser.separated(lambda: _entry(parser, seen))
        if len({entry.key for entry in entries}) < len(entries):
            raise parser.reader.unexpected("a context whose keys differ")
        parser.reader.must("}")
    return nodes.ContextOf(tuple(entries), at=at)


def _entry(parser: Parser, seen: Names) -> nodes.Entry:
    token = parser.reader.token()
    if token.kind == "text":
        key = str(token.value)
        parser.reader.place += 1
    else:
        key = parser.reader.name(":")
    parser.reader.must(":")
    # a function may call itself by its key
    seen.add(key)
    parser.reader.members.add(key)
    return nodes.Entry(key, parser.expression(), at=token.at)


def _if(parser: Parser) -> Node:
    at = parser.reader.at()
    parser.reader.must("if")
    condition = parser.expression()
    parser.reader.must("then")
    then = parser.expression()
    parser.reader.must("else")
    return nodes.If(condition, then, parser.expression(), at=at)


def _for(parser: Parser) -> Node:
    at = parser.reader.at()
    parser.reader.must("for")
    seen = Names(())
    with parser.reader.nested(seen):
        iterations = _iterations(parser, seen)
        parser.reader.must("return")
        return nodes.For(iterations, parser.expression(), at=at)


def _quantified(parser: Parser) -> Node:
    at = parser.reader.at()
    word = parser.reader.take("some", "every")
    seen = Names(())
    with parser.reader.nested(seen):
        iterations = _iterations(parser, seen)
        parser.reader.must("satisfies")
        return nodes.Quantified(word == "every", iterations, parser.expression(), at=at)


def _iterations(parser: Parser, seen: Names) -> tuple[nodes.Iteration, ...]:
    found = parser.separated(lambda: _iteration(parser, seen))
    if len(found) > MAX_ITERATIONS:
        raise parser.reader.unexpected(f"at most {MAX_ITERATIONS} variables to go through")
    return tuple(found)


def _iteration(parser: Parser, seen: Names) -> nodes.Iteration:
    at = parser.reader.at()
    name = parser.reader.name("in")
    parser.reader.must("in")
    domain = parser.expression()
    end = parser.expression() if parser.reader.take("..") else None
    seen.add(name)
    return nodes.Iteration(name, domain, end, at=at)


def _function(parser: Parser) -> Node:
    at = parser.reader.at()
    parser.reader.must("function")
    parser.reader.must("(")
    parameters: list[nodes.FormalParameter] = []
    if not parser.reader.take(")"):
        parameters = parser.separated(lambda: _parameter(parser))
        parser.reader.must(")")
    external = parser.reader.token().value == "external"
    if external:
        parser.reader.place += 1
    body = parser.expression(Names(parameter.name for parameter in parameters))
    return nodes.Definition(tuple(parameters), body, external, at=at)


def _parameter(parser: Parser) -> nodes.FormalParameter:
    at = parser.reader.at()
    name = parser.reader.name(":")
    return nodes.FormalParameter(name, parser.reader.declared() if parser.reader.take(":") else ANY, at=at)


PHRASES: Mapping[str, Opening] = {
    "{": _context, "function": _function, "if": _if, "for": _for, "some": _quantified, "every": _quantified,
}  # fmt: skip
