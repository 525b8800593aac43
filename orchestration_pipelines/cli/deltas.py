"""``orchestrate deltas``: did it get better? Two periods compared, with what can be said and what cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows, write_page
from orchestration_pipelines.cli.session import connected


@click.command()
@click.argument("workflow", required=False)
@click.option("--before", metavar="DAY..DAY", help="The cases that closed on these days, UTC; all of a log with --log.")
@click.option("--after", required=True, metavar="DAY..DAY", help="And on these.")
@click.option("--corridor", default="", metavar="FEEL", help="Only cases of which this is true, such as loanamt < 150.")
@click.option(
    "--unchanged", metavar="FEEL", help="Cases that were left alone: what happened to them, too, is left out."
)
@click.option("--log", metavar="NAME", help="The cases before are an imported log's; without WORKFLOW those after too.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same intervals.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write a page that can be published: deltas.html.")
@as_json
def deltas(
    workflow: str | None,
    before: str | None,
    after: str,
    corridor: str,
    unchanged: str | None,
    log: str | None,
    seed: int,
    out: Path | None,
    wants_json: bool,
) -> None:
    """Lead time, rework, first-pass yield and breaches, before and after, with intervals that hold together."""
    # pandas' and numpy's weight is for those who want figures
    from orchestration_pipelines.engine.pilot_deltas import Period, pilot_deltas
    from orchestration_pipelines.engine.report.deltas_page import deltas_page
    from orchestration_pipelines.engine.report.tables import cell

    with connected() as connection:
        found = pilot_deltas(
            connection,
            workflow,
            None if before is None else Period.read(before),
            Period.read(after),
            corridor=corridor,
            unchanged=unchanged,
            log=log,
            seed=seed,
        )
    if out is not None:
        write_page(out, deltas_page(found, datetime.now(UTC)))
    if wants_json:
        told = {"workflow": found.workflow, "before": found.cases_before, "after": found.cases_after}
        print_json({**told, "deltas": found.rows()})
        return
    rows = found.rows()
    print_rows(found.title, list(rows[0]), [[cell(value) for value in row.values()] for row in rows], wants_json)
