"""The figures of flow as assets: of a day, and of the last three months. Dagster plots every number over time."""

import os
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow

GROUP = "flow_metrics"
#: the first day of the partitions; ORCHESTRATION_METRICS_SINCE says otherwise
_SINCE = "2026-01-01"
#: so many days that something came late to are materialised again in a night
_MOST_AGAIN = 14


def days_of_metrics() -> dg.DailyPartitionsDefinition:
    """The days, in UTC; today is one of them and is restated as it goes on."""
    return dg.DailyPartitionsDefinition(start_date=os.environ.get("ORCHESTRATION_METRICS_SINCE", _SINCE), end_offset=1)


def daily_asset(
    key: dg.AssetKey,
    group: str,
    description: str,
    compute: Callable[[dg.AssetExecutionContext], dg.MaterializeResult[None]],
) -> dg.AssetsDefinition:
    """An asset of days; many of them are one run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # one run for many days is worth a parameter that may change
        return dg.asset(
            key=key,
            partitions_def=days_of_metrics(),
            backfill_policy=dg.BackfillPolicy.single_run(),
            group_name=group,
            description=description,
        )(compute)


def flow_assets(workflow: Workflow) -> tuple[dg.AssetsDefinition, dg.AssetsDefinition]:
    """A workflow's flow by day, and its flow of late."""
    engines: list[Engine] = []

    def by_day(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        # pandas' and numpy's weight is for those who want figures
        from orchestration_pipelines.domain.measures import figures
        from orchestration_pipelines.engine.measures import day_window, facts
        from orchestration_pipelines.engine.report.flow import pictures, tables
        from orchestration_pipelines.engine.report.svg import data_uri
        from orchestration_pipelines.engine.report.tables import markdown

        engine = engine_of(engines, workflow)
        with engine.connect() as connection:
            for key in context.partition_keys:
                window = day_window(workflow.name, date.fromisoformat(key))
                happened = facts(connection, window, engine.clock())
                context.add_asset_metadata(
                    {
                        **figures(happened).numbers(),
                        "steps": dg.MetadataValue.md(markdown(tables(happened)["Steps"])),
                        "lead_time": picture(data_uri(pictures(happened, {})["lead_time"])),
                    },
                    partition_key=key,
                )
        return dg.MaterializeResult()

    flow_day = daily_asset(
        dg.AssetKey([workflow.name, "flow_day"]),
        GROUP,
        "What ended on a day: lead and cycle time, yields, automation, promises. See docs/metrics.md.",
        by_day,
    )

    @dg.asset(
        key=dg.AssetKey([workflow.name, "flow"]),
        deps=[flow_day],
        group_name=GROUP,
        description="The last 90 days at a glance: how long it takes, whether that is stable, what is under way and "
        "how old it is, what is late and who must be asked. The same page: orchestrate report --out report.html.",
    )
    def flow() -> dg.MaterializeResult[None]:
        from orchestration_pipelines.engine.report.flow import flow_report
        from orchestration_pipelines.engine.report.svg import data_uri
        from orchestration_pipelines.engine.report.tables import markdown

        engine = engine_of(engines, workflow)
        with engine.connect() as connection:
            report = flow_report(connection, workflow.name, engine.clock())
        return dg.MaterializeResult(
            metadata={
                **report.figures.numbers(),
                **{name: picture(data_uri(drawn)) for name, drawn in report.pictures.items()},
                **{title: dg.MetadataValue.md(markdown(rows)) for title, rows in report.tables.items()},
            }
        )

    return flow_day, flow


def flow_schedule(
    workflow: Workflow, flow_day: dg.AssetsDefinition, flow: dg.AssetsDefinition
) -> dg.ScheduleDefinition:
    """Every hour the flow of late and today; after midnight yesterday, and the days to which something came late."""
    engines: list[Engine] = []

    @dg.schedule(
        name=f"{workflow.name}_flow_metrics_schedule",
        target=[flow_day, flow],
        cron_schedule="7 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Materialises the figures of flow; days to which something came late are restated.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        from orchestration_pipelines.engine.measures import restated_days

        at = context.scheduled_execution_time.astimezone(UTC)
        today = at.date()
        again = {today}
        if at.hour == 0:
            again.add(today - timedelta(days=1))
            engine = engine_of(engines, workflow)
            with engine.connect() as connection:
                again |= set(restated_days(connection, workflow.name, today - timedelta(days=1))[-_MOST_AGAIN:])
        known = set(days_of_metrics().get_partition_keys(current_time=datetime.now(UTC)))
        for day in sorted(day.isoformat() for day in again):
            if day in known:
                yield dg.RunRequest(run_key=f"{at:%Y%m%d%H}:{day}", partition_key=day, asset_selection=[flow_day.key])
        yield dg.RunRequest(run_key=f"{at:%Y%m%d%H}", asset_selection=[flow.key])

    return schedule


def picture(uri: str) -> dg.MarkdownMetadataValue:
    """A picture that Dagster shows in place."""
    return dg.MetadataValue.md(f"![]({uri})")
