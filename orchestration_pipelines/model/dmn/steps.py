"""A column whose cells only compare with written numbers: its mask is constant between them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

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


#: bits that the masks of a column may have in all; one with more is evaluated cell by cell
_MAX_BITS = 20_000_000


@dataclass(frozen=True)
class Steps:
    """The masks at and between the numbers that are written in the cells."""

    bounds: tuple[Decimal, ...]
    at: tuple[int, ...]  #: the mask at each bound
    between: tuple[int, ...]  #: below the first, between each two, above the last

    @classmethod
    def of(cls, cells: Sequence[feel.Expression]) -> Steps | None:
        """The steps of a column, or None if a cell does anything but compare with written numbers."""
        written = [_numbers(cell.tree) for cell in cells]
        alone = [
            _Alone(cell, sorted(numbers)) for cell, numbers in zip(cells, written, strict=True) if numbers is not None
        ]
        bounds = sorted({bound for each in alone for bound in each.bounds})
        if len(alone) < len(cells) or not bounds or len(bounds) * len(cells) > _MAX_BITS:
            return None
        changes: dict[Decimal, list[tuple[int, bool, bool]]] = {}
        mask = 0
        for index, each in enumerate(alone):
            mask |= each.between[0] << index
            for bound, at, above in zip(each.bounds, each.at, each.between[1:], strict=True):
                changes.setdefault(bound, []).append((index, at, above))
        at_bounds, between = [], [mask]
        for bound in bounds:
            at_bounds.append(_changed(mask, [(index, at) for index, at, _ in changes[bound]]))
            mask = _changed(mask, [(index, above) for index, _, above in changes[bound]])
            between.append(mask)
        return cls(tuple(bounds), tuple(at_bounds), tuple(between))

    def mask(self, value: Decimal | int) -> int:
        """The cells that a number matches."""
        index = bisect_left(self.bounds, value)
        if index < len(self.bounds) and self.bounds[index] == value:
            return self.at[index]
        return self.between[index]


class _Alone:
    """One cell: whether it holds at and between the numbers that are written in it."""

    def __init__(self, cell: feel.Expression, bounds: list[Decimal]) -> None:
        self.bounds = bounds
        # three digits more than the longest bound: enough for a number between any two of them
        fine = Context(prec=max((len(bound.as_tuple().digits) for bound in bounds), default=0) + 3)
        below = [fine.next_minus(bounds[0]) if bounds else Decimal(0)]
        self.at = [_holds(cell, bound) for bound in bounds]
        self.between = [_holds(cell, number) for number in (*below, *map(fine.next_plus, bounds))]


def _holds(cell: feel.Expression, number: Decimal) -> bool:
    return bool(mask_of((cell,), {}, number))


def _changed(mask: int, bits: Sequence[tuple[int, bool]]) -> int:
    for index, holds in bits:
        mask = mask | 1 << index if holds else mask & ~(1 << index)
    return mask


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
