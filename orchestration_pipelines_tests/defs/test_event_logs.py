"""Imported logs and comparisons as assets: measured once, by the same names as a workflow's own flow."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.event_logs import event_log_assets
from orchestration_pipelines.defs.pilot_deltas import pilot_deltas_asset
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.event_logs import import_log
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.defs.flows import flow as small_flow

_LOG = """case:concept:name,concept:name,time:timestamp
a,ask,2026-02-02T08:00:00Z
a,answer,2026-02-02T10:00:00Z
b,ask,2026-02-02T09:00:00Z
b,answer,2026-02-03T09:00:00Z
b,answer,2026-02-03T13:00:00Z
"""


@pytest.fixture
def workflow(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A small workflow and an imported log on a fresh database, as a code location finds them."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    (tmp_path / "before.csv").write_text(_LOG)
    with connect(database) as connection:
        import_log(connection, tmp_path / "before.csv", "before", None, by="ann", at=datetime.now(UTC))
    return load_workflow(small_flow(tmp_path / "small"))


def _metadata(result: dg.ExecuteInProcessResult, asset: dg.AssetsDefinition) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node(asset.node_def.name)
    return {name: entry.value for name, entry in event.metadata.items()}


def test_an_imported_log_becomes_a_partition_and_is_measured_once(workflow: Workflow) -> None:
    """Nobody has to tell Dagster; and what a log does not say is not made up."""
    asset, sensor = event_log_assets()
    with dg.DagsterInstance.ephemeral() as instance:
        asked = sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(asked, dg.SensorResult)
        assert [request.partition_key for request in asked.run_requests or ()] == ["before"]
        (added,) = asked.dynamic_partitions_requests or ()
        assert (added.partitions_def_name, added.partition_keys) == ("event_logs", ["before"])
        instance.add_dynamic_partitions("event_logs", ["before"])
        assert isinstance(sensor(dg.build_sensor_context(instance=instance)), dg.SkipReason)
        told = _metadata(dg.materialize([asset], instance=instance, partition_key="before"), asset)
    assert (told["closed"], told["under_way"], told["first"], told["last"]) == (2, 0, "2026-02-02", "2026-02-03")
    assert (told["lead_p50_hours"], told["rework_rate"]) == (15.0, 0.5)
    assert str(told["lead_time"]).startswith("![](data:image/svg+xml;base64,")
    assert "|answer|3|1|" in str(told["Steps"])
    assert not {"automation_rate", "first_pass_yield", "cycle_p50_hours", "ageing"} & set(told)


def test_the_deltas_are_computed_with_one_click_and_say_when_there_is_nothing_yet(workflow: Workflow) -> None:
    """Four weeks against the four before, where nothing is asked."""
    asset = pilot_deltas_asset(workflow)
    assert "nothing can be compared yet" in str(_metadata(dg.materialize([asset]), asset)["says"])


def test_the_deltas_against_a_log_are_numbers_and_words(workflow: Workflow) -> None:
    """How it ran before is the baseline."""
    engine = deploy().engine(workflow)
    rows = [Row(n, {"case_key": f"n{n}", "amount": 1}) for n in range(3)]
    engine.submit(rows, requested_by="broker", source="test")
    engine.sweep()
    with engine.connect() as connection:
        connection.execute(
            "INSERT INTO review_decision (task_id, outcome, digest, decided_by) "
            "SELECT id, 'approve', digest, 'ann' FROM review_task WHERE ended_at IS NULL"
        )
    engine.sweep()
    asset = pilot_deltas_asset(workflow)
    config = {"ops": {asset.node_def.name: {"config": {"log": "before"}}}}
    told = _metadata(dg.materialize([asset], run_config=config), asset)
    assert (told["lead time, h: before"], told["rework rate: before"], told["rework rate: after"]) == (15.0, 0.5, 0.0)
    assert "of before in 2026-02-02..2026-02-03" in str(told["compared"])
    assert "lead time, h: " in str(told["says"])
    assert "first-pass yield: before" not in told


def test_a_comparison_that_was_asked_for_and_cannot_be_made_fails(workflow: Workflow) -> None:
    """It is not passed over in silence."""
    asset = pilot_deltas_asset(workflow)
    config = {"ops": {asset.node_def.name: {"config": {"corridor": "amount <"}}}}
    result = dg.materialize([asset], run_config=config, raise_on_error=False)
    assert not result.success
