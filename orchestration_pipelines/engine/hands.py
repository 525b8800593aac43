"""Work in people's hands: pulled, claimed, paused, given back, given to somebody else. Each act is one transaction.

The database holds the rules (``can``), the limits and their locks (``hand``). An act on several tasks does what may be
done and answers for each; an act of which nothing may be done is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg

from orchestration_pipelines.store import faults, forsaken
from orchestration_pipelines.store import hands as table
from orchestration_pipelines.store.hands import Handed, in_work
from orchestration_pipelines.store.refusal import Refused, refusals

__all__ = [
    "Handed",
    "Refused",
    "claim",
    "decline",
    "in_work",
    "onward",
    "pause",
    "pull",
    "reassign",
    "release",
    "resume",
]


def pull(
    connection: psycopg.Connection,
    person: str,
    *,
    at: datetime,
    workflow: str | None = None,
    queue: str | None = None,
    asserted_by: str | None = None,
) -> int:
    """Claim the next task: what was assigned to them first, then the first in order of all lanes that are theirs."""
    with refusals(), connection.transaction():
        pulled = table.pull(connection, person, at, workflow=workflow, queue=queue, asserted_by=asserted_by)
    if pulled.task is None:
        raise Refused(pulled.rule)
    return pulled.task


def onward(connection: psycopg.Connection, person: str, *, at: datetime) -> int:
    """What somebody goes on with: what they are at work on already, else the next task, pulled."""
    begun = in_work(connection, person)
    return pull(connection, person, at=at) if begun is None else begun


def claim(
    connection: psycopg.Connection, tasks: Sequence[int], *, person: str, at: datetime, asserted_by: str | None = None
) -> list[Handed]:
    """Claim these tasks, open or assigned to this person."""
    return _handed(connection, tasks, person, cause="pull", by=person, at=at, asserted_by=asserted_by)


def release(
    connection: psycopg.Connection, tasks: Sequence[int], *, person: str, at: datetime, asserted_by: str | None = None
) -> list[Handed]:
    """Give tasks back to their queues; they keep their place in the order."""
    return _handed(connection, tasks, None, cause="release", by=person, at=at, asserted_by=asserted_by)


def decline(
    connection: psycopg.Connection,
    tasks: Sequence[int],
    *,
    person: str,
    reason: str,
    at: datetime,
    asserted_by: str | None = None,
) -> list[Handed]:
    """Decline tasks: this person is not offered them again, and for everybody else nothing changes.

    A task that nobody is left to do is an incident, and goes to the fallback queue where its queue has one.
    """
    with connection.transaction():
        declined = _handed(
            connection, tasks, None, cause="decline", by=person, at=at, reason=reason, asserted_by=asserted_by
        )
        for left in forsaken.of(connection, [one.task for one in declined if one.moved]):
            told = f"nobody is left in the queue {left.queue} who may do task {left.task}, which {person} declined"
            if left.fallback is not None:
                forsaken.requeue(connection, [left.task], left.fallback)
                told += f"; it is in {left.fallback} now"
            incident = faults.NewIncident(left.case_id, left.element, "nobody may decide", told, left.owner)
            faults.open_incidents(connection, left.workflow, [incident], at)
    return declined


def reassign(
    connection: psycopg.Connection,
    tasks: Sequence[int],
    *,
    to: str | None,
    by: str,
    reason: str,
    at: datetime,
    asserted_by: str | None = None,
) -> list[Handed]:
    """A manager gives tasks to somebody, or (None) back to their queues."""
    return _handed(connection, tasks, to, cause="manager", by=by, at=at, reason=reason, asserted_by=asserted_by)


def pause(connection: psycopg.Connection, tasks: Sequence[int], *, person: str, at: datetime) -> list[Handed]:
    """Stop the clock of work on claimed tasks; they stay in hand."""
    return _touched(connection, tasks, "pause", person, at)


def resume(connection: psycopg.Connection, tasks: Sequence[int], *, person: str, at: datetime) -> list[Handed]:
    """Go on with paused tasks."""
    return _touched(connection, tasks, "resume", person, at)


def _handed(
    connection: psycopg.Connection,
    tasks: Sequence[int],
    to: str | None,
    *,
    cause: str,
    by: str,
    at: datetime,
    reason: str = "",
    asserted_by: str | None,
) -> list[Handed]:
    with refusals(), connection.transaction():
        people = [to] * len(tasks)
        return _some(
            table.hand(connection, tasks, people, cause=cause, by=by, at=at, reason=reason, asserted_by=asserted_by)
        )


def _touched(connection: psycopg.Connection, tasks: Sequence[int], act: str, person: str, at: datetime) -> list[Handed]:
    with refusals(), connection.transaction():
        return _some(table.touch(connection, tasks, act, person, at))


def _some(handed: list[Handed]) -> list[Handed]:
    if not any(one.moved for one in handed):
        raise Refused("; ".join(dict.fromkeys(one.rule for one in handed)) or "no task is named")
    return handed
