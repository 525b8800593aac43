"""What must always be true, as asset checks on the workflow's record: each can fail, and names what broke it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import dagster as dg
import psycopg

from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.report.tables import markdown
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store import integrity

#: what a workflow adds of its own: ``INTEGRITY = {"name": function(engine) -> what is wrong}`` in workers.py
Own = Mapping[str, Callable[[Engine], Sequence[str]]]
#: (case, what is wrong): the number of a case, since Dagster's pages have no sign-in
Broken = Sequence[tuple[int | None, str]]


def integrity_checks(workflow: Workflow, own: Own) -> tuple[dg.AssetSpec, list[dg.AssetChecksDefinition]]:
    """The record of a workflow, and what must always be true of it."""
    engines: list[Engine] = []
    spec = dg.AssetSpec(
        key=dg.AssetKey([workflow.name, "record"]),
        group_name="integrity",
        description="Cases, decisions, effects and the audit, as they stand in PostgreSQL. "
        "Its checks find what must never be.",
    )

    def by_rows(find: Callable[[psycopg.Connection, datetime], Broken]) -> Callable[[], Broken]:
        def found() -> Broken:
            engine = engine_of(engines, workflow)
            with engine.connect() as connection:
                return find(connection, engine.clock())

        return found

    def by_own(ask: Callable[[Engine], Sequence[str]]) -> Callable[[], Broken]:
        return lambda: [(None, wrong) for wrong in ask(engine_of(engines, workflow))]

    def of(rule: str) -> Callable[[psycopg.Connection, datetime], Broken]:
        return lambda connection, now: integrity.broken(connection, rule, workflow.name, now)

    checks = [_check(spec.key, name, rule.says, by_rows(of(name))) for name, rule in integrity.RULES.items()]
    checks.append(
        _check(
            spec.key,
            "record_unchanged",
            "Audit numbers are dense and every hash is what it was: nobody changed the record.",
            by_rows(lambda connection, _: integrity.changed_records(connection, workflow.name)),
        )
    )
    checks += [_check(spec.key, name, ask.__doc__ or name, by_own(ask)) for name, ask in own.items()]
    return spec, checks


def integrity_schedule(workflow: Workflow, checks: Sequence[dg.AssetChecksDefinition]) -> dg.ScheduleDefinition:
    """Every night all of them are asked."""
    return dg.ScheduleDefinition(
        name=f"{workflow.name}_integrity_schedule",
        target=dg.AssetSelection.checks(*checks),
        cron_schedule="37 2 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _check(key: dg.AssetKey, name: str, says: str, find: Callable[[], Broken]) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key, name=name, description=says)
    def check() -> dg.AssetCheckResult:
        broken = find()
        rows = [{"case": case, "what is wrong": wrong} for case, wrong in broken]
        return dg.AssetCheckResult(
            passed=not broken,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={"broken": len(broken), "which": dg.MetadataValue.md(markdown(rows) if rows else "nothing")},
        )

    return check
