"""What must hold of human work at every moment. Each law is one statement that finds what breaks it.

They are written from what was promised, beside the product's own rules and without its functions: who fits a task, and
what bars people from it, is said here a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import psycopg

#: whoever (r) has what a task (t) of a queue (q) asks
_FITS = """
    q.role = ANY (r.roles) AND (t.region IS NULL OR r.regions = '{}' OR t.region = ANY (r.regions))
    AND CASE WHEN t.skill IS NULL OR NOT EXISTS (SELECT FROM reviewer_skill s WHERE s.person = r.person)
        THEN r.level >= t.level
        ELSE EXISTS (SELECT FROM reviewer_skill s
                     WHERE s.person = r.person AND s.skill = t.skill AND s.level >= t.level) END
"""


def _barred(until: str, round_: str) -> str:
    """Whoever (r) was barred from a task (t) by what had been done before an instant, in this round of signing."""
    return f"""(
    r.person = t.requested_by
    OR EXISTS (SELECT FROM decline n WHERE n.task_id = t.id AND n.person = r.person AND n.at < {until})
    OR EXISTS (SELECT FROM review_decision b WHERE 'decided_before' = ANY (q.excludes)
               AND b.case_id = t.case_id AND b.decided_by = r.person AND b.decided_at < {until})
    OR EXISTS (
        SELECT FROM (
            SELECT t.requested_by AS person
            UNION ALL SELECT b.decided_by FROM review_decision b WHERE t.signatures > 1 AND b.case_id = t.case_id
                AND b.visit = t.visit AND b.round = {round_} AND b.decided_at < {until}) other
        WHERE other.person = r.person OR EXISTS (
            SELECT FROM absence w WHERE (w.ends IS NULL OR w.ends > t.opened_at) AND w.set_at < {until}
                AND ((w.person, w.delegate) = (r.person, other.person)
                     OR (w.person, w.delegate) = (other.person, r.person)))))"""


_HOLDS_OTHER = """
    EXISTS (SELECT FROM review_task o WHERE t.signatures > 1 AND o.case_id = t.case_id AND o.visit = t.visit
            AND o.id <> t.id AND o.ended_at IS NULL AND o.assignee = r.person)
"""
_RECORDED = """
    SELECT b ->> 'record' AS record, (b ->> 'at')::timestamptz AS at FROM audit_entry,
        LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS b) AS parsed WHERE case_id < 0 AND b ->> 'act' = '{act}'
