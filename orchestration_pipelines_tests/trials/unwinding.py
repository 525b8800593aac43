"""Whether what was done was undone in strict reverse order: the rule, on acts in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Act(NamedTuple):
    """Something done, or undone."""

    what: str  #: in words, for a finding
    subject: str  #: what was made; of an undoing, what it undoes
    undoes: bool = False


def disorder(acts: Iterable[Act]) -> str | None:
    """What breaks the order, or None: the latest first, all of it, before anything is done anew."""
    standing: list[Act] = []
    undoing = False
    for act in acts:
        if not act.undoes:
            if undoing and standing:
                return f"{act.what} before {standing[-1].what} was undone"
            standing.append(act)
        elif not standing or standing[-1].subject != act.subject:
            return f"{act.what} where {standing[-1].what if standing else 'nothing'} was the latest that stood"
        else:
            standing.pop()
        undoing = act.undoes
    return f"{standing[-1].what} was not undone with the rest" if undoing and standing else None
