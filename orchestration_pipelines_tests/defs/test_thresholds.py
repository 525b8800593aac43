"""The proposal of a table that learns, as an asset: numbers, the difference in words, and nothing that changes."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.thresholds import threshold_asset
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.report.tables import SHORT
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines_tests.defs.flows import flow as small_flow
from orchestration_pipelines_tests.engine.learning import learning_folder, run


@pytest.fixture
def workflow(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A workflow whose grid decides by itself, on a fresh database, as a code location finds it."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    return load_workflow(learning_folder(tmp_path / "flow"))


def _told(workflow: Workflow) -> dict[str, object]:
    (asset,), (schedule,) = threshold_asset(workflow)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    (event,) = dg.materialize([asset]).asset_materializations_for_node(asset.node_def.name)
    return {name: entry.value for name, entry in event.metadata.items()}


def test_it_shows_what_people_s_judgements_allow_and_changes_nothing(workflow: Workflow) -> None:
    """The thresholds, how far the score can be trusted, and what has drifted; the table in force is as it was."""
    engine = deploy().engine(workflow)
    run(engine, 500, wrong_below=0.6)
    told = _told(workflow)
    assert str(told["says"]).startswith("changed r2: ") and "; changed r3: Score is at least 0.9" in str(told["says"])
    assert told["cases"] == 500 and int(str(told["from people to the machine"])) > 50
    assert "|r3|0.9|0." in str(told["thresholds"]) and len(str(told["drift"])) <= SHORT
    assert str(told["reliability"]).startswith("![](data:image/svg+xml;base64,")
    assert 0 < float(str(told["Brier score"])) < 0.3
    with engine.connect() as connection:
        assert connection.execute("SELECT count(*), min(state) FROM releases").fetchone() == (1, "active")


def test_with_nothing_to_learn_from_it_says_so(workflow: Workflow) -> None:
    """One click must work on the first day."""
    deploy().engine(workflow).version  # noqa: B018 - released
    assert _told(workflow)["says"] == "every threshold stays where it is"
    (workflow.folder / "policy.yaml").unlink()


def test_a_workflow_in_which_no_rule_approves_has_none_of_this(tmp_path: Path) -> None:
    """There is no threshold to move."""
    assert threshold_asset(load_workflow(small_flow(tmp_path / "small"))) == ([], [])
