"""One call from a workflow folder to Dagster's definitions."""

from pathlib import Path

import dagster as dg

from orchestration_pipelines.defs.ageing import ageing_schedule, backlog_ageing
from orchestration_pipelines.defs.auto_decisions import auto_decision_assets
from orchestration_pipelines.defs.event_logs import event_log_assets
from orchestration_pipelines.defs.executive import executive_report
from orchestration_pipelines.defs.expectations import expectation_checks, sound_facts_check
from orchestration_pipelines.defs.fairness import fairness_check
from orchestration_pipelines.defs.flow_metrics import flow_assets, flow_schedule
from orchestration_pipelines.defs.integrity import integrity_checks, integrity_schedule
from orchestration_pipelines.defs.jobs import Shipped, workflow_job
from orchestration_pipelines.defs.notifications import delivery_job_and_schedule
from orchestration_pipelines.defs.pilot_deltas import pilot_deltas_asset
from orchestration_pipelines.defs.rationales import rationales_asset
from orchestration_pipelines.defs.schedules import purge_job_and_schedule
from orchestration_pipelines.defs.sensors import dead_run_sensor, ready_work_sensor, reviewer_table_sensor
from orchestration_pipelines.defs.sla import fired_asset, sla_sweep_schedule, sla_timer_sensor
from orchestration_pipelines.defs.standing import standing_job, standing_sensor
from orchestration_pipelines.defs.thresholds import threshold_asset
from orchestration_pipelines.engine.workflow import load_workflow


def workflow_definitions(*folders: str | Path, purge: bool = True) -> dg.Definitions:
    """The definitions of one or more workflow folders: jobs, sensors and schedules.

    A workflow's ``workers.py`` may name data sets that ``receive`` can take in:
    ``SHIPPED = {"name": function(engine) -> Submitted}``, and what is expected of them:
    ``EXPECTATIONS = {"name": function() -> list of Expected}``; and what must always be true beyond the rows of the
    engine: ``INTEGRITY = {"name": function(engine) -> what is wrong, in words}``.
    """
    jobs: list[dg.JobDefinition] = []
    sensors: list[dg.SensorDefinition] = []
    schedules: list[dg.ScheduleDefinition] = []
    assets: list[dg.AssetSpec | dg.AssetsDefinition] = []
    checks: list[dg.AssetChecksDefinition] = []
    for folder in folders:
        workflow = load_workflow(folder)
        shipped: Shipped = getattr(workflow.package, "SHIPPED", {})
        job = workflow_job(workflow, shipped)
        stands = standing_job(workflow)
        jobs += [job, stands]
        sensors += [
            standing_sensor(workflow, stands),
            reviewer_table_sensor(workflow, job),
            ready_work_sensor(workflow, job),
            dead_run_sensor(workflow, job, stands),
            sla_timer_sensor(workflow),
        ]
        ageing = backlog_ageing(workflow)
        schedules += [sla_sweep_schedule(workflow, job), ageing_schedule(workflow, ageing)]
        flow_day, flow = flow_assets(workflow)
        schedules.append(flow_schedule(workflow, flow_day, flow))
        assets += [fired_asset(workflow), ageing, flow_day, flow, pilot_deltas_asset(workflow)]
        decided, alike = fairness_check(workflow)
        assets += decided
        checks += alike
        by_rules, looked_at, asked = auto_decision_assets(workflow)
        assets += by_rules
        why, at_dawn = rationales_asset(workflow)
        assets.append(why)
        schedules.append(at_dawn)
        could_be, nightly = threshold_asset(workflow)
        assets += could_be
        schedules += nightly
        checks += looked_at
        schedules += asked
        record, always = integrity_checks(workflow, getattr(workflow.package, "INTEGRITY", {}))
        schedules.append(integrity_schedule(workflow, always))
        at_a_glance, mornings = executive_report(workflow, getattr(workflow.package, "INTEGRITY", {}))
        schedules.append(mornings)
        assets += [record, at_a_glance]
        checks += always
        made_of, is_sound, at_night = sound_facts_check(workflow)
        assets.append(made_of)
        checks.append(is_sound)
        schedules.append(at_night)
        specs, held_against = expectation_checks(workflow, getattr(workflow.package, "EXPECTATIONS", {}))
        assets += specs
        checks += held_against
    if purge:
        for job, schedule in (purge_job_and_schedule(), delivery_job_and_schedule()):
            jobs.append(job)
            schedules.append(schedule)
        measured, notices = event_log_assets()
        assets.append(measured)
        sensors.append(notices)
    return dg.Definitions(assets=assets, asset_checks=checks, jobs=jobs, sensors=sensors, schedules=schedules)
