"""Who is given a task: the strategies of queues, the limits, and an account of everybody who was not chosen.

Whether somebody may do a task is not asked here: the one point of authority says who fits a lane and what bars whom
(``store.routing``). Here those who may are put in order, and whoever comes first and has room gets it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestration_pipelines.domain.policy import Strategy

#: how many candidates an assignment is stored with
BEST = 5
#: why somebody who may do it was not given it; the other reasons are those of ``can``
AT_CAPACITY, RANKED_LOWER = "capacity", "ranked_lower"
QUEUE_FULL, STATION_FULL = "queue_full", "station_full"


@dataclass
class Hands:
    """What somebody has in hand."""

    person: str
    in_hand: int
    capacity: int | None  #: None: no limit

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more."""
        return self.capacity is not None and self.in_hand >= self.capacity


@dataclass(frozen=True)
class Lane:
    """Tasks that ask the same of people, and who fits."""

    id: int
    queue: str
    strategy: Strategy
    fit: Mapping[str, int]  #: who may and is there, with how far their level is over what is asked
    unfit: Mapping[str, int] = field(default_factory=dict)  #: how many others, by the reason


class Waiting(NamedTuple):
    """An open task that is to be given to somebody."""

    task: int
    lane: int
    element: str
    case_id: int
    visit: int
    barred: Mapping[str, str]  #: person to the reason, of history: the requester, who has signed, who declined


class Candidate(NamedTuple):
    """Somebody who could have been given a task, with what they were weighed by."""

    person: str
    in_hand: int
    capacity: int | None
    level: int  #: over what is asked
    turn: int  #: when they were last given one by rotation; 0: never


class Choice(NamedTuple):
    """Who gets a task, and why not the others; ``person`` is None where nobody gets it."""

    task: int
    person: str | None
    turn: int  #: of the rotation
    candidates: tuple[Candidate, ...]  #: the best, in order
    excluded: Mapping[str, int]  #: the rest: how many by reason


#: what somebody is weighed by now: their load, or when their turn was; and their name. Smaller goes first
_Standing = tuple[float, str]
#: the place in a lane: by what no task changes, then by the standing of when they were last looked at
_Place = tuple[float, _Standing]


