"""What the tables could learn from people's judgements: a proposal to look at, and what came in that has changed."""

import dagster as dg

from orchestration_pipelines.defs.flow_metrics import picture
from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store.refusal import Refused

GROUP = "quality"


def threshold_asset(workflow: Workflow) -> tuple[list[dg.AssetsDefinition], list[dg.ScheduleDefinition]]:
    """The proposal for a workflow whose rules approve by themselves; else nothing."""
    if not any("approvedWhen" in each.extra for each in workflow.process.elements.values()):
        return [], []
    engines: list[Engine] = []

    @dg.asset(
        key=dg.AssetKey([workflow.name, "threshold_proposal"]),
        group_name=GROUP,
        description="From which confidence on may each cell decide by itself? Learnt from what people said of its "
        "cases, under the policy's limits; with calibration and drift. Nothing changes by itself: somebody proposes it "
        "(orchestrate quality propose), somebody else approves it.",
    )
    def threshold_proposal() -> dg.MaterializeResult[None]:
        from orchestration_pipelines.engine.report.reliability import reliability
        from orchestration_pipelines.engine.report.svg import data_uri
        from orchestration_pipelines.engine.report.tables import markdown
        from orchestration_pipelines.engine.thresholds import drift_row, learn

        engine = engine_of(engines, workflow)
        metadata: dict[str, dg.MetadataValue | float | int | str] = {}
        try:
            with engine.connect() as connection:
                found = learn(connection, workflow, engine.clock())
        except Refused as refused:
            return dg.MaterializeResult(metadata={"says": str(refused)})
        for each in found:
            stem = f"{each.element}: " if len(found) > 1 else ""
            metadata |= {
                f"{stem}says": "; ".join(each.differences) or "every threshold stays where it is",
                f"{stem}cases": each.cases,
                f"{stem}judged by people": each.judged,
                f"{stem}thresholds": dg.MetadataValue.md(markdown([band.row() for band in each.bands])),
                f"{stem}drift": dg.MetadataValue.md(markdown([drift_row(drifted) for drifted in each.drifts])),
                f"{stem}inputs that moved": sum(drifted.says != "stable" for drifted in each.drifts),
                **{f"{stem}{what}": count for what, count in each.effect.items()},
                **{f"{stem}{band.threshold.upper} error below": band.now.bound for band in each.bands},
                **{f"{stem}{band.threshold.upper} automatic": band.now.automated for band in each.bands},
            }
            if each.calibration is not None:
                metadata |= {
                    f"{stem}Brier score": each.calibration.brier,
                    f"{stem}Brier score without a score": each.calibration.without,
                    f"{stem}reliability": picture(data_uri(reliability(each.calibration))),
                }
        return dg.MaterializeResult(metadata=metadata)

    schedule = dg.ScheduleDefinition(
        name=f"{workflow.name}_threshold_proposal_schedule",
        target=threshold_proposal,
        cron_schedule="41 4 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Looks every night at what people's judgements would allow, and at what has changed.",
    )
    return [threshold_proposal], [schedule]
