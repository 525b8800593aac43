"""Giving tasks out: the run that assigns what waits in queues that do so, and takes back what people left behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.people import SYSTEM
from orchestration_pipelines.domain.policy import Strategy
from orchestration_pipelines.domain.routing import Choice, Lane, Plan, Waiting
from orchestration_pipelines.engine.collector import collector_at_rest
from orchestration_pipelines.store import hands
from orchestration_pipelines.store import routing as table
from orchestration_pipelines.store.hands import Handed

#: how many tasks one run gives out
AT_ONCE = 100_000
#: how many tasks change hands in one transaction: their cases are locked meanwhile
CHUNK = 5_000
#: somebody may be at work on the same tasks: what was refused is planned again, on what has become of it
ATTEMPTS = 3


@dataclass
class Routed:
    """What a routing run did."""

    assigned: int = 0
    handed_on: int = 0  #: of people who went away, to whoever stands in for them
    given_back: int = 0  #: … or to their queues
    refused: int = 0  #: by the one point of authority; the next run plans them anew


def route(connection: psycopg.Connection, workflow: str, now: datetime, at_most: int = AT_ONCE) -> Routed:
    """Assign the open tasks of every queue that gives its tasks out; a second run at the same time does nothing.

    First in first out within a class. Each assignment keeps its best candidates, and how many others and why not.
    """
    routed = Routed()
    _relieve(connection, workflow, now, routed)
    for _ in range(ATTEMPTS):
        refused = _assign(connection, workflow, now, routed, at_most - routed.assigned)
        if not refused:
            return routed
    routed.refused = refused
    return routed


def reassign(
    connection: psycopg.Connection, tasks: Sequence[tuple[int, str | None]], cause: str, now: datetime
) -> dict[int, str]:
    """Give tasks to somebody else than who has them (task, holder), by their queues' strategies; who got which.

    What is missing in the answer went to nobody and stays where it is. The caller's transaction holds the cases.
    """
    holders = dict(tasks)
    found = table.named(connection, list(holders))
    moved: dict[int, str] = {}
    workflows = table.workflows_of(connection, [task.lane for task in found])
    for workflow in sorted(set(workflows.values())):
        asked = [task for task in found if workflows[task.lane] == workflow]
        lanes = table.lanes(connection, workflow, now, sorted({task.lane for task in asked}))
        plan = Plan(lanes, table.hands(connection), turns=table.turns(connection, workflow))
        choices = [plan.give(_not_by(task, holders[task.task])) for task in asked]
        chosen = [choice for choice in choices if choice.person is not None]
        handed = _hand(connection, chosen, cause, now)
        _keep_turns(connection, workflow, lanes, asked, chosen, handed)
        moved.update({one.task: one.person for one in handed if one.moved and one.person is not None})
    return moved


def _not_by(task: Waiting, holder: str | None) -> Waiting:
    return task if holder is None else task._replace(barred={**task.barred, holder: "has_it"})


def _assign(connection: psycopg.Connection, workflow: str, now: datetime, routed: Routed, at_most: int) -> int:
    """One pass over what is open; returns how many of the planned ones were refused."""
    lanes = table.lanes(connection, workflow, now)
    if not any(lane.fit for lane in lanes):
        return 0
    queue_room, station_room = table.rooms(connection, workflow)
    plan = Plan(
        lanes,
        table.hands(connection),
        turns=table.turns(connection, workflow),
        queue_room=queue_room,
        station_room=station_room,
    )
    tasks = table.waiting(connection, [lane.id for lane in lanes if lane.fit], plan.has_room)
    chosen = ((task, choice) for task in tasks if (choice := plan.give(task)).person is not None)
    kinds = {lane.id: lane for lane in lanes}
    given: Future[list[Handed] | None] | None = None
    refused = 0
    # One chunk is planned while the one before it is handed out.
    with collector_at_rest(), ThreadPoolExecutor(max_workers=1) as giver:
        for part in chain(_parts(islice(chosen, at_most), kinds), [None]):
            if given is not None:
                if (handed := given.result()) is None:
                    return 0
                moved = sum(one.moved for one in handed)
                routed.assigned += moved
                refused += len(handed) - moved
            if part is not None:
                given = giver.submit(_give, connection, workflow, kinds, *part, now)
    return refused


def _give(
    connection: psycopg.Connection,
    workflow: str,
    lanes: Mapping[int, Lane],
    strategy: Strategy,
    chunk: Sequence[tuple[Waiting, Choice]],
    now: datetime,
) -> list[Handed] | None:
    """Hand out what was planned, in one transaction; None: another run is under way."""
    tasks, choices = [task for task, _ in chunk], [choice for _, choice in chunk]
    with connection.transaction():
        if not table.lock(connection, workflow):
            return None
        handed = _hand(connection, choices, strategy, now)
        if strategy is Strategy.ROUND_ROBIN:
            _keep_turns(connection, workflow, lanes.values(), tasks, choices, handed)
    return handed


def _parts(
    chosen: Iterator[tuple[Waiting, Choice]], lanes: Mapping[int, Lane]
) -> Iterator[tuple[Strategy, list[tuple[Waiting, Choice]]]]:
    """What was chosen, in chunks of one strategy each: what people have in hand is counted for each chunk."""
    gathered: dict[Strategy, list[tuple[Waiting, Choice]]] = {}
    for task, choice in chosen:
        strategy = lanes[task.lane].strategy
        chunk = gathered.setdefault(strategy, [])
        chunk.append((task, choice))
        if len(chunk) == CHUNK:
            yield strategy, gathered.pop(strategy)
    yield from gathered.items()


def _hand(connection: psycopg.Connection, chosen: Sequence[Choice], cause: str, now: datetime) -> list[Handed]:
    """Give each its person, with the account of who else could have had it."""
    if not chosen:
        return []
    return hands.hand(
        connection,
        [choice.task for choice in chosen],
        [choice.person for choice in chosen],
        cause=cause,
        by=SYSTEM,
        at=now,
        candidates=[encode([candidate._asdict() for candidate in choice.candidates]) for choice in chosen],
        excluded=[encode(choice.excluded) for choice in chosen],
    )


def _keep_turns(
    connection: psycopg.Connection,
    workflow: str,
    lanes: Iterable[Lane],
    tasks: Sequence[Waiting],
    chosen: Sequence[Choice],
    handed: Sequence[Handed],
) -> None:
    """Keep whose turn it was; one that was refused was nobody's."""
    queues = {lane.id: lane.queue for lane in lanes}
    queue_of = {task.task: queues[task.lane] for task in tasks}
    moved = {one.task for one in handed if one.moved}
    turns = {
        (queue_of[choice.task], choice.person): choice.turn
        for choice in chosen
        if choice.person is not None and choice.turn and choice.task in moved
    }
    table.put_turns(connection, workflow, turns)


