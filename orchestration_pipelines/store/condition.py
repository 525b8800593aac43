"""How the database is: what ``orchestrate doctor`` looks at. Reads only."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.sweepers import DEAD

#: an armed timer that is overdue by this has not been noticed: the sensors look every few seconds
_NOTICED_WITHIN = "1 minute"


class Condition(NamedTuple):
    """Counts and ages, as the database has them now."""

    version: int
    bytes: int
    connections: int
    connections_allowed: int
    dead_sweepers: int
    ready: int  #: cases that a station could claim
    ready_since: datetime | None  #: the longest waiting of them
    overdue_timers: int
    overdue_since: datetime | None
    incidents: int
    dead_letters: int


_CONDITION = f"""
SELECT current_setting('server_version_num')::int, pg_database_size(current_database()),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::int,
    (SELECT count(*) FROM ({DEAD}) AS dead),
    ready.cases, ready.since, late.timers, late.since,
    (SELECT count(*) FROM incident WHERE resolved_at IS NULL),
    (SELECT count(*) FROM dead_letter WHERE status = 'dead')
FROM (SELECT count(*) AS cases, min(t.entered_at) AS since FROM token t JOIN workflow_version v ON v.id = t.version_id
      WHERE t.status = 'ready' AND t.holder IS NULL
        AND NOT EXISTS (SELECT FROM hold h WHERE h.lifted_at IS NULL AND h.workflow = v.workflow
                        AND (h.element IS NULL OR h.element = t.element))) AS ready,
     (SELECT count(*) AS timers, min(due_at) AS since FROM timer
      WHERE status = 'armed' AND due_at < clock_timestamp() - %s::interval) AS late
"""


def condition(connection: psycopg.Connection) -> Condition:
    """How the database is now."""
    row = connection.execute(_CONDITION, (_NOTICED_WITHIN,)).fetchone()
    if row is None:
        raise RuntimeError("the condition of the database is one row, and none came")
    return Condition(*row)


class StandingHold(NamedTuple):
    """A hold that nobody has lifted."""

    workflow: str
    element: str | None
    held_by: str
    reason: str


def standing_holds(connection: psycopg.Connection) -> list[StandingHold]:
    """The holds in force, oldest first."""
    rows = connection.execute(
        "SELECT workflow, element, held_by, reason FROM hold WHERE lifted_at IS NULL ORDER BY held_at"
    )
    return [StandingHold(*row) for row in rows]
