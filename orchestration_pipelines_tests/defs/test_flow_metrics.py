"""The figures of flow as assets: numbers to plot, pictures and short tables, and days that are restated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.flow_metrics import flow_assets, flow_schedule
from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.report.tables import SHORT
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines_tests.defs.flows import flow as small_flow


@pytest.fixture
def workflow(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A small workflow on a fresh database, as a code location finds it."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    return load_workflow(small_flow(tmp_path / "small"))


def _metadata(result: dg.ExecuteInProcessResult, asset: dg.AssetsDefinition) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node(asset.node_def.name)
    return {name: entry.value for name, entry in event.metadata.items()}


def _swept(workflow: Workflow) -> Engine:
    engine = deploy().engine(workflow)
    engine.submit([Row(1, {"case_key": "a", "amount": 1})], requested_by="broker", source="test")
    engine.sweep()
    with engine.connect() as connection:
        (task,) = reviews.open_tasks(connection)
        reviews.decide(connection, task.task, person="ann", seen=task.digest, outcome="approve")
    engine.sweep()
    return engine


def test_a_day_and_the_flow_of_late_materialise_with_numbers_pictures_and_tables(workflow: Workflow) -> None:
    """One case came and closed today: both assets say so, in numbers that Dagster plots."""
    _swept(workflow)
    flow_day, flow = flow_assets(workflow)
    instance = dg.DagsterInstance.ephemeral()
    today = datetime.now(UTC).date().isoformat()
    by_day = _metadata(dg.materialize([flow_day], instance=instance, partition_key=today), flow_day)
    of_late = _metadata(dg.materialize([flow_day, flow], selection=[flow], instance=instance), flow)
    for metadata in (by_day, of_late):
        assert (metadata["submitted"], metadata["closed"], metadata["under_way"]) == (1, 1, 0)
        assert isinstance(metadata["lead_p50_hours"], float)
        assert str(metadata["lead_time"]).startswith("![](data:image/svg+xml;base64,")
    assert len(str(by_day["steps"])) <= SHORT and "|element|visits|right|" in str(by_day["steps"])
    assert {"cumulative_flow", "ageing", "lead_time_by_day", "Late now", "To be mended"} <= set(of_late)


def test_several_days_are_one_run(workflow: Workflow) -> None:
    """A backfill of a week is one run, with an event for each day."""
    _swept(workflow)
    flow_day, _ = flow_assets(workflow)
    last = datetime.now(UTC).date()
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [flow_day],
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": (last - timedelta(days=6)).isoformat(),
                "dagster/asset_partition_range_end": last.isoformat(),
            },
        )
    events = result.asset_materializations_for_node(flow_day.node_def.name)
    assert sorted(str(event.partition) for event in events) == [
        (last - timedelta(days=back)).isoformat() for back in range(6, -1, -1)
    ]
    assert {str(event.partition): event.metadata["closed"].value for event in events}[last.isoformat()] == 1
    assert sum(int(str(event.metadata["closed"].value)) for event in events) == 1


def test_after_midnight_the_days_that_something_came_late_to_are_restated(workflow: Workflow) -> None:
    """At noon today and the flow of late; after midnight yesterday, too."""
    _swept(workflow)
    flow_day, flow = flow_assets(workflow)
    schedule = flow_schedule(workflow, flow_day, flow)
    repository = dg.Definitions(assets=[flow_day, flow], schedules=[schedule]).get_repository_def()
    today = datetime.now(UTC).replace(hour=12, minute=7)

    def asked(at: datetime) -> list[str | None]:
        context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository)
        return [request.partition_key for request in schedule.evaluate_tick(context).run_requests or ()]

    day = today.date()
    assert asked(today) == [day.isoformat(), None]
    assert asked(today.replace(hour=0)) == [(day - timedelta(days=1)).isoformat(), day.isoformat(), None]
