"""Why people decided as they did, counted: which rule makes the most work, and for which reasons."""

from collections import Counter
from datetime import timedelta

import dagster as dg

from orchestration_pipelines.defs.flow_metrics import GROUP
from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.report.tables import duration, markdown
from orchestration_pipelines.engine.workflow import Workflow

_DAYS = 28
_HOUR_S = 3_600.0


def rationales_asset(workflow: Workflow) -> tuple[dg.AssetsDefinition, dg.ScheduleDefinition]:
    """The decisions of the last four weeks by rule, step and reason."""
    engines: list[Engine] = []

    @dg.asset(
        key=dg.AssetKey([workflow.name, "rationales"]),
        group_name=GROUP,
        description="What people decided in the last four weeks: by the rule that sent it to them, with the time that "
        "they worked on it, and by the reasons that they named. The same: orchestrate reviews reasons.",
    )
    def rationales() -> dg.MaterializeResult[None]:
        engine = engine_of(engines, workflow)
        until = engine.clock()
        first = until - timedelta(days=_DAYS)
        with engine.connect() as connection:
            worked = reviews.work_by_rule(connection, workflow.name, first, until)
            counted = reviews.counted_reasons(connection, workflow.name, first, until)
        by_reason: Counter[str] = Counter()
        for each in counted:
            if each.reason is not None:
                by_reason[each.reason] += each.decisions
        decisions = sum(each.decisions for each in worked)
        rules = [
            {
                "step": each.element,
                "rule": each.rule or "none",
                "decisions": each.decisions,
                "worked": duration(each.touch_s),
                "in words": each.words or "",
            }
            for each in worked
        ]
        reasons = [
            {
                "reason": each.meaning or each.reason,
                "to": each.outcome,
                "step": each.element,
                "rule": each.rule or "none",
                "decisions": each.decisions,
            }
            for each in counted
            if each.reason is not None
        ]
        return dg.MaterializeResult(
            metadata={
                "decisions": decisions,
                "decisions that name a reason": sum(each.named for each in worked),
                "hours worked": sum(each.touch_s for each in worked) / _HOUR_S,
                "makes the most work": worked[0].rule or "no rule" if worked else "nothing was decided",
                **{f"reason: {reason}": count for reason, count in by_reason.most_common()},
                "rules": dg.MetadataValue.md(markdown(rules)),
                "reasons": dg.MetadataValue.md(markdown(reasons)),
            }
        )

    schedule = dg.ScheduleDefinition(
        name=f"{workflow.name}_rationales_schedule",
        target=rationales,
        cron_schedule="47 4 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Counts every night why people decided as they did.",
    )
    return rationales, schedule