def _relieve(connection: psycopg.Connection, workflow: str, now: datetime, routed: Routed) -> None:
    """What absent people have in hand goes to whoever stands in for them, if that may be; else back to its queue."""
    with connection.transaction():
        left = table.left_behind(connection, workflow, now)
        if not left:
            return
        standing_in = table.delegates(connection, now)
        tasks = [task for task, _, _ in left]
        people = [_present(delegate, standing_in) for _, _, delegate in left]
        wanted = [(task, person) for task, person in zip(tasks, people, strict=True) if person is not None]
        handed = _move(connection, wanted, now)
        routed.handed_on = len(handed)
        back: list[tuple[int, str | None]] = [(task, None) for task in tasks if task not in handed]
        routed.given_back = len(_move(connection, back, now))


def _present(person: str | None, standing_in: dict[str, str | None]) -> str | None:
    """Along those who stand in for one another, the first who is there."""
    seen: set[str] = set()
    while person in standing_in and person not in seen:
        seen.add(person)
        person = standing_in[person]
    return None if person in seen else person


def _move(connection: psycopg.Connection, wanted: Sequence[tuple[int, str | None]], now: datetime) -> set[int]:
    if not wanted:
        return set()
    tasks, people = zip(*wanted, strict=True)
    handed = hands.hand(connection, tasks, people, cause="absence", by=SYSTEM, at=now)
    return {one.task for one in handed if one.moved}
