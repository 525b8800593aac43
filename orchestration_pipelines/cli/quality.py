"""``orchestrate quality``: what is known of the rules that decide by themselves, and letting one decide again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.session import (
    acting,
    as_person,
    connected,
    find_workflow,
    reason_option,
    workflow_option,
)
from orchestration_pipelines.engine import quality as table
from orchestration_pipelines.engine import thresholds
from orchestration_pipelines.engine.quality import Cell
from orchestration_pipelines.engine.releases import Person, Refused
from orchestration_pipelines.engine.report.tables import cell
from orchestration_pipelines.engine.thresholds import Learnt, drift_row


@click.group()
def quality() -> None:
    """Automatic decisions that people look at again: how each cell stands, and lifting a fallback."""


@quality.command("list")
@workflow_option
@as_json
def list_(workflow: str | None, wants_json: bool) -> None:
    """Show each cell: reviews, the bound of its rate of disagreement, its limit, and whether it is with people."""
    with connected() as connection:
        cells = table.listed(connection, datetime.now(UTC), workflow)
    if wants_json:
        print_json([_shown(cell) for cell in cells])
        return
    columns = [
        "workflow",
        "cell",
        "reviews",
        "disagreed",
        "waiting",
        "below",
        "limit",
        "needs",
        "is",
        "since",
        "because",
    ]
    rows = [
        [
            cell.workflow,
            cell.name,
            cell.judged.answers,
            cell.judged.disagreed,
            cell.waiting,
            f"{cell.judged.bound:.1%}",
            f"{cell.limit:.1%}",
            cell.judged.needed,
            _stands(cell),
            f"{cell.fallback.since:%Y-%m-%d %H:%M}" if cell.fallback else "",
            cell.fallback.reason if cell.fallback else "",
        ]
        for cell in cells
    ]
    print_rows("cells", columns, rows, False)


@quality.command()
@click.argument("cell")
@as_person
@reason_option
@workflow_option
def lift(cell: str, as_person: str | None, reason: str, workflow: str | None) -> None:
    """Let CELL decide by itself again. Two people must want it: the first asks, the second confirms."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        lifted = table.lift(
            connection, cell, workflow, person=person, reason=reason, now=datetime.now(UTC), asserted_by=asserted_by
        )
    if lifted:
        click.echo(f"{cell} decides by itself again. What is known of it is counted anew from now on.")
    else:
        click.echo(
            f"{person} wants {cell} to decide again. A second person confirms: "
            f"orchestrate quality lift {cell} --as PERSON --reason TEXT"
        )


@quality.command()
@click.argument("workflow")
@as_person
@click.option("--reason", default="", help="Why; it is kept in the record. Needed to propose.")
@click.option("--look", is_flag=True, help="Only show what people's judgements would allow.")
@as_json
def propose(workflow: str, as_person: str | None, reason: str, look: bool, wants_json: bool) -> None:
    """Propose the thresholds that people's judgements of WORKFLOW's cases allow: a new version of the table.

    A second person approves it, as any other release.
    """
    meant, now = find_workflow(workflow), datetime.now(UTC)
    person, asserted_by = acting(as_person)
    with connected() as connection:
        found = thresholds.learn(connection, meant, now)
        proposed = []
        if not look:
            if not any(each.content for each in found):
                raise Refused("nothing to propose: no threshold is proved to lie better elsewhere (--look shows why)")
            proposed = [
                thresholds.propose(connection, meant, each, by=Person(person, asserted_by), reason=reason, now=now)
                for each in found
                if each.content is not None
            ]
    if wants_json:
        print_json([_learnt(each) for each in found])
        return
    for each in found:
        _tell_learnt(each)
    for made in proposed:
        state = "active already: it loosens nothing" if made.release.state == "active" else "proposed"
        click.echo(f"{made.release.file_name} {made.release.digest[:12]} is {state} ({made.why})")
        if made.release.state != "active":
            click.echo(f"A second person: orchestrate model approve {made.release.digest[:12]} --as PERSON")


def _tell_learnt(found: Learnt) -> None:
    def table_of(title: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            print_rows(title, list(rows[0]), [[cell(value) for value in row.values()] for row in rows], False)

    table_of(f"{found.file_name}: {found.cases:,} cases, {found.judged:,} judged", [each.row() for each in found.bands])
    table_of("drift: the last four weeks against those before", [drift_row(each) for each in found.drifts])
    if found.calibration is not None:
        scored = found.calibration
        click.echo(f"Brier score {scored.brier:.3f}; whoever always says the mean has {scored.without:.3f}")
    for difference in found.differences or ["every threshold stays where it is"]:
        click.echo(difference)
    for what, count in found.effect.items():
        click.echo(f"of these cases {count:,} would have gone {what}")


def _learnt(found: Learnt) -> dict[str, Any]:
    return {
        "workflow": found.workflow,
        "step": found.element,
        "file": found.file_name,
        "cases": found.cases,
        "judged": found.judged,
        "thresholds": [each.row() for each in found.bands],
        "drift": [drift_row(each) for each in found.drifts],
        "calibration": None if found.calibration is None else asdict(found.calibration),
        "differences": list(found.differences),
        "effect": dict(found.effect),
    }


def _stands(cell: Cell) -> str:
    if cell.fallback is None:
        return str(cell.judged.verdict)
    return f"with people; {cell.fallback.asked_by} wants it lifted" if cell.fallback.asked_by else "with people"


def _shown(cell: Cell) -> dict[str, Any]:
    told = asdict(cell) | {"fallback": cell.fallback._asdict() if cell.fallback else None}
    return {**told, **told.pop("judged")}
