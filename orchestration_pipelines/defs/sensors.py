"""The sensors of a workflow. They only read; what they ask for is one run, whatever the number of cases."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow

#: A run's tag: what it sweeps. ``dagster.yaml`` keeps slots of the run queue free of whole sweeps.
SWEEP, WHOLE, URGENT, STANDING = "orchestration/sweep", "whole", "urgent", "standing"

#: unserved work asks again after so many seconds: a run that died before its first op blocks nothing
_AGAIN_S = 30
#: the daemon goes round every 5 s; asked for every 5, a sensor would be too early each second time
_EVERY_S = 4
#: between the daemon's rounds, the reviewer table's sensor listens
_LISTEN_S = 4.0
#: a run starts in 3 s or so: one that does not get on by then is not waited for
STARTS_WITHIN_S = 10.0
#: a whole sweep that has worked so long is past the first stations: what arrives now may have another beside it
_BESIDE_AFTER_S = 30.0
_MOST_BESIDE = 2
#: a sweep at work looks up for decisions between two chunks: only one that it left so long wants a run of its own
_NOTICED_WITHIN_S = 2.0
#: the standing sweep takes a decision on in milliseconds, a thousand at once in seconds: what waits longer has a run
_SERVED_WITHIN_S = 5.0
_STARTING = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
_STARTED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def reviewer_table_sensor(workflow: Workflow, job: dg.JobDefinition) -> dg.SensorDefinition:
    """Decided and not yet taken on → one run for the job, whatever the number."""
    engines: list[Engine] = []

    @dg.sensor(
        name=f"{workflow.name}_reviewer_table_sensor",
        job=job,
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reads the reviewer table: when decisions wait to be taken on, asks for one run.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        engine = engine_of(engines, workflow)
        until = time.monotonic() + _LISTEN_S
        while waiting := engine.next_decision(until - time.monotonic()):
            if _is_noticed(context, engine, job.name, waiting.age_s):
                time.sleep(0.2)
            elif not is_coming(context, engine, job.name, URGENT, STARTS_WITHIN_S):
                return _request(job.name, URGENT, f"{waiting.dispatches}:{int(waiting.age_s // _AGAIN_S)}")
            else:
                time.sleep(0.2)
            if time.monotonic() > until:
                return dg.SkipReason("a run is at work or has been asked for: it will take them on")
        return dg.SkipReason("no decision waits")

    return sensor


def ready_work_sensor(workflow: Workflow, job: dg.JobDefinition) -> dg.SensorDefinition:
    """New arrivals, due retries and timers, tokens of the dead → one run."""
    engines: list[Engine] = []

    @dg.sensor(
        name=f"{workflow.name}_ready_work_sensor",
        job=job,
        minimum_interval_seconds=_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for a run when cases are claimable: arrived, due again, or left behind by a run that died.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        engine = engine_of(engines, workflow)
        waiting = engine.unserved()
        if waiting is None:
            return dg.SkipReason("nothing is claimable or due")
        if is_coming(context, engine, job.name, WHOLE, _BESIDE_AFTER_S):
            return dg.SkipReason("a run has been asked for: it will serve them")
        return _request(job.name, WHOLE, f"{waiting.dispatches}:{int(time.time() // _AGAIN_S)}")

    return sensor


def dead_run_sensor(workflow: Workflow, *jobs: dg.JobDefinition) -> dg.SensorDefinition:
    """A run that says STARTED without a living sweeper has died with all of Dagster: report it failed."""
    engines: list[Engine] = []

    @dg.sensor(
        name=f"{workflow.name}_dead_run_sensor",
        jobs=jobs,
        minimum_interval_seconds=_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports runs as failed whose process is gone, so that they do not fill the queue for ever.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        records = [
            record
            for job in jobs
            for record in context.instance.get_run_records(dg.RunsFilter(job_name=job.name, statuses=_STARTED))
        ]
        dead = _dead(engine_of(engines, workflow), records)
        for record in records:
            if record.dagster_run.run_id in dead:
                context.instance.report_run_failed(record.dagster_run, "its process is gone: no sweeper of it lives")
        return dg.SkipReason(f"{len(dead)} dead runs reported as failed" if dead else "every started run is alive")

    return sensor


def _dead(engine: Engine, records: Sequence[dg.RunRecord]) -> set[str]:
    """Which of these runs have no process any more."""
    started = {
        record.dagster_run.run_id: datetime.fromtimestamp(record.start_time, UTC)
        for record in records
        if record.start_time is not None
    }
    return engine.dead_runs(started) if started else set()


def is_coming(
    context: dg.SensorEvaluationContext,
    engine: Engine,
    job: str,
    sweep: str,
    fresh_s: float,
    starts_within_s: float | None = None,
) -> bool:
    """Whether a run of this kind is about to look for work: queued, starting, or started less than so long ago.

    One that died is not waited for, nor one that has been starting for long: it may have died with all of Dagster.
    """

    def records(*statuses: dg.DagsterRunStatus) -> list[dg.RunRecord]:
        runs = dg.RunsFilter(job_name=job, tags={SWEEP: sweep}, statuses=list(statuses))
        return list(context.instance.get_run_records(runs))

    if records(dg.DagsterRunStatus.QUEUED):
        return True
    not_long_ago = datetime.now(UTC) - timedelta(seconds=starts_within_s or STARTS_WITHIN_S)
    if any(record.update_timestamp.replace(tzinfo=UTC) > not_long_ago for record in records(*_STARTING)):
        return True
    started = records(*_STARTED)
    dead = _dead(engine, started)
    started = [record for record in started if record.dagster_run.run_id not in dead]
    return len(started) >= _MOST_BESIDE or any(time.time() - (run.start_time or 0) < fresh_s for run in started)


def _is_noticed(context: dg.SensorEvaluationContext, engine: Engine, job: str, age_s: float) -> bool:
    """Whether a sweep at work will take on a decision of that age by itself: the standing one, or a whole one."""
    if age_s < _SERVED_WITHIN_S and engine.standing():
        return True
    return age_s < _NOTICED_WITHIN_S and _sweeps(context, job)


def _sweeps(context: dg.SensorEvaluationContext, job: str) -> bool:
    return context.instance.get_runs_count(dg.RunsFilter(job_name=job, tags={SWEEP: WHOLE}, statuses=_STARTED)) > 0


def urgent_request(job: str, key: str) -> dg.RunRequest:
    """A run that fires what is due, and serves what people decided and timers fired."""
    return _request(job, URGENT, key)


def _request(job: str, sweep: str, key: str) -> dg.RunRequest:
    """A run that takes in nothing: what the launchpad offers by default is for a person who launches it."""
    return dg.RunRequest(
        run_key=f"{job}:{sweep}:{key}",
        run_config={
            "ops": {
                "receive": {"config": {"source": ""}},
                "dispatch": {"config": {"urgent_only": sweep == URGENT}},
            }
        },
        tags={SWEEP: sweep, "dagster/priority": "1" if sweep == URGENT else "0"},
    )


def engine_of(engines: list[Engine], workflow: Workflow) -> Engine:
    """The engine, made at the first tick: importing the code location must not need a database."""
    if not engines:
        engines.append(deploy().engine(workflow))
    return engines[0]
