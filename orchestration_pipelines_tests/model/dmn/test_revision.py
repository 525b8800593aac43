"""A new version of a file: only its tables are compared, and whatever else differs proves nothing."""

from __future__ import annotations

import pytest

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.dmn.revision import revised
from orchestration_pipelines.model.dmn.tightening import Care, Change, Stop
from orchestration_pipelines_tests.tables import table

CARE = Care(lambda answer: (answer["route"] != "auto", answer["signatures"]), Stop.STOP)
STRICT = table(("< 100", '"auto"', "1"), (">= 100", '"review"', "1"))
TIGHT = table(("< 50", '"auto"', "1"), (">= 50", '"review"', "1"))
INPUT = '<inputData id="a" name="amount"><variable name="amount" typeRef="number"/></inputData>'
UPON = (
    '<decision id="upon" name="upon"><variable name="upon"/><informationRequirement id="q"><requiredDecision '
    'href="#grid"/></informationRequirement><literalExpression><text>grid.route</text></literalExpression></decision>'
)


def plus(xml: str, more: str) -> str:
    return xml.replace("</definitions>", more + "</definitions>")


def change(before: str, after: str, cares: tuple[Care | None, ...] = (CARE,)) -> Change:
    sides = [(xml.encode(), dmn.loads(xml.encode(), "grid.dmn")) for xml in (before, after)]
    return revised("grid.dmn", sides[0], sides[1], {"grid": cares}).change


def test_a_table_alone_may_change() -> None:
    """And every drawing that asks for it must say that it tightens."""
    assert change(STRICT, TIGHT) is Change.TIGHTENING
    assert change(STRICT, TIGHT, (CARE, CARE)) is Change.TIGHTENING
    assert change(STRICT, TIGHT, (CARE, None)) is Change.LOOSENING
    assert change(STRICT, TIGHT, ()) is Change.LOOSENING
    assert change(TIGHT, STRICT) is Change.LOOSENING


def test_what_changes_no_answer_is_neutral() -> None:
    """Space, pictures, descriptions, and what other tools keep in the file."""
    pictures = '<d:DMNDI xmlns:d="https://www.omg.org/spec/DMN/20191111/DMNDI/"><d:DMNDiagram id="x"/></d:DMNDI>'
    for after in (
        STRICT.replace("><", ">\n<"),
        plus(STRICT, pictures),
        STRICT.replace("<variable", "<description>New words.</description><variable"),
        STRICT.replace("<variable", '<extensionElements><x xmlns="urn:x"/></extensionElements><variable'),
    ):
        assert change(STRICT, after, ()) is Change.NEUTRAL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (plus(STRICT, INPUT), plus(STRICT, INPUT.replace('"number"', '"string"'))),
        (STRICT, plus(STRICT, INPUT)),
        (plus(STRICT, INPUT), STRICT),
        (STRICT, STRICT.replace("20191111", "20230324")),
        (STRICT, STRICT.replace("https://example.org/d", "https://example.org/e")),
        (STRICT, STRICT.replace('<variable name="grid"/>', '<variable name="grid" typeRef="string"/>')),
        (STRICT, plus(STRICT, UPON)),
        (plus(STRICT, UPON), plus(TIGHT, UPON)),
        (plus(STRICT, UPON), plus(STRICT, UPON.replace("grid.route", '"auto"'))),
    ],
)
def test_anything_else_that_differs_is_no_proof(before: str, after: str) -> None:
    """Inputs and their types, the version, the decision's own type, decisions beside it or upon it."""
    assert change(before, after) is Change.LOOSENING
