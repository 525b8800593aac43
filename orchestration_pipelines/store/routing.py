"""What a routing run reads: who fits which lane, what they have in hand, which tasks wait and what bars whom."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.domain.policy import Strategy
from orchestration_pipelines.domain.routing import Hands, Lane, Waiting

#: how many tasks of a lane are read at once
PAGE = 2_000


def lock(connection: psycopg.Connection, workflow: str) -> bool:
    """Be the one routing run of a workflow until the transaction ends; False if another is under way."""
    row = connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtext('orchestration routing'), id) FROM workflow WHERE name = %s",
        (workflow,),
    ).fetchone()
    return row is not None and bool(row[0])


_LANES = """
WITH lane AS MATERIALIZED (
    SELECT l.id, l.queue, q.strategy, q.role, l.skill, l.region, l.level
    FROM work_lane l JOIN queue q ON q.workflow = l.workflow AND q.name = l.queue
    WHERE l.workflow = %(workflow)s AND q.role <> 'requester'
      AND (l.id = ANY (%(lanes)s) OR %(lanes)s::int[] IS NULL AND q.strategy <> 'pull' AND EXISTS (
          SELECT FROM review_task t WHERE t.lane = l.id AND t.status = 'open'))),
staff AS MATERIALIZED (
    SELECT r.person, r.level, (SELECT u.reason FROM unavailable(r.person, %(at)s) u LIMIT 1) AS away FROM reviewer r
    WHERE r.active),
fits AS MATERIALIZED (
    SELECT a.role, a.skill, a.region, a.level, s.person, coalesce(u.reason, s.away) AS reason,
           coalesce(k.level, s.level) - a.level AS spare
    FROM (SELECT DISTINCT role, skill, region, level FROM lane) a CROSS JOIN staff s
    CROSS JOIN LATERAL unfit(s.person, a.role, a.skill, a.level, a.region) u
    LEFT JOIN reviewer_skill k ON k.person = s.person AND k.skill = a.skill),
said AS MATERIALIZED (
    SELECT role, skill, region, level, reason, count(*) AS people,
           CASE WHEN reason IS NULL THEN array_agg(person) END AS person,
           CASE WHEN reason IS NULL THEN array_agg(spare) END AS spare
    FROM fits GROUP BY role, skill, region, level, reason)
SELECT l.id, l.queue, l.strategy, s.reason, s.people, s.person, s.spare
FROM lane l LEFT JOIN said s ON s.role = l.role AND s.level = l.level AND s.skill IS NOT DISTINCT FROM l.skill
    AND s.region IS NOT DISTINCT FROM l.region ORDER BY l.id