"""

LAWS: Mapping[str, str] = {
    "somebody may do what is asked, or it is an incident": f"""
        SELECT t.id, t.queue FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
        WHERE t.status = 'open' AND q.role <> 'requester' AND NOT EXISTS (
                SELECT FROM reviewer r WHERE r.active AND {_FITS} AND NOT {_barred("'infinity'", "t.round")})
            AND NOT EXISTS (SELECT FROM incident i WHERE (i.case_id = t.case_id OR i.lane = t.lane)
                AND i.resolved_at IS NULL AND i.kind IN ('nobody may decide', 'nowhere to escalate'))""",
    "whoever has a task is active, and it lies in the lane that it asks": """
        SELECT t.id, t.assignee FROM review_task t WHERE t.status IN ('assigned', 'claimed')
            AND NOT EXISTS (SELECT FROM reviewer r WHERE r.person = t.assignee AND r.active)
            AND NOT EXISTS (SELECT FROM queue q WHERE q.workflow = t.workflow AND q.name = t.queue
                            AND q.role = 'requester' AND t.assignee = t.requested_by)
        UNION ALL SELECT t.id, t.status FROM review_task t JOIN work_lane l ON l.id = t.lane
        WHERE t.ended_at IS NULL AND ((l.workflow, l.queue, l.level) <> (t.workflow, t.queue, t.level)
            OR l.skill IS DISTINCT FROM t.skill OR l.region IS DISTINCT FROM t.region
            OR (t.status = 'open') <> (t.assignee IS NULL))""",
    "nobody decided who might not": f"""
        SELECT t.id, d.decided_by FROM review_decision d JOIN review_task t ON t.id = d.task_id
        JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
        LEFT JOIN reviewer r ON r.person = d.decided_by
        WHERE CASE WHEN q.role = 'requester' THEN d.decided_by <> t.requested_by
              ELSE ({_FITS} AND d.role = q.role) IS NOT TRUE
                   OR {_barred("d.decided_at", "d.round - (d.edits <> '{}')::int")} END
        UNION ALL SELECT d.task_id, d.decided_by || ' was no longer one of the people' FROM review_decision d
        JOIN ({_RECORDED.format(act="deactivated")}) gone
            ON gone.record = 'people:' || d.decided_by AND gone.at < d.decided_at
        WHERE d.role <> 'requester'""",
    "nobody decided what was in the hands of another": """
        SELECT d.task_id, d.decided_by FROM review_decision d JOIN LATERAL (
            SELECT a.person FROM assignment a WHERE a.task_id = d.task_id ORDER BY a.id DESC LIMIT 1) had ON true
        WHERE had.person <> d.decided_by""",
    "as many people signed as were asked": """
        SELECT t.case_id, t.visit::text FROM review_task t GROUP BY t.case_id, t.visit
        HAVING bool_and(t.status IN ('decided', 'returned', 'escalated')) AND max(t.round) <= 2
            AND max(t.signatures) > (SELECT count(DISTINCT d.decided_by) FROM review_decision d
                WHERE d.case_id = t.case_id AND d.visit = t.visit AND d.round = max(t.round))""",
    "nobody holds two signatures of a case": """
        SELECT case_id, assignee FROM review_task WHERE ended_at IS NULL AND assignee IS NOT NULL
        GROUP BY case_id, visit, assignee HAVING count(*) > 1""",
    "whoever is given a task was there and fitted": f"""
        SELECT t.id, a.person FROM assignment a JOIN review_task t ON t.id = a.task_id
        JOIN reviewer r ON r.person = a.person
        WHERE a.cause <> 'pull' AND (EXISTS (
                SELECT FROM absence b WHERE b.person = a.person AND b.set_at < a.at AND b.starts <= a.at
                    AND (b.ends IS NULL OR b.ends > a.at))
            OR EXISTS (SELECT FROM shift s WHERE s.person = a.person) AND NOT EXISTS (
                SELECT FROM shift s WHERE s.person = a.person AND s.weekday = extract(isodow FROM a.at)
                    AND s.starts <= a.at::time AND a.at::time < s.ends))
        UNION ALL SELECT t.id, a.person FROM assignment a JOIN review_task t ON t.id = a.task_id
        JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue JOIN reviewer r ON r.person = a.person
        WHERE t.status IN ('assigned', 'claimed') AND a.person = t.assignee AND q.role <> 'requester' AND NOT (
            {_FITS} AND NOT {_barred("a.at", "t.round")})
            AND a.id = (SELECT max(id) FROM assignment l WHERE l.task_id = t.id)""",
    # A limit that was lowered under what is in hand holds from then on: nothing more comes, until enough has gone.
    "no limit is exceeded": f"""
        WITH in_hand AS (
            SELECT t.*, (SELECT max(a.at) FROM assignment a WHERE a.task_id = t.id AND a.person IS NOT NULL
                         AND a.from_person IS NULL) AS taken,
                (SELECT max(a.at) FROM assignment a WHERE a.task_id = t.id AND a.person IS NOT NULL
                 AND a.from_person IS DISTINCT FROM a.person) AS gained
            FROM review_task t WHERE t.status IN ('assigned', 'claimed')),
        changed AS (SELECT max(set_at) AS at FROM work_policy)
        SELECT count(*), q.name FROM in_hand t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
        GROUP BY q.name, q.wip_limit HAVING count(*) > q.wip_limit AND max(t.taken) > (SELECT at FROM changed)
        UNION ALL SELECT count(*), l.element FROM in_hand t
        JOIN station_limit l ON l.workflow = t.workflow AND l.element = t.element
        GROUP BY l.element, l.wip_limit HAVING count(*) > l.wip_limit AND max(t.taken) > (SELECT at FROM changed)
        UNION ALL SELECT count(*), r.person FROM in_hand t JOIN reviewer r ON r.person = t.assignee
        LEFT JOIN (SELECT record, max(at) AS at FROM ({_RECORDED.format(act="brought in")}) e GROUP BY record) told
            ON told.record = 'people:' || r.person
        GROUP BY r.person, r.capacity, told.at
        HAVING count(*) > r.capacity AND max(t.gained) > coalesce(told.at, '-infinity')""",
    "the order was fixed when it was queued": """
        SELECT t.id, t.order_key::text FROM review_task t
        LEFT JOIN class_weight w ON w.workflow = t.workflow AND w.priority = t.priority
        WHERE t.order_key IS DISTINCT FROM t.opened_at - w.weight""",
    "every rung fires once, in order and not before it is due": """
        SELECT clock_id, no::text FROM firing GROUP BY clock_id, no HAVING count(*) > 1
        UNION ALL SELECT r.clock_id, r.no::text FROM sla_rung r LEFT JOIN firing f USING (clock_id, no)
            WHERE (r.status = 'fired') <> (f.no IS NOT NULL) OR r.fired_at < r.due_at
                OR r.late <> (r.fired_at IS NOT NULL AND r.fired_at - r.due_at > interval '1 min')
        UNION ALL SELECT clock_id, no::text FROM (
            SELECT clock_id, no, lag(no, 1, 0::smallint) OVER (PARTITION BY clock_id ORDER BY id) AS before FROM firing
            ) f WHERE no <> before + 1
        UNION ALL SELECT f.clock_id, f.no || ' after the clock had stopped' FROM firing f
            JOIN sla_clock k ON k.id = f.clock_id WHERE k.stopped_at < f.at""",
    "a round is blind until all are in": """
        WITH visit AS (SELECT DISTINCT case_id, visit FROM review_task WHERE ended_at IS NULL)
        SELECT d.case_id, 'decision ' || d.id FROM decision_trail d JOIN visit USING (case_id, visit)
        UNION ALL SELECT a.case_id, 'entry ' || a.seq FROM audit_trail a
            JOIN visit v ON v.case_id = a.case_id AND v.visit = (a.b ->> 'visit')::int
            WHERE a.act = 'signed' AND (NOT a.sealed OR a.b ?| ARRAY['outcome', 'rationale', 'edits']
                                        OR a.body IS NOT NULL OR a.salt IS NOT NULL)
        UNION ALL SELECT t.case_id, 'task ' || t.id FROM task_trail t JOIN visit USING (case_id, visit)
            WHERE t.ended_at IS NOT NULL AND t.status <> 'signed'""",
    "work on a task never overlaps, and is of whoever has it": """
        SELECT a.task_id, a.person FROM touch a JOIN touch b USING (task_id)
        WHERE a.started_at < b.started_at AND coalesce(a.stopped_at, 'infinity') > b.started_at
        UNION ALL SELECT u.task_id, u.person FROM touch u JOIN review_task t ON t.id = u.task_id
        WHERE u.stopped_at IS NULL AND (t.status, t.assignee) IS DISTINCT FROM ('claimed', u.person)""",
    "the history of a task adds up to who has it": """
        SELECT t.id, t.status FROM review_task t LEFT JOIN LATERAL (
            SELECT a.person FROM assignment a WHERE a.task_id = t.id ORDER BY a.id DESC LIMIT 1) last ON true
        WHERE t.ended_at IS NULL AND last.person IS DISTINCT FROM t.assignee
        UNION ALL SELECT task_id, person FROM (
            SELECT task_id, person, from_person, lag(person) OVER (PARTITION BY task_id ORDER BY id) AS had
            FROM assignment) a WHERE from_person IS DISTINCT FROM had""",
}

#: holds when a tick is over
_OVERDUE = """
    SELECT r.clock_id, 'rung ' || r.no FROM sla_rung r WHERE r.status = 'armed' AND r.due_at <= %(at)s
    UNION ALL SELECT t.case_id, t.boundary FROM timer t WHERE t.status = 'armed' AND t.due_at <= %(at)s
    UNION ALL SELECT t.id, 'stuck' FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
        WHERE t.status = 'claimed' AND t.touched_at <= %(at)s - q.stuck_after
