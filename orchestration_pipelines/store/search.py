"""Finding a case by how its key begins, in every workflow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int8s, texts

#: Each beginning is a stretch of the index on keys, in every workflow; what comes first of all of them is taken.
_FOUND = """
SELECT DISTINCT c.case_key, c.id FROM workflow w CROSS JOIN unnest(%s::text[]) AS b (prefix) CROSS JOIN LATERAL (
    SELECT c.id, c.case_key FROM cases c
    WHERE c.workflow = w.name AND c.case_key >= b.prefix AND c.case_key <= b.prefix || chr(1114111)
      AND starts_with(c.case_key, b.prefix)
    ORDER BY c.case_key LIMIT %s) AS c
ORDER BY 1, 2 LIMIT %s
"""


def beginning(connection: psycopg.Connection, prefixes: Sequence[str], limit: int) -> list[int]:
    """The numbers of the first cases whose keys begin with one of these, in order of their keys."""
    return [row[1] for row in connection.execute(_FOUND, (texts(prefixes), limit, limit))]


class Hit(NamedTuple):
    """A case that was found. Nothing in it says what became of it."""

    case_id: int
    case_key: str
    workflow: str
    submitted_at: datetime
    is_open: bool | None  #: None: not said while a quality review of it is to come
    element: str | None  #: the step at which it waits for people
    question: str | None
    queue: str | None


_HITS = """
SELECT c.id, c.case_key, c.workflow, c.submitted_at,
    CASE WHEN w.reviewed IS NOT TRUE THEN c.state = 'open' END, w.element, w.question, w.queue
FROM unnest(%s::bigint[]) WITH ORDINALITY AS n (id, no) JOIN cases c ON c.id = n.id
LEFT JOIN LATERAL (
    SELECT bool_or(t.kind = 'quality') AS reviewed,
           (array_agg(t.element ORDER BY t.kind, t.id) FILTER (WHERE t.kind = 'decision'))[1] AS element,
           (array_agg(t.question ORDER BY t.kind, t.id) FILTER (WHERE t.kind = 'decision'))[1] AS question,
           (array_agg(coalesce(nullif(q.title, ''), t.queue) ORDER BY t.kind, t.id)
               FILTER (WHERE t.kind = 'decision'))[1] AS queue
    FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    WHERE t.case_id = c.id AND t.ended_at IS NULL) AS w ON true
ORDER BY n.no
"""


def hits(connection: psycopg.Connection, cases: Sequence[int]) -> list[Hit]:
    """These cases, in this order."""
    cursor = connection.cursor(row_factory=lambda _: Hit._make)
    return cursor.execute(_HITS, (int8s(cases),)).fetchall()
