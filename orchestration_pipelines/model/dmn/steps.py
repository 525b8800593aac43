"""A column whose cells only compare with written numbers: its mask is constant between them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.masks import mask_of
from orchestration_pipelines.model.feel import nodes

#: what a cell that only compares is made of, beside numbers
_COMPARING = (
    nodes.Tests,
    nodes.Anything,
    nodes.Half,
    nodes.Interval,
    nodes.Comparison,
    nodes.Between,
    nodes.In,
    nodes.And,
    nodes.Or,
)


@dataclass(frozen=True)
class Steps:
    """The masks at and between the numbers that are written in the cells."""

    bounds: tuple[Decimal, ...]
    at: tuple[int, ...]  #: the mask at each bound
    between: tuple[int, ...]  #: below the first, between each two, above the last

    @classmethod
    def of(cls, cells: Sequence[feel.Expression]) -> Steps | None:
        """The steps of a column, or None if a cell does anything but compare with written numbers."""
        bounds: set[Decimal] = set()
        for cell in cells:
            numbers = _numbers(cell.tree)
            if numbers is None:
                return None
            bounds |= numbers
        ordered = sorted(bounds)
        if not ordered:
            return None
        # three digits more than the longest bound: enough for a number between any two of them
        fine = Context(prec=max(len(bound.as_tuple().digits) for bound in ordered) + 3)
        inner = [fine.next_plus(low) for low, _ in pairwise(ordered)]
        outer = [fine.next_minus(ordered[0]), *inner, fine.next_plus(ordered[-1])]
        return cls(
            tuple(ordered),
            tuple(mask_of(cells, {}, bound) for bound in ordered),
            tuple(mask_of(cells, {}, value) for value in outer),
        )

    def mask(self, value: Decimal | int) -> int:
        """The cells that a number matches."""
        index = bisect_left(self.bounds, value)
        if index < len(self.bounds) and self.bounds[index] == value:
            return self.at[index]
        return self.between[index]


def _numbers(tree: nodes.Node) -> set[Decimal] | None:
    """The numbers that a tree compares its input with, or None if it does anything else."""
    found: set[Decimal] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if nodes.is_number(node):
            written = node.operand if isinstance(node, nodes.Negation) else node
            if isinstance(written, nodes.Literal):
                found.add(written.value if written is node else written.value.copy_negate())
        elif isinstance(node, _COMPARING):
            waiting.extend(nodes.children(node))
        elif node != nodes.Name(nodes.INPUT):
            return None
    return found
