"""Work that nobody is left to do: somebody went, or the rules changed, after it was asked for. Found by the state."""

from __future__ import annotations

from datetime import datetime

import psycopg

from orchestration_pipelines.domain.people import asked_of
from orchestration_pipelines.store import forsaken as table
from orchestration_pipelines.store.forsaken import ForsakenLane


def alarm(connection: psycopg.Connection, now: datetime) -> int:
    """Make an incident of each lane whose tasks nobody may do, or fewer than must sign; they go to its fallback queue.

    Safe to run at any time and often: as long as a lane's incident stands there is no second one, and nothing of it is
    moved again. Returns how many incidents were opened.
    """
    opened = 0
    with connection.transaction():
        while fresh := sum(_alarm(connection, lane, now) for lane in table.lanes(connection)):
            opened += fresh  # what was put into another queue may find nobody there either
    return opened


def _alarm(connection: psycopg.Connection, lane: ForsakenLane, now: datetime) -> bool:
    wanted = asked_of(lane.role, lane.skill, lane.region, lane.level)
    told = f"{_tasks(lane)} in the queue {lane.queue} are left to too few people, or to nobody: give somebody {wanted}"
    moves = lane.fallback is not None and lane.fallback != lane.queue
    opened = table.alarm(connection, lane, f"{told}; they are in {lane.fallback} now" if moves else told, now)
    if opened and lane.fallback is not None and moves:
        table.requeue(connection, lane.tasks, lane.fallback)
    return opened


def _tasks(lane: ForsakenLane) -> str:
    some = ", ".join(map(str, lane.tasks[:5])) + (", …" if len(lane.tasks) > 5 else "")
    return f"{len(lane.tasks)} open task{'s' if len(lane.tasks) > 1 else ''} ({some})"
