"""The standing sweep in Dagster: a run that waits for decisions, and the sensor that keeps one alive."""

import os
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import dagster as dg

from orchestration_pipelines.defs.ops import fail_if_broken, op_name
from orchestration_pipelines.defs.resources import RunSweep, shown, sweep_resource
from orchestration_pipelines.defs.sensors import STANDING, SWEEP, engine_of, is_coming
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.standing_sweep import SETTING, STANDS_S, StandingSweep, wanted
from orchestration_pipelines.engine.workflow import Workflow

#: A run's tag: the version of the drawing that it knows as the current one
_VERSION = "orchestration/version"
#: a successor is asked for so long before the end: it starts, stands, and the predecessor leaves
_HANDS_OVER_S = 60.0
#: nobody waits for it, so that it may take its time on a busy machine, where another would only make it slower
_STARTS_WITHIN_S = 45.0
#: how often the run says what it did, if it did anything
_TELLS_EVERY_S = 60.0
#: one that died before it stood is asked for again after so long: Dagster never repeats a used key
_AGAIN_S = 10
_EVERY_S = 4


def standing_job(workflow: Workflow, resource: dg.ResourceDefinition | None = None) -> dg.JobDefinition:
    """The job of one op, which stands by. One lane: an idle one costs two connections and next to no time."""
    graph = dg.GraphDefinition(
        name=f"{workflow.name}_standing",
        description=f"Stands by for decisions in {workflow.name} and takes them on at once. Kept alive by a sensor.",
        node_defs=[stand_op(workflow)],
    )
    return graph.to_job(
        resource_defs={"sweep": resource or sweep_resource(workflow, STANDS_S, lanes=1)},
        executor_def=dg.in_process_executor,
        tags={SWEEP: STANDING, "orchestration/workflow": workflow.name},
    )


def stand_op(workflow: Workflow) -> dg.OpDefinition:
    """Serve decisions as they come; fails the run at its end if something broke, as a sweep's report does."""

    @dg.op(
        name=op_name(workflow, "stand"),
        required_resource_keys={"sweep"},
        description="Waits for what people decide and timers fire, and sweeps it through to its effect at once.",
    )
    def stand(context: dg.OpExecutionContext) -> dict[str, Any]:
        run: RunSweep = context.resources.sweep
        standing = run.standing()
        with ThreadPoolExecutor(1, thread_name_prefix="standing") as thread:
            serving = thread.submit(standing.serve)
            try:
                told = 0
                while not wait([serving], timeout=_TELLS_EVERY_S).done:
                    told = _tell(context, standing, told)
            finally:
                standing.stop()  # a cancelled run finishes the chunk at hand, and begins no other
        over = serving.result()
        counts = _counts(standing)
        context.log.info(f"stands no longer: {over}. {_written(counts)}")
        context.add_output_metadata({**counts, "ended because": over})
        fail_if_broken([shown(error) for error in standing.errors], standing.tally())
        return counts

    return stand


def _tell(context: dg.OpExecutionContext, standing: StandingSweep, told: int) -> int:
    """One line for a minute in which something was served, however much it was."""
    if standing.rounds > told:
        context.log.info(_written(_counts(standing)))
    return standing.rounds


def _counts(standing: StandingSweep) -> dict[str, int]:
    tally = standing.tally()
    return {
        "served at once": standing.rounds,
        "visits completed": sum(tally.completed.values()),
        **{f"closed as {outcome}": count for outcome, count in sorted(tally.closed.items())},
        "to be retried": sum(tally.failed.values()),
        "dead letters": sum(tally.dead.values()),
        "incidents": sum(tally.stuck.values()),
    }


def _written(counts: dict[str, int]) -> str:
    return "so far: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def standing_sensor(workflow: Workflow, job: dg.JobDefinition) -> dg.SensorDefinition:
    """Exactly one run stands: by the sweeper's lock, not by what Dagster believes of a run whose process died."""
    engines: list[Engine] = []

    @dg.sensor(
        name=f"{workflow.name}_standing_sensor",
        job=job,
        minimum_interval_seconds=_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Keeps one standing sweep alive. {SETTING}=off switches it off.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not wanted(os.environ):
            return dg.SkipReason(f"{SETTING} is off: decisions have runs of their own")
        engine = engine_of(engines, workflow)
        if is_coming(context, engine, job.name, STANDING, _STARTS_WITHIN_S, _STARTS_WITHIN_S):
            return dg.SkipReason("a run has been asked for: it is about to stand")
        version = str(engine.version)
        for latest in engine.standing()[:1]:
            run = context.instance.get_run_by_id(latest.run)
            knows = run is None or run.tags.get(_VERSION, version) == version
            if knows and latest.age_s < STANDS_S - _HANDS_OVER_S:
                return dg.SkipReason(f"run {latest.run} stands")
        return dg.RunRequest(
            run_key=f"{job.name}:{version}:{int(time.time() // _AGAIN_S)}",
            tags={SWEEP: STANDING, _VERSION: version, "dagster/priority": "1"},
        )

    return sensor
