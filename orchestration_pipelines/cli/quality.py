"""``orchestrate quality``: what is known of the rules that decide by themselves, and letting one decide again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.session import acting, as_person, connected, reason_option, workflow_option
from orchestration_pipelines.engine import quality as table
from orchestration_pipelines.engine.quality import Cell


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


def _stands(cell: Cell) -> str:
    if cell.fallback is None:
        return str(cell.judged.verdict)
    return f"with people; {cell.fallback.asked_by} wants it lifted" if cell.fallback.asked_by else "with people"


def _shown(cell: Cell) -> dict[str, Any]:
    told = asdict(cell) | {"fallback": cell.fallback._asdict() if cell.fallback else None}
    return {**told, **told.pop("judged")}
