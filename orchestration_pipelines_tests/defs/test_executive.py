"""The asset for whoever answers for a workflow: what stands how, in numbers to plot and two short tables."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.executive import executive_report
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.report.tables import SHORT
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.defs.flows import flow


def test_the_asset_says_how_the_workflow_stands(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow's own check that fails is a line to act on; what is owed is a table."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    workflow = load_workflow(flow(tmp_path / "small"))
    engine = deploy().engine(workflow)
    engine.submit([Row(1, {"case_key": "a", "amount": 1})], requested_by="broker", source="test")
    engine.sweep()
    asset, schedule = executive_report(workflow, {"books_balance": lambda _: ["they do not"]})
    result = dg.materialize([asset])
    (event,) = result.asset_materializations_for_node(asset.node_def.name)
    said = {name: entry.value for name, entry in event.metadata.items()}
    assert (said["to act on"], said["late tasks"], said["to mend"]) == (1, 0, 0)
    assert str(said["Integrity"]).startswith("act: 1 of 9 rules are broken: books_balance: they do not")
    assert "|Flow|look|1 came, 0 closed, 1 are under way|" in str(said["how it stands"])
    assert len(str(said["how it stands"])) <= SHORT
    assert schedule.cron_schedule == "3 5 * * *"
