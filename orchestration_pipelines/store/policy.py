"""The policy as the database keeps it: each version as it was given, and the newest spread out over its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.policy import Ground, Policy
from orchestration_pipelines.domain.week import clock_text


class SetPolicy(NamedTuple):
    """A policy as somebody set it."""

    number: int
    document: str
    digest: str
    set_by: str
    reason: str
    set_at: datetime


_HISTORY = "SELECT id, document, digest, set_by, reason, set_at FROM work_policy WHERE workflow = %s ORDER BY id DESC"


def newest(connection: psycopg.Connection, workflow: str) -> SetPolicy | None:
    """The policy that holds."""
    cursor = connection.cursor(row_factory=lambda _: SetPolicy._make)
    return cursor.execute(f"{_HISTORY} LIMIT 1", (workflow,)).fetchone()


def workflows(connection: psycopg.Connection) -> list[str]:
    """The workflows that have one."""
    return [row[0] for row in connection.execute("SELECT DISTINCT workflow FROM work_policy ORDER BY 1")]


def history(connection: psycopg.Connection, workflow: str) -> list[SetPolicy]:
    """Every policy there has been, the newest first."""
    cursor = connection.cursor(row_factory=lambda _: SetPolicy._make)
    return cursor.execute(_HISTORY, (workflow,)).fetchall()


def add(
    connection: psycopg.Connection, workflow: str, document: str, digest: str, *, by: str, reason: str, now: datetime
) -> int:
    """Keep a policy as it was given; returns its number."""
    row = connection.execute(
        "INSERT INTO work_policy (workflow, document, digest, set_by, reason, set_at) VALUES (%s, %s, %s, %s, %s, %s) "
        "RETURNING id",
        (workflow, document, digest, by, reason, now),
    ).fetchone()
    if row is None:
        raise RuntimeError("the policy was not stored")
    return int(row[0])


def ground_of(
    connection: psycopg.Connection,
    workflow: str,
    roles: Mapping[str, str],
    steps: Mapping[str, tuple[str, ...]],
    skills_asked: Mapping[str, str],
) -> Ground:
    """What a policy of this workflow must fit: the drawing's part is given, the people's and the clocks' is read.

    What another workflow's policy knows as well is no matter of this one.
    """
    held = "SELECT k.name, min(p.person) FROM {known} k JOIN {people} WHERE k.workflow = %(w)s AND NOT EXISTS ("
    held += "SELECT FROM {known} o WHERE o.workflow <> %(w)s AND o.name = k.name) GROUP BY k.name"
    skills = connection.execute(
        held.format(known="known_skill", people="reviewer_skill p ON p.skill = k.name"), {"w": workflow}
    )
    regions = connection.execute(
        held.format(known="known_region", people="reviewer p ON k.name = ANY (p.regions)"), {"w": workflow}
    )
    clocks = connection.execute(
        "SELECT DISTINCT calendar FROM sla_clock WHERE workflow = %s AND status <> 'stopped'", (workflow,)
    )
    return Ground(
        roles,
        steps,
        skills_asked,
        dict(skills.fetchall()),
        dict(regions.fetchall()),
        frozenset(row[0] for row in clocks),
    )


_CLEARED = ("sla_ladder", "sla_policy", "station_limit", "class_weight", "known_skill", "known_region")


def spread(connection: psycopg.Connection, workflow: str, policy: Policy) -> None:
    """Write a checked policy into the tables that rules read, in place of what was there."""
    for table in (*_CLEARED, "calendar_holiday", "calendar_hours", "calendar"):
        connection.execute(f"DELETE FROM {table} WHERE workflow = %s", (workflow,))
    calendars = policy.calendars.items()
    _insert(connection, "calendar", ((workflow, name, calendar.zone) for name, calendar in calendars))
    _insert(
        connection,
        "calendar_hours",
        (
            (workflow, name, hours.weekday, clock_text(hours.opens), clock_text(hours.closes))
            for name, calendar in calendars
            for hours in calendar.hours
        ),
    )
    _insert(
        connection,
        "calendar_holiday",
        ((workflow, name, day, title) for name, calendar in calendars for day, title in calendar.holidays.items()),
    )
    _insert(connection, "known_skill", ((workflow, skill) for skill in policy.skills))
    _insert(connection, "known_region", ((workflow, region) for region in policy.regions))
    _insert(connection, "class_weight", ((workflow, priority, policy.weight(priority)) for priority in range(10)))
    _insert(connection, "station_limit", ((workflow, step, limit) for step, limit in policy.station_limits.items()))
    promises = policy.promises.items()
    _insert(
        connection,
        "sla_policy",
        ((workflow, step, promise.calendar, promise.budget, list(promise.pauses)) for step, promise in promises),
    )
    _insert(
        connection,
        "sla_ladder",
        (
            (workflow, step, no, str(rung.act), rung.after)
            for step, promise in promises
            for no, rung in enumerate(promise.ladder, 1)
        ),
    )
    _set_queues(connection, workflow, policy)
    _set_reasons(connection, workflow, policy)


def _insert(connection: psycopg.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    listed = list(rows)
    if listed:
        places = ", ".join(["%s"] * len(listed[0]))
        connection.cursor().executemany(f"INSERT INTO {table} VALUES ({places})", listed)


def _set_queues(connection: psycopg.Connection, workflow: str, policy: Policy) -> None:
    """Every queue as the policy says; one of which it says nothing is as if it said nothing."""
    connection.execute(
        "UPDATE queue SET title = '', strategy = 'pull', wip_limit = NULL, fallback = NULL, escalates_to = NULL, "
        "stuck_after = NULL, excludes = '{}' WHERE workflow = %s AND name <> ALL (%s)",
        (workflow, list(policy.queues)),
    )
    connection.cursor().executemany(
        "UPDATE queue SET title = %s, strategy = %s, wip_limit = %s, fallback = %s, escalates_to = %s, "
        "stuck_after = %s, excludes = %s WHERE workflow = %s AND name = %s",
        [
            (
                queue.title,
                str(queue.strategy),
                queue.wip_limit,
                queue.fallback,
                queue.escalates_to,
                queue.stuck_after,
                list(queue.excludes),
                workflow,
                name,
            )
            for name, queue in policy.queues.items()
        ],
    )


def _set_reasons(connection: psycopg.Connection, workflow: str, policy: Policy) -> None:
    """The reasons that decisions may name from now on; those of before keep their words, for who counts them."""
    connection.execute("UPDATE decision_reason SET offered = false WHERE workflow = %s", (workflow,))
    connection.cursor().executemany(
        "INSERT INTO decision_reason (workflow, code, no, words, outcomes, steps, needs_text) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (workflow, code) DO UPDATE SET offered = true, "
        "no = excluded.no, words = excluded.words, outcomes = excluded.outcomes, steps = excluded.steps, "
        "needs_text = excluded.needs_text",
        [
            (workflow, code, no, reason.words, list(reason.outcomes), list(reason.steps), reason.needs_text)
            for no, (code, reason) in enumerate(policy.reasons.items(), 1)
        ],
    )
