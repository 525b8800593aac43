"""Automatic decisions as an asset, and its check: it opens reviews, warns, passes, fails, and stops a cell."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.auto_decisions import auto_decision_assets
from orchestration_pipelines.engine import policy, reviews
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.report.tables import SHORT
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines_tests.defs.flows import flow as small_flow
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.blind import GRID, LINES, POLICY
from orchestration_pipelines_tests.engine.flow import WORKERS

_SETTINGS = DEFAULT_SETTINGS.replace("ann: [reviewer]", "ann: [reviewer, manager]")


@pytest.fixture
def workflow(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A workflow whose grid decides by itself, on a fresh database, as a code location finds it."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    folder = workflow_folder(tmp_path / "flow", drawing(*LINES), WORKERS, _SETTINGS, grid=GRID)
    (folder / "policy.yaml").write_text(POLICY)
    return load_workflow(folder)


def _swept(workflow: Workflow, *keys: str, amount: int = 50) -> Engine:
    engine = deploy().engine(workflow)
    rows = [Row(number, {"case_key": key, "amount": amount}) for number, key in enumerate(keys)]
    engine.submit(rows, requested_by="broker", source="test")
    engine.sweep()
    return engine


def _answer(engine: Engine, outcome: str) -> None:
    with engine.connect() as connection:
        for task in reviews.open_tasks(connection):
            reviews.decide(connection, task.task, person="ann", seen=task.digest, outcome=outcome, rationale="looked")


def _checked(workflow: Workflow) -> dg.AssetCheckEvaluation:
    assets, checks, _ = auto_decision_assets(workflow)
    job = dg.define_asset_job("ask", selection=dg.AssetSelection.checks(*checks))
    defined = dg.Definitions(assets=assets, asset_checks=checks, jobs=[job]).resolve_job_def("ask")
    (found,) = defined.execute_in_process(instance=dg.DagsterInstance.ephemeral()).get_asset_check_evaluations()
    return found


def test_the_check_warns_then_passes_then_fails_and_the_next_case_waits(workflow: Workflow) -> None:
    """Twelve reviews that agree are enough; twenty of 32 that do not are too many: people decide from then on."""
    engine = _swept(workflow, *(f"a{number}" for number in range(12)))
    found = _checked(workflow)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    numbers = {name: entry.value for name, entry in found.metadata.items()}
    assert (numbers["reviews opened"], numbers["r1 reviews needed"], numbers["r1 bound"]) == (12, 12, 1.0)
    assert _checked(workflow).metadata["reviews opened"].value == 0
    _answer(engine, "approve")
    assert _checked(workflow).passed
    _swept(workflow, *(f"n{number}" for number in range(20)))
    assert _checked(workflow).metadata["reviews opened"].value == 20
    _answer(engine, "reject")
    found = _checked(workflow)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    which = str(found.metadata["which"].value)
    assert "|r1|32|20|" in which and "with people" in which and len(which) <= SHORT
    _swept(workflow, "next")
    with engine.connect() as connection:
        assert [(task.case_key, task.element) for task in reviews.open_tasks(connection)] == [("next", "review")]


def test_the_asset_counts_a_days_decisions_by_cell(workflow: Workflow) -> None:
    """Approvals and declines apart; materialised with its check, what was drawn the next time."""
    _swept(workflow, "a", "b")
    _swept(workflow, "c", amount=150)
    assets, checks, (schedule,) = auto_decision_assets(workflow)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    job = dg.define_asset_job("all", selection=dg.AssetSelection.assets(*assets))
    defined = dg.Definitions(assets=assets, asset_checks=checks, jobs=[job]).resolve_job_def("all")
    today = datetime.now(UTC).date().isoformat()
    for drawn in (0, 2):
        result = defined.execute_in_process(instance=dg.DagsterInstance.ephemeral(), partition_key=today)
        (event,) = result.asset_materializations_for_node(assets[0].node_def.name)
        numbers = {name: entry.value for name, entry in event.metadata.items()}
        assert (numbers["automatic approvals"], numbers["automatic declines"]) == (2, 1)
        assert int(str(numbers["drawn"])) >= drawn
    assert "|r1|approve|2|2|" in str(numbers["cells"])


def test_without_the_section_it_warns_that_nobody_looks(workflow: Workflow) -> None:
    """Silence is not passing."""
    engine = _swept(workflow, "a")
    with engine.connect() as connection:
        assert policy.put(connection, workflow, b"skills: [tax]", by="ann", reason="none", at=engine.clock())
    found = _checked(workflow)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no section quality" in str(found.description)


def test_a_workflow_in_which_no_rule_decides_has_none_of_this(tmp_path: Path) -> None:
    """There is nothing to look at again."""
    assert auto_decision_assets(load_workflow(small_flow(tmp_path / "small"))) == ([], [], [])
