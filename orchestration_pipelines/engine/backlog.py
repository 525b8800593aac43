"""The backlog in figures, kept for a moment: depth, age and deadlines of every queue, and who is there.

To count what waits costs a walk through all of it (50 ms for 100,000 tasks). So that pages that many people look at
don't count without end, figures that were dear to make are shown for ten times as long as making them took: counting
never takes more than a tenth of one processor's time. While one page makes them anew, the others show those before, for
as long again. Cheap ones are made anew each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store import backlog as table
from orchestration_pipelines.store.backlog import Colleague, Heap, Queue

__all__ = ["Backlog", "Colleague", "Figures", "Heap", "Queue", "Sum"]

#: made in less than this, they are not kept
_CHEAP_S = 0.02
_TIMES = 10


class Sum(NamedTuple):
    """What some tasks amount to."""

    waiting: int
    in_hand: int
    waiting_past_due: int
    in_hand_past_due: int
    oldest: datetime | None  #: since when the oldest waits that is in nobody's hand

    @property
    def past_due(self) -> int:
        """Whether in somebody's hand or not."""
        return self.waiting_past_due + self.in_hand_past_due

    @property
    def depth(self) -> int:
        """Everything that has not ended."""
        return self.waiting + self.in_hand


class Figures(NamedTuple):
    """The backlog as it was at an instant."""

    at: datetime
    heaps: Sequence[Heap]
    queues: Sequence[Queue]
    colleagues: Sequence[Colleague]

    def of_queue(self, workflow: str, queue: str) -> list[Heap]:
        """The heaps of one queue."""
        return [heap for heap in self.heaps if (heap.workflow, heap.queue) == (workflow, queue)]

    def of_role(self, role: str) -> list[Colleague]:
        """Those who may decide in queues of a role."""
        return [colleague for colleague in self.colleagues if role in colleague.roles]


def summed(heaps: Collection[Heap]) -> Sum:
    """Heaps together."""
    return Sum(
        sum(heap.waiting for heap in heaps),
        sum(heap.in_hand for heap in heaps),
        sum(heap.waiting_past_due for heap in heaps),
        sum(heap.in_hand_past_due for heap in heaps),
        min((heap.oldest for heap in heaps if heap.oldest is not None), default=None),
    )


class Backlog:
    """Where a console's pages get their figures. Safe for many threads."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds  #: that pass, to time the counting by
        self._kept: Figures | None = None  #: figures that were dear to make
        self._until = 0.0  #: so long nobody makes others
        self._at_most = 0.0  #: so long whoever need not make them may show them
        self._counting = Lock()

    def figures(self, connection: psycopg.Connection, now: datetime) -> Figures:
        """The figures at ``now``, or those of a moment before."""
        begun = self._seconds()
        kept = self._kept
        if kept is None:
            return self._counted(connection, now, begun)
        if begun < self._until:
            return kept
        if not self._counting.acquire(blocking=begun >= self._at_most):
            return kept
        try:
            # Whoever waited finds what was made meanwhile.
            return self._counted(connection, now, begun) if self._kept is kept else self._kept or kept
        finally:
            self._counting.release()

    def _counted(self, connection: psycopg.Connection, now: datetime, begun: float) -> Figures:
        found = counted(connection, now)
        spent = self._seconds() - begun
        dear = spent > _CHEAP_S
        self._until, self._at_most = begun + _TIMES * spent, begun + 2 * _TIMES * spent
        self._kept = found if dear else None
        return found


def counted(connection: psycopg.Connection, now: datetime) -> Figures:
    """The figures, counted."""
    return Figures(now, table.heaps(connection, now), table.queues(connection), table.colleagues(connection, now))
