"""Deadlines in Dagster: the sensor fires what is due, the schedule is the net below, and the backlog has an age."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from orchestration_pipelines.defs.ageing import table
from orchestration_pipelines.defs.sensors import SWEEP, URGENT
from orchestration_pipelines.defs.workflow import workflow_definitions
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.ageing import QueueAge
from orchestration_pipelines_tests.defs.flows import flow


@pytest.fixture
def engine(database: str, tmp_path: Path) -> Engine:
    """Three cases that wait for a person."""
    engine = Engine(database, load_workflow(flow(tmp_path / "small")))
    rows = [Row(n, {"case_key": f"C-{n}", "amount": 5}) for n in range(3)]
    engine.submit(rows, requested_by="broker", source="t")
    engine.sweep()
    return engine


@pytest.fixture
def definitions(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", engine.url)
    return workflow_definitions(engine.workflow.folder)


@pytest.fixture
def tick(definitions: dg.Definitions) -> Callable[[], Any]:
    """What the sensor does now."""

    def evaluate() -> Any:
        with dg.build_sensor_context(instance=dg.DagsterInstance.ephemeral()) as context:
            return definitions.resolve_sensor_def("small_sla_timer_sensor").evaluate_tick(context)

    return evaluate


def _due_in(engine: Engine, seconds: float, cases: int = 1) -> None:
    with engine.connect() as connection:
        connection.execute(
            "UPDATE timer SET due_at = %s WHERE case_id <= %s",
            (datetime.now(UTC) + timedelta(seconds=seconds), cases),
        )


def _fired(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute("SELECT FROM timer WHERE status = 'fired'").fetchall())


def test_the_sensor_fires_what_is_due_and_reports_it_as_an_assets_event(
    engine: Engine, tick: Callable[[], Any]
) -> None:
    """By row updates: it asks for no run; and when nothing is due it says so."""
    assert tick().skip_message == "nothing is due"
    _due_in(engine, -1, cases=2)
    data = tick()
    assert _fired(engine) == 2
    assert data.run_requests == []
    (event,) = data.asset_events
    assert event.asset_key == dg.AssetKey(["small", "deadlines"])
    assert event.metadata["timers"].value == 2
    assert tick().asset_events == []


def test_the_sensor_waits_for_what_is_due_before_the_daemon_comes_round_again(
    engine: Engine, tick: Callable[[], Any]
) -> None:
    """So that a deadline is kept to within a second or so, whatever the daemon's rhythm."""
    _due_in(engine, 1.0)
    assert tick().asset_events != []
    with engine.connect() as connection:
        rows = connection.execute(
            "SELECT t.ended_at - m.due_at FROM timer m JOIN review_task t ON t.case_id = m.case_id "
            "WHERE m.status = 'fired'"
        ).fetchall()
    assert [timedelta(0) <= late < timedelta(seconds=1) for (late,) in rows] == [True]


def test_the_schedule_is_a_net_below_the_sensor(engine: Engine, definitions: dg.Definitions) -> None:
    """Only what has been due for longer than the sensor takes asks for a run, which fires it and goes on from there."""
    schedule = definitions.resolve_schedule_def("small_sla_sweep_schedule")

    def evaluate(instance: dg.DagsterInstance) -> Any:
        with dg.build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC)) as context:
            return schedule.evaluate_tick(context)

    with dg.instance_for_test() as instance:
        _due_in(engine, -5)
        assert evaluate(instance).skip_message == "nothing is overdue"
        _due_in(engine, -60)
        (asked,) = evaluate(instance).run_requests
        assert asked.tags[SWEEP] == URGENT
        job = definitions.get_job_def("small")
        assert job.execute_in_process(run_config=asked.run_config, instance=instance).success
        assert evaluate(instance).skip_message == "nothing is overdue"
    assert _fired(engine) == 1
    with engine.connect() as connection:
        assert connection.execute("SELECT outcome FROM cases WHERE id = 1").fetchone() == ("expired",)


def test_h06_the_backlogs_age_is_an_asset(engine: Engine, definitions: dg.Definitions) -> None:
    """Oldest, percentiles and past due of each queue, as figures that Dagster plots and a table that it shows."""
    for case, old in ((1, 1), (2, 2), (3, 9)):
        _age(engine, case, datetime.now(UTC) - timedelta(hours=old), past_due=case == 3)
    key = dg.AssetKey(["small", "backlog_ageing"])
    (ageing,) = (
        asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition) and key in asset.keys
    )
    result = dg.materialize([ageing], instance=dg.DagsterInstance.ephemeral())
    (event,) = result.asset_materializations_for_node(ageing.node_def.name)
    figures = {name: entry.value for name, entry in event.metadata.items()}
    assert figures["reviews: waiting"] == 3
    assert figures["reviews: past due"] == 1
    hours = [figures[f"reviews: {name}, h"] for name in ("oldest", "p50", "p85", "p95")]
    assert hours == pytest.approx([9.0, 2.0, 6.9, 8.3], abs=0.05)
    assert "| reviews | 3 | 1 | 9.0 |" in str(figures["queues"])


def _age(engine: Engine, case: int, opened: datetime, *, past_due: bool) -> None:
    with psycopg.connect(engine.url, autocommit=True) as owner:
        owner.execute(
            "UPDATE review_task SET opened_at = %s, due_at = %s WHERE case_id = %s",
            (opened, opened + timedelta(hours=1 if past_due else 100), case),
        )


def test_the_table_of_many_queues_is_short_and_has_the_worst_first() -> None:
    """Dagster shows up to 1,000 characters at once; the rest is counted."""
    shown = table([QueueAge(f"queue_{n:02}", n, n, n * 3600.0, 1.0, 2.0, 3.0) for n in range(50)])
    assert len(shown) < 1_000
    assert shown.splitlines()[2].startswith("| queue_49 |")
    listed = shown.count("| queue_")
    assert shown.endswith(f"and {50 - listed} more queues: see the figures")
    assert table([]).count("\n") == 1


def test_everything_by_the_clock_runs_by_default(definitions: dg.Definitions) -> None:
    """Dagster's own default is stopped, and nobody would notice."""
    schedules = {each.name: each for each in definitions.schedules or ()}
    assert {"small_sla_sweep_schedule", "small_backlog_ageing_schedule"} <= set(schedules)
    assert {each.default_status for each in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
    sensor = definitions.resolve_sensor_def("small_sla_timer_sensor")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
