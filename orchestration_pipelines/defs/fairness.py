"""Groups treated alike, as an asset check on what the automation decided by itself."""

import dagster as dg

from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.domain.fairness import FEWEST, impacts
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.report.tables import markdown
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store.connection import EVALUATION, connect
from orchestration_pipelines.store.fairness import groups


def fairness_check(workflow: Workflow) -> tuple[list[dg.AssetSpec], list[dg.AssetChecksDefinition]]:
    """The automatic decisions of a workflow that withholds protected attributes, and the check; else nothing."""
    attributes = workflow.intake.withheld.get("protected", ())
    if not attributes:
        return [], []
    engines: list[Engine] = []
    spec = dg.AssetSpec(
        key=dg.AssetKey([workflow.name, "automatic_approvals"]),
        group_name="quality",
        description="What a rule approved without a person.",
    )

    @dg.asset_check(
        asset=spec.key,
        name="adverse_impact",
        description="Does the automation approve every group at least four fifths as often as the group that fares "
        "best, or could chance be the reason? Reads what nothing else may read.",
    )
    def adverse_impact() -> dg.AssetCheckResult:
        with connect(engine_of(engines, workflow).url, role=EVALUATION) as connection:
            found = groups(connection, workflow.name, attributes)
        compared = impacts(found)
        adverse = [impact for impact in compared if impact.is_adverse]
        shown = sorted(compared, key=lambda impact: (not impact.is_adverse, impact.ratio))
        return dg.AssetCheckResult(
            passed=not adverse,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "groups compared": len(compared),
                f"groups of fewer than {FEWEST} cases, not compared": sum(group.cases < FEWEST for group in found),
                "groups treated worse": len(adverse),
                "lowest ratio": min((float(impact.ratio) for impact in compared), default=1.0),
                "which": dg.MetadataValue.md(
                    markdown(
                        [
                            {
                                "group": f"{impact.group.attribute} {impact.group.value}",
                                "cases": impact.group.cases,
                                "approved": f"{float(impact.group.rate):.1%}",
                                "best": f"{impact.best.value}, {float(impact.best.rate):.1%}",
                                "ratio": float(impact.ratio),
                                "by chance": impact.chance,
                                "worse": impact.is_adverse,
                            }
                            for impact in shown
                        ]
                    )
                ),
            },
        )

    return [spec], [adverse_impact]
