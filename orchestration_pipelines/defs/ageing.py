"""The age of the backlog as an asset: Dagster plots each of its figures over time."""

from collections.abc import Sequence

import dagster as dg

from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store.ageing import QueueAge

#: Dagster shows a table at once only up to 1,000 characters
_MOST_CHARS = 990
_HEAD = (
    "| queue | waiting | past due | oldest, h | p50, h | p85, h | p95, h |\n| --- | --: | --: | --: | --: | --: | --: |"
)


def backlog_ageing(workflow: Workflow) -> dg.AssetsDefinition:
    """Of every queue: how many tasks wait, how many are past due, and the ages of the oldest and of most."""
    engines: list[Engine] = []

    @dg.asset(
        key=dg.AssetKey([workflow.name, "backlog_ageing"]),
        description="How long review tasks have been waiting, queue by queue.",
        group_name="people",
    )
    def ageing() -> dg.MaterializeResult[None]:
        found = engine_of(engines, workflow).ages()
        return dg.MaterializeResult(metadata={"queues": dg.MetadataValue.md(table(found)), **_figures(found)})

    return ageing


def ageing_schedule(workflow: Workflow, asset: dg.AssetsDefinition) -> dg.ScheduleDefinition:
    """Four times an hour: a run costs more than the reading."""
    return dg.ScheduleDefinition(
        name=f"{workflow.name}_backlog_ageing_schedule",
        target=asset,
        cron_schedule="*/15 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _figures(found: Sequence[QueueAge]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for age in found:
        figures |= {
            f"{age.queue}: waiting": age.waiting,
            f"{age.queue}: past due": age.past_due,
            f"{age.queue}: oldest, h": _hours(age.oldest_s),
            f"{age.queue}: p50, h": _hours(age.p50_s),
            f"{age.queue}: p85, h": _hours(age.p85_s),
            f"{age.queue}: p95, h": _hours(age.p95_s),
        }
    return figures


def table(found: Sequence[QueueAge]) -> str:
    """The queues in which most is past due first, as many as Dagster shows at once."""
    ordered = sorted(found, key=lambda age: (-age.past_due, -age.oldest_s, age.queue))
    lines, shown = _HEAD, 0
    for age in ordered:
        hours = " | ".join(f"{_hours(seconds)}" for seconds in (age.oldest_s, age.p50_s, age.p85_s, age.p95_s))
        line = f"\n| {age.queue} | {age.waiting} | {age.past_due} | {hours} |"
        if len(lines) + len(line) > _MOST_CHARS - len(_more(len(ordered))):
            break
        lines, shown = lines + line, shown + 1
    return lines + (_more(len(ordered) - shown) if shown < len(ordered) else "")


def _more(count: int) -> str:
    return f"\n\nand {count} more queues: see the figures"


def _hours(seconds: float) -> float:
    return round(seconds / 3_600, 2)
