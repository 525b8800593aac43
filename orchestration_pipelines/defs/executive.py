"""How a workflow stands, as one asset for whoever answers for it: status, evidence, and who owes what."""

import dagster as dg

from orchestration_pipelines.defs.flow_metrics import GROUP
from orchestration_pipelines.defs.integrity import Own
from orchestration_pipelines.defs.sensors import engine_of
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow


def executive_report(workflow: Workflow, own: Own) -> tuple[dg.AssetsDefinition, dg.ScheduleDefinition]:
    """The asset, and its schedule: every morning, after the night's checks."""
    engines: list[Engine] = []

    @dg.asset(
        key=dg.AssetKey([workflow.name, "executive_report"]),
        deps=[dg.AssetKey([workflow.name, "flow"]), dg.AssetKey([workflow.name, "record"])],
        group_name=GROUP,
        description="Flow, breaches, the automation's bound, incidents, integrity, and the owners of what is late: "
        "each with what it asks for. The same page: orchestrate report --out report.html.",
    )
    def asset() -> dg.MaterializeResult[None]:
        # pandas' and numpy's weight is for those who want figures
        from orchestration_pipelines.engine.report.executive import executive
        from orchestration_pipelines.engine.report.flow import flow_report
        from orchestration_pipelines.engine.report.tables import markdown

        engine = engine_of(engines, workflow)
        now = engine.clock()
        with engine.connect() as connection:
            flow = flow_report(connection, workflow.name, now)
            status = executive(connection, flow, now, {name: ask(engine) for name, ask in own.items()})
        lines = [{"what": line.topic, "stands": line.stands.value, "because": line.says} for line in status.lines]
        numbers = {"breach rate": flow.figures.breach_rate, "automation rate": flow.figures.automation_rate}
        return dg.MaterializeResult(
            metadata={
                **status.numbers,
                **{name: rate for name, rate in numbers.items() if rate is not None},
                **{line.topic: f"{line.stands}: {line.says}" for line in status.lines},
                "how it stands": dg.MetadataValue.md(markdown(lines)),
                "who owes what": dg.MetadataValue.md(markdown([owed._asdict() for owed in status.owners])),
            }
        )

    schedule = dg.ScheduleDefinition(
        name=f"{workflow.name}_executive_report_schedule",
        target=asset,
        cron_schedule="3 5 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Materialises the page for whoever answers for the workflow.",
    )
    return asset, schedule
