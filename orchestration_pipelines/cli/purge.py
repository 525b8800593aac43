"""``orchestrate purge``: Dagster keeps every run with its events for ever, some 36 KB each."""

from __future__ import annotations

import click

from orchestration_pipelines.cli.dagster_home import enter_dagster_home
from orchestration_pipelines.cli.output import as_json, print_json, tell
from orchestration_pipelines.cli.session import deployed


@click.command()
@click.option(
    "--keep-days", default=14, show_default=True, type=click.IntRange(min=0), help="Keep the runs of so many."
)
@as_json
def purge(keep_days: int, wants_json: bool) -> None:
    """Delete old runs from Dagster's history. Cases, decisions and the audit stay."""
    from dagster import DagsterInstance

    from orchestration_pipelines.defs.schedules import purge_runs

    enter_dagster_home(deployed())
    with DagsterInstance.get() as instance:
        purged = purge_runs(instance, keep_days)
    if wants_json:
        print_json({"purged": purged})
    else:
        tell(f"{purged} runs purged; those of the last {keep_days} days are kept")
