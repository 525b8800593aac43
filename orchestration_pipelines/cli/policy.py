"""``orchestrate policy``: how people's work is queued, given out and promised; a manager reads it and changes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows
from orchestration_pipelines.cli.session import acting, as_person, deployed, find_workflow, reason_option
from orchestration_pipelines.engine import policy as table
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store.connection import connect

_FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_workflow_option = click.option(
    "--workflow", default="mortgage_underwriting", show_default=True, metavar="NAME", help="Whose policy."
)


@click.group()
def policy() -> None:
    """Queues, limits, calendars and promises of a workflow's human work: show, check, set."""


@policy.command()
@_workflow_option
@click.option("--history", is_flag=True, help="Who set which, when and why.")
@as_json
def show(workflow: str, history: bool, wants_json: bool) -> None:
    """Print the policy that holds, as it was given."""
    with connect(deployed().url) as connection:
        held = table.history(connection, find_workflow(workflow).name)
    if history:
        rows = [[each.number, each.set_by, each.reason, each.set_at, each.digest[:12]] for each in held]
        print_rows("policies", ["number", "set_by", "reason", "set_at", "digest"], rows, wants_json)
    elif not held:
        raise Problem(f"{workflow} has no policy yet: it comes with the first release, or with orchestrate policy set")
    elif wants_json:
        print_json(held[0]._asdict())
    else:
        click.echo(held[0].document, nl=False)


@policy.command()
@_FILE
@_workflow_option
def check(file: Path, workflow: str) -> None:
    """Say everything that is wrong with a policy; change nothing."""
    found = _released(workflow)
    with connect(deployed().url) as connection:
        table.check(connection, found, file.read_bytes(), file.name)
    click.echo(f"{file.name} can be set: orchestrate policy set {file} --workflow {workflow} --reason TEXT")


@policy.command("set")
@_FILE
@_workflow_option
@reason_option
@as_person
def set_(file: Path, workflow: str, reason: str, as_person: str | None) -> None:
    """Put a policy in force, as a manager. It is checked as a whole first."""
    found = _released(workflow)
    person, asserted_by = acting(as_person)
    with connect(deployed().url) as connection:
        number = table.put(
            connection,
            found,
            file.read_bytes(),
            by=person,
            reason=reason,
            at=datetime.now(UTC),
            name=file.name,
            asserted_by=asserted_by,
        )
    click.echo("This policy holds already." if number is None else f"Policy {number} of {found.name} holds now.")


def _released(name: str) -> Workflow:
    """A workflow whose queues the database knows."""
    workflow = find_workflow(name)
    deployed().engine(workflow).version  # noqa: B018 - released on first use
    return workflow
