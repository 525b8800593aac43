"""The grammar of FEEL: tests, operators by their precedence, and operands (DMN 1.5, clause 10.3.1.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.literals import at_literal
from orchestration_pipelines.model.feel.names import Names
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.reader import Reader

_Part = TypeVar("_Part")
#: how an expression is read that begins with a certain symbol or word
Opening = Callable[["Parser"], Node]


#: from the loosest to the tightest
_OR, _AND, _COMPARISON, _SUM, _PRODUCT, _POWER, _INSTANCE, _POSTFIX = range(1, 9)
_LEVELS: Mapping[str, int] = {
    "or": _OR, "and": _AND,
    "=": _COMPARISON, "!=": _COMPARISON, "<": _COMPARISON, "<=": _COMPARISON, ">": _COMPARISON, ">=": _COMPARISON,
    "between": _COMPARISON, "in": _COMPARISON,
    "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER,
    "instance": _INSTANCE, ".": _POSTFIX, "[": _POSTFIX, "(": _POSTFIX,
}  # fmt: skip
_COMPARING = ("<", "<=", ">", ">=", "=", "!=")
_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None}
#: what cannot begin an expression: a bracket before it is the open end of a range, ``]a..b[``
_ENDING = frozenset({")", "]", "}", ",", "=", "!=", "and", "or", "then", "else", "return", "satisfies", "in", "between",
                     "instance", "*", "/", "**", "+", ".", ":", ".."})  # fmt: skip


class Parser:
    """A recursive-descent parser: one method for a rule, one loop for all operators."""

    def __init__(self, reader: Reader, phrases: Mapping[str, Opening]) -> None:
        self.reader = reader
        self._openings = {**_OPENINGS, **phrases}
        #: whether a bracket may be the open end of a range, rather than a filter
        self._open_end = False

    def whole(self, rule: Callable[[], Node]) -> Node:
        """What the rule reads, which must be all."""
        node = rule()
        if self.reader.token().kind != "end":
            raise self.reader.unexpected("an operator or the end")
        return node

    def expression(self, names: Names | None = None) -> Node:
        """Any expression (rule 1), with further names in scope."""
        with self.reader.nested(names):
            outer, self._open_end = self._open_end, False
            node = self._operators(self._first(), _OR)
            self._open_end = outer
            return node

    def _operand(self, level: int) -> Node:
        with self.reader.nested():
            return self._operators(self._first(), level)

    def tests(self) -> tuple[Node, ...]:
        """Positive unary tests (rule 14)."""
        return tuple(self.separated(self._test))

    def _test(self) -> Node:
        return self._half() if self.reader.sees(*_COMPARING) else self.expression()

    def _half(self) -> Node:
        at = self.reader.at()
        operator = self.reader.take(*_COMPARING)
        return nodes.Half(str(operator), self._operand(_SUM), at=at)

    # -- operators

    def _operators(self, left: Node, lowest: int) -> Node:
        """What stands behind an operand, as long as it binds as tightly as the lowest level."""
        reader = self.reader
        while True:
            token = reader.token()
            level = _LEVELS.get(str(token.value), 0) if token.kind in ("symbol", "word") else 0
            if level < lowest or level == 0 or (token.value == "[" and self._ends_range()):
                return left
            reader.place += 1
            left = self._operator(str(token.value), level, left, token.at)

    def _ends_range(self) -> bool:
        token = self.reader.token(1)
        return self._open_end and (token.kind == "end" or token.value in _ENDING)

    def _operator(self, operator: str, level: int, left: Node, at: int) -> Node:
        match operator:
            case "or":
                return nodes.Or(self._all("or", left, _AND), at=at)
            case "and":
                return nodes.And(self._all("and", left, _COMPARISON), at=at)
            case "between":
                low = self._operand(_SUM)
                self.reader.must("and")
                return nodes.Between(left, low, self._operand(_SUM), at=at)
            case "in":
                return nodes.In(left, self._in(), at=at)
            case "instance":
                return self._instance(left, at)
            case ".":
                return nodes.Path(left, self.reader.member(), at=at)
            case "[":
                condition = self.expression(self.reader.members)
                self.reader.must("]")
                return nodes.Filter(left, condition, at=at)
            case "(":
                return self._call(left, at)
            case _ if level == _COMPARISON:
                return nodes.Comparison(operator, left, self._operand(_SUM), at=at)
            case _:
                return nodes.Arithmetic(operator, left, self._operand(level + 1), at=at)

    def _all(self, operator: str, left: Node, level: int) -> tuple[Node, ...]:
        operands = [left, self._operand(level)]
        while self.reader.take(operator):
            operands.append(self._operand(level))
        return tuple(operands)

    def _in(self) -> tuple[Node, ...]:
        """One test, or several in brackets; a bracket may as well open a range or an expression."""
        if not self.reader.sees("("):
            return (self._half() if self.reader.sees(*_COMPARING) else self._operand(_SUM),)
        at = self.reader.at()
        with self.reader.nested():
            self.reader.must("(")
            first = self._test()
            if self.reader.sees(".."):
                return (self._operators(self._interval(first, "(", at), _SUM),)
            several = self.tests() if self.reader.take(",") else ()
            self.reader.must(")")
            return (first, *several) if several else (self._operators(first, _SUM),)

    def _instance(self, left: Node, at: int) -> Node:
        of = self.reader.token()
        if of.value != "of":
            raise self.reader.unexpected("'of'")
        self.reader.place += 1
        start = self.reader.at()
        found = self.reader.type()
        return nodes.InstanceOf(left, found, self.reader.text[start : self.reader.token(-1).end], at=at)

    def _call(self, function: Node, at: int) -> Node:
        reader = self.reader
        if reader.take(")"):
            return nodes.Call(function, (), at=at)
        if not reader.is_named():
            call: Node = nodes.Call(function, tuple(self.separated(self._test)), at=at)
        else:
            call = nodes.NamedCall(function, tuple(self.separated(self._argument)), at=at)
        reader.must(")")
        return call

    def _argument(self) -> nodes.Entry:
        at = self.reader.at()
        name = self.reader.name(":")
        self.reader.must(":")
        return nodes.Entry(name, self.expression(), at=at)

    # -- operands

    def _first(self) -> Node:
        """What an expression begins with: a value, a name, a bracket, or a word that opens an expression."""
        reader = self.reader
        token = reader.token()
        if token.kind in ("number", "text"):
            reader.place += 1
            return nodes.Literal(token.value, at=token.at)
        if token.kind == "name":
            return self._name(token.at)
        if token.kind in ("symbol", "word") and token.value in self._openings:
            return self._openings[token.value](self)
        raise reader.unexpected("an expression")

    def _name(self, at: int) -> Node:
        known = self.reader.known()
        if known is None:
            known = str(self.reader.token().value)
            self.reader.place += 1
        return nodes.Name(known, at=at)

    def _constant(self) -> Node:
        at = self.reader.at()
        return nodes.Literal(_CONSTANTS[str(self.reader.take(*_CONSTANTS))], at=at)

    def _negation(self) -> Node:
        at = self.reader.at()
        self.reader.must("-")
        return nodes.Negation(self._operand(_INSTANCE), at=at)

    def _at_literal(self) -> Node:
        at = self.reader.at()
        self.reader.must("@")
        token = self.reader.token()
        value = at_literal(token.value) if token.kind == "text" else None
        if value is None:
            raise self.reader.unexpected("a date, a time or a duration in quotation marks")
        self.reader.place += 1
        return nodes.Literal(value, at=at)

    def _bracket(self) -> Node:
        at = self.reader.at()
        self.reader.must("(")
        inner = self._test()
        if self.reader.sees(".."):
            return self._interval(inner, "(", at)
        self.reader.must(")")
        return inner

    def _square(self) -> Node:
        at = self.reader.at()
        self.reader.must("[")
        if self.reader.take("]"):
            return nodes.Listing((), at=at)
        first = self._test()
        if self.reader.sees(".."):
            return self._interval(first, "[", at)
        items = [first, *self.separated(self._test)] if self.reader.take(",") else [first]
        self.reader.must("]")
        return nodes.Listing(tuple(items), at=at)

    def _open_start(self) -> Node:
        at = self.reader.at()
        if self.reader.token(1).kind == "end" or self.reader.token(1).value in _ENDING:
            raise self.reader.unexpected("an expression")
        self.reader.must("]")
        return self._interval(self.expression(), "]", at)

    def _interval(self, low: Node, opening: str, at: int) -> Node:
        self.reader.must("..")
        outer, self._open_end = self._open_end, True
        high = self._operand(_OR)
        self._open_end = outer
        closing = self.reader.take("]", ")", "[")
        if closing is None:
            raise self.reader.unexpected("']', ')' or '[', which end a range")
        return nodes.Interval(low, opening == "[", high, closing == "]", at=at)

    def separated(self, rule: Callable[[], _Part]) -> list[_Part]:
        """One part or more, with commas between them."""
        found = [rule()]
        while self.reader.take(","):
            found.append(rule())
        return found


_OPENINGS: Mapping[str, Opening] = {
    "-": Parser._negation, "@": Parser._at_literal, "(": Parser._bracket, "[": Parser._square, "]": Parser._open_start,
    **dict.fromkeys(_CONSTANTS, Parser._constant), **dict.fromkeys(_COMPARING, Parser._half),
}  # fmt: skip
