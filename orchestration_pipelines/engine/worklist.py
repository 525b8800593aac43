"""My work: what somebody has in hand, what they may pull next, and how much more they may take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.engine.backlog import Figures, Queue, Sum, summed
from orchestration_pipelines.store import worklist as table
from orchestration_pipelines.store.worklist import Limit, Line, May

__all__ = ["Limit", "Line", "May", "MyWork", "Offer", "lanes", "may_claim", "may_see", "my_work"]

#: lines of what is in hand; whoever has more has too much to look at
_IN_HAND = 200
#: of every queue so many of the next tasks
_NEXT = 3


class Offer(NamedTuple):
    """A queue that somebody may pull from."""

    queue: Queue
    waiting: Sum  #: in the lanes that they fit
    limit: Limit | None  #: of what may be in hand in it
    next: Sequence[Line]  #: the first that pull would give them of it; empty: none that they may do, or it is full

    @property
    def is_full(self) -> bool:
        """Whether something of it must be decided or released before anything more can be taken."""
        return self.limit is not None and self.limit.allowed is not None and self.limit.in_hand >= self.limit.allowed


class MyWork(NamedTuple):
    """What a person's own page shows."""

    at: datetime
    in_hand: Sequence[Line]  #: due first
    asked: Sequence[Line]  #: of them, since they submitted the case; due first
    own: Limit | None  #: how much they have of what they may have; None: they are no reviewer
    steps: Sequence[Limit]  #: steps of their workflows in which no more may be taken
    offers: Sequence[Offer]
    next: Line | None  #: what a pull would give them now

    @property
    def is_full(self) -> bool:
        """Whether they must decide or release something first."""
        return self.own is not None and self.own.allowed is not None and self.own.in_hand >= self.own.allowed


def my_work(connection: psycopg.Connection, person: str, figures: Figures, now: datetime) -> MyWork:
    """What somebody has and may take. Nothing is taken by looking."""
    in_hand = table.in_hand(connection, person, _IN_HAND)
    limits = table.limits(connection, person)
    fitting = set(table.lanes_of(connection, person))
    offered = table.lines(connection, table.next_tasks(connection, person, _NEXT))
    own = next((limit for limit in limits if limit.kind == "person"), None)
    of_queue = {(limit.workflow, limit.name): limit for limit in limits if limit.kind == "queue"}
    offers = []
    for queue in figures.queues:
        heaps = [heap for heap in figures.of_queue(queue.workflow, queue.name) if heap.lane in fitting]
        ahead = [line for line in offered if (line.workflow, line.queue) == (queue.workflow, queue.name)]
        if queue.role != "requester" and (heaps or ahead or _is_of(queue, person, figures)):
            offers.append(Offer(queue, summed(heaps), of_queue.get((queue.workflow, queue.name)), ahead))
    work = MyWork(
        now,
        in_hand,
        table.asked_of(connection, person, _IN_HAND),
        own,
        [limit for limit in limits if limit.kind == "step" and limit.in_hand >= (limit.allowed or 0)],
        offers,
        None,
    )
    assigned = sorted((line for line in in_hand if line.status == "assigned"), key=lambda line: line.order_key)
    ahead = assigned[:1] or ([] if work.is_full else list(offered[:1]))
    return work._replace(next=ahead[0] if ahead else None)


def _is_of(queue: Queue, person: str, figures: Figures) -> bool:
    return any(colleague.person == person for colleague in figures.of_role(queue.role))


def lanes(connection: psycopg.Connection, person: str) -> list[int]:
    """The lanes whose tasks somebody fits."""
    return table.lanes_of(connection, person)


def may_claim(connection: psycopg.Connection, person: str, found: Sequence[Line]) -> dict[int, May]:
    """Of the tasks in nobody's hand: whether somebody may take each, and the rule."""
    return table.may_each(connection, person, "claim", [line.task for line in found if line.status == "open"])


def may_see(connection: psycopg.Connection, person: str, tasks: Sequence[int]) -> dict[int, May]:
    """Whether somebody may look at each of these tasks, and the rule; one that is not there they may not."""
    return table.may_each(connection, person, "see", tasks)
