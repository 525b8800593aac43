"""FEEL text as tokens (DMN 1.5, clauses 10.3.1.2 and 10.3.1.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

#: a model is untrusted: no expression is longer
MAX_CHARS = 20_000
MAX_EXPONENT = 6144  #: of DMN's decimal128


class FeelError(ValueError):
    """An expression that cannot be read: where, what was expected there, and what was found."""

    def __init__(self, text: str, position: int, message: str) -> None:
        shown = text if len(text) <= 80 else text[:77] + "…"
        super().__init__(f"FEEL: {message} at position {position + 1} of {shown!r}")
        self.text = text
        self.position = position  #: from 0; people count from 1


@dataclass(frozen=True, slots=True)
class Token:
    """A lexical token: ``kind`` is number, text, name, word, symbol, stray (no part of FEEL) or end."""

    kind: str
    value: Any
    at: int
    end: int


#: words that no name starts with
WORDS = frozenset(
    {"and", "or", "if", "then", "else", "in", "between", "true", "false", "null", "for", "return", "some", "every",
     "satisfies", "instance", "function"}
)  # fmt: skip

# rules 28 and 29, without what is white space by rules 61 and 62
_START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u167F\u1681-\u180D\u180F-\u1FFF\u200C\u200D"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFEFE\uFF00-\uFFFD\U00010000-\U000EFFFF"
)
_PART = _START + r"0-9\u00B7\u0300-\u036F\u203F\u2040"
_SPACE = r"\t-\r \u0085\u00A0\u1680\u180E\u2000-\u200B\u2028\u2029\u202F\u205F\u3000\uFEFF"

_PATTERN = re.compile(
    rf"(?P<space>[{_SPACE}]+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    rf"|(?P<name>[{_START}][{_PART}]*)"
    r"|(?P<symbol>\*\*|!=|<=|>=|\.\.|[-+*/=<>()\[\]{},.:@'])"
    r"|(?P<stray>.)",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "'": "'"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)


def tokens(text: str) -> list[Token]:
    """The tokens of an expression; :class:`FeelError` where a text, a comment or a number is none."""
    if len(text) > MAX_CHARS:
        raise FeelError(text, MAX_CHARS, f"the expression has {len(text):,} characters; {MAX_CHARS:,} are allowed")
    found: list[Token] = []
    for match in _PATTERN.finditer(text):
        kind, written, at = str(match.lastgroup), match.group(), match.start()
        value: Any = written
        if kind == "space":
            continue
        if kind == "number":
            value = _number(text, written, at)
        elif kind == "text":
            value = _text(text, written[1:-1], at)
        elif kind == "name" and written in WORDS:
            kind = "word"
        elif written == '"':
            raise FeelError(text, at, "expected a closing quotation mark, found the end of a text that begins")
        elif written == "/" and text.startswith("/*", at):
            raise FeelError(text, at, "expected '*/', found the end of a comment that begins")
        found.append(Token(kind, value, at, match.end()))
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
    if "\\" not in written:
        return written
    try:
        # two escapes of a surrogate pair are one character; half a pair is none
        return _ESCAPE.sub(_unescaped, written).encode("utf-16", "surrogatepass").decode("utf-16")
    except (UnicodeDecodeError, ValueError):
        raise FeelError(text, position, "expected characters, found an escape that is none, in the text") from None


def _unescaped(match: re.Match[str]) -> str:
    escaped = match.group(1)
    return chr(int(escaped[1:], 16)) if len(escaped) > 1 else _ESCAPES.get(escaped, "\\" + escaped)
