"""Where cases stand and came by: the rows behind the marks on a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode

#: of a case that went round in circles, the visits that are read: the first so many
MOST_VISITS = 2_000


class Standing(NamedTuple):
    """A case, and where it stands or how it ended."""

    workflow: str
    version_id: int
    outcome: str | None
    at: Sequence[tuple[str, str]]  #: element and status of its tokens
    is_blind: bool  #: a quality review is open: nobody is shown what became of the case


class Station(NamedTuple):
    """What stands at one element, on any version."""

    element: str
    cases: int
    since: datetime  #: when the oldest of them came
    failed: int
    late: int


def standing(connection: psycopg.Connection, case: int) -> Standing | None:
    """One case; None if there is none."""
    row = connection.execute(
        "SELECT c.workflow, c.version_id, c.outcome, (SELECT coalesce(jsonb_agg(jsonb_build_array(t.element, t.status) "
        "ORDER BY t.no), '[]') FROM token t WHERE t.case_id = c.id), EXISTS (SELECT FROM review_task q "
        "WHERE q.case_id = c.id AND q.kind = 'quality' AND q.ended_at IS NULL) FROM cases c WHERE c.id = %s",
        (case,),
    ).fetchone()
    return (
        None if row is None else Standing(row[0], row[1], row[2], [(e, status) for e, status in decode(row[3])], row[4])
    )


def visits(connection: psycopg.Connection, case: int) -> list[tuple[str, str]]:
    """The visits of a case that are over (element, outcome), in order."""
    return connection.execute(
        "SELECT element, outcome FROM activity WHERE case_id = %s ORDER BY visit LIMIT %s", (case, MOST_VISITS)
    ).fetchall()


_STATIONS = """
SELECT t.element, t.count, t.since, t.failed, coalesce(l.late, 0)
FROM (SELECT element, count(*) AS count, min(entered_at) AS since,
             count(*) FILTER (WHERE status IN ('dead', 'stuck')) AS failed
      FROM token WHERE version_id = ANY(ARRAY(SELECT id FROM workflow_version WHERE workflow = %(workflow)s))
      GROUP BY element) t
LEFT JOIN (SELECT element, count(DISTINCT case_id) AS late FROM review_task
           WHERE workflow = %(workflow)s AND ended_at IS NULL AND kind = 'decision' AND due_at < %(now)s
           GROUP BY element) l USING (element)
ORDER BY t.element
"""


def stations(connection: psycopg.Connection, workflow: str, now: datetime) -> list[Station]:
    """Every element of a workflow where something stands. One statement, whatever stands there."""
    cursor = connection.cursor(row_factory=lambda _: Station._make)
    return cursor.execute(_STATIONS, {"workflow": workflow, "now": now}).fetchall()
