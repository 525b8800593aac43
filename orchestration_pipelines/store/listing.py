"""One queue's tasks page by page: each goes on where the one before ended, so that the last costs what the first did.

Two ways, and whoever asks knows how many tasks there are: *many* are walked in the order asked, along an index, until
the page is full; *few* are gathered first and sorted. (Few walked for would mean to read the whole queue; many
gathered, too.) A statement holds just what was asked, and its limit as a number, so each is planned for what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

#: tasks on a page
PAGE = 50


class Wanted(NamedTuple):
    """Which tasks of a queue; what is None is not asked."""

    workflow: str
    queue: str
    lanes: Sequence[int]  #: of the queue: those whose tasks may be shown
    status: str | None = None  #: open, assigned, claimed
    step: str | None = None
    priority: int | None = None
    due_before: datetime | None = None
    prefix: str | None = None  #: how the case's key begins; such a list is in order of keys


class Place(NamedTuple):
    """A task and its place in the order asked: the next page begins behind it."""

    task: int
    value: str  #: an instant as PostgreSQL writes it (one is ``infinity``), or a case key


class Order(NamedTuple):
    """What a list can be in order of."""

    value: str
    type: str


ORDERS: Mapping[str, Order] = {
    "order": Order("t.order_key", "timestamptz"),
    "age": Order("t.opened_at", "timestamptz"),
    "due": Order("coalesce(t.due_at, 'infinity')", "timestamptz"),
    "key": Order("c.case_key", "text"),
}
_ASKED = {
    "status": "t.status = %(status)s",
    "step": "t.element = %(step)s",
    "priority": "t.priority = %(priority)s",
    "due_before": "coalesce(t.due_at, 'infinity') < %(due_before)s",
}
_OF_QUEUE = "t.workflow = %(workflow)s AND t.queue = %(queue)s AND t.lane = ANY (%(lanes)s) AND t.ended_at IS NULL"
_BEGINS = (
    "c.case_key >= %(prefix)s AND c.case_key <= %(prefix)s || chr(1114111) AND starts_with(c.case_key, %(prefix)s)"
)

_GATHER = """
WITH t AS MATERIALIZED (
    SELECT t.id, t.case_id, t.order_key, t.opened_at, t.due_at FROM review_task t WHERE {of_queue} {also})
SELECT t.id, {value}::text FROM t JOIN cases c ON c.id = t.case_id WHERE true {behind}
ORDER BY {value}, t.id LIMIT {limit}
"""
#: by age and by deadline
_WALK = """
SELECT t.id, {value}::text FROM review_task t WHERE {of_queue} {also} {behind} ORDER BY {value}, t.id LIMIT {limit}
"""
#: in order of work: the lanes are merged, each from its own index; what is in hand is little
_WALK_LANES = """
SELECT id, value::text FROM (
    (SELECT t.id, t.order_key AS value FROM unnest(%(lanes)s::int[]) AS l (id) CROSS JOIN LATERAL (
        SELECT t.id, t.order_key FROM review_task t
        WHERE t.lane = l.id AND t.status = 'open' {also} {behind} ORDER BY t.order_key, t.id LIMIT {limit}) t
     ORDER BY 2, 1 LIMIT {limit})
    UNION ALL
    (SELECT t.id, t.order_key FROM review_task t
     WHERE {of_queue} AND t.status IN ('assigned', 'claimed') {also} {behind} ORDER BY 2, 1 LIMIT {limit})) AS page
ORDER BY page.value, id LIMIT {limit}
"""
#: by key: the cases are walked, and each is asked for its tasks
_WALK_CASES = """
SELECT t.id, c.case_key FROM cases c CROSS JOIN LATERAL (
    SELECT t.id FROM review_task t WHERE t.case_id = c.id AND {of_queue} {also} OFFSET 0) t
WHERE c.workflow = %(workflow)s {behind} ORDER BY c.case_key, t.id LIMIT {limit}
"""
_WALKS = {"order": _WALK_LANES, "age": _WALK, "due": _WALK, "key": _WALK_CASES}


def page(
    connection: psycopg.Connection,
    wanted: Wanted,
    order: str,
    after: Place | None = None,
    *,
    few: bool = False,
    size: int = PAGE,
) -> list[Place]:
    """The tasks behind ``after`` in this order, one more than ``size`` if there are more.

    ``few``: not many of the queue's tasks are wanted, some thousands at most.
    """
    if wanted.prefix is not None:
        order = "key"
    value, kind = ORDERS[order]
    behind = []
    if wanted.prefix is not None:
        behind.append(f"AND {_BEGINS}")
    parameters = wanted._asdict() | {"lanes": list(wanted.lanes)}
    if after is not None:
        # (That the value itself is not before is said apart: for the walk of the cases it is what the index can use.)
        here = f"%(value)s::{kind}"
        behind.append(f"AND {value} >= {here} AND ({value}, t.id) > ({here}, %(task)s)")
        parameters |= after._asdict()
    statement = (_GATHER if few else _WALKS[order]).format(
        value=value,
        of_queue=_OF_QUEUE,
        also=" ".join(f"AND {test}" for name, test in _ASKED.items() if getattr(wanted, name) is not None),
        behind=" ".join(behind),
        limit=int(size) + 1,
    )
    rows = connection.execute(statement.encode(), parameters, prepare=False)
    return [Place._make(row) for row in rows]
