"""FEEL text as tokens (DMN 1.5, clause 10.3.1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

#: a model is untrusted: no expression is longer, and none nests deeper
MAX_CHARS = 20_000
MAX_DEPTH = 40
MAX_OPERATORS = 250  #: each is a frame when the expression is evaluated
MAX_EXPONENT = 6144  #: of DMN's decimal128


class FeelError(ValueError):
    """An expression that cannot be read: where, and what was expected there."""

    def __init__(self, text: str, position: int, message: str) -> None:
        shown = text if len(text) <= 80 else text[:77] + "…"
        super().__init__(f"FEEL: {message} at position {position + 1} of {shown!r}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    """A lexical token: ``kind`` is number, text, name, word or symbol."""

    kind: str
    value: Any
    at: int


#: words that are not names
WORDS = frozenset({"and", "or", "if", "then", "else", "in", "between", "true", "false", "null"})

_PATTERN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<name>[^\W\d]\w*|\?)"
    r"|(?P<symbol>\*\*|!=|<=|>=|\.\.|[-+*/=<>()\[\]{},.:])",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "'": "'"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def tokens(text: str) -> list[Token]:
    """The tokens of an expression; :class:`FeelError` at the first character that starts none."""
    if len(text) > MAX_CHARS:
        raise FeelError(text, MAX_CHARS, f"the expression has {len(text):,} characters; {MAX_CHARS:,} are allowed")
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise FeelError(text, position, f"unexpected {text[position]!r}")
        kind, written = str(match.lastgroup), match.group()
        if kind == "number":
            found.append(Token(kind, _number(text, written, position), position))
        elif kind == "text":
            found.append(Token(kind, _text(text, written[1:-1], position), position))
        elif kind == "name" and written in WORDS:
            found.append(Token("word", written, position))
        elif kind != "space":
            found.append(Token(kind, written, position))
        position = match.end()
    return found


def _number(text: str, written: str, position: int) -> Decimal:
    try:
        exact = Decimal(written)
    except InvalidOperation:
        raise FeelError(text, position, "a number beyond all bounds") from None
    if abs(exact.adjusted()) > MAX_EXPONENT:
        raise FeelError(text, position, "a number beyond all bounds")
    return exact


def _text(text: str, written: str, position: int) -> str:
    value = _ESCAPE.sub(_unescaped, written)
    try:
        # two escapes of a surrogate pair are one character; half a pair is none
        return value.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise FeelError(text, position, "half of a surrogate pair in a text") from None


def _unescaped(match: re.Match[str]) -> str:
    escaped = match.group(1)
    return chr(int(escaped[1:], 16)) if len(escaped) == 5 else _ESCAPES.get(escaped, "\\" + escaped)
