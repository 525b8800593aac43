"""Who is given a task: the strategies of queues, the limits, and an account of everybody who was not chosen.

Whether somebody may do a task is not asked here: the one point of authority says who fits a lane and what bars whom
(``store.routing``). Here those who may are put in order, and whoever comes first and has room gets it.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
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


_Rank = tuple[float, float, str]


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
        self._orders: dict[int, list[_Rank]] = {}
        self._full = {id: sum(self._hands[person].is_full for person in lane.fit) for id, lane in self._lanes.items()}
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
        excluded = Counter(lane.unfit)
        excluded.update(barred.values())
        excluded[AT_CAPACITY] += self._full[lane.id]
        excluded[RANKED_LOWER] += len(lane.fit) - self._full[lane.id] - len(barred) - len(best)
        told = {reason: count for reason, count in excluded.items() if count > 0}
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
        order = self._order(lane)
        barred = {
            person: reason
            for person, reason in task.barred.items()
            if person in lane.fit and not self._hands[person].is_full
        }
        best: list[Candidate] = []
        index = 0
        while index < len(order) and len(best) < most:
            rank = order[index]
            person = rank[2]
            hand = self._hands[person]
            if hand.is_full:
                del order[index]
                continue
            now = self._rank(lane, person)
            if now != rank:  # ranks only fall: further back is where it belongs
                del order[index]
                insort(order, now)
                continue
            index += 1
            if person in barred:
                continue
            if (task.case_id, task.visit, person) in self._signing:
                barred[person] = "holds_other"
                continue
            turn = self._turns.get(lane.queue, {}).get(person, 0)
            best.append(Candidate(person, hand.in_hand, hand.capacity, lane.fit[person], turn))
        return tuple(best), barred

    def _take(self, lane: Lane, task: Waiting, person: str) -> int:
        hand = self._hands[person]
        hand.in_hand += 1
        if hand.is_full:
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
        return turn

    def _order(self, lane: Lane) -> list[_Rank]:
        if lane.id not in self._orders:
            self._orders[lane.id] = sorted(self._rank(lane, person) for person in lane.fit)
        return self._orders[lane.id]

    def _rank(self, lane: Lane, person: str) -> _Rank:
        """What puts people in order; smaller goes first, and it only grows while tasks are given."""
        hand = self._hands[person]
        load = hand.in_hand / (self._nominal if hand.capacity is None else hand.capacity or 1)
        match lane.strategy:
            case Strategy.ROUND_ROBIN:
                return (self._turns.get(lane.queue, {}).get(person, 0), 0, person)
            case Strategy.BEST_SKILL:
                return (-lane.fit[person], load, person)
            case _:
                return (load, 0, person)
