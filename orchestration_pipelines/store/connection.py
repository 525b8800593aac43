"""Connections to the product's database: session settings that the hot statements rely on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.conninfo import make_conninfo

from orchestration_pipelines.store.arrays import register

APP = "orchestration_app"
#: reads what was withheld at intake, to hold the automation against it
EVALUATION = "orchestration_evaluation"

#: A join of 2,000 ids against a large table must stay an index walk, whatever ANALYZE says:
#: a hash join reads the whole table and grows with it (docs/adr/0003-the-sweep.md).
#: And the tables are joined as the statement writes them: the ids first.
_PLANS = {
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "join_collapse_limit": "1",
    "jit": "off",
}
_SWEEPER = {
    **_PLANS,
    # A process that is frozen in the middle of an advance holds its cases' rows. The server ends that long before
    # the lease does, so that whoever takes the cases over is not frozen with it.
    "idle_in_transaction_session_timeout": "60s",
}


class RawJson(Loader):
    """jsonb as the bytes the server sends: the engine decodes it once, with Decimal numbers."""

    def load(self, data: Any) -> bytes:
        """The JSON text, as bytes."""
        return bytes(data)


class RawJsonBinary(Loader):
    """The same for the binary protocol, which puts a version byte in front."""

    format = psycopg.pq.Format.BINARY

    def load(self, data: Any) -> bytes:
        """The JSON text, as bytes."""
        return bytes(data)[1:]


def connect(url: str, *, role: str | None = APP, sweeper: bool = False, autocommit: bool = True) -> psycopg.Connection:
    """A connection as ``role``. ``sweeper`` pins the plans of the hot statements and raw jsonb."""
    settings = _SWEEPER if sweeper else {}
    connection = psycopg.connect(
        addressed(url, {**({} if role is None else {"role": role}), **settings}), autocommit=autocommit
    )
    prepared(connection)
    return connection


def pin_plans(connection: psycopg.Connection) -> None:
    """Pin the plans of the hot statements for the rest of this transaction."""
    for name, value in _PLANS.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))


def addressed(url: str, settings: Mapping[str, str]) -> str:
    """The same address, with settings of the session and signs of life over TCP."""
    options = " ".join(f"-c {name}={value}" for name, value in {"timezone": "UTC", **settings}.items())
    return make_conninfo(
        url,
        options=options,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        application_name="orchestrate",
    )


def prepared(connection: psycopg.Connection) -> None:
    """Read jsonb as the bytes that the server sends, and arrays as ours."""
    register(connection)
    connection.adapters.register_loader("jsonb", RawJson)
    connection.adapters.register_loader("jsonb", RawJsonBinary)
