"""``orchestrate model describe``: everything that a workflow promises, on one page."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.cli.model import description
from orchestration_pipelines.cli.session import find_workflow


def test_the_page_of_the_mortgage_workflow() -> None:
    """Approvals, deadlines, compensations, owners, withheld columns and the table's digest are all there."""
    workflow = find_workflow("mortgage_underwriting")
    page = description(workflow)
    assert [row["step"] for row in page["steps"]][:2] == ["screen", "score"]
    assert all(row["owner"] for row in page["steps"] + page["queues"])
    needs = [row["step"] for row in page["approvals"] if row["approval"] == "needs one"]
    assert needs == ["commit_loan"]
    assert {"risk_grid", "human_review"} <= {row["step"] for row in page["approvals"] if row["approval"] == "gives one"}
    assert {"lock_rate", "reserve_funds"} <= {row["step"] for row in page["compensations"]}
    users = {row["step"] for row in page["steps"] if row["kind"] == "user"}
    assert {row["step"] for row in page["deadlines"]} == users
    assert {row["withheld as"] for row in page["keys"]} >= {"outcome", "protected"}
    assert page["tables"][0]["digest"] == workflow.tables["risk_grid"].model.digest


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_it_prints_for_people_and_for_programs(flags: list[str]) -> None:
    """The verb is there, and its JSON is the page."""
    said = CliRunner().invoke(orchestrate, ["model", "describe", "throughput", *flags])
    assert said.exit_code == 0, said.output
    if flags:
        assert json.loads(said.output)["steps"][0]["step"] == "check"
    else:
        assert "undone by" in said.output and "release" in said.output
