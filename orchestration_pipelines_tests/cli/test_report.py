"""``orchestrate report``: how a workflow stands comes first, on the page and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.defs.flows import flow


def test_the_report_says_how_the_workflow_stands(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that stands alone, and the same as data; without a file or --json it says what it wants."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    engine = deploy().engine(load_workflow(flow(tmp_path / "small")))
    engine.submit([Row(1, {"case_key": "a", "amount": 1})], requested_by="broker", source="test")
    engine.sweep()
    with engine.connect() as connection:
        connection.execute("UPDATE review_task SET due_at = opened_at - interval '1 minute'")
    out = tmp_path / "report.html"
    said = CliRunner().invoke(orchestrate, ["report", "--out", str(out)])
    assert (said.exit_code, "1 lines to act on" in said.output) == (0, True), said.output
    page = out.read_text(encoding="utf-8")
    assert page.index("How it stands") < page.index("Who owes what") < page.index("Figures")
    assert "1 open task is past due" in page
    told = json.loads(CliRunner().invoke(orchestrate, ["report", "--json"]).stdout)
    assert {line["topic"]: line["stands"] for line in told["status"]}["Promises"] == "act"
    assert [(owed["owner"], owed["late_tasks"]) for owed in told["owners"]] == [("tests", 1)]
    assert CliRunner().invoke(orchestrate, ["report"]).exit_code != 0
