"""Names of several tokens: known from their scope, and the longest that fits is meant (DMN 1.5, clause 10.3.1.5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from orchestration_pipelines.model.feel.lexer import FeelError, Token, tokens

#: symbols that may stand within a name (rule 30), as the lexer reads them
SYMBOLS = frozenset({".", "/", "-", "'", "+", "*", "**"})


class Names:
    """Names that are known at some place of a text; those of one token need not be known to be read."""

    __slots__ = ("_by_first",)

    def __init__(self, names: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in dict.fromkeys(names):
            spelled = spelling(name)
            if len(spelled) > 1:
                self._by_first.setdefault(spelled[0], []).append((spelled, name))
        for known in self._by_first.values():
            known.sort(key=_longest_first)

    def copy(self) -> Names:
        """The same names, to which others can be added."""
        copied = Names(())
        copied._by_first = {first: list(known) for first, known in self._by_first.items()}
        return copied

    def add(self, name: str) -> None:
        """Know a further name."""
        spelled = spelling(name)
        if len(spelled) > 1:
            known = self._by_first.setdefault(spelled[0], [])
            if (spelled, name) not in known:
                known.append((spelled, name))
                known.sort(key=_longest_first)

    def longest(self, text: str, stream: Sequence[Token], start: int) -> tuple[str, int] | None:
        """The longest name of several tokens that stands at a place, and how many tokens it has."""
        first = stream[start]
        for spelled, name in self._by_first.get(text[first.at : first.end], ()):
            ahead = stream[start : start + len(spelled)]
            if len(ahead) == len(spelled) and all(
                text[token.at : token.end] == part for token, part in zip(ahead, spelled, strict=True)
            ):
                return name, len(spelled)
        return None


def _longest_first(known: tuple[tuple[str, ...], str]) -> int:
    return -len(known[0])


@lru_cache(maxsize=16_384)
def spelling(name: str) -> tuple[str, ...]:
    """The tokens of a name: white space between them is no part of it; none if it cannot be written in FEEL."""
    try:
        return tuple(name[token.at : token.end] for token in tokens(name))
    except FeelError:
        return ()


def plain(text: str) -> str:
    """A name as it is kept: white space is one space."""
    return " ".join(text.split())


def is_spelled(name: str) -> bool:
    """Whether a name is written as it is kept."""
    return name.isidentifier() or name == plain(name)


def is_plain(name: str) -> bool:
    """Whether a name is one token, which need not be known to be read."""
    return name.isidentifier() or len(spelling(name)) == 1