"""


def lanes(connection: psycopg.Connection, workflow: str, at: datetime, only: Sequence[int] | None = None) -> list[Lane]:
    """The lanes of queues that give their tasks out, with who fits and is there, and how many do not and why."""
    rows = connection.execute(_LANES, {"workflow": workflow, "at": at, "lanes": only and list(only)})
    found: dict[int, Lane] = {}
    for id, queue, strategy, reason, people, person, spare in rows:
        lane = found.setdefault(id, Lane(id, queue, Strategy(strategy), {}, {}))
        if person is not None:
            found[id] = Lane(id, queue, lane.strategy, dict(zip(person, spare, strict=True)), lane.unfit)
        elif reason is not None:
            found[id] = Lane(id, queue, lane.strategy, lane.fit, {**lane.unfit, reason: people})
    return list(found.values())


def hands(connection: psycopg.Connection) -> list[Hands]:
    """What every active reviewer has in hand, in all workflows, and how much they can."""
    rows = connection.execute(
        "SELECT r.person, coalesce(h.tasks, 0), r.capacity FROM reviewer r LEFT JOIN ("
        "SELECT assignee, count(*) AS tasks FROM review_task WHERE status IN ('assigned', 'claimed') GROUP BY assignee"
        ") h ON h.assignee = r.person WHERE r.active"
    )
    return [Hands(*row) for row in rows]


def turns(connection: psycopg.Connection, workflow: str) -> dict[str, dict[str, int]]:
    """Whose turn was when, by queue."""
    found: dict[str, dict[str, int]] = {}
    for queue, person, turn in connection.execute(
        "SELECT queue, person, turn FROM rotation WHERE workflow = %s", (workflow,)
    ):
        found.setdefault(queue, {})[person] = turn
    return found


def put_turns(connection: psycopg.Connection, workflow: str, taken: Mapping[tuple[str, str], int]) -> None:
    """The turns that were taken: queue and person to the number."""
    connection.cursor().executemany(
        "INSERT INTO rotation VALUES (%s, %s, %s, %s) ON CONFLICT (workflow, queue, person) DO UPDATE "
        "SET turn = excluded.turn",
        [(workflow, queue, person, turn) for (queue, person), turn in sorted(taken.items())],
    )


def rooms(connection: psycopg.Connection, workflow: str) -> tuple[dict[str, int], dict[str, int]]:
    """How many more tasks each limited queue, and each limited step, may have in hand."""
    counted = "(SELECT count(*) FROM review_task t WHERE t.workflow = l.workflow AND t.{column} = l.{name} "
    counted += "AND t.status IN ('assigned', 'claimed'))"
    queues, stations = (
        connection.execute(
            f"SELECT l.{name}, l.wip_limit - {counted.format(column=column, name=name)} FROM {table} l "
            "WHERE l.workflow = %s AND l.wip_limit IS NOT NULL",
            (workflow,),
        ).fetchall()
        for table, column, name in (("queue", "queue", "name"), ("station_limit", "element", "element"))
    )
    return dict(queues), dict(stations)


_PAGE = """
SELECT t.order_key, t.id, t.lane, t.element, t.case_id, t.visit, b.person, b.reason
FROM unnest(%(lanes)s::int[], %(keys)s::timestamptz[], %(ids)s::bigint[]) AS l (id, key, task)
JOIN work_lane w ON w.id = l.id JOIN queue q ON q.workflow = w.workflow AND q.name = w.queue
CROSS JOIN LATERAL (
    SELECT * FROM review_task t WHERE t.lane = l.id AND t.status = 'open' AND (t.order_key, t.id) > (l.key, l.task)
    ORDER BY t.order_key, t.id LIMIT %(page)s) t
CROSS JOIN LATERAL (
    SELECT array_agg(b.person) AS person, array_agg(b.reason) AS reason
    FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at, q.excludes) b) b
"""
_Ordered = tuple[datetime, int, Waiting]


def waiting(
    connection: psycopg.Connection, lanes: Sequence[int], has_room: Callable[[int], bool], page: int = PAGE
) -> Iterator[Waiting]:
    """The open tasks of lanes in their order, read page by page; a lane is left as soon as nobody there has room."""
    first: dict[int, list[_Ordered]] = {lane: [] for lane in lanes}
    for each in _read(connection, [(lane, "-infinity", 0) for lane in lanes], page):
        first[each[2].lane].append(each)

    def lane_after(lane: int, read: list[_Ordered]) -> Iterator[_Ordered]:
        while read and has_room(lane):
            yield from read
            read = _read(connection, [(lane, read[-1][0], read[-1][1])], page) if len(read) == page else []

    for _, _, task in heapq.merge(*(lane_after(lane, read) for lane, read in first.items())):
        if has_room(task.lane):
            yield task


def _read(
    connection: psycopg.Connection, after: Sequence[tuple[int, datetime | str, int]], page: int
) -> list[_Ordered]:
    lanes, keys, ids = ([*column] for column in zip(*after, strict=True)) if after else ([], [], [])
    rows = connection.execute(_PAGE, {"lanes": lanes, "keys": keys, "ids": ids, "page": page})
    read = [
        (key, task, Waiting(task, lane, element, case_id, visit, dict(zip(person or (), reason or (), strict=True))))
        for key, task, lane, element, case_id, visit, person, reason in rows
    ]
    return sorted(read, key=lambda each: each[:2])


_NAMED = """
SELECT t.id, t.lane, t.element, t.case_id, t.visit, b.person, b.reason
FROM unnest(%s::bigint[]) AS n (id) JOIN review_task t ON t.id = n.id
JOIN queue q ON q.workflow = t.workflow AND q.name = t.queue
CROSS JOIN LATERAL (
    SELECT array_agg(b.person) AS person, array_agg(b.reason) AS reason
    FROM bars(t.id, t.case_id, t.visit, t.round, t.signatures, t.requested_by, t.opened_at, q.excludes) b) b
