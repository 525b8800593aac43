"""What a picture shows beyond the drawing: where one case stands and came by, or how many wait where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Waiting:
    """What stands at a station."""

    count: int
    oldest: timedelta | None = None  #: how long the oldest of them has been there
    late: int = 0  #: how many are past due
    failed: int = 0  #: how many a person must mend


@dataclass(frozen=True)
class Marks:
    """Marks on the elements and flows of one picture, by their ids."""

    path: tuple[str, ...] = ()  #: elements that a case visited, in order, each visit once
    flows: frozenset[str] = frozenset()  #: sequence flows that it took
    here: frozenset[str] = frozenset()  #: where it stands
    failed: frozenset[str] = frozenset()  #: where it cannot go on by itself
    ended: str | None = None  #: the end event that it reached
    waiting: Mapping[str, Waiting] = field(default_factory=dict, hash=False)

    @cached_property
    def visits(self) -> Mapping[str, int]:
        """How often each element was visited."""
        return Counter(self.path)


def age(span: timedelta) -> str:
    """How long, in the largest unit that is full: 3 d, 5 h, 12 min, <1 min."""
    seconds = max(span.total_seconds(), 0)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:,.0f} {unit}"
    return "<1 min"
