"""Imported event logs in the catalog: how the process ran before, with the same figures and pictures as today's."""

import dagster as dg

from orchestration_pipelines.defs.flow_metrics import GROUP, picture
from orchestration_pipelines.engine.deployment import Deployment, deploy
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.event_logs import StoredLog, logs

#: a log is a partition, by its name
LOGS = dg.DynamicPartitionsDefinition(name="event_logs")
_KEY = dg.AssetKey(["event_logs", "flow"])
_EVERY_S = 30


def event_log_assets() -> tuple[dg.AssetsDefinition, dg.SensorDefinition]:
    """The flow of each imported log, and the sensor that notices a new one."""
    deployments: list[Deployment] = []

    def deployment() -> Deployment:
        if not deployments:
            deployments.append(deploy())
        return deployments[0]

    @dg.asset(
        key=_KEY,
        partitions_def=LOGS,
        group_name=GROUP,
        description="How an imported log ran: lead time, rework, promises, work in progress, by the same definitions "
        "as a workflow's own flow. Bring one in with orchestrate log import; compare with orchestrate deltas --log.",
    )
    def event_log_flow(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        # pandas' and numpy's weight is for those who want figures
        from orchestration_pipelines.engine.event_logs import stored
        from orchestration_pipelines.engine.log_facts import log_report
        from orchestration_pipelines.engine.report.svg import data_uri
        from orchestration_pipelines.engine.report.tables import markdown

        with connect(deployment().url) as connection:
            report = log_report(stored(connection, context.partition_key), context.partition_key)
        return dg.MaterializeResult(
            metadata={
                "first": report.first.isoformat(),
                "last": report.last.isoformat(),
                **report.figures.numbers(),
                **{name: picture(data_uri(drawn)) for name, drawn in report.pictures.items()},
                **{title: dg.MetadataValue.md(markdown(rows)) for title, rows in report.tables.items()},
            }
        )

    @dg.sensor(
        name="event_logs_sensor",
        target=event_log_flow,
        minimum_interval_seconds=_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="A log that was imported becomes a partition, and its figures are computed once.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        with connect(deployment().url) as connection:
            there = logs(connection)
        known = set(context.instance.get_dynamic_partitions(str(LOGS.name)))
        new = [log for log in there if log.name not in known]
        if not new:
            return dg.SkipReason(f"{len(there)} logs, all of them known")
        return dg.SensorResult(
            dynamic_partitions_requests=[LOGS.build_add_request([log.name for log in new])],
            run_requests=[_measured(log) for log in new],
        )

    return event_log_flow, sensor


def _measured(log: StoredLog) -> dg.RunRequest:
    """The digest is the file's: a log that was removed and brought in again is measured again."""
    return dg.RunRequest(run_key=f"event_logs:{log.name}:{log.digest}", partition_key=log.name)
