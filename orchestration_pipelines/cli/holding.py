"""``orchestrate hold`` and ``orchestrate resume``: stop the machines, at once and on the record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.cli.session import as_person, connected, find_workflow, operator, reason_option
from orchestration_pipelines.engine import holds

_TARGET = "WORKFLOW or WORKFLOW/ELEMENT"


@click.command()
@click.argument("target", metavar=_TARGET)
@reason_option
@as_person
def hold(target: str, reason: str, as_person: str | None) -> None:
    """Stop automatic work on a workflow, or on one of its steps, at once. People still decide."""
    workflow, element = _target(target)
    with connected() as connection:
        holds.hold(connection, workflow, element, by=operator(as_person), reason=reason, at=datetime.now(UTC))
    click.echo(f"{target} is held. Lift it with: orchestrate resume {target} --reason TEXT")


@click.command()
@click.argument("target", metavar=_TARGET)
@reason_option
@as_person
def resume(target: str, reason: str, as_person: str | None) -> None:
    """Lift a hold."""
    workflow, element = _target(target)
    with connected() as connection:
        holds.resume(connection, workflow, element, by=operator(as_person), reason=reason, at=datetime.now(UTC))
    click.echo(f"{target} works again.")


def _target(written: str) -> tuple[str, str | None]:
    whole = "/" not in written or Path(written).is_dir()
    name, element = (written, "") if whole else tuple(written.rsplit("/", 1))
    workflow = find_workflow(name)
    if element and element not in workflow.process.elements:
        steps = ", ".join(station.id for station in workflow.process.stations())
        raise Problem(f"{workflow.name} has no step {element!r}: there are {steps}")
    return workflow.name, element or None
