"""Why me, why not her: everybody's place for one task as of now, and what was recorded when it was given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.domain.routing import Candidate, Plan
from orchestration_pipelines.store import routing as table
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines.store.reviews import may
from orchestration_pipelines.store.routing import Recorded


class Place(NamedTuple):
    """Where somebody stands for a task: a place in the order, or the reason why they have none."""

    person: str
    place: int | None
    why: str


class Why(NamedTuple):
    """A task's whole list, and the assignments that were kept, the latest first."""

    strategy: str
    places: Sequence[Place]
    recorded: Sequence[Recorded]


def why(connection: psycopg.Connection, task: int, now: datetime) -> Why:
    """Recompute who could be given a task; :class:`Refused` says why it is given to nobody any more."""
    with connection.transaction():
        found = table.named(connection, [task])
        if not found:
            raise Refused(may(connection, "", "claim", task)[1])
        workflow = table.workflows_of(connection, [found[0].lane])[found[0].lane]
        lanes = table.lanes(connection, workflow, now, [found[0].lane])
        plan = Plan(lanes, table.hands(connection), turns=table.turns(connection, workflow))
        in_order = plan.candidates(found[0])
        verdicts = table.verdicts(connection, task, now)
        recorded = table.assignments(connection, task)
    rank = {candidate.person: no for no, candidate in enumerate(in_order, 1)}
    told = {candidate.person: _weighed(candidate) for candidate in in_order}
    places = [
        Place(person, rank.get(person) if allowed else None, told.get(person, _FULL) if allowed else rule)
        for person, allowed, rule in verdicts
    ]
    places.sort(key=lambda place: (place.place is None, place.place or 0, place.person))
    return Why(str(lanes[0].strategy), places, recorded)


_FULL = "has as much in hand as they can: they decide or release something first"


def _weighed(candidate: Candidate) -> str:
    can = "" if candidate.capacity is None else f" of {candidate.capacity}"
    return f"{candidate.in_hand}{can} in hand, level {candidate.level} over what is asked, turn {candidate.turn}"
