"""Databases that are thrown away: made beside the product's, on the same server."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import psycopg
from psycopg import sql

from orchestration_pipelines.store import schema, urls


def make(beside: str, purpose: str) -> str:
    """A new database at the newest schema; its URL, as its owner's. Its commits are not waited for."""
    url = urls.sibling(beside, f"{purpose}_{uuid4().hex[:8]}")
    urls.ensure_database(url)
    schema.migrate(url)
    hasten(url)
    return url


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
