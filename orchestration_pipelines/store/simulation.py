"""What a simulation asks the database between two instants, and what it reads at the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

_NEXT_DUE = """
SELECT least(
    (SELECT min(due_at) FROM timer WHERE status = 'armed'),
    (SELECT min(due_at) FROM sla_rung WHERE status = 'armed'),
    (SELECT min(due_at) FROM sla_clock WHERE status = 'running' AND breached_at IS NULL),
    (SELECT min(due_at) FROM token WHERE status = 'backoff'),
    (SELECT min(t.touched_at + q.stuck_after) FROM review_task t
     JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue WHERE t.status = 'claimed'))
"""


def next_due(connection: psycopg.Connection) -> datetime | None:
    """When the engine next has something to do by itself: a timer, a rung, a promise, another attempt, stuck work."""
    row = connection.execute(_NEXT_DUE, prepare=True).fetchone()
    return row[0] if row else None


class Held(NamedTuple):
    """A task that somebody has, and what is asked."""

    task: int
    person: str
    status: str
    queue: str
    role: str
    case_key: str
    element: str
    visit: int
    round: int
    signature: int


_HELD = """
SELECT t.id, {person}, t.status, t.queue, q.role, c.case_key, t.element, t.visit, t.round, t.signature
FROM review_task t JOIN cases c ON c.id = t.case_id JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
WHERE {where} ORDER BY t.id
"""
_IN_HAND = _HELD.format(person="t.assignee", where="t.status IN ('assigned', 'claimed')")
_ASKED = _HELD.format(person="t.requested_by", where="t.status = 'open' AND q.role = 'requester'")


def in_hand(connection: psycopg.Connection) -> list[Held]:
    """Everything that somebody has."""
    cursor = connection.cursor(row_factory=lambda _: Held._make)
    return cursor.execute(_IN_HAND, prepare=True).fetchall()


def asked_of_requesters(connection: psycopg.Connection) -> list[Held]:
    """What waits for whoever submitted the case."""
    cursor = connection.cursor(row_factory=lambda _: Held._make)
    return cursor.execute(_ASKED, prepare=True).fetchall()


def waiting_roles(connection: psycopg.Connection) -> set[str]:
    """The roles of queues in which something waits that nobody has."""
    rows = connection.execute(
        "SELECT DISTINCT q.role FROM queue q WHERE EXISTS (SELECT FROM work_lane l JOIN review_task t ON t.lane = l.id "
        "WHERE l.workflow = q.workflow AND l.queue = q.name AND t.status = 'open')",
        prepare=True,
    )
    return {role for (role,) in rows}


def gives_out(connection: psycopg.Connection) -> bool:
    """Whether any queue gives its tasks out."""
    row = connection.execute("SELECT EXISTS (SELECT FROM queue WHERE strategy <> 'pull')").fetchone()
    return row is not None and bool(row[0])


class QueueFacts(NamedTuple):
    """A queue over a time; seconds are elapsed. Depth is what was open, WIP what of it was in somebody's hands."""

    queue: str
    tasks: int
    decided: int
    lead_mean_s: float | None
    lead_p50_s: float | None
    lead_p85_s: float | None
    lead_p95_s: float | None
    open_mean: float
    open_max: int
    wip_mean: float
    wip_max: int
    worked_s: float
    reassigned: int
    breaches: int


