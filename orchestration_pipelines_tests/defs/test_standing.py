"""The run that stands by for decisions, and the sensor that keeps exactly one alive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.resources import run_sweep_resource
from orchestration_pipelines.defs.sensors import STANDING, SWEEP
from orchestration_pipelines.defs.standing import standing_job
from orchestration_pipelines.defs.workflow import workflow_definitions
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.standing_sweep import STANDS_S, StandingSweep
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.defs.flows import WORKERS, flow
from orchestration_pipelines_tests.defs.live import until

Tick = Callable[[str], dg.RunRequest | None]


@pytest.fixture
def engine(database: str, tmp_path: Path) -> Engine:
    return Engine(database, load_workflow(flow(tmp_path / "small")))


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


@pytest.fixture
def tick(engine: Engine, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tick:
    """What a sensor asks for now."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", engine.url)
    monkeypatch.setattr("orchestration_pipelines.defs.sensors._LISTEN_S", 0.0)
    sensors = {sensor.name: sensor for sensor in workflow_definitions(engine.workflow.folder).sensors or ()}

    def evaluate(name: str) -> dg.RunRequest | None:
        with dg.build_sensor_context(instance=instance) as context:
            data = sensors[f"small_{name}_sensor"].evaluate_tick(context)
        return data.run_requests[0] if data.run_requests else None

    return evaluate


def _submit(engine: Engine, *keys: str) -> None:
    rows = [Row(n, {"case_key": key, "amount": 5}) for n, key in enumerate(keys)]
    engine.submit(rows, requested_by="broker", source="t")
    assert not engine.sweep().errors


def _decide(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(
            "INSERT INTO review_decision (task_id, outcome, digest, decided_by) "
            "SELECT id, 'approve', digest, 'ann' FROM review_task WHERE ended_at IS NULL"
        )


def _outcomes(engine: Engine) -> set[str | None]:
    with engine.connect() as connection:
        return {row[0] for row in connection.execute("SELECT outcome FROM cases")}


@contextmanager
def _stands(engine: Engine, run: str) -> Iterator[None]:
    """A standing sweep under a run's id."""
    with engine.open_sweep(run, lanes=1) as sweep, ThreadPoolExecutor(1) as thread:
        standing = StandingSweep(engine, sweep, until=time.monotonic() + 60)
        serving = thread.submit(standing.serve)
        until(20, "it stands", lambda: serving.done() or any(s.id == sweep.holder for s in engine.standing()))
        try:
            yield
        finally:
            standing.stop()


def _launched(instance: dg.DagsterInstance, engine: Engine, asked: dg.RunRequest, started_s_ago: float) -> str:
    """The run that was asked for, as started so long ago."""
    run = instance.create_run_for_job(standing_job(engine.workflow), tags=dict(asked.tags))
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "small_standing")
    at = time.time() - started_s_ago
    entry = dg.EventLogEntry(  # type: ignore[no-untyped-call] # as Dagster declares it
        None, "debug", "", run.run_id, at, job_name="small_standing", dagster_event=event
    )
    instance.handle_new_event(entry)
    return run.run_id


# -- the sensor


def test_where_none_stands_one_is_asked_for(tick: Tick) -> None:
    """It counts among no sweeps of the queue but its own."""
    asked, again = tick("standing"), tick("standing")
    assert asked is not None
    assert again is not None
    assert asked.tags[SWEEP] == STANDING
    assert asked.tags["orchestration/version"] == "1"


def test_one_that_stands_is_left_alone_and_its_successor_is_asked_for_in_time(
    tick: Tick, engine: Engine, instance: dg.DagsterInstance
) -> None:
    """A minute before its end the next one starts, so that somebody stands at every moment."""
    asked = tick("standing")
    assert asked is not None
    run = _launched(instance, engine, asked, started_s_ago=50)
    with _stands(engine, run):
        assert tick("standing") is None
        _age(engine, STANDS_S - 70)
        assert tick("standing") is None
        _age(engine, 20)
        assert tick("standing") is not None


