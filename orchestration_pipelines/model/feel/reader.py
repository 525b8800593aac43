"""Going through the tokens of an expression: what comes next, what was expected, and which name is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from orchestration_pipelines.model.feel.lexer import FeelError, Token, tokens
from orchestration_pipelines.model.feel.names import SYMBOLS, Names, plain
from orchestration_pipelines.model.feel.types import (
    CONTEXT,
    FUNCTION,
    LIST,
    RANGE,
    TYPES,
    ContextType,
    FunctionType,
    ListType,
    RangeType,
    Type,
)

#: how deep brackets, functions and the like may nest in an expression
MAX_DEPTH = 80
_NAMING = frozenset({"name", "word", "number"})


class Reader:
    """The tokens of a text, a place among them, and the names that are in scope there."""

    def __init__(self, text: str, names: Names, members: Names, types: Mapping[str, Type]) -> None:
        self.text = text
        self.members = members  #: names of entries: known after a dot, and within a filter
        self.place = 0
        self._tokens = [*tokens(text), Token("end", "", len(text), len(text))]
        self._scopes = [names]
        self._types = {**TYPES, **types}
        self._depth = 0

    @cached_property
    def _type_names(self) -> Names:
        return Names(self._types)

    # -- tokens

    def token(self, ahead: int = 0) -> Token:
        """The token that comes next, or one behind it; the end comes for ever."""
        return self._tokens[min(self.place + ahead, len(self._tokens) - 1)]

    def at(self) -> int:
        """Where the next token stands in the text."""
        return self.token().at

    def sees(self, *written: str, ahead: int = 0) -> bool:
        """Whether a symbol or a word of these comes next."""
        token = self.token(ahead)
        return token.kind in ("symbol", "word") and token.value in written

    def take(self, *written: str) -> str | None:
        """Go past a symbol or a word of these, if it comes next."""
        if not self.sees(*written):
            return None
        token = self.token()
        self.place += 1
        return str(token.value)

    def must(self, written: str) -> None:
        """Go past a symbol or a word that has to come."""
        if self.take(written) is None:
            raise self.unexpected(repr(written))

    def unexpected(self, wanted: str) -> FeelError:
        """What is wrong at this place."""
        token = self.token()
        found = "the end" if token.kind == "end" else repr(self.text[token.at : token.end])
        return FeelError(self.text, token.at, f"expected {wanted}, found {found}")

    @contextmanager
    def nested(self, names: Names | None = None) -> Iterator[None]:
        """Go a level deeper, with further names in scope."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.unexpected(f"less nesting (at most {MAX_DEPTH} levels)")
        if names is not None:
            self._scopes.append(names)
        yield
        if names is not None:
            self._scopes.pop()
        self._depth -= 1

    # -- names

    def known(self) -> str | None:
        """The longest name in scope that has several tokens and comes next; it is gone past."""
        return self._longest(*self._scopes)

    def member(self) -> str:
        """A name behind a dot: an entry's that is known, or else what stands there up to the next symbol."""
        if (known := self._longest(self.members)) is not None:
            return known
        start = self.token()
        if start.kind not in ("name", "word"):
            raise self.unexpected("a name")
        self.place += 1
        while self.token().kind in ("name", "number"):
            self.place += 1
        return plain(self.text[start.at : self.token(-1).end])

    def name(self, *until: str) -> str:
        """A name that is introduced here, up to a symbol or a word that ends it."""
        start = self.token()
        if start.kind not in ("name", "word"):
            raise self.unexpected("a name")
        self.place += 1
        while self._naming(self.token()) and not self.sees(*until):
            self.place += 1
        return plain(self.text[start.at : self.token(-1).end])

    def is_named(self) -> bool:
        """Whether a name and a colon come next."""
        ahead = 0
        while self._naming(self.token(ahead)):
            ahead += 1
        return ahead > 0 and self.token().kind in ("name", "word") and self.sees(":", ahead=ahead)

    @staticmethod
    def _naming(token: Token) -> bool:
        return token.kind in _NAMING or (token.kind == "symbol" and token.value in SYMBOLS)

    def _longest(self, *scopes: Names) -> str | None:
        found = [match for scope in scopes if (match := scope.longest(self.text, self._tokens, self.place))]
        if not found:
            return None
        # of the same length, the innermost
        name, length = max(reversed(found), key=lambda match: match[1])
        self.place += length
        return name

    # -- types (rule 52)

    def type(self) -> Type | None:
        """A type; None if there is none of this name, or it lacks its parameters."""
        with self.nested():
            token = self.token()
            parametric = _PARAMETRIC.get(str(token.value)) if token.kind in ("name", "word") else None
            if parametric is not None and self.sees("<", ahead=1):
                self.place += 2
                return parametric(self)
            if (name := self._longest(self._type_names)) is None:
                name = self._qualified()
            return None if parametric is not None else self._types.get(name)

    def _qualified(self) -> str:
        start = self.token()
        if start.kind not in ("name", "word"):
            raise self.unexpected("a type")
        self.place += 1
        while self.token().kind == "name" or (self.sees(".") and self.token(1).kind == "name"):
            self.place += 1
        return plain(self.text[start.at : self.token(-1).end])

    def _inner(self) -> Type:
        inner = self.declared()
        self.must(">")
        return inner

    def _list(self) -> Type:
        return ListType(self._inner())

    def _range(self) -> Type:
        return RangeType(self._inner())

    def _context(self) -> Type:
        entries: list[tuple[str, Type]] = []
        while True:
            name = self.name(":")
            self.must(":")
            entries.append((name, self.declared()))
            self.members.add(name)
            if not self.take(","):
                self.must(">")
                return ContextType(tuple(entries))

    def _function(self) -> Type:
        parameters: list[Type] = []
        if not self.take(">"):
            parameters.append(self.declared())
            while self.take(","):
                parameters.append(self.declared())
            self.must(">")
        self.must("-")
        self.must(">")
        return FunctionType(tuple(parameters), self.declared())

    def declared(self) -> Type:
        """A type that has to be known; a list or a context of whatever is one."""
        start = self.place
        found = self.type()
        if found is None:
            name = plain(self.text[self._tokens[start].at : self.token(-1).end])
            found = self._types.get(name)
        if found is None:
            self.place = start
            raise self.unexpected("a type")
        return found


_PARAMETRIC: Mapping[str, Callable[[Reader], Type]] = {
    LIST: Reader._list,
    RANGE: Reader._range,
    CONTEXT: Reader._context,
    FUNCTION: Reader._function,
}
