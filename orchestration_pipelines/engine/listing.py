"""One queue's tasks, page by page: what somebody sees of it, filtered and in the order that they ask for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.standing import Standing, standing_of
from orchestration_pipelines.engine.backlog import Figures, Heap, Queue
from orchestration_pipelines.store import backlog, listing, worklist
from orchestration_pipelines.store.listing import PAGE, Place, Wanted
from orchestration_pipelines.store.worklist import Line

__all__ = ["ORDERS", "PAGE", "STATUSES", "BadPlace", "Listed", "Query", "listed", "queues_seen"]

ORDERS = tuple(listing.ORDERS)
STATUSES = ("open", "assigned", "claimed")
#: up to so many are gathered and sorted; more are walked in order until the page is full
_FEW = 5_000
#: those who see every queue and every case (in the database: ``sees``, ``can``)
_SEE_ALL = frozenset({Standing.SENIOR, Standing.MANAGER, Standing.AUDITOR})
_BETWEEN = "~"  #: a value and a task in a place


class BadPlace(ValueError):
    """That is no place in this list: begin with its first page."""


class Query(NamedTuple):
    """What is asked of a queue. Empty: everything."""

    order: str = "order"
    status: str = ""
    step: str = ""
    skill: str = ""
    region: str = ""
    priority: int | None = None
    past_due: bool = False
    prefix: str = ""  #: how the case's key begins
    after: str = ""  #: the place behind which the page begins

    @property
    def filters(self) -> bool:
        """Whether less is asked for than there is."""
        return self._replace(order="order", after="") != Query()


class Listed(NamedTuple):
    """A page of a queue."""

    lines: Sequence[Line]
    after: str | None  #: where the next page begins; None: this was the last


def queues_seen(figures: Figures, roles: Collection[str]) -> list[Queue]:
    """The queues that somebody with these roles sees: those of their roles, or all."""
    sees_all = standing_of(roles) in _SEE_ALL
    return [queue for queue in figures.queues if sees_all or queue.role in roles]


def heaps_seen(
    connection: psycopg.Connection, figures: Figures, queue: Queue, person: str, roles: Collection[str]
) -> list[Heap]:
    """What somebody sees of a queue: the lanes that they fit, or all."""
    heaps = figures.of_queue(queue.workflow, queue.name)
    if standing_of(roles) in _SEE_ALL:
        return heaps
    fitting = set(worklist.lanes_of(connection, person))
    return [heap for heap in heaps if heap.lane in fitting]


def listed(
    connection: psycopg.Connection,
    figures: Figures,
    queue: Queue,
    query: Query,
    *,
    person: str,
    roles: Collection[str],
    now: datetime,
) -> Listed:
    """A page of the tasks that somebody sees of a queue. Raises :class:`BadPlace`."""
    lanes = backlog.lanes(connection, queue.workflow, queue.name, query.skill or None, query.region or None)
    if standing_of(roles) not in _SEE_ALL:
        lanes = sorted(set(lanes) & set(worklist.lanes_of(connection, person)))
    wanted = Wanted(
        queue.workflow,
        queue.name,
        lanes,
        status=query.status or None,
        step=query.step or None,
        priority=query.priority,
        due_before=now if query.past_due else None,
        prefix=query.prefix or None,
    )
    order = "key" if query.prefix else query.order
    after = _place(query.after, order) if query.after else None
    few = _expected(figures.of_queue(queue.workflow, queue.name), wanted) <= _FEW
    places = listing.page(connection, wanted, order, after, few=few, size=PAGE)
    shown = places[:PAGE]
    goes_on = f"{shown[-1].value}{_BETWEEN}{shown[-1].task}" if len(places) > PAGE else None
    return Listed(worklist.lines(connection, [place.task for place in shown]), goes_on)


def _place(written: str, order: str) -> Place:
    value, between, task = written.rpartition(_BETWEEN)
    if not between or not task.isdecimal() or len(task) > 18:
        raise BadPlace(f"{written[:80]!r} is no place in a list: begin with its first page")
    if listing.ORDERS[order].type == "timestamptz" and value != "infinity":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise BadPlace(f"{value[:80]!r} is no instant: begin with the first page of the list") from None
    return Place(int(task), value)


def _expected(heaps: Collection[Heap], wanted: Wanted) -> int:
    """About how many there are, without the beginning of the key."""
    lanes = set(wanted.lanes)
    fitting = [
        heap
        for heap in heaps
        if heap.lane in lanes and wanted.step in (None, heap.element) and wanted.priority in (None, heap.priority)
    ]
    if wanted.status in ("assigned", "claimed"):
        return sum(heap.in_hand for heap in fitting)
    if wanted.due_before is not None:
        return sum(heap.waiting_past_due + heap.in_hand_past_due for heap in fitting)
    return sum(heap.waiting + heap.in_hand for heap in fitting)