WHERE t.ended_at IS NULL AND q.role <> 'requester' ORDER BY t.order_key, t.id
"""


def named(connection: psycopg.Connection, tasks: Sequence[int]) -> list[Waiting]:
    """Tasks that have not ended, in their order, whoever has them."""
    return [
        Waiting._make((*row[:5], dict(zip(row[5] or (), row[6] or (), strict=True))))
        for row in connection.execute(_NAMED, (list(tasks),))
    ]


def workflows_of(connection: psycopg.Connection, lanes: Sequence[int]) -> dict[int, str]:
    """Lane to workflow."""
    return dict(connection.execute("SELECT id, workflow FROM work_lane WHERE id = ANY (%s)", (list(lanes),)).fetchall())


class Recorded(NamedTuple):
    """An assignment as it was kept."""

    at: datetime
    person: str | None  #: None: back to the queue
    from_person: str | None
    cause: str
    by: str
    candidates: Sequence[Mapping[str, Any]]
    excluded: Mapping[str, int]


def assignments(connection: psycopg.Connection, task: int) -> list[Recorded]:
    """Who has had a task and why, the latest first."""
    rows = connection.execute(
        "SELECT at, person, from_person, cause, by, candidates::jsonb, excluded::jsonb FROM assignment "
        "WHERE task_id = %s ORDER BY id DESC",
        (task,),
    )
    return [Recorded._make((*row[:5], decode(row[5]), decode(row[6]))) for row in rows]


def verdicts(connection: psycopg.Connection, task: int, at: datetime) -> list[tuple[str, bool, str]]:
    """Everybody who is active, whether they may be given a task at an instant, and the rule that says so."""
    return connection.execute(
        "SELECT c.person, c.allowed, c.rule FROM (SELECT array_agg(person ORDER BY person) AS people FROM reviewer "
        "WHERE active) r, can_many(r.people, 'assign', array_fill(%(task)s::bigint, ARRAY[cardinality(r.people)]), "
        "%(at)s) c ORDER BY c.no",
        {"task": task, "at": at},
    ).fetchall()


_LEFT_BEHIND = """
SELECT t.id, a.person, a.delegate FROM absence a
JOIN review_task t ON t.assignee = a.person AND t.status IN ('assigned', 'claimed') AND t.workflow = %(workflow)s
WHERE a.starts <= %(at)s AND (a.ends IS NULL OR a.ends > %(at)s) AND t.assigned_at <= greatest(a.starts, a.set_at)
ORDER BY t.id
"""


def left_behind(connection: psycopg.Connection, workflow: str, at: datetime) -> list[tuple[int, str, str | None]]:
    """What people who went away have left in hand: task, person, delegate. What they took since is theirs."""
    return connection.execute(_LEFT_BEHIND, {"workflow": workflow, "at": at}).fetchall()


def delegates(connection: psycopg.Connection, at: datetime) -> dict[str, str | None]:
    """Everybody who is absent, with who stands in for them."""
    return dict(
        connection.execute(
            "SELECT person, delegate FROM absence WHERE starts <= %(at)s AND (ends IS NULL OR ends > %(at)s)",
            {"at": at},
        ).fetchall()
    )
