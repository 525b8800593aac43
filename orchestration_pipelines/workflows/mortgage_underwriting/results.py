"""What became of the applications that were offered, counted in the database and not in the engine's memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.workflows.mortgage_underwriting import lender
from orchestration_pipelines.workflows.mortgage_underwriting.applications import SOURCE

_COUNTS = """
WITH offered AS MATERIALIZED (
    SELECT c.id, c.case_key, c.state, c.outcome FROM unnest(%(keys)s::text[]) AS k (case_key)
    JOIN cases c ON c.workflow = %(workflow)s AND c.case_key = k.case_key),
by_people AS MATERIALIZED (
    SELECT DISTINCT d.case_id FROM offered o JOIN review_decision d ON d.case_id = o.id JOIN review_task t
        ON t.id = d.task_id WHERE t.element IN ('human_review', 'senior_review')),
undone AS MATERIALIZED (
    SELECT DISTINCT s.case_id FROM offered o JOIN compensation s ON s.case_id = o.id AND s.status = 'consumed'),
set_aside AS MATERIALIZED (
    SELECT DISTINCT t.case_id FROM offered o JOIN token t ON t.case_id = o.id AND t.status IN ('dead', 'stuck'))
SELECT (SELECT count(*) FROM quarantine q WHERE q.workflow = %(workflow)s AND q.source = %(source)s
            AND q.resubmitted_at IS NULL AND q.case_key = ANY(%(keys)s)),
       count(*) FILTER (WHERE outcome = 'approved' AND id NOT IN (SELECT case_id FROM by_people)),
       count(*) FILTER (WHERE id IN (SELECT case_id FROM by_people)),
       count(*) FILTER (WHERE outcome = 'approved'),
       count(*) FILTER (WHERE state <> 'open' AND outcome <> 'approved'),
       count(*) FILTER (WHERE id IN (SELECT case_id FROM undone)),
       count(*) FILTER (WHERE state = 'open' AND id NOT IN (SELECT case_id FROM set_aside)),
       count(*) FILTER (WHERE id IN (SELECT case_id FROM set_aside)),
       (SELECT count(*) FROM audit_entry a JOIN offered o ON o.id = a.case_id)
FROM offered
"""
_WHY = """
SELECT what, why, count(*) FROM (
    SELECT CASE WHEN c.state = 'open' THEN 'open'
                WHEN c.outcome = 'approved' AND EXISTS (
                    SELECT FROM review_decision d JOIN review_task t ON t.id = d.task_id
                    WHERE d.case_id = c.id AND t.element IN ('human_review', 'senior_review'))
                    THEN 'approved by people'
                WHEN c.outcome = 'approved' THEN 'auto-approved'
                WHEN c.state = 'cancelled' THEN 'cancelled'
                ELSE 'declined' END AS what,
           CASE WHEN c.state = 'open' THEN coalesce('waits at ' || (SELECT t.element FROM token t
                    WHERE t.case_id = c.id LIMIT 1), '')
                WHEN c.outcome = 'approved' THEN c.variables #>> '{risk_grid,reason}'
                ELSE coalesce(c.variables #>> '{decision,reason}', c.cancel_reason, '') END AS why
    FROM unnest(%(keys)s::text[]) AS k (case_key)
    JOIN cases c ON c.workflow = %(workflow)s AND c.case_key = k.case_key) AS told
GROUP BY what, why
UNION ALL
SELECT 'quarantined', reason, count(*) FROM quarantine WHERE workflow = %(workflow)s AND source = %(source)s
    AND resubmitted_at IS NULL AND case_key = ANY(%(keys)s) GROUP BY reason
ORDER BY 1, 3 DESC, 2
"""


@dataclass(frozen=True)
class Results:
    """Counts of cases. ``declined`` counts every end but approval."""

    submitted: int  #: every row offered: approved + declined + quarantined + open + dead
    quarantined: int
    auto_approved: int
    reviewed: int
    approved: int
    declined: int
    compensated: int
    open: int
    dead: int
    audit_entries: int
    ledger_balanced: bool
    why: Sequence[tuple[str, str, int]]  #: what became of how many, and why
    violations: Sequence[str]  #: of the lender's rule


def results(engine: Engine, lender_url: str, keys: Sequence[str]) -> Results:
    """Count what became of the applications with these keys; the lender is asked in its own database."""
    asked = {"keys": list(keys), "workflow": engine.workflow.name, "source": SOURCE}
    with engine.connect() as connection:
        counted = connection.execute(_COUNTS, asked).fetchone()
        why = connection.execute(_WHY, asked).fetchall()
        still_open = [
            row[0]
            for row in connection.execute(
                "SELECT case_key FROM cases WHERE workflow = %s AND state = 'open'", (engine.workflow.name,)
            )
        ]
    if counted is None:
        raise RuntimeError("a count without a group always has a row")
    quarantined, auto_approved, reviewed, approved, declined, compensated, standing, dead, entries = counted
    return Results(
        submitted=len(keys),
        quarantined=quarantined,
        auto_approved=auto_approved,
        reviewed=reviewed,
        approved=approved,
        declined=declined,
        compensated=compensated,
        open=standing,
        dead=dead,
        audit_entries=entries,
        ledger_balanced=lender.balanced(lender_url),
        why=why,
        violations=lender.violations(lender_url, still_open),
    )
