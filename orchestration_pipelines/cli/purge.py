"""``orchestrate purge``: Dagster keeps every run for ever, some 36 KB each; answers to clients are kept for a day."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from orchestration_pipelines.cli.dagster_home import enter_dagster_home
from orchestration_pipelines.cli.output import as_json, print_json, tell
from orchestration_pipelines.cli.session import deployed
from orchestration_pipelines.engine import access, replies
from orchestration_pipelines.store.connection import connect


@click.command()
@click.option(
    "--keep-days", default=14, show_default=True, type=click.IntRange(min=0), help="Keep the runs of so many."
)
@as_json
def purge(keep_days: int, wants_json: bool) -> None:
    """Delete old runs from Dagster's history, answers to clients that nobody asks for again, and old sessions.

    Cases, decisions and the audit stay.
    """
    from dagster import DagsterInstance

    from orchestration_pipelines.defs.schedules import purge_runs

    deployment = deployed()
    enter_dagster_home(deployment)
    with DagsterInstance.get() as instance:
        purged = purge_runs(instance, keep_days)
    with connect(deployment.url) as connection:
        now = datetime.now(UTC)
        forgotten, sessions = replies.forget(connection, now), access.forget(connection, now)
    if wants_json:
        print_json({"purged": purged, "answers": forgotten, "sessions": sessions})
    else:
        tell(f"{purged} runs purged; those of the last {keep_days} days are kept")
        tell(f"{forgotten} answers to clients purged; those of the last day are kept")
        tell(f"{sessions} sessions of the console purged; those of the last month are kept")