def test_a_run_of_another_drawing_is_followed_at_once(tick: Tick, engine: Engine, instance: dg.DagsterInstance) -> None:
    """It would serve new cases with the workers that it was started with."""
    asked = tick("standing")
    assert asked is not None
    older = asked.with_replaced_attrs(tags={**asked.tags, "orchestration/version": "0"})
    with _stands(engine, _launched(instance, engine, older, started_s_ago=50)):
        assert tick("standing") is not None


def test_a_run_whose_process_died_with_all_of_dagster_blocks_nothing(
    tick: Tick, engine: Engine, instance: dg.DagsterInstance
) -> None:
    """Dagster believes that it has started; its sweeper's lock is free."""
    asked = tick("standing")
    assert asked is not None
    run = _launched(instance, engine, asked, started_s_ago=50)
    sweep = engine.open_sweep(run, lanes=1)
    sweep.connection.close()
    assert tick("standing") is not None
    assert tick("dead_run") is None
    assert {record.dagster_run.status for record in instance.get_run_records()} == {dg.DagsterRunStatus.FAILURE}


def test_one_that_is_about_to_stand_is_waited_for(
    tick: Tick, engine: Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process takes seconds to start; one that hangs at it is not waited for."""
    asked = tick("standing")
    assert asked is not None
    _launched(instance, engine, asked, started_s_ago=2)
    assert tick("standing") is None
    monkeypatch.setattr("orchestration_pipelines.defs.standing._STARTS_WITHIN_S", 1.0)
    assert tick("standing") is not None


def test_one_setting_switches_it_off(tick: Tick, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions have runs of their own then."""
    monkeypatch.setenv("ORCHESTRATION_STANDING_SWEEP", "off")
    assert tick("standing") is None


def test_no_run_is_asked_for_what_the_standing_sweep_will_serve(
    tick: Tick, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only for what it leaves: it is frozen, say, or has more than it can do."""
    _submit(engine, "A")
    sweep = engine.open_sweep("frozen", lanes=1)
    sweep.connection.execute("SELECT pg_advisory_lock_shared(%s, id::int) FROM workflow", (0x57A9,))
    _decide(engine)
    assert tick("reviewer_table") is None
    monkeypatch.setattr("orchestration_pipelines.defs.sensors._SERVED_WITHIN_S", 0.0)
    assert tick("reviewer_table") is not None
    monkeypatch.undo()
    sweep.close()


def test_without_one_that_stands_a_decision_has_its_run(tick: Tick, engine: Engine) -> None:
    """The sensor is the safety net."""
    _submit(engine, "A")
    _decide(engine)
    assert tick("reviewer_table") is not None


def _age(engine: Engine, seconds: float) -> None:
    with engine.connect() as connection:
        connection.execute("UPDATE sweeper SET started_at = started_at - make_interval(secs => %s)", (seconds,))


# -- the job


def test_the_run_serves_what_is_decided_and_says_so(engine: Engine, instance: dg.DagsterInstance) -> None:
    """What it did is metadata of its op; it ends by itself."""
    _submit(engine, "A", "B")
    _decide(engine)
    job = standing_job(engine.workflow, run_sweep_resource(engine, seconds=0.0).definition)
    result = job.execute_in_process(instance=instance)
    assert result.success
    assert _outcomes(engine) == {"done"}
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    metadata = output.step_output_data.metadata
    assert metadata["closed as done"].value == 2
    assert metadata["ended because"].value == "its time is over"


def test_a_run_in_which_cases_died_is_a_failure_with_a_summary(
    database: str, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """At its end: until then it served the others."""
    workers = WORKERS.replace('return {"receipt"', "raise ValueError('no')\n    return {\"receipt\"")
    workers = workers.replace('external="bank")', 'external="bank", retry=Retry(attempts=1, base_s=1, cap_s=1))')
    workers = workers.replace("import worker", "import Retry, worker")
    engine = Engine(database, load_workflow(flow(tmp_path / "small", workers)))
    _submit(engine, "A")
    _decide(engine)
    job = standing_job(engine.workflow, run_sweep_resource(engine, seconds=0.0).definition)
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    (failed,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "1 dead letters at commit" in str(failed.step_failure_data.user_failure_data)
