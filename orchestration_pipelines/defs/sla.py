"""What is due, in Dagster: a sensor that fires it at once, and a schedule that is the safety net.

Both act by row updates alone (``engine/tick.py``): no worker runs here and nobody is notified here, so that neither can
hold up a deadline. What a fired timer leads to is swept by a run like any other.
"""

import time
from datetime import timedelta

import dagster as dg

from orchestration_pipelines.defs.sensors import SWEEP, URGENT, engine_of, urgent_request
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.tick import Ticked
from orchestration_pipelines.engine.workflow import Workflow

#: the daemon goes round every 5 s: until its next round, the sensor waits for what is due before
_WATCHES_S = 5.0
_EVERY_S = 4
#: a due row that another tick has in its hands is looked at again after this
_AGAIN_S = 0.2
#: how many tasks a round of the sensor gives out; runs give out the rest
_ROUTED_AT_ONCE = 1_000
#: what has been due for so long the sensor did not fire: the schedule sees to it
OVERLOOKED = timedelta(seconds=30)


def fired_asset(workflow: Workflow) -> dg.AssetSpec:
    """What the sensor reports on: how much was due, over time."""
    return dg.AssetSpec(
        key=dg.AssetKey([workflow.name, "deadlines"]),
        description="Timers and rungs that fired, promises that were broken, stuck work that was passed on. "
        "The ticks of every workflow of the database count, whoever fired them.",
        group_name="people",
    )


def sla_timer_sensor(workflow: Workflow) -> dg.SensorDefinition:
    """Due timers and rungs fire within seconds; what fired is reported as an event of an asset."""
    engines: list[Engine] = []
    asset = fired_asset(workflow)

    @dg.sensor(
        name=f"{workflow.name}_sla_timer_sensor",
        minimum_interval_seconds=_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Fires what is due: timers, reminders, reassignments, escalations. Rows only: no worker, no mail.",
    )
    def sensor(_context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        engine = engine_of(engines, workflow)
        fired, routed = _watch(engine), engine.route(_ROUTED_AT_ONCE)
        given = routed.assigned + routed.handed_on + routed.given_back
        if not fired.anything and not given:
            return dg.SkipReason("nothing is due")
        event = dg.AssetMaterialization(asset_key=asset.key, metadata={**_counts(fired), "changed hands": given})
        return dg.SensorResult(skip_reason="fired what was due: see the asset", asset_events=[event])

    return sensor


def _watch(engine: Engine) -> Ticked:
    """Tick now, and whenever something is due before the daemon comes round again."""
    until = time.monotonic() + _WATCHES_S
    fired = engine.tick()
    while (left := until - time.monotonic()) > 0 and (due := engine.next_due(left)) is not None:
        time.sleep(max(_AGAIN_S, (due - engine.clock()).total_seconds()))
        fired.add(engine.tick())
    return fired


def _counts(fired: Ticked) -> dict[str, int]:
    return {
        "timers": fired.timers,
        **{f"rungs: {act}": count for act, count in sorted(fired.rungs.items())},
        "late": fired.late,
        "broken promises": fired.breaches,
        "stuck work passed on": fired.stuck,
    }


def sla_sweep_schedule(workflow: Workflow, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every minute: if something has been due for longer than the sensor takes, a run that ticks and sweeps."""
    engines: list[Engine] = []

    @dg.schedule(
        name=f"{workflow.name}_sla_sweep_schedule",
        job=job,
        cron_schedule="* * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The safety net of the sensor: what has been due for a while is fired by a run, and swept with it. "
        "And work that nobody is left to do becomes an incident.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        engine = engine_of(engines, workflow)
        engine.alarm()
        due = engine.next_due(-OVERLOOKED.total_seconds())
        if due is None:
            return dg.SkipReason("nothing is overdue")
        waiting = dg.RunsFilter(job_name=job.name, tags={SWEEP: URGENT}, statuses=[dg.DagsterRunStatus.QUEUED])
        if context.instance.get_runs_count(waiting):
            return dg.SkipReason("a run has been asked for: its dispatch fires what is due")
        return urgent_request(job.name, f"overdue:{context.scheduled_execution_time.isoformat()}")

    return schedule
