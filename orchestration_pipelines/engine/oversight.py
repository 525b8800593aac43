"""What needs somebody now: the numbers that a manager begins the day with."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg

from orchestration_pipelines.store import oversight as table
from orchestration_pipelines.store.oversight import Needs

__all__ = ["SOON", "Needs", "needs"]

#: what is due within so long is due soon, by the wall clock
SOON = timedelta(hours=4)


def needs(connection: psycopg.Connection, now: datetime) -> Needs:
    """Everything that waits for a manager, of all workflows."""
    return table.needs(connection, now, SOON)
