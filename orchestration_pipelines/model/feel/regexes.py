"""Reading XPath's regular expressions, and writing them for Python's ``regex``.

XML Schema 1.1 part 2, appendix G, with what XPath adds: ``^`` and ``$``, reluctant quantifiers, back-references, groups
that are not counted, and the flags ``s m i x q``. Nothing of the pattern is copied that was not understood, so none of
Python's own extensions can be reached.
"""

from __future__ import annotations

from orchestration_pipelines.model.feel.classes import SINGLE, PatternError, class_of, escaped_class

__all__ = ["PatternError", "translated"]

#: a pattern is untrusted: no longer, and no deeper
MAX_CHARS = 5_000
MAX_NESTING = 50
MAX_REPEATS = 100_000

_SPACE = "\t\n\r "


def translated(pattern: str, flags: str) -> str:
    """The pattern for ``regex``; :class:`PatternError` says what is wrong with it."""
    if unknown := set(flags) - set("smixq"):
        raise PatternError(f"there is no flag {min(unknown)!r}")
    if len(pattern) > MAX_CHARS:
        raise PatternError(f"it has {len(pattern):,} characters; {MAX_CHARS:,} are allowed")
    if "q" in flags:
        return "".join(written_char(char) for char in pattern)
    return _Reader(_unspaced(pattern) if "x" in flags else pattern, flags).whole()


def written_char(char: str) -> str:
    """A character that stands for itself."""
    return char if char.isalnum() else f"\\U{ord(char):08x}"


def _unspaced(pattern: str) -> str:
    """The pattern without its white space, but for that within classes (flag ``x``)."""
    kept: list[str] = []
    depth, escaped = 0, False
    for char in pattern:
        if char in _SPACE and not depth:
            continue
        kept.append(char)
        if not escaped and char in "[]":
            depth += 1 if char == "[" else -1
        escaped = char == "\\" and not escaped
    return "".join(kept)


class _Reader:
    """One pass over a pattern."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern, self.flags = pattern, flags
        self.at = 0
        self.depth = 0
        self.opened = 0  #: groups so far
        self.closed: set[int] = set()

    def whole(self) -> str:
        text = self._branches()
        if self.at < len(self.pattern):
            raise self._wrong("a bracket is closed that was not opened")
        return text

    def _wrong(self, why: str) -> PatternError:
        return PatternError(f"{why}, at character {self.at + 1}")

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _take(self) -> str:
        char = self._peek()
        self.at += 1
        return char

    def _branches(self) -> str:
        branches = [self._branch()]
        while self._peek() == "|":
            self.at += 1
            branches.append(self._branch())
        return "|".join(branches)

    def _branch(self) -> str:
        pieces = []
        while (char := self._peek()) and char not in "|)":
            pieces.append(self._atom() + self._quantifier())
        return "".join(pieces)

    def _atom(self) -> str:
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                written, self.at = class_of(self.pattern, self.at)
                return written
            case ".":
                return "(?s:.)" if "s" in self.flags else r"[^\n]"
            case "^":
                return r"(?:\A|(?<=\n)(?!\Z))" if "m" in self.flags else r"\A"
            case "$":
                return r"(?=\n|\Z)" if "m" in self.flags else r"\Z"
            case "\\":
                return self._escape()
            case _ if char in "?*+{}])":
                self.at -= 1
                raise self._wrong(f"{char!r} has no meaning here; write \\{char} for the character")
            case _:
                return written_char(char)

    def _group(self) -> str:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self._wrong(f"brackets nest more than {MAX_NESTING} deep")
        number = 0
        if self._peek() == "?":
            self.at += 1
            if self._take() != ":":
                raise self._wrong("(? is only known as (?:")
        else:
            self.opened += 1
            number = self.opened
        inner = self._branches()
        if self._take() != ")":
            raise self._wrong("a bracket is not closed")
        self.depth -= 1
        self.closed.add(number)
        return f"({inner})" if number else f"(?:{inner})"

    def _escape(self) -> str:
        char = self.pattern[self.at : self.at + 1]
        self.at += 1
        if char in SINGLE and char:
            return written_char(SINGLE[char])
        if char.isdecimal() and char.isascii():
            return self._reference(char)
        inside, self.at = escaped_class(self.pattern, self.at - 1)
        return f"(?-i:[{inside}])"

    def _reference(self, digits: str) -> str:
        """What a group before matched; nothing, if it matched nothing."""
        while (further := self.pattern[self.at : self.at + 1]).isdecimal() and int(digits + further) <= self.opened:
            digits += further
            self.at += 1
        number = int(digits)
        if number not in self.closed or not number:
            raise self._wrong(f"\\{number} refers to a bracket that is not closed before it")
        return f"(?:(?({number})\\{number}|))"

    def _quantifier(self) -> str:
        char = self._peek()
        if char in ("?", "*", "+"):
            self.at += 1
            counted = char
        elif char == "{":
            self.at += 1
            counted = self._counted()
        else:
            return ""
        if self._peek() == "?":
            self.at += 1
            counted += "?"
        return counted

    def _counted(self) -> str:
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at : end].partition(",")
        good = end >= 0 and low.isdecimal() and low.isascii() and (not high or (high.isdecimal() and high.isascii()))
        if not good or len(low) > 9 or len(high) > 9:
            raise self._wrong("a quantifier is written {2}, {2,} or {2,3}")
        if int(low) > MAX_REPEATS or (high and int(high) > MAX_REPEATS):
            raise self._wrong(f"more than {MAX_REPEATS:,} repeats")
        if high and int(high) < int(low):
            raise self._wrong("a quantifier's second number is the smaller one")
        self.at = end + 1
        return f"{{{low}{comma}{high}}}"
