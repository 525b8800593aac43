"""``orchestrate clients``: programs that use the interface, each in the name of one person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows, tell
from orchestration_pipelines.cli.session import acting, as_person, connected, reason_option
from orchestration_pipelines.domain.client import LONGEST, Scope
from orchestration_pipelines.engine import clients as table

_DAYS = 90
_HERE = "command line"


@click.group()
def clients() -> None:
    """Programs that use the interface (/api/v1)."""


@clients.command()
@click.argument("name")
@click.option("--for", "person", metavar="PERSON", required=True, help="In whose name it acts: their rights bound it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What for; repeat it.",
)
@click.option("--days", default=_DAYS, show_default=True, type=click.IntRange(1, LONGEST.days), help="Lasts so long.")
@as_person
def create(name: str, person: str, scopes: tuple[str, ...], days: int, as_person: str | None) -> None:
    """Make the client NAME, as an admin. Its token is printed once, and kept nowhere."""
    by, asserted_by = acting(as_person)
    with connected() as connection:
        token = table.create(
            connection,
            name,
            person,
            scopes,
            by=by,
            address=_HERE,
            at=datetime.now(UTC),
            lasts=timedelta(days=days),
            asserted_by=asserted_by,
        )
    tell(f"The token of {name}, for {days} days; nobody can show it again:")
    click.echo(token)


@clients.command("list")
@as_json
def list_(wants_json: bool) -> None:
    """Every client, the newest first."""
    with connected() as connection:
        found = table.listed(connection)
    if wants_json:
        print_json([client._asdict() for client in found])
        return
    now = datetime.now(UTC)
    rows = [
        [client.name, client.person, ", ".join(client.scopes), client.created_by, _told(client, now)]
        for client in found
    ]
    print_rows("clients", ["client", "acts for", "scopes", "made by", "token"], rows, False)


def _told(client: table.Client, now: datetime) -> str:
    if client.revoked_at is not None:
        return f"revoked by {client.revoked_by} at {client.revoked_at.isoformat()}: {client.revoke_reason}"
    if client.expires_at <= now:
        return f"over since {client.expires_at.isoformat()}"
    if not client.person_active:
        return f"worth nothing: {client.person} is no reviewer any more"
    return f"until {client.expires_at.isoformat()}"


@clients.command()
@click.argument("name")
@reason_option
@as_person
def revoke(name: str, reason: str, as_person: str | None) -> None:
    """End the client NAME, as an admin: its token is worth nothing from now on."""
    by, asserted_by = acting(as_person)
    with connected() as connection:
        table.revoke(
            connection, name, by=by, address=_HERE, reason=reason, at=datetime.now(UTC), asserted_by=asserted_by
        )
    click.echo(f"{name} is revoked.")
