"""How wide letters are, nearly, and how a name is broken into lines: a picture is made where no font is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

#: thousandths of the size, as in Arial, Helvetica and Liberation Sans, whose letters are equally wide
_WIDTHS = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[]\\ft",
    333: "()-`r{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jckszvxy",
    556: "#$?_Labdeghnopqu0123456789",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
_WIDTH_OF = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
#: of letters that are not in the table; of those of East Asia
_OTHER, _WIDE = 620, 1000
#: a little more than measured: the reader's own font may be wider
_ALLOWANCE = 1.04
_BREAKS_AFTER = "-/_.,:;"


def width(text: str, size: float) -> float:
    """How wide a text is at a size, in pixels, nearly."""
    return sum(map(_letter, text)) * size * _ALLOWANCE / 1000


@lru_cache(maxsize=4096)
def _letter(letter: str) -> int:
    found = _WIDTH_OF.get(letter)
    if found is not None:
        return found
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return _WIDE
    plain = unicodedata.normalize("NFD", letter)[0]
    return _WIDTH_OF.get(plain, _OTHER)


def wrapped(text: str, within: float, size: float, most: int) -> list[str]:
    """The lines of a text in a column; what does not fit into ``most`` lines ends in an ellipsis."""
    lines: list[str] = []
    line = ""
    for space, piece in _pieces(text, within, size):
        longer = f"{line} {piece}" if space and line else line + piece
        if line and width(longer, size) > within:
            lines.append(line)
            if len(lines) > most:
                break
            line = piece
        else:
            line = longer
    else:
        lines += [line] if line else []
    if len(lines) > most:
        lines = [*lines[: most - 1], _shortened(" ".join(lines[most - 1 :]), within, size)] if most else []
    return lines


def _pieces(text: str, within: float, size: float) -> Iterator[tuple[bool, str]]:
    """What may stand on a line of its own, and whether a space parts it from what was before."""
    for word in text.split():
        space = True
        for part in _parts(word) if width(word, size) > within else [word]:
            while (fits := max(_fitting(part, within, size), 1)) < len(part):
                yield space, part[:fits]
                part, space = part[fits:], False
            yield space, part
            space = False


def _parts(word: str) -> list[str]:
    parts = [""]
    for letter in word:
        parts[-1] += letter
        if letter in _BREAKS_AFTER:
            parts.append("")
    return [part for part in parts if part]


def _shortened(text: str, within: float, size: float) -> str:
    room = within - width("…", size)
    return text[: _fitting(text, room, size)].rstrip() + "…"


def _fitting(text: str, within: float, size: float) -> int:
    """How many letters of a text fit."""
    thousandths = 0
    for place, letter in enumerate(text):
        thousandths += _letter(letter)
        if thousandths * size * _ALLOWANCE / 1000 > within:
            return place
    return len(text)
