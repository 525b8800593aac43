"""Reading decision tables from XML. The orientation in which one is drawn changes nothing in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.boxed.logic import Literal, Logic
from orchestration_pipelines.model.dmn.columns import Column
from orchestration_pipelines.model.dmn.document import foreign
from orchestration_pipelines.model.dmn.items import Restricted, name_of
from orchestration_pipelines.model.dmn.masks import constant
from orchestration_pipelines.model.dmn.profile import AGGREGATIONS, POLICIES
from orchestration_pipelines.model.dmn.table import DecisionTable, Output, Rule
from orchestration_pipelines.model.feel.lexer import tokens
from orchestration_pipelines.model.feel.types import Type

if TYPE_CHECKING:
    from orchestration_pipelines.model.dmn.expressions import Expressions, Place


def read_table(expressions: Expressions, table: ET.Element, place: Place) -> Logic:
    """A decision table; one with a cell that cannot be read is a problem as a whole."""
    return _Tables(expressions, table, place).read()


class _Tables:
    def __init__(self, expressions: Expressions, table: ET.Element, place: Place) -> None:
        self._expressions, self._document = expressions, expressions.document
        self._table, self._place = table, place
        self._inputs = self._document.children(table, "input")
        self._outputs = self._document.children(table, "output")
        self._rules = self._document.children(table, "rule")
        self._ids = [rule.get("id") or f"rule {number}" for number, rule in enumerate(self._rules, 1)]
        self._unreadable: Logic | None = None

    def read(self) -> Logic:
        policy = self._table.get("hitPolicy", "UNIQUE")
        aggregation = self._table.get("aggregation", "") if policy == "COLLECT" else ""
        self._check(policy, aggregation)
        columns = tuple(self._column(number, column) for number, column in enumerate(self._inputs))
        outputs = tuple(self._output(output) for output in self._outputs)
        rules = tuple(self._rule(rule, own) for rule, own in zip(self._rules, self._ids, strict=True))
        if aggregation and len(outputs) > 1:
            return self._expressions.trouble(
                self._place,
                f"the aggregation {aggregation} over {len(outputs)} outputs has no meaning: make it a table for each",
            )
        if self._unreadable is not None:
            return self._unreadable
        heads = tuple(head.get("name", "") for head in self._document.children(self._table, "annotation"))
        written = [logic for rule in rules for logic in rule.outputs]
        written += [output.default for output in outputs if output.default is not None]
        return DecisionTable(
            id=self._place.id,
            name=self._place.name,
            policy=policy,
            aggregation=aggregation,
            columns=columns,
            outputs=outputs,
            annotations=heads,
            rules=rules,
            digest=self._document.digest,
            constant=all(isinstance(logic, Literal) and constant(logic.expression) for logic in written),
        )

    def _check(self, policy: str, aggregation: str) -> None:
        for reason in dict.fromkeys(map(foreign, self._table.iter())):
            if reason:
                self._refuse(reason)
        if policy not in POLICIES:
            self._refuse(f"there is no hit policy {policy!r}: use one of {', '.join(POLICIES)}")
        if aggregation and aggregation not in AGGREGATIONS:
            self._refuse(f"there is no aggregation {aggregation!r}: use one of {', '.join(AGGREGATIONS)}")
        if not self._outputs:
            self._refuse("the table has no output: add one")
        names = [name_of(output) for output in self._outputs]
        if len(names) > 1 and ("" in names or len(set(names)) < len(names)):
            self._refuse(f"several outputs need a name each, and have {names}")
        for own, rule in zip(self._ids, self._rules, strict=True):
            for kind, heads in (("input", self._inputs), ("output", self._outputs)):
                entries = len(self._document.children(rule, f"{kind}Entry"))
                if entries != len(heads):
                    self._refuse(f"{own}: it has {entries} {kind} entries for {len(heads)} {kind}s")

    def _refuse(self, reason: str) -> None:
        self._unreadable = self._expressions.trouble(self._place, reason)

    def _tests(self, text: str, place: Place) -> feel.Expression | None:
        try:
            return self._expressions.tests(text or "-", place)
        except feel.FeelError as error:
            self._unreadable = self._expressions.trouble(place, str(error))
            return None

    # -- columns

    def _column(self, index: int, column: ET.Element) -> Column:
        place = self._place.at(f"input {index + 1}")
        written = self._document.child(column, "inputExpression")
        text = self._document.text(written)
        expression = self._expressions.text(text, place)
        if not isinstance(expression, Literal):
            self._unreadable = expression
        reference = None if written is None else written.get("typeRef")
        allowed = self._document.child(column, "inputValues")
        cells = []
        for rule, own in zip(self._rules, self._ids, strict=True):
            entries = self._document.children(rule, "inputEntry")
            cell = self._document.text(entries[index]) if index < len(entries) else ""
            cells.append(self._tests(cell, self._place.at(f"{own} input {index + 1}")))
        return Column(
            label=column.get("label") or text,
            text=text,
            expression=self._expressions.typed(expression, reference, place),
            cells=tuple(cell for cell in cells if cell is not None),
            allowed=None if allowed is None else self._tests(self._document.text(allowed), place),
        )

    def _output(self, output: ET.Element) -> Output:
        name = name_of(output)
        label = output.get("label") or name or self._table.get("outputLabel") or self._place.owner
        place = self._place.at(f"output {name or label}")
        item = self._expressions.type_of(output.get("typeRef"), place)
        default = self._document.child(output, "defaultOutputEntry")
        return Output(
            name=name,
            label=label,
            type=item,
            allowed=tuple(self._allowed(output, item, place)),
            default=None if default is None else self._result(default, place),
        )

    def _allowed(self, output: ET.Element, item: Type, place: Place) -> Iterator[feel.Expression]:
        """The tests of the output values, one by one; where none are written, those of the type."""
        text = self._document.text(self._document.child(output, "outputValues"))
        if not text and isinstance(item, Restricted):
            text = item.allowed.text
        for test in _apart(text):
            if (read := self._tests(test, place)) is not None:
                yield read

    def _rule(self, rule: ET.Element, own: str) -> Rule:
        cells = self._document.children(rule, "inputEntry")
        outputs = self._document.children(rule, "outputEntry")
        notes = self._document.children(rule, "annotationEntry")
        return Rule(
            id=own,
            cells=tuple(self._document.text(cell) or "-" for cell in cells),
            texts=tuple(self._document.text(output) for output in outputs),
            annotations=tuple(self._document.text(note) for note in notes),
            outputs=tuple(
                self._result(output, self._place.at(f"{own} output {number}"))
                for number, output in enumerate(outputs, 1)
            ),
        )

    def _result(self, entry: ET.Element, place: Place) -> Logic:
        return self._expressions.text(self._document.text(entry), place)


def _apart(text: str) -> list[str]:
    """The tests of a text, each by itself: what the commas outside of all brackets part."""
    try:
        read = [token for token in tokens(text) if token.kind == "symbol"]
    except feel.FeelError:
        return [text]  # whoever reads it tells what is wrong
    depth, begin, parts = 0, 0, []
    for token in read:
        if token.value in ("(", "[", "{"):
            depth += 1
        elif token.value in (")", "]", "}"):
            depth -= 1
        elif token.value == "," and depth == 0:
            parts.append(text[begin : token.at].strip())
            begin = token.at + 1
    return [part for part in [*parts, text[begin:].strip()] if part]
