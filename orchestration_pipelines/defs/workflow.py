"""One call from a workflow folder to Dagster's definitions."""

from pathlib import Path

import dagster as dg

from orchestration_pipelines.defs.expectations import expectation_checks
from orchestration_pipelines.defs.jobs import Shipped, workflow_job
from orchestration_pipelines.defs.schedules import purge_job_and_schedule
from orchestration_pipelines.defs.sensors import dead_run_sensor, ready_work_sensor, reviewer_table_sensor
from orchestration_pipelines.engine.workflow import load_workflow


def workflow_definitions(*folders: str | Path, purge: bool = True) -> dg.Definitions:
    """The definitions of one or more workflow folders: jobs, sensors and schedules.

    A workflow's ``workers.py`` may name data sets that ``receive`` can take in:
    ``SHIPPED = {"name": function(engine) -> Submitted}``, and what is expected of them:
    ``EXPECTATIONS = {"name": function() -> list of Expected}``.
    """
    jobs: list[dg.JobDefinition] = []
    sensors: list[dg.SensorDefinition] = []
    offered: list[dg.AssetSpec] = []
    checks: list[dg.AssetChecksDefinition] = []
    for folder in folders:
        workflow = load_workflow(folder)
        shipped: Shipped = getattr(workflow.package, "SHIPPED", {})
        job = workflow_job(workflow, shipped)
        jobs.append(job)
        sensors += [
            reviewer_table_sensor(workflow, job),
            ready_work_sensor(workflow, job),
            dead_run_sensor(workflow, job),
        ]
        specs, held_against = expectation_checks(workflow, getattr(workflow.package, "EXPECTATIONS", {}))
        offered += specs
        checks += held_against
    schedules: list[dg.ScheduleDefinition] = []
    if purge:
        purge_job, schedule = purge_job_and_schedule()
        jobs.append(purge_job)
        schedules.append(schedule)
    return dg.Definitions(assets=offered, asset_checks=checks, jobs=jobs, sensors=sensors, schedules=schedules)
