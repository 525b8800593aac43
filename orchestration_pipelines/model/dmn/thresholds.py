"""The thresholds of a decision table: where one rule takes over from another as a single number grows.

Two rules meet at a threshold if all their cells are the same but one, which ends in the lower rule where it begins in
the upper one: ``[0.8..0.9)`` and ``>= 0.9``. To move a threshold is to write these two cells anew and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.elements import Decision
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.xml import local


class Threshold(NamedTuple):
    """Where ``upper`` takes over from ``lower``; rules by their ids, the column by its place."""

    lower: str
    upper: str
    column: int
    begins: Decimal | None  #: where the lower rule begins; None: nowhere
    at: Decimal
    ends: Decimal | None  #: where the upper rule ends; None: nowhere

    def cells(self, at: Decimal) -> dict[str, str]:
        """The two cells, by rule, with the threshold elsewhere."""
        below = f"< {at}" if self.begins is None else f"[{self.begins}..{at})"
        above = f">= {at}" if self.ends is None else f"[{at}..{self.ends})"
        return {self.lower: below, self.upper: above}


def thresholds(table: DecisionTable) -> list[Threshold]:
    """Every threshold of a table, in the order of the upper rules."""
    found = []
    for upper in table.rules:
        for lower in table.rules:
            differing = [n for n, cells in enumerate(zip(lower.cells, upper.cells, strict=True)) if len(set(cells)) > 1]
            if len(differing) != 1:
                continue
            (column,) = differing
            spans = [_span(_cell(table, column, rule.id)) for rule in (lower, upper)]
            if None not in spans:
                below, above = (span for span in spans if span is not None)
                if above.low is not None and below.high == above.low:
                    found.append(Threshold(lower.id, upper.id, column, below.low, above.low, above.high))
    return found


class _Span(NamedTuple):
    low: Decimal | None  #: included
    high: Decimal | None  #: not included


def _cell(table: DecisionTable, column: int, rule: str) -> feel.Expression:
    number = next(number for number, each in enumerate(table.rules) if each.id == rule)
    return table.columns[column].cells[number]


def _span(cell: feel.Expression) -> _Span | None:
    """What a cell lets through, where that is one half-open span of numbers; else None."""
    match cell.tree:
        case nodes.Tests(tests=(nodes.Half(operator=">=", end=nodes.Literal(value=Decimal() as low)),), negated=False):
            return _Span(low, None)
        case nodes.Tests(tests=(nodes.Half(operator="<", end=nodes.Literal(value=Decimal() as high)),), negated=False):
            return _Span(None, high)
        case nodes.Tests(
            tests=(
                nodes.Interval(
                    low=nodes.Literal(value=Decimal() as low),
                    low_closed=True,
                    high=nodes.Literal(value=Decimal() as high),
                    high_closed=False,
                ),
            ),
            negated=False,
        ):
            return _Span(low, high)
    return None


def moved(content: bytes, decision: Decision, moves: Mapping[Threshold, Decimal]) -> bytes:
    """A DMN file with thresholds of a decision's table moved; every other byte is as it was.

    ValueError for a threshold that would leave its two rules, and for a rule that the file gives no id.
    """
    for threshold, to in moves.items():
        if not (threshold.begins is None or threshold.begins < to) or not (
            threshold.ends is None or to < threshold.ends
        ):
            raise ValueError(f"{to} lies outside of {threshold.lower} and {threshold.upper}")
    cells = {
        (rule, threshold.column): text for threshold, to in moves.items() for rule, text in threshold.cells(to).items()
    }
    places = _places(content, decision.id, set(cells))
    if missing := sorted(rule for rule, _ in set(cells) - set(places)):
        raise ValueError(f"the rule {missing[0]} has no id of its own in the file: give it one")
    for key, (begin, end) in sorted(places.items(), key=lambda item: item[1], reverse=True):
        content = content[:begin] + escape(cells[key]).encode() + content[end:]
    return content


def _places(content: bytes, decision: str, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
    """Where the texts of input cells (rule, column) of a decision's table begin and end in the file."""
    parser = expat.ParserCreate(namespace_separator="}")
    path: list[tuple[str, str]] = []
    entries, begin = 0, -1
    found: dict[tuple[str, int], tuple[int, int]] = {}

    def at_cell() -> tuple[str, int] | None:
        names = [name for name, _ in path]
        if names[-5:] != ["decision", "decisionTable", "rule", "inputEntry", "text"] or path[-5][1] != decision:
            return None
        key = (path[-3][1], entries - 1)
        return key if key in wanted else None

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal entries, begin
        name = local(tag)
        entries = 0 if name == "rule" else entries + (name == "inputEntry")
        path.append((name, attributes.get("id", "")))
        begin = -1

    def inside(*_: object) -> None:
        nonlocal begin
        if begin < 0:
            begin = parser.CurrentByteIndex

    def end(_: str) -> None:
        if (key := at_cell()) is not None and begin >= 0:
            found[key] = begin, parser.CurrentByteIndex
        path.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = parser.CommentHandler = parser.StartCdataSectionHandler = inside
    parser.Parse(content, True)
    return found
