"""The sample of automatic decisions, its answers, and the cells that fell back to people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import int4s, int8s


class AutoDecision(NamedTuple):
    """What a rule decided by itself."""

    case_id: int
    visit: int
    case_key: str
    element: str
    cell: str  #: the rule, or the rules with commas between
    chosen: str  #: approve or decline
    sampled: bool  #: a quality review of it was opened


def auto_decisions(connection: psycopg.Connection, workflow: str, begin: datetime, end: datetime) -> list[AutoDecision]:
    """What rules decided by themselves in a time; found through the index by day (0005_measures.sql)."""
    cursor = connection.cursor(row_factory=lambda _: AutoDecision._make)
    return cursor.execute(
        "SELECT a.case_id, a.visit, c.case_key, a.element, r.cell, a.detail ->> 'chosen', s.case_id IS NOT NULL "
        "FROM activity a JOIN cases c ON c.id = a.case_id AND c.workflow = %s "
        "LEFT JOIN quality_sample s ON s.case_id = a.case_id AND s.visit = a.visit "
        "CROSS JOIN LATERAL (SELECT string_agg(id, ',' ORDER BY no) AS cell "
        "  FROM jsonb_array_elements_text(a.detail -> 'rules') WITH ORDINALITY AS rule (id, no)) AS r "
        "WHERE a.finished_at >= %s AND a.finished_at < %s AND a.detail ? 'chosen' ORDER BY a.case_id, a.visit",
        (workflow, begin, end),
    ).fetchall()


def last_drawn(connection: psycopg.Connection, workflow: str) -> date | None:
    """The last day of which a sample was drawn."""
    row = connection.execute("SELECT max(day) FROM quality_draw WHERE workflow = %s", (workflow,)).fetchone()
    return row[0] if row else None


class Draw(NamedTuple):
    """How a cell's decisions of a day are drawn."""

    cell: str
    seed: str
    rate: float


def keep_draws(
    connection: psycopg.Connection, workflow: str, day: date, draws: Sequence[Draw], now: datetime
) -> dict[str, Draw]:
    """How the cells of a day are drawn: as they first were, whatever the policy says by now."""
    connection.cursor().executemany(
        "INSERT INTO quality_draw VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [(workflow, day, draw.cell, draw.seed, draw.rate, now) for draw in draws],
    )
    rows = connection.execute(
        "SELECT cell, seed, rate FROM quality_draw WHERE workflow = %s AND day = %s", (workflow, day)
    )
    return {cell: Draw(cell, seed, rate) for cell, seed, rate in rows}


#: What is shown is what was submitted: a field that people changed after the decision would say what followed.
_OPEN = """
WITH drawn AS MATERIALIZED (
    SELECT a.case_id, a.visit, a.element, a.finished_at AS decided_at, c.requested_by, d.cell, d.seed, d.rate,
           a.detail ->> 'table' AS digest, a.detail ->> 'chosen' AS chosen,
           (SELECT coalesce(jsonb_object_agg(f.name, c.variables -> f.name), '{}') FROM field f
            WHERE f.workflow = c.workflow AND c.variables ? f.name AND f.name <> ALL (%(written)s) AND NOT EXISTS (
                SELECT FROM review_decision r WHERE r.case_id = c.id
                AND r.visit > a.visit AND r.edits ? f.name)) AS facts,
           coalesce((SELECT string_agg(w.words, '; ' ORDER BY rule.no)
                     FROM jsonb_array_elements_text(a.detail -> 'rules') WITH ORDINALITY AS rule (id, no)
                     JOIN release_rule w ON w.digest = a.detail ->> 'table' AND w.rule_id = rule.id
                         AND w.decision = coalesce(a.detail ->> 'name', a.element)), a.detail ->> 'table') AS words
    FROM unnest(%(case)s::bigint[], %(visit)s::int[], %(cell)s::text[]) AS n (case_id, visit, cell)
    JOIN activity a ON a.case_id = n.case_id AND a.visit = n.visit
    JOIN cases c ON c.id = n.case_id
    JOIN quality_draw d ON d.workflow = %(workflow)s AND d.day = %(day)s AND d.cell = n.cell),
opened AS (
    INSERT INTO review_task (kind, case_id, workflow, element, visit, signature, signatures, queue, lane, order_key,
        question, editable, digest, requested_by, opened_at)
    SELECT 'quality', case_id, %(workflow)s, element, visit, 1, 1, %(queue)s,
        lane_of(%(workflow)s, %(queue)s, NULL, NULL, 1::smallint), %(now)s, %(question)s, '{}', shown_digest(facts),
        requested_by, %(now)s
    FROM drawn ORDER BY case_id, visit
    ON CONFLICT DO NOTHING RETURNING id, case_id, visit)
INSERT INTO quality_sample (task_id, workflow, day, case_id, visit, element, cell, digest, words, seed, rate, chosen,
    facts, decided_at, drawn_at)
SELECT o.id, %(workflow)s, %(day)s, d.case_id, d.visit, d.element, d.cell, d.digest, d.words, d.seed, d.rate, d.chosen,
    d.facts, d.decided_at, %(now)s
FROM opened o JOIN drawn d ON d.case_id = o.case_id AND d.visit = o.visit
RETURNING task_id, case_id
"""


