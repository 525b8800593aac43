"""``facts`` and ``similar`` of workflow.yaml: what is written is read, and every slip is told by its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.engine.workflow import WorkflowRefused, load_workflow
from orchestration_pipelines.store.versions import fact_sheet
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import STRAIGHT, WORKERS

FIELDS = 'fields: {amount: number, paid: "number?", note: "text?"}'
SETTINGS = DEFAULT_SETTINGS.replace("fields: {amount: number}", FIELDS + ", withheld: {protected: [origin]}")


def refused(place: Path, written: str) -> str:
    with pytest.raises(WorkflowRefused) as told:
        load_workflow(workflow_folder(place / "flow", drawing(*STRAIGHT), WORKERS, SETTINGS + written))
    return str(told.value)


def test_a_sheet_says_how_facts_are_shown(tmp_path: Path) -> None:
    """Short and long form, derived facts among the submitted, the rest at the end; and what each step writes."""
    written = (
        "facts:\n  The loan:\n    amount: {label: Amount asked for, unit: $1000}\n    receipt: Receipt of the bank\n"
        "    paid: {values: {1: never late, 2: late}}\nsimilar: [amount]\n"
    )
    workflow = load_workflow(workflow_folder(tmp_path / "flow", drawing(*STRAIGHT), WORKERS, SETTINGS + written))
    sheet = workflow.sheet
    assert [fact.name for fact in sheet.facts] == ["amount", "receipt", "paid", "note"]
    assert sheet.written("amount", 3) == "$3,000"
    assert sheet.label("receipt") == "Receipt of the bank"
    assert sheet.written("paid", 2) == "late"
    assert sheet.outputs == {"check": ("ok", "note"), "reserve": ("receipt",)}
    assert [fact.name for fact in sheet.compared] == ["amount"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("facts: {A: {origin: Where from}}", "shows 'origin', which is withheld (protected): no person sees it"),
        ("facts: {A: {amont: Amount}}", "shows 'amont', which is neither submitted nor written by a step"),
        ("facts: {A: {amount: x}, B: {amount: y}}", "names 'amount' twice"),
        ("facts: {A: {amount: {lable: x}}}", "unknown setting 'facts.A.amount.lable'"),
        ("facts: {A: {paid: {values: [1]}}}", "facts.A.paid.values is '[1]': write codes with what each means"),
        ("facts: {A: {amount: 3}}", "facts.A.amount is '3': write text"),
        (f"facts: {{A: {{amount: {'x' * 121}}}}}", "at most 120 characters"),
        ("similar: [note]", "compares by 'note', which is no submitted number or flag"),
        ("told: [amount]", "told names 'amount', which is no derived fact of facts"),
        ("similar: [receipt]", "compares by 'receipt', which is no submitted number or flag"),
    ],
)
def test_a_slip_is_told(tmp_path: Path, written: str, told: str) -> None:
    """By its place, with what to write instead."""
    assert told in refused(tmp_path, written)


def test_what_is_released_is_what_pages_read(draw: Draw) -> None:
    """The sheet stands in the database from the release on, and follows the next one."""
    flow = draw(*STRAIGHT, settings=SETTINGS + "facts: {A: {amount: Amount asked for}}")
    assert flow.engine.version
    with flow.engine.connect() as connection:
        assert b"Amount asked for" in (fact_sheet(connection, "flow") or b"")
    again = draw(*STRAIGHT, settings=SETTINGS + "facts: {A: {amount: Sum}}")
    assert again.engine.version
    with again.engine.connect() as connection:
        assert b'"Sum"' in (fact_sheet(connection, "flow") or b"")
        assert fact_sheet(connection, "nothing") is None
