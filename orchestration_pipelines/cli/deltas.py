"""``orchestrate deltas``: did it get better? Two periods compared, with what can be said and what cannot."""

from __future__ import annotations

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.session import connected


@click.command()
@click.argument("workflow")
@click.option("--before", required=True, metavar="DAY..DAY", help="The cases that closed on these days, UTC.")
@click.option("--after", required=True, metavar="DAY..DAY", help="And on these.")
@click.option("--corridor", default="", metavar="FEEL", help="Only cases of which this is true, such as loanamt < 150.")
@click.option(
    "--unchanged", metavar="FEEL", help="Cases that were left alone: what happened to them, too, is left out."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same intervals.")
@as_json
def deltas(
    workflow: str, before: str, after: str, corridor: str, unchanged: str | None, seed: int, wants_json: bool
) -> None:
    """Lead time, rework, first-pass yield and breaches, before and after, with intervals that hold together."""
    # pandas' and numpy's weight is for those who want figures
    from orchestration_pipelines.engine.pilot_deltas import Period, pilot_deltas
    from orchestration_pipelines.engine.report.tables import cell

    with connected() as connection:
        found = pilot_deltas(
            connection,
            workflow,
            Period.read(before),
            Period.read(after),
            corridor=corridor,
            unchanged=unchanged,
            seed=seed,
        )
    if wants_json:
        print_json(
            {"workflow": workflow, "before": found.cases_before, "after": found.cases_after, "deltas": found.rows()}
        )
        return
    title = f"{workflow}: {found.cases_before:,} cases in {found.before}, {found.cases_after:,} in {found.after}"
    rows = found.rows()
    print_rows(title, list(rows[0]), [[cell(value) for value in row.values()] for row in rows], wants_json)
