"""Holds: a workflow, or one element of it, on which no machine works until the hold is lifted."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Hold(NamedTuple):
    """A standing hold."""

    workflow: str
    element: str | None  #: None: the whole workflow
    reason: str
    held_by: str
    held_at: datetime


def standing(connection: psycopg.Connection, workflow: str | None = None) -> list[Hold]:
    """The holds that stand."""
    cursor = connection.cursor(row_factory=lambda _: Hold._make)
    return cursor.execute(
        "SELECT workflow, element, reason, held_by, held_at FROM hold WHERE lifted_at IS NULL "
        "AND (%(workflow)s::text IS NULL OR workflow = %(workflow)s) ORDER BY held_at",
        {"workflow": workflow},
    ).fetchall()


class LiftedHold(NamedTuple):
    """A hold that stood."""

    workflow: str
    element: str | None
    reason: str
    held_by: str
    held_at: datetime
    lifted_by: str
    lifted_at: datetime
    lift_reason: str


def lifted(connection: psycopg.Connection, limit: int) -> list[LiftedHold]:
    """The holds that were lifted, the latest first."""
    cursor = connection.cursor(row_factory=lambda _: LiftedHold._make)
    return cursor.execute(
        "SELECT workflow, element, reason, held_by, held_at, lifted_by, lifted_at, lift_reason FROM hold "
        "WHERE lifted_at IS NOT NULL ORDER BY lifted_at DESC LIMIT %s",
        (limit,),
    ).fetchall()


def add(
    connection: psycopg.Connection, workflow: str, element: str | None, *, by: str, reason: str, now: datetime
) -> bool:
    """Add a hold; False if one stands already."""
    return (
        connection.execute(
            "INSERT INTO hold (workflow, element, reason, held_by, held_at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            (workflow, element, reason, by, now),
        ).rowcount
        == 1
    )


def lift(
    connection: psycopg.Connection, workflow: str, element: str | None, *, by: str, reason: str, now: datetime
) -> bool:
    """Lift a hold; False if none stands."""
    return (
        connection.execute(
            "UPDATE hold SET lifted_by = %s, lifted_at = %s, lift_reason = %s "
            "WHERE workflow = %s AND element IS NOT DISTINCT FROM %s AND lifted_at IS NULL",
            (by, now, reason, workflow, element),
        ).rowcount
        == 1
    )


def record_number(connection: psycopg.Connection, workflow: str) -> int | None:
    """The number under which a workflow's own record is kept, or None if there is no such workflow."""
    row = connection.execute("SELECT -id FROM workflow WHERE name = %s", (workflow,)).fetchone()
    return None if row is None else int(row[0])