class Plan:
    """Gives tasks to people, one after the other, as if each were in hand at once.

    Nobody is passed by for good: rotation is by whose turn was longest ago, so that whoever did not fit one task keeps
    their place for the next, and a declined task takes nobody's turn.
    """

    def __init__(
        self,
        lanes: Iterable[Lane],
        hands: Iterable[Hands],
        *,
        turns: Mapping[str, Mapping[str, int]] | None = None,
        queue_room: Mapping[str, int] | None = None,
        station_room: Mapping[str, int] | None = None,
    ) -> None:
        self._lanes = {lane.id: lane for lane in lanes}
        self._hands = {hand.person: hand for hand in hands}
        self._turns = {queue: dict(turns) for queue, turns in (turns or {}).items()}
        self._last_turn = {queue: max(turns.values(), default=0) for queue, turns in self._turns.items()}
        self._queue_room, self._station_room = dict(queue_room or {}), dict(station_room or {})
        #: somebody without a limit is weighed as if theirs were the highest
        self._nominal = max((hand.capacity or 0 for hand in self._hands.values()), default=0) or 1
        self._orders: dict[int, list[_Place]] = {}
        self._by_load = {person: (self._load(hand), person) for person, hand in self._hands.items()}
        self._by_turn: dict[str, dict[str, _Standing]] = {}
        self._at_capacity = {person for person, hand in self._hands.items() if hand.is_full}
        self._full = {id: len(self._at_capacity.intersection(lane.fit)) for id, lane in self._lanes.items()}
        self._of_person: dict[str, list[int]] = {}
        for lane in self._lanes.values():
            for person in lane.fit:
                self._of_person.setdefault(person, []).append(lane.id)
        self._signing: set[tuple[int, int, str]] = set()

    def has_room(self, lane: int) -> bool:
        """Whether anybody could still be given a task of a lane."""
        room = self._queue_room.get(self._lanes[lane].queue)
        return self._full[lane] < len(self._lanes[lane].fit) and (room is None or room > 0)

    def give(self, task: Waiting) -> Choice:
        """Choose who gets a task; from then on it is in their hands."""
        lane = self._lanes[task.lane]
        if self._queue_room.get(lane.queue, 1) <= 0:
            return Choice(task.task, None, 0, (), {QUEUE_FULL: 1})
        if self._station_room.get(task.element, 1) <= 0:
            return Choice(task.task, None, 0, (), {STATION_FULL: 1})
        best, barred = self._best(lane, task, BEST)
        full = self._full[lane.id]
        told = dict(lane.unfit)
        for reason in barred.values():
            told[reason] = told.get(reason, 0) + 1
        if full:
            told[AT_CAPACITY] = full
        if lower := len(lane.fit) - full - len(barred) - len(best):
            told[RANKED_LOWER] = lower
        if not best:
            return Choice(task.task, None, 0, (), told)
        chosen = best[0].person
        return Choice(task.task, chosen, self._take(lane, task, chosen), best, told)

    def candidates(self, task: Waiting) -> tuple[Candidate, ...]:
        """Everybody who could be given a task now, in order; it is given to nobody."""
        lane = self._lanes[task.lane]
        return self._best(lane, task, len(lane.fit))[0]

    def _best(self, lane: Lane, task: Waiting, most: int) -> tuple[tuple[Candidate, ...], dict[str, str]]:
        """The first few in order who have room and are not barred; and who with room is barred, by the reason."""
        order, standings, full = self._order(lane), self._standings(lane), self._at_capacity
        barred = {person: why for person, why in task.barred.items() if person in lane.fit and person not in full}
        turns = self._turns.get(lane.queue, {})
        best: list[Candidate] = []
        index = 0
        while index < len(order) and len(best) < most:
            fixed, standing = order[index]
            person = standing[1]
            if person in full:
                del order[index]
                continue
            if (now := standings[person]) is not standing:  # it only grows: further back is where they belong
                del order[index]
                insort(order, (fixed, now), index)
                continue
            index += 1
            if person in barred:
                continue
            if (task.case_id, task.visit, person) in self._signing:
                barred[person] = "holds_other"
                continue
            hand = self._hands[person]
            best.append(Candidate(person, hand.in_hand, hand.capacity, lane.fit[person], turns.get(person, 0)))
        return tuple(best), barred

    def _take(self, lane: Lane, task: Waiting, person: str) -> int:
        hand = self._hands[person]
        hand.in_hand += 1
        self._by_load[person] = (self._load(hand), person)
        if hand.is_full:
            self._at_capacity.add(person)
            for other in self._of_person[person]:
                self._full[other] += 1
        if lane.queue in self._queue_room:
            self._queue_room[lane.queue] -= 1
        if task.element in self._station_room:
            self._station_room[task.element] -= 1
        self._signing.add((task.case_id, task.visit, person))
        if lane.strategy is not Strategy.ROUND_ROBIN:
            return 0
        turn = self._last_turn[lane.queue] = self._last_turn.get(lane.queue, 0) + 1
        self._turns.setdefault(lane.queue, {})[person] = turn
        self._by_turn[lane.queue][person] = (turn, person)
        return turn

    def _order(self, lane: Lane) -> list[_Place]:
        if lane.id not in self._orders:
            standings, by_level = self._standings(lane), lane.strategy is Strategy.BEST_SKILL
            self._orders[lane.id] = sorted(
                (-spare if by_level else 0, standings[person]) for person, spare in lane.fit.items()
            )
        return self._orders[lane.id]

    def _standings(self, lane: Lane) -> dict[str, _Standing]:
        """What people are weighed by in a lane; each standing only grows while tasks are given."""
        if lane.strategy is not Strategy.ROUND_ROBIN:
            return self._by_load
        if lane.queue not in self._by_turn:
            turns = self._turns.get(lane.queue, {})
            self._by_turn[lane.queue] = {person: (turns.get(person, 0), person) for person in self._hands}
        return self._by_turn[lane.queue]

    def _load(self, hand: Hands) -> float:
        return hand.in_hand / (self._nominal if hand.capacity is None else hand.capacity or 1)
