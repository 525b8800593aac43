"""Did it get better? Two periods compared as an asset: the last weeks against those before, or what is asked."""

from datetime import UTC, timedelta

import dagster as dg

from orchestration_pipelines.defs.flow_metrics import GROUP
from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store.refusal import Refused

#: what is compared where nothing is asked: so many days with so many before
_DAYS = 28


class PilotConfig(dg.Config):
    """What to compare. Periods are days, both included, in UTC: ``2026-03-01..2026-03-31``.

    Empty, the last 28 days are compared with the 28 before; with ``log`` the cases before are those of an imported log.
    """

    before: str = ""
    after: str = ""
    corridor: str = ""
    unchanged: str = ""
    log: str = ""


def pilot_deltas_asset(workflow: Workflow) -> dg.AssetsDefinition:
    """Lead time, rework, first-pass yield and breaches, before and after."""
    engines: list[Engine] = []

    @dg.asset(
        key=dg.AssetKey([workflow.name, "pilot_deltas"]),
        group_name=GROUP,
        description="Did it get better? Two periods of a corridor compared, against one that did not change where one "
        "is named, with intervals that hold together. The launchpad asks which; the same: orchestrate deltas.",
    )
    def pilot_deltas(config: PilotConfig) -> dg.MaterializeResult[None]:
        # pandas' and numpy's weight is for those who want figures
        from orchestration_pipelines.engine.pilot_deltas import Period
        from orchestration_pipelines.engine.pilot_deltas import pilot_deltas as compared
        from orchestration_pipelines.engine.report.tables import markdown

        engine = engine_of(engines, workflow)
        today = engine.clock().astimezone(UTC).date()
        begin = today - timedelta(days=_DAYS - 1)
        after = Period.read(config.after) if config.after else Period(begin, today)
        before = Period.read(config.before) if config.before else None
        if before is None and not config.log:
            before = Period(
                after.first - (after.last - after.first) - timedelta(days=1), after.first - timedelta(days=1)
            )
        try:
            with engine.connect() as connection:
                found = compared(
                    connection,
                    workflow.name,
                    before,
                    after,
                    corridor=config.corridor,
                    unchanged=config.unchanged or None,
                    log=config.log or None,
                )
        except Refused as refused:
            if config != PilotConfig():
                raise dg.Failure(str(refused), allow_retries=False) from None
            return dg.MaterializeResult(metadata={"says": f"nothing can be compared yet: {refused}"})
        numbers = {
            f"{delta.figure}: {name}": value
            for delta in found.deltas
            for name, value in (("before", delta.before), ("after", delta.after), ("difference", delta.difference))
        }
        return dg.MaterializeResult(
            metadata={
                "says": "; ".join(f"{delta.figure}: {delta.words}" for delta in found.deltas),
                "compared": found.title,
                "effects shown": sum(delta.is_shown for delta in found.deltas),
                **numbers,
                "table": dg.MetadataValue.md(markdown(found.rows())),
            }
        )

    return pilot_deltas
