"""Character classes of XML Schema's regular expressions (XSD 1.1 part 2, appendix G.4), written for Python's ``regex``.

A class is written as a set, or with a look ahead where it is negated, subtracts another class, or must not be blurred
by the flag ``i``: a category such as ``\\p{Lu}`` stays what it is.
"""

from __future__ import annotations

import re

import regex


class PatternError(ValueError):
    """What is wrong with a pattern."""


#: what a backslash makes of one character
SINGLE = {"n": "\n", "r": "\r", "t": "\t"} | {char: char for char in "\\|.?*+(){}-[]^$"}
_CATEGORIES = frozenset(
    f"{major}{minor}"
    for major, minors in {
        "L": "ultmo",
        "M": "nce",
        "N": "dlo",
        "P": "cdseifo",
        "Z": "slp",
        "S": "mcko",
        "C": "cfon",
    }.items()
    for minor in ("", *minors)
)
#: the names of blocks that are not Unicode's own any more
_OLDER_BLOCKS = {
    "Greek": "GreekandCoptic",
    "CombiningMarksforSymbols": "CombiningDiacriticalMarksforSymbols",
    "PrivateUse": "PrivateUseArea",
}
_PROPERTY = re.compile(r"([pP])\{(?:Is([A-Za-z0-9-]+)|([A-Z][a-z]?))\}")
_LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]

#: NameStartChar and NameChar of XML 1.0, fifth edition
_INITIAL: Ranges = (
    (0x3A, 0x3A),
    (0x41, 0x5A),
    (0x5F, 0x5F),
    (0x61, 0x7A),
    (0xC0, 0xD6),
    (0xD8, 0xF6),
    (0xF8, 0x2FF),
    (0x370, 0x37D),
    (0x37F, 0x1FFF),
    (0x200C, 0x200D),
    (0x2070, 0x218F),
    (0x2C00, 0x2FEF),
    (0x3001, 0xD7FF),
    (0xF900, 0xFDCF),
    (0xFDF0, 0xFFFD),
    (0x10000, 0xEFFFF),
)
_NAME: Ranges = tuple(sorted((*_INITIAL, (0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040))))
_SPACE: Ranges = ((0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x20))


def _complement(ranges: Ranges) -> Ranges:
    found, at = [], 0
    for first, last in ranges:
        if first > at:
            found.append((at, first - 1))
        at = last + 1
    return (*found, (at, _LAST))


def _code(point: int) -> str:
    return f"\\U{point:08x}"


def _set(ranges: Ranges) -> str:
    return "".join(f"{_code(first)}-{_code(last)}" for first, last in ranges)


#: what the escapes of several characters stand for, inside of a set
_ESCAPES = {
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "w": r"\p{L}\p{M}\p{N}\p{S}",
    "W": r"\p{P}\p{Z}\p{C}",
    "s": _set(_SPACE),
    "S": _set(_complement(_SPACE)),
    "i": _set(_INITIAL),
    "I": _set(_complement(_INITIAL)),
    "c": _set(_NAME),
    "C": _set(_complement(_NAME)),
}


def escaped_class(pattern: str, at: int) -> tuple[str, int]:
    """What stands behind a backslash, as the inside of a set, and where it ends."""
    char = pattern[at : at + 1]
    if char in _ESCAPES:
        return _ESCAPES[char], at + 1
    found = _PROPERTY.match(pattern, at)
    if found is None:
        raise PatternError(f"\\{char} is no escape that there is, at character {at}")
    letter, block, category = found.groups()
    if category is not None:
        if category not in _CATEGORIES:
            raise PatternError(f"there is no category {category!r}, at character {at}")
        return f"\\{letter}{{{category}}}", found.end()
    written = f"\\{letter}{{Block={_OLDER_BLOCKS.get(block, block)}}}"
    try:
        regex.compile(written)
    except regex.error:
        raise PatternError(f"there is no block {block!r}, at character {at}") from None
    return written, found.end()


class _Class:
    """A class while it is read."""

    def __init__(self, pattern: str, at: int) -> None:
        self.pattern, self.at = pattern, at
        self.characters: list[str] = []  #: single ones and ranges: the flag ``i`` applies
        self.categories: list[str] = []
        self.negated = False
        self.without: str | None = None

    def wrong(self, why: str) -> PatternError:
        return PatternError(f"{why}, at character {self.at + 1}")

    def peek(self, length: int = 1) -> str:
        return self.pattern[self.at : self.at + length]

    def read(self, depth: int) -> str:
        if depth > 10:
            raise self.wrong("classes nest too deeply")
        if self.peek() == "^":
            self.negated = True
            self.at += 1
        first = True
        while self.peek() != "]" or first:
            if not self.peek():
                raise self.wrong("a class is not closed with ]")
            if self.peek(2) == "-[" and not first:
                inner = _Class(self.pattern, self.at + 2)
                self.without = inner.read(depth + 1)
                self.at = inner.at
                if self.peek() != "]":
                    raise self.wrong("a class ends behind what is subtracted from it")
                break
            self._item(first)
            first = False
        self.at += 1
        return self._written()

    def _item(self, first: bool) -> None:
        start = self._character(first)
        if start is None:
            return
        # a - is the middle of a range, unless the class ends behind it, or subtracts
        if self.peek() == "-" and self.peek(2) not in ("-]", "-["):
            self.at += 1
            end = self._character(True)
            if end is None or end < start:
                raise self.wrong("a range of characters goes from a lower to a higher one")
            self.characters.append(f"{_code(start)}-{_code(end)}")
        else:
            self.characters.append(_code(start))

    def _character(self, first: bool) -> int | None:
        """A character that stands for itself; None for a category, which is kept."""
        char = self.peek()
        self.at += 1
        if char == "\\":
            escaped = self.peek()
            if escaped and escaped in SINGLE:
                self.at += 1
                return ord(SINGLE[escaped])
            inside, self.at = escaped_class(self.pattern, self.at)
            self.categories.append(inside)
            return None
        if char in ("[", "]", ""):
            self.at -= 1
            raise self.wrong("in a class, write \\[ and \\] for brackets")
        if char == "-" and not first and self.peek() != "]":
            raise self.wrong("in a class, a - stands first or last, or between two characters")
        return ord(char)

    def _written(self) -> str:
        characters, categories = "".join(self.characters), "".join(self.categories)
        if not self.categories or not self.characters:
            inside = characters or categories
            whole = f"[{'^' if self.negated else ''}{inside}]"
            if self.categories:
                whole = f"(?-i:{whole})"
        else:
            whole = f"(?:[{characters}]|(?-i:[{categories}]))"
            if self.negated:
                whole = f"(?:(?!{whole})(?s:.))"
        return whole if self.without is None else f"(?:(?!{self.without}){whole})"


def class_of(pattern: str, at: int) -> tuple[str, int]:
    """The class that was opened before a character, and where it ends."""
    reading = _Class(pattern, at)
    return reading.read(0), reading.at
