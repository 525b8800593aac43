"""What makes a password too easy to guess (OWASP ASVS 5, 6.2): short, or put together from what anybody would try."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SHORTEST = 12
#: longer ones only cost time; a sentence is well below
LONGEST = 256
_FEWEST_DIFFERENT = 5
_SHORTEST_NAME = 3
_ROWS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm")
_RUN = 4
_MOST_IN_RUNS = 0.5
#: what people type when they are asked for something long, and what stands on the page
_KNOWN = ("password", "passwort", "letmein", "welcome", "iloveyou", "orchestration", "reviewer", "dagster")


def problems(password: str, names: Iterable[str]) -> list[str]:
    """Why this is no password for somebody of these names; empty: it is one. Nothing of it is cut off or changed."""
    return list(_problems(password, names))


def _problems(password: str, names: Iterable[str]) -> Iterator[str]:
    if len(password) < SHORTEST:
        yield f"it has {len(password)} characters: take at least {SHORTEST}, a few words are easy to keep"
    if len(password) > LONGEST:
        yield f"it has {len(password)} characters: take at most {LONGEST}"
    folded = password.casefold()
    words = {word for name in names for word in re.split(r"\W+", name.casefold()) if len(word) >= _SHORTEST_NAME}
    if any(word in folded for word in words):
        yield "it contains a name of yours: leave that out"
    if any(word in folded for word in _KNOWN):
        yield "it contains what is tried first (password, welcome, the product's name …): leave that out"
    if len(set(folded)) < _FEWEST_DIFFERENT or (folded + folded).find(folded, 1) < len(folded):
        yield "it repeats itself: take different words"
    elif _in_runs(folded) > _MOST_IN_RUNS * len(folded):
        yield "it runs along the keyboard or the alphabet: take words"


def _in_runs(text: str) -> int:
    """How many characters stand in runs of four and more along a row, forwards or backwards."""
    rows = [row for forwards in _ROWS for row in (forwards * 2, forwards[::-1] * 2)]
    covered: set[int] = set()
    for begin in range(len(text) - _RUN + 1):
        if any(text[begin : begin + _RUN] in row for row in rows):
            covered.update(range(begin, begin + _RUN))
    return len(covered)
