"""Why people decided as they did, as an asset: which rule makes the most work, and for which reasons."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.rationales import rationales_asset
from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.report.tables import SHORT
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, REASONS, SETTINGS
from orchestration_pipelines_tests.engine.flow import WORKERS


@pytest.fixture
def workflow(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A workflow whose policy offers reasons, on a fresh database, as a code location finds it."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    folder = workflow_folder(tmp_path / "flow", drawing(*DECIDING), WORKERS, SETTINGS, grid=GRID)
    (folder / "policy.yaml").write_text(REASONS)
    return load_workflow(folder)


def _told(workflow: Workflow) -> dict[str, object]:
    asset, schedule = rationales_asset(workflow)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    (event,) = dg.materialize([asset]).asset_materializations_for_node(asset.node_def.name)
    return {name: entry.value for name, entry in event.metadata.items()}


def test_decisions_are_counted_by_rule_and_reason(workflow: Workflow) -> None:
    """Two of the rule much, one of the rule little; one decision names two reasons, and is one decision."""
    engine = deploy().engine(workflow)
    rows = [
        Row(n, {"case_key": key, "amount": amount}) for n, (key, amount) in enumerate([("A", 50), ("B", 50), ("C", 10)])
    ]
    engine.submit(rows, requested_by="broker", source="test")
    engine.sweep()
    said = {"A": ("reject", ["no_invoice"]), "B": ("reject", ["no_invoice", "other"]), "C": ("approve", ["in_order"])}
    with engine.connect() as connection:
        for task in reviews.open_tasks(connection):
            outcome, reasons = said[task.case_key]
            reviews.decide(
                connection, task.task, person="ann", seen=task.digest, outcome=outcome, reasons=reasons, rationale="so"
            )
    engine.sweep()
    told = _told(workflow)
    assert (told["decisions"], told["decisions that name a reason"], told["makes the most work"]) == (3, 3, "much")
    assert (told["reason: no_invoice"], told["reason: other"], told["reason: in_order"]) == (2, 1, 1)
    assert "|review|much|2|" in str(told["rules"]) and "There is no invoice" in str(told["reasons"])
    assert len(str(told["rules"])) <= SHORT


def test_before_anything_was_decided_it_says_so(workflow: Workflow) -> None:
    """One click must work on the first day."""
    assert (_told(workflow)["decisions"], _told(workflow)["makes the most work"]) == (0, "nothing was decided")
