"""What rules decided by themselves, day by day, and the check that says whether people would have decided the same."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import dagster as dg

from orchestration_pipelines.defs.flow_metrics import daily_asset
from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.domain.quality import Verdict
from orchestration_pipelines.engine import quality as reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.quality import Cell
from orchestration_pipelines.engine.report.tables import markdown
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store.quality import AutoDecision

GROUP = "quality"


def auto_decision_assets(
    workflow: Workflow,
) -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition], list[dg.ScheduleDefinition]]:
    """The automatic decisions of a workflow whose drawing has any, their check, and when it is asked; else nothing."""
    if not any({"approvedWhen", "declinedWhen"} & set(each.extra) for each in workflow.process.elements.values()):
        return [], [], []
    engines: list[Engine] = []

    def by_day(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        engine = engine_of(engines, workflow)
        with engine.connect() as connection:
            for key in context.partition_keys:
                found = reviews.decided(connection, workflow.name, date.fromisoformat(key))
                context.add_asset_metadata(_counted(found), partition_key=key)
        return dg.MaterializeResult()

    auto_decisions = daily_asset(
        dg.AssetKey([workflow.name, "auto_decisions"]),
        GROUP,
        "What rules approved and declined by themselves on a day, by cell (the rule of the table), and how many of "
        "them people look at again. See docs/metrics.md.",
        by_day,
    )

    @dg.asset_check(
        asset=auto_decisions,
        name=reviews.CHECK,
        description="Draws the sample of automatic decisions, opens blind quality reviews of it, and holds each cell's "
        "rate of disagreement against the policy's limit. A cell beyond it is with people until two lift that.",
    )
    def auto_decision_quality(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        engine = engine_of(engines, workflow)
        # run with the asset, it draws that day too
        also = [date.fromisoformat(context.partition_key)] if context.has_partition_key else []
        with engine.connect() as connection:
            asked = reviews.asked_for(connection, workflow.name)
            if asked is None:
                return dg.AssetCheckResult(
                    passed=False,
                    severity=dg.AssetCheckSeverity.WARN,
                    description="The policy has no section quality: nobody looks at what the rules decide.",
                )
            opened = reviews.draw_due(connection, workflow, asked, engine.clock(), also)
            cells = reviews.hold_to_limits(connection, workflow, asked, engine.clock())
        return _result(cells, opened)

    schedule = dg.ScheduleDefinition(
        name=f"{workflow.name}_auto_decision_quality_schedule",
        target=dg.AssetSelection.checks(auto_decision_quality),
        cron_schedule="*/15 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Draws, and judges what was answered: a cell beyond its limit goes to people within minutes.",
    )
    return [auto_decisions], [auto_decision_quality], [schedule]


def _counted(found: Sequence[AutoDecision]) -> dict[str, dg.MetadataValue | int]:
    made = Counter((each.cell, each.chosen) for each in found)
    drawn = Counter((each.cell, each.chosen) for each in found if each.sampled)
    rows = [
        {"cell": cell, "chose": chosen, "decisions": number, "drawn": drawn[cell, chosen]}
        for (cell, chosen), number in made.most_common()
    ]
    return {
        "automatic approvals": sum(each.chosen == "approve" for each in found),
        "automatic declines": sum(each.chosen == "decline" for each in found),
        "drawn": sum(each.sampled for each in found),
        "cells": dg.MetadataValue.md(markdown(rows) if rows else "nothing"),
    }


def _result(cells: Sequence[Cell], opened: int) -> dg.AssetCheckResult:
    """ERROR where a cell is with people, WARN where too little is known of one."""
    beyond = [cell for cell in cells if cell.fallback is not None]
    worst_first = sorted(cells, key=lambda cell: (cell.fallback is None, -cell.judged.bound))
    rows = [
        {
            "cell": cell.name,
            "reviews": cell.judged.answers,
            "disagreed": cell.judged.disagreed,
            "below": f"{cell.judged.bound:.1%}",
            "limit": f"{cell.limit:.1%}",
            "needs": cell.judged.needed,
            "is": "with people" if cell.fallback else str(cell.judged.verdict),
        }
        for cell in worst_first
    ]
    numbers: dict[str, float] = {"reviews opened": opened, "reviews waiting": sum(cell.waiting for cell in cells)}
    for cell in cells:
        numbers[f"{cell.name} bound"] = cell.judged.bound
        numbers[f"{cell.name} reviews needed"] = cell.judged.needed
    return dg.AssetCheckResult(
        passed=all(cell.fallback is None and cell.judged.verdict is Verdict.WITHIN for cell in cells),
        severity=dg.AssetCheckSeverity.ERROR if beyond else dg.AssetCheckSeverity.WARN,
        metadata={
            **numbers,
            "cells with people": len(beyond),
            "which": dg.MetadataValue.md(markdown(rows) if rows else "nothing"),
        },
    )
