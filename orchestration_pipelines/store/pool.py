"""Connections that many share: a page borrows one for as long as its statements take."""

from __future__ import annotations

import select

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from orchestration_pipelines.store.connection import APP, addressed, prepared

__all__ = ["PoolTimeout", "opened"]

#: a page that waits for longer is refused: its reader has gone
_PATIENCE_S = 5.0
_SETTINGS = {
    "statement_timeout": "15s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}


def opened(url: str, at_most: int) -> ConnectionPool[psycopg.Connection]:
    """A pool of connections as the application; one that died meanwhile is replaced before it is handed out."""
    return ConnectionPool(
        addressed(url, {"role": APP, **_SETTINGS}),
        kwargs={"autocommit": True},
        min_size=1,
        max_size=at_most,
        timeout=_PATIENCE_S,
        max_idle=60.0,
        configure=prepared,
        check=_ask,
        name="console",
        open=True,
    )


def _ask(connection: psycopg.Connection) -> None:
    """Ask a connection whether it lives, if there is a sign that it does not: an idle one has nothing to say, but for
    its end. (To ask each costs a round trip, and a page borrows several times.)"""
    said = select.poll()
    said.register(connection.fileno(), select.POLLIN)
    if said.poll(0):
        ConnectionPool.check_connection(connection)