def open_reviews(
    connection: psycopg.Connection,
    workflow: str,
    day: date,
    drawn: Sequence[AutoDecision],
    *,
    queue: str,
    question: str,
    written: Sequence[str],
    now: datetime,
) -> list[tuple[int, int]]:
    """Open the quality reviews of what was drawn; (task, case) of those that were not open already.

    ``written`` are the variables that workers write: they are not as submitted.
    """
    if not drawn:
        return []
    return connection.execute(
        _OPEN,
        {
            "workflow": workflow,
            "day": day,
            "case": int8s([each.case_id for each in drawn]),
            "visit": int4s([each.visit for each in drawn]),
            "cell": [each.cell for each in drawn],
            "queue": queue,
            "question": question,
            "written": list(written),
            "now": now,
        },
    ).fetchall()


def note_drawn(connection: psycopg.Connection, opened: Sequence[tuple[int, int]], by: str, now: datetime) -> None:
    """Append to the record of each case that it is looked at again."""
    tasks: dict[int, list[str]] = defaultdict(list)
    for task, case in sorted(opened):
        tasks[case].append(str(task))
    cases = sorted(tasks)
    connection.execute("SELECT FROM cases WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE", (int8s(cases),))
    connection.execute(
        "SELECT append_audit_many(%s, %s, 'machine', 'drawn for quality', %s, %s, array_fill('{}'::jsonb, ARRAY[%s]))",
        (int8s(cases), by, ["task:" + ",".join(tasks[case]) for case in cases], now, len(cases)),
    )


class Found(NamedTuple):
    """A cell of late, and the answers that count for it: since it was last lifted, and of the rule as it is now."""

    cell: str
    rate: float | None  #: None: nothing of it was drawn that counts
    agreed: int
    disagreed: int
    waiting: int  #: reviews that are open


_FOUND = """
WITH recent AS (
    SELECT cell FROM quality_draw WHERE workflow = %(workflow)s AND day >= %(since)s
    UNION SELECT cell FROM quality_fallback WHERE workflow = %(workflow)s AND lifted_at IS NULL)
SELECT r.cell, s.rate, count(*) FILTER (WHERE (s.chosen = 'approve') = (d.outcome = 'approve')),
    count(*) FILTER (WHERE (s.chosen = 'approve') <> (d.outcome = 'approve')),
    count(*) FILTER (WHERE s.task_id IS NOT NULL AND d.id IS NULL)
FROM recent r
LEFT JOIN quality_sample s ON s.workflow = %(workflow)s AND s.cell = r.cell
    AND s.decided_at > coalesce((SELECT max(f.lifted_at) FROM quality_fallback f
                                 WHERE f.workflow = %(workflow)s AND f.cell = r.cell), '-infinity')
    AND s.words = (SELECT l.words FROM quality_sample l WHERE l.workflow = %(workflow)s AND l.cell = r.cell
                   ORDER BY l.decided_at DESC, l.task_id DESC LIMIT 1)
LEFT JOIN review_decision d ON d.task_id = s.task_id
GROUP BY r.cell, s.rate ORDER BY r.cell, s.rate
"""


def answers(connection: psycopg.Connection, workflow: str, since: date) -> list[Found]:
    """The cells that were drawn since a day or stand fallen back, with the answers that count, by sampling rate."""
    cursor = connection.cursor(row_factory=lambda _: Found._make)
    return cursor.execute(_FOUND, {"workflow": workflow, "since": since}).fetchall()


# -- falling back


class Fallback(NamedTuple):
    """A cell that is with people."""

    id: int
    workflow: str
    cell: str
    since: datetime
    reason: str
    asked_by: str | None  #: who wants it lifted, and waits for a second


def fallbacks(connection: psycopg.Connection, workflow: str | None, cell: str | None = None) -> list[Fallback]:
    """Those that stand."""
    cursor = connection.cursor(row_factory=lambda _: Fallback._make)
    return cursor.execute(
        "SELECT f.id, f.workflow, f.cell, f.since, f.reason, l.person FROM quality_fallback f "
        "LEFT JOIN quality_lift l ON l.fallback_id = f.id AND l.no = 1 "
        "WHERE f.lifted_at IS NULL AND (%(workflow)s::text IS NULL OR f.workflow = %(workflow)s) "
        "AND (%(cell)s::text IS NULL OR f.cell = %(cell)s) ORDER BY f.workflow, f.cell",
        {"workflow": workflow, "cell": cell},
    ).fetchall()


def fallen_cells(connection: psycopg.Connection, workflow: str) -> dict[str, str]:
    """The cells that decide nothing by themselves now, with the reason: a look into a small index."""
    rows = connection.execute(
        "SELECT cell, reason FROM quality_fallback WHERE workflow = %s AND lifted_at IS NULL", (workflow,), prepare=True
    )
    return dict(rows.fetchall())


def fall_back(connection: psycopg.Connection, workflow: str, cell: str, *, by: str, reason: str, now: datetime) -> bool:
    """A cell decides nothing any more; False if it stands so already."""
    return (
        connection.execute(
            "INSERT INTO quality_fallback (workflow, cell, since, reason, opened_by) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (workflow, cell) WHERE lifted_at IS NULL DO NOTHING",
            (workflow, cell, now, reason, by),
        ).rowcount
        == 1
    )


def lift(
    connection: psycopg.Connection, fallback: int, *, person: str, asserted_by: str | None, reason: str, now: datetime
) -> None:
    """One of two people lifts it; the database refuses the same person twice (trigger ``guard``)."""
    connection.execute(
        "INSERT INTO quality_lift (fallback_id, person, asserted_by, reason, at) VALUES (%s, %s, %s, %s, %s)",
        (fallback, person, asserted_by, reason, now),
    )
