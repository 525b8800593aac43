"""Notices are delivered by a job of their own: a slow or failing channel holds up nothing but its own notices."""

from datetime import UTC, datetime

import dagster as dg

from orchestration_pipelines.engine.channels import channel
from orchestration_pipelines.engine.deployment import Deployment, deploy
from orchestration_pipelines.engine.notifying import deliver
from orchestration_pipelines.store import outbox
from orchestration_pipelines.store.connection import connect

#: a delivery that died with all of Dagster is reported as failed after this
_LONGEST_S = 300
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def _now() -> datetime:
    return datetime.now(UTC)


@dg.op(
    description="Tells people what they are to know: reminders, reassignments, escalations. See orchestrate notices."
)
def tell_people(context: dg.OpExecutionContext) -> int:
    """Deliver what waits in the outbox."""
    deployment = deploy()
    with connect(deployment.url) as connection:
        done = deliver(connection, channel(deployment.env, deployment.home.root), _now)
    context.add_output_metadata({"sent": done.sent, "to be tried again": done.failed, "given up": done.dead})
    return done.sent


def delivery_job_and_schedule() -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """The delivery, every minute in which there is something to deliver and nobody does it yet."""
    job = dg.GraphDefinition(name="deliver_notices", node_defs=[tell_people]).to_job(
        executor_def=dg.in_process_executor, tags={"dagster/max_runtime": _LONGEST_S}
    )
    deployments: list[Deployment] = []

    @dg.schedule(
        name="deliver_notices_every_minute",
        job=job,
        cron_schedule="* * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Delivers what waits in the outbox.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=_UNDER_WAY)):
            return dg.SkipReason("a delivery is under way")
        if not deployments:
            deployments.append(deploy())
        with connect(deployments[0].url) as connection:
            if not outbox.something_due(connection, _now()):
                return dg.SkipReason("nobody is to be told anything")
        return dg.RunRequest()

    return job, schedule
