"""The sensors only read, and ask for few runs; a run that died blocks nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs.sensors import SWEEP, URGENT, WHOLE
from orchestration_pipelines.defs.workflow import workflow_definitions
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.sweepers import SweeperSession
from orchestration_pipelines_tests.defs.flows import flow

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
    engine.submit(
        [Row(n, {"case_key": key, "amount": 5}) for n, key in enumerate(keys)], requested_by="broker", source="t"
    )


def _decide(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(
            "INSERT INTO review_decision (task_id, outcome, digest, decided_by) "
            "SELECT id, 'approve', digest, 'ann' FROM review_task WHERE ended_at IS NULL"
        )


def test_nothing_to_do_asks_for_nothing(tick: Tick) -> None:
    """An idle workflow costs no run."""
    assert [tick(name) for name in ("reviewer_table", "ready_work", "dead_run")] == [None, None, None]


def test_arrivals_ask_for_one_whole_sweep_that_takes_nothing_in(engine: Engine, tick: Tick) -> None:
    """However many; and never with the launchpad's default, which would take the shipped data set in again."""
    _submit(engine, "A", "B", "C")
    asked = tick("ready_work")
    assert asked is not None
    assert asked.run_config["ops"]["receive"]["config"]["source"] == ""
    assert asked.run_config["ops"]["dispatch"]["config"]["urgent_only"] is False
    assert asked.tags[SWEEP] == WHOLE
    assert tick("reviewer_table") is None


def test_decisions_ask_for_one_urgent_run(engine: Engine, tick: Tick) -> None:
    """Many decisions, one run; and the other sensor leaves them to it."""
    _submit(engine, "A", "B")
    engine.sweep()
    assert tick("reviewer_table") is None, "a task that waits is not a decision"
    _decide(engine)
    asked = tick("reviewer_table")
    assert asked is not None
    assert asked.run_config["ops"]["dispatch"]["config"]["urgent_only"] is True
    assert asked.tags[SWEEP] == URGENT
    assert tick("ready_work") is None


def test_decisions_that_nobody_takes_on_are_left_to_a_whole_sweep(engine: Engine, tick: Tick, database: str) -> None:
    """The reviewer table's sensor was switched off, say: after a minute the other one sees to it."""
    _submit(engine, "A")
    engine.sweep()
    _decide(engine)
    _age(engine, seconds=90)
    assert tick("ready_work") is not None


def test_a_run_that_died_before_its_first_op_blocks_nothing(engine: Engine, tick: Tick) -> None:
    """Dagster never repeats a used run key: it changes with each dispatch, and every 30 s without one."""
    _submit(engine, "A")
    engine.sweep()
    _decide(engine)
    asked, again = tick("reviewer_table"), tick("reviewer_table")
    assert asked is not None
    assert again is not None
    assert asked.run_key == again.run_key
    _age(engine, seconds=31)
    later = tick("reviewer_table")
    assert later is not None
    assert later.run_key != asked.run_key
    engine.dispatch()
    after = tick("reviewer_table")
    assert after is not None
    assert after.run_key not in (asked.run_key, later.run_key)


def test_a_run_that_is_starting_is_waited_for_and_one_that_hangs_at_it_is_not(
    engine: Engine, tick: Tick, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was starting when all of Dagster died stays so for ever."""
    _submit(engine, "A")
    job = workflow_definitions(engine.workflow.folder).get_job_def("small")
    run = instance.create_run_for_job(job, tags={SWEEP: WHOLE})
    assert tick("ready_work") is None
    _put(instance, run, dg.DagsterRunStatus.STARTING)
    assert tick("ready_work") is None
    monkeypatch.setattr("orchestration_pipelines.defs.sensors.STARTS_WITHIN_S", -1.0)
    assert tick("ready_work") is not None


def test_a_due_retry_or_timer_asks_for_a_whole_sweep(engine: Engine, tick: Tick) -> None:
    """What is due is nobody's to notice but the sensor's."""
    _submit(engine, "A")
    engine.sweep()
    assert tick("ready_work") is None
    with engine.connect() as connection:
        connection.execute("UPDATE timer SET due_at = now() - interval '1 second'")
    assert tick("ready_work") is not None


# -- runs that died


@pytest.mark.parametrize(
    ("sweeper", "age_s", "is_dead"),
    [
        ("none", 5, False),
        ("none", 25, True),
        ("living", 500, False),
        ("died", 5, True),
        ("ended", 500, False),
        ("ended long ago", 500, True),
    ],
)
def test_which_started_runs_have_died(engine: Engine, sweeper: str, age_s: int, is_dead: bool) -> None:
    """A dead sweeper says so at once; without one, a run counts as dead after 20 s."""
    session = SweeperSession(engine.url, "run") if sweeper != "none" else None
    if session is not None and sweeper.startswith("ended"):
        session.close()
    elif session is not None and sweeper == "died":
        session.connection.close()
    with engine.connect() as connection:
        if sweeper == "ended long ago":
            connection.execute("UPDATE sweeper SET ended_at = now() - interval '1 minute'")
    started = datetime.now(UTC) - timedelta(seconds=age_s)
    assert engine.dead_runs({"run": started}) == ({"run"} if is_dead else set())
    if session is not None:
        session.close()


def test_a_sweep_at_work_is_given_two_seconds_to_notice_a_decision(
    engine: Engine, tick: Tick, instance: dg.DagsterInstance
) -> None:
    """It looks up between two chunks, and a run of its own takes longer to start; one that it left is asked for."""
    _submit(engine, "A")
    engine.sweep()
    job = workflow_definitions(engine.workflow.folder).get_job_def("small")
    run = instance.create_run_for_job(job, tags={SWEEP: WHOLE}, status=dg.DagsterRunStatus.STARTING)
    _put(instance, run, dg.DagsterRunStatus.STARTED)
    _decide(engine)
    assert tick("reviewer_table") is None
    _age(engine, seconds=3)
    asked = tick("reviewer_table")
    assert asked is not None
    assert asked.tags[SWEEP] == URGENT


def test_a_dead_run_is_reported_as_failed(engine: Engine, tick: Tick, instance: dg.DagsterInstance) -> None:
    """So that it does not fill the queue for ever; a living one is left alone."""
    job = workflow_definitions(engine.workflow.folder).get_job_def("small")
    runs = [instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTING) for _ in range(2)]
    for run in runs:
        _put(instance, run, dg.DagsterRunStatus.STARTED)
    with SweeperSession(engine.url, runs[0].run_id):
        dead = SweeperSession(engine.url, runs[1].run_id)
        dead.connection.close()
        tick("dead_run")
    statuses = [instance.get_run_by_id(run.run_id) for run in runs]
    assert [run.status for run in statuses if run] == [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE]


def _put(instance: dg.DagsterInstance, run: dg.DagsterRun, status: dg.DagsterRunStatus) -> None:
    kind = {
        dg.DagsterRunStatus.STARTING: dg.DagsterEventType.RUN_STARTING,
        dg.DagsterRunStatus.STARTED: dg.DagsterEventType.RUN_START,
    }[status]
    instance.report_dagster_event(
        dg.DagsterEvent(event_type_value=kind.value, job_name=run.job_name, message="test"), run.run_id
    )


def _age(engine: Engine, seconds: int) -> None:
    with engine.connect() as connection:
        connection.execute("UPDATE token SET order_key = order_key - make_interval(secs => %s)", (seconds,))