"""
#: what somebody may decide now, in the order in which it is pulled
_MIGHT = f"""
    SELECT t.id, t.status FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    LEFT JOIN reviewer r ON r.person = %(person)s AND r.active
    WHERE t.ended_at IS NULL AND (t.status = 'open' OR t.assignee = %(person)s)
        AND CASE WHEN q.role = 'requester' THEN t.requested_by = %(person)s
            ELSE ({_FITS} AND NOT {_barred("'infinity'", "t.round")} AND NOT {_HOLDS_OTHER}) IS TRUE END
"""
_NEXT = f"""
    WITH in_hand AS (SELECT * FROM review_task WHERE status IN ('assigned', 'claimed')), mine AS ({_MIGHT})
    SELECT t.id FROM review_task t JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
    LEFT JOIN station_limit l ON l.workflow = t.workflow AND l.element = t.element
    WHERE t.assignee = %(person)s AND t.status = 'assigned' OR t.status = 'open'
        AND q.role <> 'requester' AND t.id IN (SELECT id FROM mine)
        AND (q.wip_limit IS NULL OR q.wip_limit > (SELECT count(*) FROM in_hand h WHERE h.queue = q.name))
        AND (l.wip_limit IS NULL OR l.wip_limit > (SELECT count(*) FROM in_hand h WHERE h.element = l.element))
        AND NOT EXISTS (SELECT FROM reviewer r WHERE r.person = %(person)s AND r.capacity <= (
                SELECT count(*) FROM in_hand h WHERE h.assignee = r.person))
    ORDER BY t.status = 'assigned' DESC, t.order_key, t.id LIMIT 1
"""


def broken(connection: psycopg.Connection) -> dict[str, list[tuple[int, str]]]:
    """The laws that do not hold, with what breaks each."""
    found = {law: connection.execute(statement.encode()).fetchall() for law, statement in LAWS.items()}
    return {law: rows for law, rows in found.items() if rows}


def overdue(connection: psycopg.Connection, at: datetime) -> list[tuple[int, str]]:
    """What a tick left undone."""
    return connection.execute(_OVERDUE.encode(), {"at": at}).fetchall()


def might_decide(connection: psycopg.Connection, person: str) -> set[int]:
    """The open tasks that somebody may decide."""
    return {task for task, _ in connection.execute(_MIGHT.encode(), {"person": person})}


def next_of(connection: psycopg.Connection, person: str) -> int | None:
    """The task that somebody gets who pulls."""
    row = connection.execute(_NEXT.encode(), {"person": person}).fetchone()
    return None if row is None else int(row[0])
