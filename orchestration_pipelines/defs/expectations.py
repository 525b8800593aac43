"""Expectations as asset checks: of a workflow's data sets, on demand; of what its figures are made of, every night.

None of them is a gate: a case goes on whatever they find.
"""

from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from orchestration_pipelines.defs.flow_metrics import GROUP
from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.domain.expectation import Expected
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.report.tables import markdown
from orchestration_pipelines.engine.workflow import Workflow

#: so far back the facts of the figures are looked at
_FACTS_DAYS = 28

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


def sound_facts_check(
    workflow: Workflow,
) -> tuple[dg.AssetSpec, dg.AssetChecksDefinition, dg.ScheduleDefinition]:
    """What the figures of flow are made of: an external asset, and what must hold of its last four weeks."""
    engines: list[Engine] = []
    spec = dg.AssetSpec(
        key=dg.AssetKey([workflow.name, "flow_facts"]),
        group_name=GROUP,
        description="Closed cases, visits, days and promises, as the figures of flow are computed from them.",
    )

    def held_against() -> Sequence[Expected]:
        # pandas' and great expectations' weight is for those who check
        from orchestration_pipelines.engine.measures import facts_of_late
        from orchestration_pipelines.engine.sound_facts import sound

        engine = engine_of(engines, workflow)
        with engine.connect() as connection:
            return sound(facts_of_late(connection, workflow.name, engine.clock(), _FACTS_DAYS))

    check = _check(spec.key, held_against, "Is what the figures are made of sound? If not, no figure says anything.")
    schedule = dg.ScheduleDefinition(
        name=f"{workflow.name}_flow_facts_schedule",
        target=dg.AssetSelection.checks(check),
        cron_schedule="53 2 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Holds every night what the figures of flow are made of against what it must look like.",
    )
    return spec, check, schedule


def _check(
    key: dg.AssetKey,
    held_against: Callable[[], Sequence[Expected]],
    says: str = "Is the whole what the workflow was made for? It says nothing about single cases.",
) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key, name="as_expected", description=says)
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
