"""The sensors of a workflow. They only read; what they ask for is one run, whatever the number of cases."""

import time

import dagster as dg

from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow

#: an unserved decision asks again after so many seconds: a run that died before its first op blocks nothing
_AGAIN_S = 30
_NOT_STARTED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]
_STARTED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def _run_waits(context: dg.SensorEvaluationContext, job: str) -> bool:
    waiting = dg.RunsFilter(job_name=job, statuses=_NOT_STARTED)
    return context.instance.get_runs_count(waiting) > 0


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
        engine = _engine(engines, workflow)
        waiting = engine.unserved(urgent_only=True)
        if waiting is None:
            return dg.SkipReason("no decision or fired timer waits")
        if _run_waits(context, job.name):
            return dg.SkipReason("a run is queued or starting: it will take them on")
        return dg.RunRequest(
            run_key=f"{workflow.name}:{waiting.dispatches}:{int(waiting.age_s // _AGAIN_S)}",
            run_config={"ops": {"dispatch": {"config": {"urgent_only": True}}}},
            tags={"orchestration/asked_by": "reviewer_table_sensor"},
        )

    return sensor


def ready_work_sensor(workflow: Workflow, job: dg.JobDefinition) -> dg.SensorDefinition:
    """New arrivals, due retries and timers, tokens of the dead → one run."""
    engines: list[Engine] = []

    @dg.sensor(
        name=f"{workflow.name}_ready_work_sensor",
        job=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for a run when cases are claimable: arrived, due again, or left behind by a run that died.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        engine = _engine(engines, workflow)
        waiting = engine.unserved(urgent_only=False)
        if waiting is None:
            return dg.SkipReason("nothing is claimable or due")
        if _run_waits(context, job.name):
            return dg.SkipReason("a run is queued or starting: it will serve them")
        return dg.RunRequest(
            run_key=f"{workflow.name}:ready:{waiting.dispatches}:{int(time.time() // _AGAIN_S)}",
            tags={"orchestration/asked_by": "ready_work_sensor"},
        )

    return sensor


def dead_run_sensor(workflow: Workflow, job: dg.JobDefinition) -> dg.SensorDefinition:
    """A run that says STARTED while its sweeper's lock is free has died with all of Dagster: report it failed."""
    engines: list[Engine] = []

    @dg.sensor(
        name=f"{workflow.name}_dead_run_sensor",
        job=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports runs as failed whose process is gone, so that they do not fill the queue for ever.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        started = context.instance.get_runs(dg.RunsFilter(job_name=job.name, statuses=_STARTED))
        engine = _engine(engines, workflow)
        dead = engine.dead_runs([run.run_id for run in started])
        for run in started:
            if run.run_id in dead:
                context.instance.report_run_failed(run, "its process is gone: the sweeper's lock is free")
        return dg.SkipReason(f"{len(dead)} dead runs reported as failed" if dead else "every started run is alive")

    return sensor


def _engine(engines: list[Engine], workflow: Workflow) -> Engine:
    """The engine, made at the first tick: importing the code location must not need a database."""
    if not engines:
        engines.append(deploy().engine(workflow))
    return engines[0]
