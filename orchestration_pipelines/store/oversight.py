"""What needs somebody now, in numbers: one statement for all workflows, each number found through an index."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg


class Needs(NamedTuple):
    """How much of each kind waits for a manager; 0 and None where nothing does."""

    open_tasks: int
    in_hand: int
    past_due: int
    due_soon: int
    stuck: int  #: claimed, and untouched for longer than their queue allows
    incidents: int
    oldest_incident_at: datetime | None
    dead_letters: int
    oldest_letter_at: datetime | None
    quarantined: int
    proposals: int  #: releases that wait for a second person
    holds: int
    fallbacks: int  #: cells that are with people
    undelivered: int  #: notices that were given up
    left_behind: int  #: tasks in the hands of people who are absent


_NEEDS = """
SELECT t.open, t.in_hand, t.past_due, t.due_soon,
    (SELECT count(*) FROM queue q JOIN review_task s ON s.workflow = q.workflow AND s.queue = q.name
        AND s.status = 'claimed' AND s.touched_at <= %(now)s - q.stuck_after WHERE q.stuck_after IS NOT NULL),
    i.open, i.oldest, d.standing, d.oldest,
    (SELECT count(*) FROM quarantine WHERE resubmitted_at IS NULL),
    (SELECT count(*) FROM model_release WHERE state = 'proposed'),
    (SELECT count(*) FROM hold WHERE lifted_at IS NULL),
    (SELECT count(*) FROM quality_fallback WHERE lifted_at IS NULL),
    (SELECT count(*) FROM notification WHERE status = 'dead'),
    (SELECT count(*) FROM (SELECT DISTINCT person FROM absence
                           WHERE starts <= %(now)s AND (ends IS NULL OR ends > %(now)s)) a
        JOIN review_task h ON h.assignee = a.person AND h.status IN ('assigned', 'claimed'))
FROM (SELECT count(*) AS open, count(*) FILTER (WHERE status <> 'open') AS in_hand,
             count(*) FILTER (WHERE due_at <= %(now)s) AS past_due,
             count(*) FILTER (WHERE due_at > %(now)s AND due_at <= %(now)s + %(soon)s) AS due_soon
      FROM review_task WHERE ended_at IS NULL) t,
     (SELECT count(*) AS open, min(opened_at) AS oldest FROM incident WHERE resolved_at IS NULL) i,
     (SELECT count(*) AS standing, min(dead_at) AS oldest FROM dead_letter WHERE status = 'dead') d
"""


def needs(connection: psycopg.Connection, now: datetime, soon: timedelta) -> Needs:
    """Everything that waits for a manager, of all workflows."""
    row = connection.execute(_NEEDS, {"now": now, "soon": soon}).fetchone()
    if row is None:
        raise RuntimeError("counting gave no answer")
    return Needs._make(row)
