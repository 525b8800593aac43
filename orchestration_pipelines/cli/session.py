"""What every verb needs: the deployment, a connection, the workflow meant, and the person who acts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import psycopg

from orchestration_pipelines.cli.output import Problem, tell
from orchestration_pipelines.engine.deployment import Deployment, deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines.store import account, schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

_SHIPPED = Path(__file__).parents[1] / "workflows"

#: a task, an incident, how many: what PostgreSQL can count
NUMBER = click.IntRange(1, 2**63 - 1)
#: names a person other than the operating-system user; recorded as asserted by that user
as_person = click.option("--as", "as_person", metavar="PERSON", help="Who acts; recorded as asserted by you.")
reason_option = click.option("--reason", required=True, help="Why; it is kept in the record.")
limit_option = click.option("--limit", type=NUMBER, default=200, show_default=True, help="How many at the most.")
workflow_option = click.option("--workflow", metavar="NAME", help="Only this workflow's.")


def deployed() -> Deployment:
    """The deployment that the environment describes, its schema up to date."""
    deployment = deploy(tell=tell)
    deployment.prepare()
    return deployment


@contextmanager
def connected() -> Iterator[psycopg.Connection]:
    """A connection as the application."""
    with connect(deployed().url) as connection:
        yield connection


@contextmanager
def looking() -> Iterator[psycopg.Connection | None]:
    """A connection to the database as it is, for a look; None where none answers. Nothing is started or migrated."""
    home = Home.from_environment()
    url = home.database_url or (EmbeddedServer(home).url() if home.root.is_dir() else None)
    try:
        connection = connect(url, role=None) if url is not None else None
    except (psycopg.OperationalError, urls.DatabaseUnreachable):
        connection = None
    if connection is None:
        yield None
        return
    with connection:
        yield connection if _is_current(connection) else None


def _is_current(connection: psycopg.Connection) -> bool:
    try:
        return schema.revision(connection) == schema.newest()
    except psycopg.errors.UndefinedTable:
        return False


def shipped_folders() -> list[Path]:
    """The folders of the workflows that are shipped."""
    return sorted(place.parent for place in _SHIPPED.glob("*/workflow.yaml"))


def workflow_folder(name: str) -> Path:
    """The folder of a workflow by the name of a shipped one, or by its path."""
    folder = Path(name) if Path(name).is_dir() else _SHIPPED / name
    if not os.access(folder / "workflow.yaml", os.F_OK):
        shipped = ", ".join(place.name for place in shipped_folders())
        raise Problem(f"there is no workflow {name!r}: name a shipped one ({shipped}), or the folder of your own")
    return folder


def find_workflow(name: str) -> Workflow:
    """A workflow by the name of a shipped one, or by its folder."""
    return load_workflow(workflow_folder(name))


def engine_of(name: str) -> Engine:
    """The engine of a workflow here."""
    return deployed().engine(find_workflow(name))


def acting(named: str | None) -> tuple[str, str | None]:
    """Who acts, and the operating-system user who asserts it where somebody else is named."""
    user = account.user()
    if named is None:
        return user, None
    if os.environ.get("ORCHESTRATION_AS", "").lower() == "off":
        raise Problem("--as is switched off here (ORCHESTRATION_AS=off): act as yourself, without it")
    if not named.strip():
        raise Problem("--as names nobody: write --as PERSON")
    return named, user


def operator(named: str | None) -> str:
    """Who acts, in one text for the record."""
    person, asserted_by = acting(named)
    return person if asserted_by is None else f"{person} (asserted by {asserted_by})"


def assignments(_: click.Context, __: click.Parameter, written: tuple[str, ...]) -> dict[str, str]:
    """``--set field=value``, as often as wanted."""
    values: dict[str, str] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{each!r} is not field=value")
        values[name.strip()] = value
    return values


def set_option(meaning: str) -> Callable[[Any], Any]:
    """The option ``--set field=value``."""
    return click.option("--set", "changes", multiple=True, callback=assignments, metavar="FIELD=VALUE", help=meaning)
