"""``orchestrate submit`` and ``orchestrate sweep``: the engine without Dagster."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows, tell
from orchestration_pipelines.cli.session import acting, as_person, engine_of
from orchestration_pipelines.engine.reading import read_rows

#: problems shown to a person; --json has them all
_SHOWN = 20


@click.command()
@click.argument("workflow")
@click.argument("file", type=click.Path(path_type=Path))
@as_person
@as_json
def submit(workflow: str, file: Path, as_person: str | None, wants_json: bool) -> None:
    """Offer the rows of FILE (CSV, JSON lines or Parquet) to WORKFLOW as new cases."""
    person, _ = acting(as_person)
    engine = engine_of(workflow)
    rows = read_rows(file, engine.workflow.intake)
    submitted = engine.submit(
        rows,
        requested_by=person,
        source=file.name,
        progress=lambda so_far: tell(f"{so_far.offered:,} rows read"),
    )
    counts = {
        "accepted": submitted.accepted,
        "duplicates": submitted.duplicates,
        "conflicts": submitted.conflicts,
        "quarantined": submitted.quarantined,
    }
    problems = [asdict(problem) for problem in submitted.problems]
    if wants_json:
        print_json({**counts, "problems": problems})
    else:
        print_rows("submitted", list(counts), [list(counts.values())], False)
        if problems:
            shown = [[problem["row"], problem["key"], problem["reason"]] for problem in problems[:_SHOWN]]
            print_rows("problems", ["row", "key", "reason"], shown, False)
            if more := submitted.quarantined + submitted.conflicts - len(shown):
                click.echo(f"… and {more:,} more")
        if submitted.quarantined:
            click.echo("Mend a quarantined row with: orchestrate quarantine list, quarantine resubmit")


@click.command()
@click.argument("workflow")
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=120.0,
    show_default=True,
    help="Leave the rest to the next sweep after this.",
)
@as_json
def sweep(workflow: str, seconds: float, wants_json: bool) -> None:
    """Sweep the stations of WORKFLOW once, without Dagster: the same engine."""
    engine = engine_of(workflow)
    report = engine.sweep("orchestrate sweep", seconds=seconds)
    for differing in engine.differing():
        tell(differing)
    tally = report.tally
    rows = [
        [station, tally.completed[station], tally.failed[station], tally.dead[station], tally.stuck[station]]
        for station in {**tally.completed, **tally.failed, **tally.dead, **tally.stuck}
    ]
    if wants_json:
        keys = ("station", "completed", "to_be_retried", "dead_letters", "incidents")
        print_json(
            {
                "stations": [dict(zip(keys, row, strict=True)) for row in rows],
                "closed": dict(tally.closed),
                "errors": report.errors,
            }
        )
    else:
        print_rows("swept", ["station", "completed", "to be retried", "dead letters", "incidents"], rows, False)
        ended = [[outcome, count] for outcome, count in tally.closed.items()]
        print_rows("cases that ended", ["outcome", "cases"], ended, False)
    if report.errors:
        raise Problem("; ".join(report.errors))
