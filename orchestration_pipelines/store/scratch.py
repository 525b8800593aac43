"""Databases that are thrown away: made beside the product's, on the same server."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import psycopg
from psycopg import sql

from orchestration_pipelines.store import schema, urls


def beside(url: str, purpose: str) -> str:
    """Where a new one may be made: a name that nobody has."""
    return urls.sibling(url, f"{purpose}_{uuid4().hex[:8]}")


def make(url: str) -> None:
    """Make the database at the newest schema. Its commits are not waited for."""
    urls.ensure_database(url)
    schema.migrate(url)
    hasten(url)


def hasten(url: str) -> None:
    """A crash of the server may cost a scratch database its last commits: nobody would miss them."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(urls.database_of(url))
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))


def drop(scratch: Sequence[str]) -> None:
    """Drop databases and end whoever is connected to them; one that is not there is no matter."""
    with psycopg.connect(urls.on_database(scratch[0], "postgres"), autocommit=True) as connection:
        for url in scratch:
            name = sql.Identifier(urls.database_of(url))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
