"""The lender: an external system in a database of its own, reached only through its operations.

The rules are in ``lender_tables.sql`` and ``lender_acts.sql``, where no caller can pass them by: keys that are used
once, a ledger that balances, rows that are only added, no commitment without an approval.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import set_json_loads

ROLE = "orchestration_lender"
_SCRIPTS = ("lender_tables.sql", "lender_acts.sql")

#: each operation: the types of what it takes behind the key and the case
_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "lock_rate": ("int",),
    "release_rate": ("text",),
    "reserve": ("numeric",),
    "release": ("text",),
    "commit": ("text", "text"),
    "reverse": ("text",),
    "book": ("text", "numeric", "numeric"),
    "withdraw": ("text",),
}

#: what the lender answered: ``id`` of what was made, or ``refused`` and ``message``
Answer = Mapping[str, Any]


def set_up(url: str) -> None:
    """Make the lender's tables, functions and role in its own database, unless they are there."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('lender set up'))")
        if connection.execute("SELECT to_regnamespace('lender')").fetchone() != (None,):
            return
        _make_role(connection)
        for script in _SCRIPTS:
            connection.execute(Path(__file__).with_name(script).read_bytes())


def _make_role(connection: psycopg.Connection) -> None:
    """The role belongs to the whole server: another installation may have it, or just be making it."""
    role = sql.Identifier(ROLE)
    try:
        with connection.transaction():
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass  # made meanwhile: that is all we want
    # The tool works as the role: whoever is no superuser must be a member that may, from PostgreSQL 16 on, SET it.
    fine = connection.info.server_version >= 160_000
    may = connection.execute("SELECT pg_has_role(%s, %s)", (ROLE, "SET" if fine else "MEMBER")).fetchone()
    if may != (True,):
        grant = sql.SQL("GRANT {} TO CURRENT_USER" + (" WITH INHERIT FALSE, SET TRUE" if fine else "")).format(role)
        connection.execute(grant)


class Lender:
    """The tool that workers are given: the lender's operations, many cases at a time, and nothing else.

    A call is one transaction. It is safe to repeat: a key is used once, and a second call is given the first answer.
    """

    def __init__(self, url: str) -> None:
        self._conninfo = make_conninfo(
            url, options=f"-c role={ROLE} -c statement_timeout=30s -c timezone=UTC", application_name="lender tool"
        )
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._conninfo, autocommit=True)
            set_json_loads(partial(json.loads, parse_float=Decimal), self._connection)
        return self._connection

    def ask(self, operation: str, wanted: Sequence[tuple[str, str, *tuple[Any, ...]]]) -> list[Answer]:
        """Do an operation for many cases, each as (key, case, what it takes…); the answers in order.

        Raises ``psycopg.Error`` where a key was used for something else or voided, an approval is missing, or
        what is asked for cannot be: then nothing of the whole call was done.
        """
        if not wanted:
            return []
        types = ("text", "text", *_OPERATIONS[operation])
        names = [f"a{index}" for index in range(len(types))]
        statement = sql.SQL(
            "SELECT lender.{operation}({names}) FROM unnest({arrays}) WITH ORDINALITY AS asked ({names}, no) "
            "ORDER BY no"
        ).format(
            operation=sql.Identifier(operation),
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            arrays=sql.SQL(", ").join(sql.SQL("%s::" + kind + "[]") for kind in types),
        )
        columns = [list(column) for column in zip(*wanted, strict=True)]
        return [row[0] for row in self._connected().execute(statement, columns)]

    def void(self, key: str) -> str:
        """Make sure that nothing stands under a key, whether it ever did or not: *undone*, *refused*, *never done*."""
        row = self._connected().execute("SELECT lender.void(%s)", (key,)).fetchone()
        return str(row[0]) if row else ""


def balanced(url: str) -> bool:
    """Whether every entry sums to zero, and the exposure is what the ledger says."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT NOT EXISTS (SELECT FROM lender.posting GROUP BY entry_id HAVING sum(amount) <> 0) "
            "AND (SELECT coalesce(sum(dollars), 0) FROM lender.balance) = 0 "
            "AND coalesce((SELECT dollars FROM lender.exposure ORDER BY no DESC LIMIT 1), 0) "
            "  = (SELECT sum(dollars) FROM lender.balance WHERE account IN ('committed', 'sold'))"
        ).fetchone()
    return row is not None and bool(row[0])


def violations(url: str, still_open: Collection[str] = ()) -> list[str]:
    """Reservations that break the rule: each has exactly one of release, commit, or commit and reversal.

    ``still_open`` names the cases under way, whose reservation may still be held.
    """
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT reservation, case_key, ended FROM lender.reservation_rule "
            "WHERE ended = 'released and committed' OR (ended = 'held' AND NOT case_key = ANY(%s)) "
            "ORDER BY reservation",
            (list(still_open),),
        ).fetchall()
    return [f"reservation {reservation} of case {case} is {ended}" for reservation, case, ended in rows]
