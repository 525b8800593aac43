"""``orchestrate notices``: what people were told, what waits, what could not be delivered."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows
from orchestration_pipelines.cli.session import connected, deployed, limit_option
from orchestration_pipelines.engine.channels import BadChannel, channel
from orchestration_pipelines.engine.notifying import deliver
from orchestration_pipelines.store import outbox
from orchestration_pipelines.store.connection import connect

_STATUSES = ("pending", "sent", "dead")


@click.group()
def notices() -> None:
    """Notices to people: reminders, reassignments, escalations."""


@notices.command(name="list")
@click.option("--status", type=click.Choice(_STATUSES), help="Only these.")
@limit_option
@as_json
def list_(status: str | None, limit: int, wants_json: bool) -> None:
    """The newest notices."""
    with connected() as connection:
        told = outbox.notices(connection, status, limit)
    print_rows("notices", outbox.Told._fields, told, wants_json)


@notices.command()
@as_json
def send(wants_json: bool) -> None:
    """Deliver what waits, now; `make up` does so every minute."""
    deployment = deployed()
    try:
        way = channel(os.environ, deployment.home.root)
    except BadChannel as error:
        raise Problem(str(error)) from None
    with connect(deployment.url) as connection:
        done = deliver(connection, way, lambda: datetime.now(UTC))
    if wants_json:
        print_json(vars(done))
    else:
        click.echo(f"{done.sent} sent, {done.failed} to be tried again, {done.dead} given up")
