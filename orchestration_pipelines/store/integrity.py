"""What must always be true of the rows. Each rule is one statement that finds what breaks it: it sees one instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.chains import broken_chains

#: what has been due for so long should have fired
OVERLOOKED = timedelta(minutes=5)
#: so many of what is broken are named
_NAMED = 20


class Rule(NamedTuple):
    """Something that must always be true."""

    says: str
    broken: str  #: finds (case, what is wrong); parameters: workflow, late (an instant), most


RULES: Mapping[str, Rule] = {
    "one_outcome": Rule(
        "Every closed case has one outcome and nothing under way; every open case stands somewhere.",
        "SELECT c.id, CASE WHEN c.state = 'open' THEN 'open, and stands nowhere' "
        "  ELSE c.state || ', and still stands at ' || t.element END "
        "FROM cases c LEFT JOIN token t ON t.case_id = c.id "
        "WHERE c.workflow = %(workflow)s AND (c.state = 'open') = (t.case_id IS NULL) ORDER BY 1 LIMIT %(most)s",
    ),
    "no_double_effect": Rule(
        "No effect happened twice: a key is one visit's, and what was undone was undone once.",
        "SELECT min(c.id), 'the key ' || e.key || ' is of ' || count(*) || ' visits' "
        "FROM effect e JOIN cases c ON c.id = e.case_id AND c.workflow = %(workflow)s "
        "GROUP BY e.key HAVING count(*) > 1 "
        "UNION ALL SELECT c.id, s.handler || ' undid visit ' || s.visit || ' ' || count(*) || ' times' "
        "FROM compensation s JOIN cases c ON c.id = s.case_id AND c.workflow = %(workflow)s "
        "WHERE s.status = 'consumed' GROUP BY c.id, s.handler, s.visit HAVING count(*) > 1 "
        "ORDER BY 1 LIMIT %(most)s",
    ),
    "effects_settled": Rule(
        "No case closed while nobody knew whether one of its effects had happened.",
        "SELECT c.id, e.element || ' is ' || e.status FROM effect e JOIN cases c ON c.id = e.case_id "
        "WHERE c.workflow = %(workflow)s AND c.state <> 'open' AND e.status IN ('intended', 'unknown') "
        "ORDER BY 1 LIMIT %(most)s",
    ),
    "no_orphaned_task": Rule(
        "Every open task but quality reviews is waited for, and whoever waits for people has an open task or a "
        "decision to take on.",
        "SELECT c.id, 'task ' || t.id || ' is open and nobody waits for it' FROM review_task t "
        "JOIN cases c ON c.id = t.case_id WHERE t.workflow = %(workflow)s AND t.ended_at IS NULL "
        "AND t.kind = 'decision' AND NOT EXISTS (SELECT FROM token k WHERE k.case_id = t.case_id AND k.visit = t.visit "
        "                AND k.status = 'waiting') "
        "UNION ALL SELECT c.id, 'waits at ' || k.element || ' for nobody' FROM token k "
        "JOIN cases c ON c.id = k.case_id WHERE c.workflow = %(workflow)s AND k.status = 'waiting' "
        "AND NOT EXISTS (SELECT FROM review_task t WHERE t.case_id = k.case_id AND t.visit = k.visit "
        "                AND t.ended_at IS NULL) "
        "ORDER BY 1 LIMIT %(most)s",
    ),
    "somebody_may_do_it": Rule(
        "Every open task has somebody active who may do it: fit for its lane, not the requester, not yet a signer.",
        "SELECT c.id, 'task ' || t.id || ' in ' || t.queue || ' can be done by nobody who is active' "
        "FROM review_task t JOIN cases c ON c.id = t.case_id "
        "JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue AND q.role <> 'requester' "
        "WHERE t.workflow = %(workflow)s AND t.ended_at IS NULL AND NOT EXISTS ("
        "  SELECT FROM reviewer r CROSS JOIN LATERAL unfit(r.person, q.role, t.skill, t.level, t.region) AS u (reason) "
        "  WHERE r.active AND u.reason IS NULL AND r.person <> t.requested_by "
        "  AND NOT EXISTS (SELECT FROM review_decision d WHERE d.case_id = t.case_id AND d.visit = t.visit "
        "                  AND d.round = t.round AND d.decided_by = r.person)) ORDER BY 1 LIMIT %(most)s",
    ),
    "deadlines_fired": Rule(
        "Every deadline that has passed has fired: boundary timers, and the rungs of promises.",
        "SELECT c.id, t.boundary || ' was due at ' || t.due_at FROM timer t JOIN cases c ON c.id = t.case_id "
        "WHERE c.workflow = %(workflow)s AND t.status = 'armed' AND t.due_at < %(late)s "
        "UNION ALL SELECT c.id, 'rung ' || r.no || ' (' || r.act || ') of ' || k.element || ' was due at ' "
        "  || r.due_at FROM sla_rung r JOIN sla_clock k ON k.id = r.clock_id JOIN cases c ON c.id = k.case_id "
        "WHERE k.workflow = %(workflow)s AND r.status = 'armed' AND r.due_at < %(late)s "
        "ORDER BY 1 LIMIT %(most)s",
    ),
    "no_wait_without_a_deadline": Rule(
        "Nobody waits for people without a deadline.",
        "SELECT c.id, 'waits at ' || k.element || ' with no deadline' FROM token k "
        "JOIN cases c ON c.id = k.case_id WHERE c.workflow = %(workflow)s AND k.status = 'waiting' "
        "AND NOT EXISTS (SELECT FROM timer t WHERE t.case_id = k.case_id AND t.visit = k.visit AND t.status = 'armed') "
        "AND NOT EXISTS (SELECT FROM sla_clock s WHERE s.case_id = k.case_id AND s.visit = k.visit "
        "                AND s.status <> 'stopped') "
        "AND NOT EXISTS (SELECT FROM review_task r WHERE r.case_id = k.case_id AND r.visit = k.visit "
        "                AND r.ended_at IS NULL AND r.due_at IS NOT NULL) "
        "ORDER BY 1 LIMIT %(most)s",
    ),
}


def broken(connection: psycopg.Connection, rule: str, workflow: str, now: datetime) -> list[tuple[int, str]]:
    """What breaks a rule (case, what is wrong); the first of them. The number of a case says nothing of a person."""
    asked = {"workflow": workflow, "late": now - OVERLOOKED, "most": _NAMED}
    return connection.execute(RULES[rule].broken, asked).fetchall()


def changed_records(connection: psycopg.Connection, workflow: str) -> list[tuple[int, str]]:
    """The cases whose record was changed or is not all there: numbers dense, every hash computed again."""
    wrong = broken_chains(connection)
    return connection.execute(
        "SELECT id, 'its record was changed, or is not all there' FROM cases "
        "WHERE workflow = %s AND id = ANY(%s) ORDER BY 1 LIMIT %s",
        (workflow, wrong, _NAMED),
    ).fetchall()
