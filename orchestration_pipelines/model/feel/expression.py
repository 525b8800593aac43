"""Reading FEEL: a recursive-descent parser that builds closures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from orchestration_pipelines.model.feel import values
from orchestration_pipelines.model.feel.functions import FUNCTIONS, SPACED
from orchestration_pipelines.model.feel.lexer import MAX_DEPTH, MAX_OPERATORS, FeelError, Token, tokens
from orchestration_pipelines.model.feel.values import Range

Context = Mapping[str, Any]
Compiled = Callable[[Context], Any]

#: the value that a unary test is about
INPUT = "?"


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: evaluated as often as wanted, over any context."""

    text: str
    names: frozenset[str]  #: the free variables that it reads
    evaluate: Compiled


@lru_cache(maxsize=4096)
def compile(text: str) -> Expression:
    """Read an expression; :class:`FeelError` says where it cannot be read."""
    parser = _Parser(text)
    compiled = parser.whole(parser.expression)
    return Expression(text, frozenset(parser.names), compiled)


def evaluate(expression: str, context: Context) -> Any:
    """The value of an expression over a context; what has no meaning is None."""
    return compile(expression).evaluate(context)


@lru_cache(maxsize=4096)
def unary_tests(text: str) -> Expression:
    """Read the tests of a decision table's input cell; they are about the value named ``?``."""
    parser = _Parser(text)
    compiled = parser.whole(parser.tests)
    return Expression(text, frozenset(parser.names), compiled)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0
        self._operators = 0

    # -- tokens

    def whole(self, rule: Callable[[], Compiled]) -> Compiled:
        compiled = rule()
        if self._next < len(self._tokens):
            raise self._unexpected("the end")
        return compiled

    def _peek(self, *symbols: str) -> bool:
        token = self._token()
        return token is not None and token.kind in ("symbol", "word") and token.value in symbols

    def _token(self, ahead: int = 0) -> Token | None:
        index = self._next + ahead
        return self._tokens[index] if index < len(self._tokens) else None

    def _take(self, *symbols: str) -> str | None:
        if self._peek(*symbols):
            token = self._tokens[self._next]
            self._next += 1
            return str(token.value)
        return None

    def _operator(self, *symbols: str) -> str | None:
        """Take one of these operators; each applied one nests the closures by a level."""
        taken = self._take(*symbols)
        if taken is not None:
            self._operators += 1
            if self._operators > MAX_OPERATORS:
                raise self._unexpected(f"a shorter expression (at most {MAX_OPERATORS} operators)")
        return taken

    def _must(self, symbol: str) -> None:
        if self._take(symbol) is None:
            raise self._unexpected(repr(symbol))

    def _unexpected(self, wanted: str) -> FeelError:
        token = self._token()
        at = len(self.text) if token is None else token.at
        found = "the end" if token is None else repr(token.value if token.kind != "number" else str(token.value))
        return FeelError(self.text, at, f"expected {wanted}, found {found}")

    # -- unary tests (clause 7.3.5, rules 7 to 17)

    def tests(self) -> Compiled:
        if self._peek("-") and len(self._tokens) == 1:
            self._next += 1
            return lambda _: True
        token, bracket = self._token(), self._token(1)
        if token is not None and token.value == "not" and bracket is not None and bracket.value == "(":
            self._next += 2
            inner = self._any_test()
            self._must(")")
            return lambda context: values.negated(inner(context))
        return self._any_test()

    def _any_test(self) -> Compiled:
        tests = [self._test(self.expression)]
        while self._take(","):
            tests.append(self._test(self.expression))
        if len(tests) == 1:
            return tests[0]

        def any_holds(context: Context) -> Any:
            answer: bool | None = False
            for test in tests:
                answer = values.either(answer, test(context))
                if answer is True:
                    return True
            return answer

        return any_holds

    def _test(self, read: Callable[[], Compiled]) -> Compiled:
        """A comparison with the input, or what ``read`` finds, as a test."""
        if operator := self._take("<", "<=", ">", ">=", "=", "!="):
            operand = self._sum()
            return _compared(operator, lambda context: context[INPUT], operand)
        # an expression about "?" is a test; any other is what the value is compared with
        outer, self.names = self.names, set()
        inner = read()
        about_input = INPUT in self.names
        self.names = outer | (self.names - {INPUT})
        if about_input:
            return inner

        def holds(context: Context) -> Any:
            value, test = context[INPUT], inner(context)
            return (
                values.member(value, test)
                if not (isinstance(test, list) and isinstance(value, list))
                else value == test
            )

        return holds

    # -- expressions

    def expression(self) -> Compiled:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._unexpected(f"less nesting (at most {MAX_DEPTH} levels)")
        compiled = self._if() if self._peek("if") else self._or()
        self._depth -= 1
        return compiled

    def _if(self) -> Compiled:
        self._must("if")
        condition = self.expression()
        self._must("then")
        then = self.expression()
        self._must("else")
        otherwise = self.expression()
        return lambda context: then(context) if condition(context) is True else otherwise(context)

    def _or(self) -> Compiled:
        left = self._and()
        while self._operator("or"):
            left = _both_ways(values.either, left, self._and())
        return left

    def _and(self) -> Compiled:
        left = self._comparison()
        while self._operator("and"):
            left = _both_ways(values.both, left, self._comparison())
        return left

    def _comparison(self) -> Compiled:
        left = self._sum()
        if operator := self._take("=", "!=", "<", "<=", ">", ">="):
            return _compared(operator, left, self._sum())
        if self._take("between"):
            low = self._sum()
            self._must("and")
            high = self._sum()
            return lambda context: Range(low(context), True, high(context), True).holds(left(context))
        if self._take("in"):
            return self._in(left)
        return left

    def _in(self, left: Compiled) -> Compiled:
        if self._peek("(") and not self._opens_range():
            self._must("(")
            inner = self._any_test()
            self._must(")")
        else:
            inner = self._test(self._sum)
        return lambda context: inner({**context, INPUT: left(context)})

    def _opens_range(self) -> bool:
        """Whether the bracket that comes next opens a range: ``..`` stands before its first comma or its end."""
        depth = 0
        for token in self._tokens[self._next + 1 :]:
            if depth == 0 and token.value == ".." and token.kind == "symbol":
                return True
            if token.kind == "symbol" and token.value in ("(", "["):
                depth += 1
            elif token.kind == "symbol" and token.value in (")", "]"):
                depth -= 1
            if depth < 0 or (depth == 0 and token.value == ","):
                return False
        return False

    def _sum(self) -> Compiled:
        left = self._product()
        while operator := self._operator("+", "-"):
            left = _calculated(operator, left, self._product())
        return left

    def _product(self) -> Compiled:
        left = self._power()
        while operator := self._operator("*", "/"):
            left = _calculated(operator, left, self._power())
        return left

    def _power(self) -> Compiled:
        left = self._negation()
        while self._operator("**"):
            left = _calculated("**", left, self._negation())
        return left

    def _negation(self) -> Compiled:
        signs = 0
        while self._operator("-"):
            signs += 1
        inner = self._postfix()
        for _ in range(signs):
            inner = _calculated("-", _zero, inner)
        return inner

    def _postfix(self) -> Compiled:
        compiled = self._primary()
        while self._operator("."):
            token = self._token()
            if token is None or token.kind not in ("name", "word"):
                raise self._unexpected("a name")
            self._next += 1
            compiled = _entry(compiled, str(token.value))
        return compiled

    def _primary(self) -> Compiled:
        token = self._token()
        if token is None:
            raise self._unexpected("an expression")
        if token.kind in ("number", "text"):
            self._next += 1
            value = token.value
            return lambda _: value
        if token.kind == "word" and token.value in _CONSTANTS:
            self._next += 1
            constant = _CONSTANTS[token.value]
            return lambda _: constant
        if token.kind == "name":
            return self._name()
        if self._peek("[", "(", "]"):
            return self._bracketed()
        raise self._unexpected("an expression")

    def _name(self) -> Compiled:
        name = str(self._tokens[self._next].value)
        self._next += 1
        second = self._token()
        if second is not None and second.kind == "name" and (name, second.value) in SPACED:
            self._next += 1
            return self._call(SPACED[name, str(second.value)], f"{name} {second.value}")
        if self._peek("("):
            if name not in FUNCTIONS:
                raise FeelError(self.text, self._tokens[self._next - 1].at, f"there is no function {name!r}")
            return self._call(FUNCTIONS[name], name)
        self.names.add(name)
        return lambda context: context.get(name)

    def _call(self, function: Callable[..., Any], name: str) -> Compiled:
        self._must("(")
        arguments: list[Compiled] = []
        while not self._peek(")"):
            arguments.append(self.expression())
            if not self._take(","):
                break
        self._must(")")

        def called(context: Context) -> Any:
            try:
                return function(*(argument(context) for argument in arguments))
            except TypeError:
                return None  # a wrong number or type of arguments: null, as the standard says

        return called

    def _bracketed(self) -> Compiled:
        """A list, a range, or an expression in brackets."""
        opening = self._take("[", "(", "]")
        if opening == "[" and self._take("]"):
            return lambda _: []
        first = self.expression()
        if self._take(".."):
            high = self.expression()
            closing = self._take("]", ")", "[")
            if closing is None:
                raise self._unexpected("']' or ')'")
            low_closed, high_closed = opening == "[", closing == "]"
            return lambda context: Range(first(context), low_closed, high(context), high_closed)
        if opening == "]":
            raise self._unexpected("'..'")
        if opening == "(":
            self._must(")")
            return first
        items = [first]
        while self._take(","):
            items.append(self.expression())
        self._must("]")
        return lambda context: [item(context) for item in items]


def _zero(_: Context) -> Decimal:
    return Decimal(0)


_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


def _both_ways(operator: Callable[[Any, Any], Any], left: Compiled, right: Compiled) -> Compiled:
    return lambda context: operator(left(context), right(context))


def _calculated(operator: str, left: Compiled, right: Compiled) -> Compiled:
    return lambda context: values.arithmetic(operator, left(context), right(context))


def _compared(operator: str, left: Compiled, right: Compiled) -> Compiled:
    if operator == "=":
        return lambda context: values.equal(left(context), right(context))
    if operator == "!=":
        return lambda context: values.negated(values.equal(left(context), right(context)))
    return lambda context: values.compare(operator, left(context), right(context))


def _entry(inner: Compiled, name: str) -> Compiled:
    return lambda context: values.path(inner(context), name)
