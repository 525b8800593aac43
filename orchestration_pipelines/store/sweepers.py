"""Who sweeps: a row and a session advisory lock, so that a dead one is known at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.connection import connect

#: the advisory locks' first key: "this is a sweeper's"
LOCK_CLASS = 0x5EE9
#: … and of one that a sweeper holds beside its own, with the workflow's number, while it stands by for decisions
STANDING_CLASS = 0x57A9

#: the sweepers whose lock is held: they live, and what they lease is theirs
LIVING = f"""
    SELECT l.objid::bigint AS id FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = {LOCK_CLASS}
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
#: sweepers that are registered and open, but whose lock is free: they died. A sweeper takes its lock
#: *before* its row can be seen, so that a living one is never in this set.
DEAD = f"SELECT s.id FROM sweeper s WHERE s.ended_at IS NULL AND s.id NOT IN ({LIVING})"


class SweeperSession:
    """One sweeping process (or op): holds its lock while it lives, on a connection of its own."""

    def __init__(self, url: str, run: str) -> None:
        self.connection: psycopg.Connection = connect(url)  #: to look and to listen; nothing may work on it
        self.id: int = self._register(run)

    def _register(self, run: str) -> int:
        with self.connection.transaction():
            row = self.connection.execute(
                "INSERT INTO sweeper (run, pid) VALUES (%s, %s) RETURNING id", (run, os.getpid())
            ).fetchone()
            if row is None:
                raise RuntimeError("the sweeper could not be registered")
            self.connection.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_CLASS, row[0]))
        return int(row[0])

    def close(self) -> None:
        """End the session: whatever is still leased is claimable at once."""
        # Where the connection is lost its lock is too: whoever sweeps next notes that this one died.
        with suppress(psycopg.OperationalError), self.connection:
            self.connection.execute("UPDATE sweeper SET ended_at = clock_timestamp() WHERE id = %s", (self.id,))

    def __enter__(self) -> SweeperSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def bury_dead(connection: psycopg.Connection) -> int:
    """Mark the dead sweepers as ended; returns how many there were.

    Claims find a dead holder's tokens without this; it only keeps the list of the open ones short.
    """
    with connection.transaction():
        dead = [row[0] for row in connection.execute(f"{DEAD} FOR UPDATE SKIP LOCKED").fetchall()]
        if dead:
            connection.execute(
                "UPDATE sweeper SET ended_at = clock_timestamp(), died = true WHERE id = ANY(%s)", (dead,)
            )
    return len(dead)


#: a run registers its sweeper in its first second, and ends soon after its sweeper has: longer, and it has died
_RUN_PATIENCE = "20 seconds"

_DEAD_RUNS = f"""
WITH dead AS MATERIALIZED ({DEAD})
SELECT r.run FROM unnest(%s::text[], %s::timestamptz[]) AS r (run, started_at)
WHERE EXISTS (SELECT FROM sweeper s WHERE s.run = r.run AND (s.died OR s.id IN (SELECT id FROM dead)))
   OR r.started_at < clock_timestamp() - %s::interval AND NOT EXISTS (
        SELECT FROM sweeper s WHERE s.run = r.run
            AND (s.ended_at IS NULL OR s.ended_at > clock_timestamp() - %s::interval))
"""


def dead_runs(connection: psycopg.Connection, started: Mapping[str, datetime]) -> set[str]:
    """Which of these runs, that count as started since then, have no process any more.

    Their sweeper died; or they died before they registered one, or after they had ended it.
    """
    values = (list(started), list(started.values()), _RUN_PATIENCE, _RUN_PATIENCE)
    return {row[0] for row in connection.execute(_DEAD_RUNS, values)}


class Stander(NamedTuple):
    """A sweeper that stands by."""

    id: int
    run: str
    age_s: float  #: since it registered, by the database's clock


def stand(connection: psycopg.Connection, workflow: str) -> None:
    """Take a place among those who stand by for a workflow; it is given back when the connection ends, however."""
    connection.execute(
        "SELECT pg_advisory_lock_shared(%s, id::int) FROM workflow WHERE name = %s", (STANDING_CLASS, workflow)
    )


#: the places of those who stand by for a workflow ``w``
_PLACE = f"""place.locktype = 'advisory' AND place.classid = {STANDING_CLASS}
    AND place.objid::bigint = w.id AND place.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_STANDING = f"""
SELECT s.id, s.run, extract(epoch FROM clock_timestamp() - s.started_at)::float
FROM workflow w
JOIN pg_locks place ON {_PLACE}
JOIN pg_locks own ON own.pid = place.pid AND own.locktype = 'advisory' AND own.classid = {LOCK_CLASS}
    AND own.database = place.database
JOIN sweeper s ON s.id = own.objid::bigint
WHERE w.name = %s ORDER BY s.id DESC
"""


def standing(connection: psycopg.Connection, workflow: str) -> list[Stander]:
    """Who stands by for a workflow, the latest first. Whoever died is not among them, whatever Dagster believes."""
    return connection.cursor(row_factory=lambda _: Stander._make).execute(_STANDING, (workflow,)).fetchall()


_UNATTENDED = f"""
SELECT w.name FROM workflow w
WHERE EXISTS (SELECT FROM cases c WHERE c.workflow = w.name AND c.closed_at IS NULL)
    AND NOT EXISTS (SELECT FROM pg_locks place WHERE {_PLACE})
ORDER BY w.name
"""


def unattended(connection: psycopg.Connection) -> list[str]:
    """The workflows that have open cases and nobody who stands by."""
    return [row[0] for row in connection.execute(_UNATTENDED)]
