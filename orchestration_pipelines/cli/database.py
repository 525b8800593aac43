"""``orchestrate db``: the database's address, and its schema."""

from __future__ import annotations

import click

from orchestration_pipelines.cli.output import as_json, print_json, tell
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.connection import connect


@click.group()
def db() -> None:
    """The database: its address, and bringing its schema up to date."""


@db.command()
@click.option(
    "--driver",
    type=click.Choice(["psycopg", "psycopg2", "dagster"]),
    default="psycopg",
    show_default=True,
    help="psycopg: for psql too. psycopg2: for SQLAlchemy. dagster: Dagster's own database, for dagster.yaml.",
)
@click.option("--show-password", is_flag=True, help="Print the password, for a program to read.")
@as_json
def url(driver: str, show_password: bool, wants_json: bool) -> None:
    """Print the database's address."""
    deployment = deploy(tell=tell)
    chosen = urls.sibling(deployment.url, "dagster") if driver == "dagster" else deployment.url
    shown = chosen if show_password else urls.without_password(chosen)
    written = urls.libpq_url(shown) if driver == "psycopg" else urls.sqlalchemy_url(shown, "psycopg2")
    if wants_json:
        print_json({"driver": driver, "url": written})
    else:
        click.echo(written)


@db.command()
@as_json
def migrate(wants_json: bool) -> None:
    """Make the databases and bring the schema up to date; safe to repeat."""
    deployment = deploy(tell=tell)
    deployment.prepare()
    with connect(deployment.url, role=None) as connection:
        revision = schema.revision(connection)
    if wants_json:
        print_json({"database": urls.database_of(deployment.url), "revision": revision})
    else:
        click.echo(f"the {urls.masked(deployment.url)} is at revision {revision}")
