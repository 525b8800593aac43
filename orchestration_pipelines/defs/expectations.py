"""A workflow's expectations of its data sets, as asset checks: run on demand in the catalog, never a gate."""

from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from orchestration_pipelines.domain.expectation import Expected
from orchestration_pipelines.engine.report.tables import markdown
from orchestration_pipelines.engine.workflow import Workflow

Expectations = Mapping[str, Callable[[], Sequence[Expected]]]


def expectation_checks(
    workflow: Workflow, declared: Expectations
) -> tuple[list[dg.AssetSpec], list[dg.AssetChecksDefinition]]:
    """For each data set that ``EXPECTATIONS`` in workers.py names: an external asset, and a check on it."""
    specs = [
        dg.AssetSpec(
            key=dg.AssetKey([workflow.name, source]),
            description=f"The data set {source} that {workflow.name} can take in.",
            group_name="offered",
        )
        for source in declared
    ]
    checks = [_check(spec.key, check) for spec, check in zip(specs, declared.values(), strict=True)]
    return specs, checks


def _check(key: dg.AssetKey, held_against: Callable[[], Sequence[Expected]]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key,
        name="as_expected",
        description="Is the whole what the workflow was made for? It says nothing about single cases.",
    )
    def as_expected() -> dg.AssetCheckResult:
        found = held_against()
        failed = [each for each in found if not each.passed]
        return dg.AssetCheckResult(
            passed=not failed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "expectations": len(found),
                "not met": len(failed),
                "which": dg.MetadataValue.md(markdown(_rows(failed)) if failed else "all are met"),
            },
        )

    return as_expected


def _rows(failed: Sequence[Expected]) -> list[dict[str, object]]:
    return [{"expectation": each.expectation, "column": each.column, "rows": each.unexpected} for each in failed]