#: Each stretch in which a task was in somebody's hands: from an assignment to the next one, or the task's end.
_HANDS = """
hands AS MATERIALIZED (
    SELECT t.queue, a.person, a.at AS began, coalesce(lead(a.at) OVER (PARTITION BY a.task_id ORDER BY a.id),
        t.ended_at, %(end)s) AS ended
    FROM assignment a JOIN review_task t ON t.id = a.task_id WHERE t.workflow = %(workflow)s),
held AS MATERIALIZED (SELECT * FROM hands WHERE person IS NOT NULL)
"""
#: what leaves at an instant leaves before what comes then
_MOST = """
SELECT {by}, max(level) AS most FROM (
    SELECT {by}, sum(step) OVER (PARTITION BY {by} ORDER BY at, step ROWS UNBOUNDED PRECEDING) AS level
    FROM (SELECT {by}, began AS at, 1 AS step FROM {spans} UNION ALL SELECT {by}, ended, -1 FROM {spans}) AS steps
) AS levels GROUP BY {by}
"""
_QUEUES = f"""
WITH {_HANDS},
spans AS MATERIALIZED (
    SELECT t.queue, t.opened_at AS began, coalesce(t.ended_at, %(end)s) AS ended FROM review_task t
    WHERE t.workflow = %(workflow)s),
led AS (
    SELECT t.queue, count(*) AS tasks, count(*) FILTER (WHERE d.decided_at IS NOT NULL) AS decided,
           avg(d.lead_s) AS mean, percentile_cont(ARRAY[0.5, 0.85, 0.95]) WITHIN GROUP (ORDER BY d.lead_s) AS spread
    FROM review_task t LEFT JOIN LATERAL (
        SELECT d.decided_at, extract(epoch FROM d.decided_at - t.opened_at)::float8 AS lead_s
        FROM review_decision d WHERE d.task_id = t.id) d ON true
    WHERE t.workflow = %(workflow)s GROUP BY t.queue),
worked AS (
    SELECT t.queue, sum(extract(epoch FROM coalesce(k.stopped_at, %(end)s) - k.started_at))::float8 AS seconds
    FROM touch k JOIN review_task t ON t.id = k.task_id AND t.workflow = %(workflow)s GROUP BY t.queue),
moved AS (
    SELECT t.queue, count(*) AS times FROM assignment a JOIN review_task t ON t.id = a.task_id
    WHERE t.workflow = %(workflow)s AND a.from_person IS NOT NULL AND a.person IS DISTINCT FROM a.from_person
    GROUP BY t.queue),
broken AS (
    SELECT t.queue, count(*) AS promises FROM sla_clock k CROSS JOIN LATERAL (
        SELECT queue FROM review_task t WHERE t.case_id = k.case_id AND t.visit = k.visit ORDER BY t.id LIMIT 1) t
    WHERE k.workflow = %(workflow)s AND k.breached_at IS NOT NULL GROUP BY t.queue),
depth AS (SELECT queue, sum(extract(epoch FROM ended - began))::float8 AS seconds FROM spans GROUP BY queue),
deepest AS ({_MOST.format(by="queue", spans="spans")}),
wip AS (SELECT queue, sum(extract(epoch FROM ended - began))::float8 AS seconds FROM held GROUP BY queue),
fullest AS ({_MOST.format(by="queue", spans="held")})
SELECT q.name, coalesce(led.tasks, 0), coalesce(led.decided, 0), led.mean, led.spread[1], led.spread[2], led.spread[3],
    coalesce(depth.seconds, 0) / %(seconds)s, coalesce(deepest.most, 0), coalesce(wip.seconds, 0) / %(seconds)s,
    coalesce(fullest.most, 0), coalesce(worked.seconds, 0), coalesce(moved.times, 0), coalesce(broken.promises, 0)
FROM queue q LEFT JOIN led ON led.queue = q.name LEFT JOIN worked ON worked.queue = q.name
LEFT JOIN moved ON moved.queue = q.name LEFT JOIN broken ON broken.queue = q.name
LEFT JOIN depth ON depth.queue = q.name LEFT JOIN deepest ON deepest.queue = q.name
LEFT JOIN wip ON wip.queue = q.name LEFT JOIN fullest ON fullest.queue = q.name
WHERE q.workflow = %(workflow)s ORDER BY q.name
"""


def queues(connection: psycopg.Connection, workflow: str, begin: datetime, end: datetime) -> list[QueueFacts]:
    """Every queue of a workflow all of whose cases came between two instants."""
    given = {"workflow": workflow, "end": end, "seconds": (end - begin).total_seconds()}
    cursor = connection.cursor(row_factory=lambda _: QueueFacts._make)
    return cursor.execute(_QUEUES, given).fetchall()


class PersonFacts(NamedTuple):
    """A person over a time."""

    person: str
    decided: int
    worked_s: float
    wip_mean: float
    wip_max: int


_PEOPLE = f"""
WITH {_HANDS},
wip AS (SELECT person, sum(extract(epoch FROM ended - began))::float8 AS seconds FROM held GROUP BY person),
fullest AS ({_MOST.format(by="person", spans="held")}),
worked AS (
    SELECT k.person, sum(extract(epoch FROM coalesce(k.stopped_at, %(end)s) - k.started_at))::float8 AS seconds
    FROM touch k JOIN review_task t ON t.id = k.task_id AND t.workflow = %(workflow)s GROUP BY k.person),
decided AS (
    SELECT d.decided_by AS person, count(*) AS decisions FROM review_decision d
    JOIN review_task t ON t.id = d.task_id AND t.workflow = %(workflow)s GROUP BY d.decided_by)
SELECT p.person, coalesce(decided.decisions, 0), coalesce(worked.seconds, 0), coalesce(wip.seconds, 0) / %(seconds)s,
    coalesce(fullest.most, 0)
FROM unnest(%(people)s::text[]) AS p (person) LEFT JOIN wip ON wip.person = p.person
LEFT JOIN fullest ON fullest.person = p.person LEFT JOIN worked ON worked.person = p.person
LEFT JOIN decided ON decided.person = p.person ORDER BY p.person
"""


def people(
    connection: psycopg.Connection, workflow: str, begin: datetime, end: datetime, who: Sequence[str]
) -> list[PersonFacts]:
    """These people, in a workflow all of whose cases came between two instants."""
    given = {"workflow": workflow, "end": end, "seconds": (end - begin).total_seconds(), "people": list(who)}
    cursor = connection.cursor(row_factory=lambda _: PersonFacts._make)
    return cursor.execute(_PEOPLE, given).fetchall()


def rungs(connection: psycopg.Connection, workflow: str) -> dict[str, int]:
    """How many rungs fired, by what they do."""
    rows = connection.execute(
        "SELECT r.act, count(*) FROM sla_rung r JOIN sla_clock k ON k.id = r.clock_id AND k.workflow = %s "
        "WHERE r.status = 'fired' GROUP BY 1 ORDER BY 1",
        (workflow,),
    )
    return dict(rows.fetchall())
