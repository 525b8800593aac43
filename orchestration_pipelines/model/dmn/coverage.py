"""Where no rule of a table matches, and where two do: exact, over classes of values and not over values.

A column's values fall into classes in which every cell either holds or does not; a class is the mask of the rules whose
cell holds in it. A place in the table is a class for each column; the rules that match there are what the masks share.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_

#: for each column, some of its classes
Box = tuple[tuple[int, ...], ...]
#: how many steps searches go before they give up: about a quarter of a second
MAX_STEPS = 300_000
#: how many boxes of one situation are kept: nobody reads more
MAX_BOXES = 50


class TooLarge(Exception):
    """A table with so many different situations that it is not searched to the end."""


class Budget:
    """The steps that the searches of one kind in one table may take together."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Use them up; :class:`TooLarge` when none are left."""
        self._left -= steps
        if self._left < 0:
            raise TooLarge


class Holes:
    """The places where none of some rules matches, as few large boxes.

    The search goes from column to column with the rules that are still left. What lies behind depends on those alone,
    so that it is looked at once for each such set, and classes that leave the same behind are taken together.
    """

    def __init__(self, columns: Sequence[Sequence[int]], within: Sequence[Sequence[int]], budget: Budget) -> None:
        self._budget = budget
        self._columns = columns  #: for each column and class, the rules that hold
        self._within = [tuple(classes) for classes in within]  #: the classes of each column that are looked at
        self._known: dict[tuple[int, int], list[Box]] = {}
        self.more = False  #: whether there are boxes that were not kept
        #: behind each column, the rules that hold whatever the values of those that follow
        self._certain = [-1]
        for masks, classes in zip(reversed(columns), reversed(self._within), strict=True):
            everywhere = reduce(and_, (masks[each] for each in classes), -1)
            self._certain.insert(0, self._certain[0] & everywhere)

    def of(self, rules: int) -> list[Box]:
        """The boxes where none of these rules matches; :class:`TooLarge` if that takes too long to tell."""
        return self._search(0, rules) if all(self._within) else []

    def _search(self, depth: int, rules: int) -> list[Box]:
        if not rules:
            return [tuple(self._within[depth:])]
        if depth == len(self._columns) or rules & self._certain[depth]:
            return []
        known = self._known.get((depth, rules))
        if known is not None:
            return known
        left: dict[int, list[int]] = {}
        for each in self._within[depth]:
            left.setdefault(rules & self._columns[depth][each], []).append(each)
        behind: dict[Box, list[int]] = {}
        for still, classes in left.items():
            boxes = self._search(depth + 1, still)
            self._budget.spend(len(classes) + 5 * len(boxes))
            for box in boxes:
                behind.setdefault(box, []).extend(classes)
        found = [(tuple(sorted(classes)), *box) for box, classes in behind.items()]
        self.more = self.more or len(found) > MAX_BOXES
        self._known[depth, rules] = found[:MAX_BOXES]
        return found[:MAX_BOXES]


def transposed(columns: Sequence[Sequence[int]], rules: int) -> list[list[int]]:
    """For each rule and column, the classes in which its cell holds, as a mask."""
    return [
        [sum(1 << each for each, mask in enumerate(masks) if mask >> rule & 1) for masks in columns]
        for rule in range(rules)
    ]


def shared(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...] | None:
    """A place where two rules match: the first common class of each column; None if there is none."""
    place = []
    for left, right in zip(one, other, strict=True):
        both = left & right
        if not both:
            return None
        place.append((both & -both).bit_length() - 1)
    return tuple(place)


def anywhere(masks: Sequence[int]) -> int:
    """The rules that hold in at least one class."""
    return reduce(or_, masks, 0)
