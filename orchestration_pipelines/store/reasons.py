"""Reasons of decisions: those that the policy offers, and how often each was named."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import psycopg


class Offered(NamedTuple):
    """A reason that a decision at a step may name."""

    code: str
    words: str
    outcomes: list[str]
    needs_text: bool  #: the rationale must say more


def offered(connection: psycopg.Connection, workflow: str, element: str) -> list[Offered]:
    """The reasons of a step, in the order of the policy."""
    cursor = connection.cursor(row_factory=lambda _: Offered._make)
    return cursor.execute(
        "SELECT code, words, outcomes, needs_text FROM decision_reason "
        "WHERE workflow = %s AND offered AND (steps = '{}' OR %s = ANY (steps)) ORDER BY no",
        (workflow, element),
    ).fetchall()


class Counted(NamedTuple):
    """How often a reason was named at a step, of cases that one rule sent there."""

    element: str
    rule: str | None  #: ids of the rules that last decided before, with commas between; None: no table did
    words: str | None  #: of these rules, as they were released
    outcome: str
    reason: str | None  #: None: the decision names none
    meaning: str | None
    decisions: int
    touch_s: float  #: the time that people worked on these tasks


#: What sent a case to people is what a table said last before: found with one walk up the visits of the case.
_DECIDED = """
WITH decided AS MATERIALIZED (
    SELECT d.id, d.task_id, d.outcome, d.reasons, t.element, a.rules, a.words
    FROM review_decision d JOIN review_task t ON t.id = d.task_id AND t.kind = 'decision'
    LEFT JOIN LATERAL (
        SELECT string_agg(r.id, ',' ORDER BY r.no) AS rules, string_agg(w.words, '; ' ORDER BY r.no) AS words
        FROM (SELECT * FROM activity a WHERE a.case_id = d.case_id AND a.visit < d.visit AND a.detail ? 'rules'
              ORDER BY a.visit DESC LIMIT 1) a
        CROSS JOIN LATERAL jsonb_array_elements_text(a.detail -> 'rules') WITH ORDINALITY AS r (id, no)
        LEFT JOIN release_rule w ON w.digest = a.detail ->> 'table' AND w.rule_id = r.id
            AND w.decision = coalesce(a.detail ->> 'name', a.element)) a ON true
    WHERE t.workflow = %(workflow)s AND d.decided_at >= %(first)s AND d.decided_at < %(until)s
      AND NOT EXISTS (SELECT FROM review_task o WHERE o.case_id = d.case_id AND o.visit = d.visit
                      AND o.ended_at IS NULL)),
worked AS (
    SELECT d.id, coalesce(sum(extract(epoch FROM u.stopped_at - u.started_at)), 0)::float8 AS seconds
    FROM decided d LEFT JOIN touch u ON u.task_id = d.task_id GROUP BY d.id)
"""

_COUNTED = f"""{_DECIDED}
SELECT d.element, d.rules, max(d.words), d.outcome, r.code, max(o.words), count(*)::int, sum(w.seconds)
FROM decided d JOIN worked w USING (id)
LEFT JOIN LATERAL unnest(d.reasons) AS r (code) ON true
LEFT JOIN decision_reason o ON o.workflow = %(workflow)s AND o.code = r.code
GROUP BY d.element, d.rules, d.outcome, r.code
ORDER BY count(*) DESC, d.element, d.rules, d.outcome, r.code
"""


def counted(connection: psycopg.Connection, workflow: str, first: datetime, until: datetime) -> list[Counted]:
    """Decisions from ``first`` to before ``until`` by step, rule, outcome and reason, the most frequent first.

    One that names two reasons counts under each. What is not all signed yet is not there.
    """
    cursor = connection.cursor(row_factory=lambda _: Counted._make)
    return cursor.execute(_COUNTED, {"workflow": workflow, "first": first, "until": until}).fetchall()


class Worked(NamedTuple):
    """How much work a rule made at a step."""

    element: str
    rule: str | None  #: as in :class:`Counted`
    words: str | None
    decisions: int
    named: int  #: of the decisions: those that name a reason
    touch_s: float


_WORKED = f"""{_DECIDED}
SELECT d.element, d.rules, max(d.words), count(*)::int, (count(*) FILTER (WHERE d.reasons <> '{{}}'))::int,
    sum(w.seconds)
FROM decided d JOIN worked w USING (id) GROUP BY d.element, d.rules
ORDER BY sum(w.seconds) DESC, count(*) DESC, d.element, d.rules
"""


def worked(connection: psycopg.Connection, workflow: str, first: datetime, until: datetime) -> list[Worked]:
    """What rules sent to people, each decision once, those with the most work first."""
    cursor = connection.cursor(row_factory=lambda _: Worked._make)
    return cursor.execute(_WORKED, {"workflow": workflow, "first": first, "until": until}).fetchall()
