"""Rules of decision tables in words: for reviewers, for the record, and to say what a new release changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from orchestration_pipelines.model.dmn.inventory import tables
from orchestration_pipelines.model.dmn.model import Model
from orchestration_pipelines.model.dmn.table import DecisionTable


class Worded(NamedTuple):
    """A rule in words."""

    decision: str
    rule: str  #: its id
    words: str


_COMPARED = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
_COMPARISON = re.compile(r"(<=|>=|<|>)\s*(.+)", re.DOTALL)
_RANGE = re.compile(r"([\[(\]])\s*(.+?)\s*\.\.\s*(.+?)\s*([\])\[])", re.DOTALL)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NOT = re.compile(r"not\s*\((.*)\)", re.DOTALL)


def rules(model: Model) -> list[Worded]:
    """Every rule of a model's tables."""
    return [Worded(table.name, rule, words) for table, _ in tables(model) for rule, words in _rules(table)]


def differences(before: Model | None, after: Model) -> list[str]:
    """What a release changes, rule by rule."""
    old = {(worded.decision, worded.rule): worded.words for worded in (rules(before) if before else [])}
    new = {(worded.decision, worded.rule): worded.words for worded in rules(after)}
    told = [f"removed {rule}: {words}" for (decision, rule), words in old.items() if (decision, rule) not in new]
    told += [f"added {rule}: {words}" for (decision, rule), words in new.items() if (decision, rule) not in old]
    told += [
        f"changed {key[1]}: {old[key]} → {words}" for key, words in new.items() if key in old and old[key] != words
    ]
    return told or ["no rule is another one"]


def _rules(table: DecisionTable) -> Iterator[tuple[str, str]]:
    for rule in table.rules:
        asked = [
            f"{column.label} is {test(cell)}"
            for column, cell in zip(table.columns, rule.cells, strict=True)
            if cell != "-"
        ]
        said = [
            f"{output.name} is {value(text)}" if output.name else value(text)
            for output, text in zip(table.outputs, rule.texts, strict=True)
        ]
        yield rule.id, f"{' and '.join(asked) or 'in any case'}: {'; '.join(said)}"


def test(cell: str) -> str:
    """Unary tests in words, as they follow "is"."""
    if negated := _NOT.fullmatch(cell.strip()):
        return f"not {test(negated[1])}"
    return " or ".join(_single(part.strip()) for part in _parts(cell))


def _single(part: str) -> str:
    if compared := _COMPARISON.fullmatch(part):
        return f"{_COMPARED[compared[1]]} {value(compared[2])}"
    if spanned := _RANGE.fullmatch(part):
        opening, low, high, closing = spanned.groups()
        begins = f"from {value(low)}" if opening == "[" else f"above {value(low)}"
        return f"{begins} {'to' if closing == ']' else 'to below'} {value(high)}"
    return value(part)


def value(text: str) -> str:
    """A value in words: a text without its quotes, anything else as it is written."""
    written = text.strip()
    if quoted := _TEXT.fullmatch(written):
        return quoted[1].replace('\\"', '"')
    return {"null": "missing", "true": "yes", "false": "no"}.get(written, written)


def _parts(cell: str) -> Iterator[str]:
    """The tests of a cell: split at commas that stand neither in a text nor in brackets."""
    depth, part = 0, ""
    for piece in re.findall(r'"(?:[^"\\]|\\.)*"|.', cell, re.DOTALL):
        if piece in "([{":
            depth += 1
        elif piece in ")]}":
            depth -= 1
        if piece == "," and depth <= 0:
            yield part
            part = ""
        else:
            part += piece
    yield part
