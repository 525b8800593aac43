"""Decided cases that are like one: measured in SQL, among those of the workflow that people decided last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.store.arrays import texts

#: tasks that are looked through from the last decided one back; their cases are the candidates
LOOKED_THROUGH = 200


class Alike(NamedTuple):
    """A decided case, and how like it is."""

    case_id: int
    key: str
    outcome: str
    closed_at: datetime
    similarity: float  #: 1: alike in all that is compared
    compared: int  #: by how many facts: those that both have
    variables: Mapping[str, Any]
    candidates: int  #: among how many it was found


#: Gower's coefficient (J. C. Gower, "A general coefficient of similarity and some of its properties", Biometrics 27,
#: 1971): the mean over the facts that both have of 1 - |difference| / spread for a number, and of equal or not for a
#: flag and a code. The spread is that between the 5th and the 95th hundredth of the candidates, so that one giant does
#: not make all others alike; beyond it the difference counts in full.
_ALIKE = """
WITH decided AS MATERIALIZED (
    SELECT t.case_id FROM review_task t
    WHERE t.workflow = %(workflow)s AND t.kind = 'decision' AND t.status IN ('decided', 'returned', 'escalated')
    ORDER BY t.ended_at DESC LIMIT %(looked_through)s),
candidate AS MATERIALIZED (
    SELECT c.id, c.variables FROM (SELECT DISTINCT case_id FROM decided WHERE case_id <> %(case)s) d
    JOIN cases c ON c.id = d.case_id AND c.state = 'closed'
    WHERE NOT EXISTS (SELECT FROM review_task q WHERE q.case_id = c.id AND q.kind = 'quality' AND q.ended_at IS NULL)),
mine AS MATERIALIZED (
    SELECT f.name, f.kind, v.value,
           CASE WHEN f.kind = 'number' AND jsonb_typeof(v.value) = 'number' THEN v.value::float8 END AS number
    FROM cases c CROSS JOIN unnest(%(name)s::text[], %(kind)s::text[]) AS f (name, kind)
    CROSS JOIN LATERAL (SELECT c.variables -> f.name AS value OFFSET 0) v
    WHERE c.id = %(case)s AND v.value <> 'null'),
theirs AS MATERIALIZED (
    SELECT c.id, v.name, v.kind, v.mine, v.value = v.own AS same,
           CASE WHEN v.kind = 'number' AND jsonb_typeof(v.value) = 'number' THEN v.value::float8 END AS number
    FROM candidate c CROSS JOIN LATERAL (
        SELECT m.name, m.kind, m.number AS mine, m.value AS own, c.variables -> m.name AS value FROM mine m
        OFFSET 0) v  -- OFFSET 0: each case is read once, and looked up in once for a fact
    WHERE v.value <> 'null'),
spread AS (
    SELECT name, p[2] - p[1] AS width FROM (
        SELECT name, percentile_disc(ARRAY[0.05, 0.95]) WITHIN GROUP (ORDER BY number) AS p
        FROM theirs WHERE kind = 'number' GROUP BY name) s),
measured AS (
    SELECT t.id, count(*) AS compared, avg(CASE
        WHEN t.same THEN 1
        WHEN t.kind = 'number' THEN 1 - least(1, coalesce(abs(t.number - t.mine) / nullif(s.width, 0), 1))
        ELSE 0 END) AS similarity
    FROM theirs t LEFT JOIN spread s ON s.name = t.name
    GROUP BY t.id HAVING 2 * count(*) > (SELECT count(*) FROM mine))
SELECT c.id, c.case_key, c.outcome, c.closed_at, m.similarity::float8, m.compared::int, c.variables,
    (SELECT count(*) FROM candidate)::int
FROM (SELECT * FROM measured ORDER BY similarity DESC, id DESC LIMIT %(limit)s) m JOIN cases c ON c.id = m.id
ORDER BY m.similarity DESC, c.id DESC
"""


def alike(
    connection: psycopg.Connection,
    case_id: int,
    workflow: str,
    compared: Sequence[tuple[str, str]],
    limit: int,
    looked_through: int = LOOKED_THROUGH,
) -> list[Alike]:
    """The most similar decided cases; ``compared`` names submitted columns as ``number``, or ``code`` (equal or not).

    A case that has fewer than half of the compared facts is not among them.
    """
    if not compared:
        return []
    name, kind = zip(*compared, strict=True)
    rows = connection.execute(
        _ALIKE,
        {
            "case": case_id,
            "workflow": workflow,
            "name": texts(name),
            "kind": texts(kind),
            "limit": limit,
            "looked_through": looked_through,
        },
    ).fetchall()
    return [Alike._make((*row[:6], decode(row[6]), row[7])) for row in rows]
