"""``orchestrate report``: how a workflow runs and how it stands, on one page for whoever asks."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, write_page
from orchestration_pipelines.cli.session import connected
from orchestration_pipelines.store.versions import names

_MOST_DAYS = 3_660


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="The page: a file that stands alone, report.html.")
@click.option("--workflow", metavar="NAME", help="Of this workflow; needed where there are several.")
@click.option("--days", type=click.IntRange(1, _MOST_DAYS), default=90, show_default=True, help="How far back.")
@as_json
def report(out: Path | None, workflow: str | None, days: int, wants_json: bool) -> None:
    """How a workflow stands and runs: what is to be acted on and by whom, integrity, flow, promises, reviews."""
    # pandas' and numpy's weight is for those who want figures
    from orchestration_pipelines.engine.report.executive import executive
    from orchestration_pipelines.engine.report.flow import flow_report
    from orchestration_pipelines.engine.report.page import page

    if out is None and not wants_json:
        raise Problem("say where the page goes: --out report.html; or --json for the figures")
    now = datetime.now(UTC)
    with connected() as connection:
        found = flow_report(connection, _meant(workflow, names(connection)), now, days)
        status = executive(connection, found, now)
    if out is not None:
        write_page(out, page(found, status, now))
    if wants_json:
        told = {"workflow": found.workflow, "first": found.first, "last": found.last}
        lines = [asdict(line) for line in status.lines]
        owners = [owed._asdict() for owed in status.owners]
        print_json({**told, **found.figures.numbers(), "status": lines, "owners": owners})
    else:
        click.echo(
            f"{out}: {found.figures.closed:,} cases closed, {found.figures.under_way:,} under way; "
            f"{status.numbers['to act on']} lines to act on"
        )


def _meant(named: str | None, known: list[str]) -> str:
    if named is not None and named not in known:
        raise Problem(f"there is no workflow {named!r} here; there are {', '.join(known) or 'none'}")
    if named is None and len(known) != 1:
        raise Problem(f"say which workflow with --workflow; there are {', '.join(known) or 'none yet: see make run'}")
    return named or known[0]
