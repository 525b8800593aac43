"""Answers of a decision table, what it saw, and what people said of the same cases afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Judged(NamedTuple):
    """One answer of a table."""

    decided_at: datetime
    inputs: bytes  #: JSON: input expression to value, as used
    facts: bytes  #: JSON: the declared fields of the case
    rules: list[str]
    chosen: str | None  #: approve or decline; None: it went to people
    rate: float | None  #: at which quality reviews of its like were drawn, if it was drawn
    again: str | None  #: what a blind quality review said: approve or reject
    people: str | None  #: what the people decided to whom it went: approve or reject


# What people decided on the way to the next answer of the same table; who submitted a case judges nothing.
_JUDGED = """
WITH asked AS MATERIALIZED (
    SELECT a.case_id, a.visit, a.detail, a.finished_at, c.variables FROM activity a
    JOIN cases c ON c.id = a.case_id AND c.workflow = %(workflow)s
    WHERE a.finished_at >= %(begin)s AND a.finished_at <= %(end)s AND a.element = %(element)s AND a.detail ? 'inputs'
    ORDER BY a.finished_at DESC LIMIT %(most)s)
SELECT a.finished_at, (a.detail -> 'inputs')::text,
    (SELECT coalesce(jsonb_object_agg(f.name, a.variables -> f.name), '{}') FROM field f
     WHERE f.workflow = %(workflow)s AND a.variables ? f.name)::text,
    ARRAY(SELECT jsonb_array_elements_text(a.detail -> 'rules')), a.detail ->> 'chosen', s.rate, q.outcome, h.outcome
FROM asked a
LEFT JOIN quality_sample s ON s.case_id = a.case_id AND s.visit = a.visit
LEFT JOIN review_decision q ON q.task_id = s.task_id
LEFT JOIN LATERAL (
    SELECT u.outcome FROM activity u
    WHERE a.detail ->> 'chosen' IS NULL AND u.case_id = a.case_id AND u.visit > a.visit
        AND u.outcome IN ('approve', 'reject')
        AND u.visit < coalesce((SELECT min(n.visit) FROM activity n WHERE n.case_id = a.case_id
                                AND n.visit > a.visit AND n.element = %(element)s), 2147483647)
        AND EXISTS (SELECT FROM review_task t JOIN queue k ON k.workflow = t.workflow AND k.name = t.queue
                    WHERE t.case_id = u.case_id AND t.visit = u.visit AND t.kind = 'decision'
                        AND k.role <> 'requester')
    ORDER BY u.visit LIMIT 1) h ON true
ORDER BY a.finished_at
"""


def judged(
    connection: psycopg.Connection, workflow: str, element: str, begin: datetime, end: datetime, most: int
) -> list[Judged]:
    """The answers of a step's table in a time, the latest so many, in their order."""
    asked = {"workflow": workflow, "element": element, "begin": begin, "end": end, "most": most}
    return [
        Judged(at, inputs.encode(), facts.encode(), *rest)
        for at, inputs, facts, *rest in connection.execute(_JUDGED, asked)
    ]
