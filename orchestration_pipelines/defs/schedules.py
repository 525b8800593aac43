"""What runs by the clock: old runs are purged, since Dagster keeps them for ever, and old answers to clients."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration_pipelines.engine import access, replies
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.store.connection import connect

KEEP_DAYS = 14
_AT_ONCE = 500
#: a purge that died with all of Dagster is reported as failed after this
_LONGEST_S = 3_600
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def purge_runs(instance: dg.DagsterInstance, keep_days: int) -> int:
    """Delete ended runs older than ``keep_days`` with their events; returns how many. The cases are untouched."""
    before = datetime.now(UTC) - timedelta(days=keep_days)
    purged = 0
    while True:
        old = instance.get_runs(dg.RunsFilter(statuses=_ENDED, created_before=before), limit=_AT_ONCE)
        if not old:
            return purged
        for run in old:
            instance.delete_run(run.run_id)
        purged += len(old)


class PurgeConfig(dg.Config):
    """How long runs are kept."""

    keep_days: int = KEEP_DAYS


@dg.op(
    description="Deletes old runs from Dagster's history, answers to clients after a day, and sessions of the console "
    "after a month. Cases, decisions and the audit stay."
)
def purge(context: dg.OpExecutionContext, config: PurgeConfig) -> int:
    """Delete old runs, answers that no client asks for again, and sessions that are over."""
    purged = purge_runs(context.instance, config.keep_days)
    with connect(deploy().url) as connection:
        now = datetime.now(UTC)
        forgotten, sessions = replies.forget(connection, now), access.forget(connection, now)
    context.add_output_metadata({"purged": purged, "answers to clients": forgotten, "sessions": sessions})
    return purged


def purge_job_and_schedule() -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """The purge, every night."""
    job = dg.GraphDefinition(name="purge_old_runs", node_defs=[purge]).to_job(
        executor_def=dg.in_process_executor, tags={"dagster/max_runtime": _LONGEST_S}
    )
    schedule = dg.ScheduleDefinition(
        name="purge_old_runs_nightly",
        job=job,
        cron_schedule="17 3 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return job, schedule
