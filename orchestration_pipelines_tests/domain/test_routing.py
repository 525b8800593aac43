"""Who is given a task: order, limits, rotation, and an account of everybody else. Properties of the pure plan."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.policy import Strategy
from orchestration_pipelines.domain.routing import AT_CAPACITY, RANKED_LOWER, Choice, Hands, Lane, Plan, Waiting

PEOPLE = ("ann", "bob", "cleo", "dan", "eve", "fay", "gus")
_pushing = st.sampled_from([Strategy.ROUND_ROBIN, Strategy.LEAST_LOAD, Strategy.BEST_SKILL])


def task(number: int, lane: int = 1, barred: dict[str, str] | None = None, case: int | None = None) -> Waiting:
    return Waiting(number, lane, "review", number if case is None else case, 1, barred or {})


def plan(strategy: Strategy, people: dict[str, int], capacity: int | None = None, **more: object) -> Plan:
    lane = Lane(1, "reviews", strategy, people)
    return Plan([lane], [Hands(person, 0, capacity) for person in people], **more)  # type: ignore[arg-type]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Plan, list[Lane], dict[str, Hands], list[Waiting]]:
    """Lanes of two queues, people with and without limits, tasks with and without history."""
    lanes = [
        Lane(
            number,
            f"queue {number % 2}",
            draw(_pushing),
            draw(st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, 3))),
            {"role": 2},
        )
        for number in range(1, 4)
    ]
    hands = {p: Hands(p, draw(st.integers(0, 2)), draw(st.none() | st.integers(0, 4))) for p in PEOPLE}
    tasks = [
        task(n, draw(st.integers(1, 3)), dict.fromkeys(draw(st.sets(st.sampled_from(PEOPLE), max_size=3)), "declined"))
        for n in range(draw(st.integers(0, 25)))
    ]
    return Plan(lanes, hands.values()), lanes, hands, tasks


@given(worlds())
def test_whoever_may_and_has_room_is_found_and_nobody_is_overloaded(
    world: tuple[Plan, list[Lane], dict[str, Hands], list[Waiting]],
) -> None:
    """A task is left lying only if everybody who fits is barred or full; nobody gets what they may not do."""
    plan, lanes, hands, tasks = world
    by_id = {lane.id: lane for lane in lanes}
    limits = {person: hand.capacity for person, hand in hands.items()}
    before = {person: hand.in_hand for person, hand in hands.items()}
    for waiting in tasks:
        lane = by_id[waiting.lane]
        able = [p for p in lane.fit if p not in waiting.barred and not hands[p].is_full]
        choice = plan.give(waiting)
        assert (choice.person in able) if able else choice.person is None
    for person, limit in limits.items():
        assert limit is None or hands[person].in_hand <= max(limit, before[person])


@given(worlds())
def test_everybody_is_accounted_for(world: tuple[Plan, list[Lane], dict[str, Hands], list[Waiting]]) -> None:
    """The candidates and the counts by reason add up to all who were looked at, for every task."""
    plan, lanes, _, tasks = world
    by_id = {lane.id: lane for lane in lanes}
    for waiting in tasks:
        lane = by_id[waiting.lane]
        choice = plan.give(waiting)
        assert len(choice.candidates) + sum(choice.excluded.values()) == len(lane.fit) + sum(lane.unfit.values())
        assert choice.person == (choice.candidates[0].person if choice.candidates else None)


@given(st.integers(1, 7), st.integers(1, 40))
def test_a_rotation_is_fair(people: int, tasks: int) -> None:
    """Nobody is two ahead of anybody."""
    turning = plan(Strategy.ROUND_ROBIN, dict.fromkeys(PEOPLE[:people], 0))
    given_to = Counter(turning.give(task(n)).person for n in range(tasks))
    counts = [given_to[person] for person in PEOPLE[:people]]
    assert max(counts) - min(counts) <= 1


def _people(choices: list[Choice]) -> list[str | None]:
    return [choice.person for choice in choices]


def test_h11_a_decline_changes_no_rotation() -> None:
    """Who declined is passed by for that one task, keeps their place, and is the next one's."""
    turning = plan(Strategy.ROUND_ROBIN, dict.fromkeys(PEOPLE[:3], 0))
    declined = task(1, barred={"ann": "declined"})
    assert _people([turning.give(declined), turning.give(task(2)), turning.give(task(3))]) == ["bob", "ann", "cleo"]


def test_a_rotation_goes_on_where_it_stopped() -> None:
    """Turns are kept between runs: whoever had none for the longest is next."""
    turning = plan(
        Strategy.ROUND_ROBIN, dict.fromkeys(PEOPLE[:3], 0), turns={"reviews": {"ann": 7, "bob": 5, "cleo": 6}}
    )
    assert _people([turning.give(task(n)) for n in range(3)]) == ["bob", "cleo", "ann"]


def test_load_is_weighed_by_what_somebody_can() -> None:
    """Two of ten is less than one of two."""
    lane = Lane(1, "reviews", Strategy.LEAST_LOAD, {"ann": 0, "bob": 0})
    assert Plan([lane], [Hands("ann", 1, 2), Hands("bob", 2, 10)]).give(task(1)).person == "bob"


def test_skill_goes_before_load() -> None:
    """The highest level first; among equals whoever has less in hand."""
    skilled = plan(Strategy.BEST_SKILL, {"ann": 0, "bob": 2, "cleo": 2}, capacity=2)
    assert _people([skilled.give(task(n)) for n in range(6)]) == ["bob", "cleo", "bob", "cleo", "ann", "ann"]


def test_two_signatures_of_a_case_go_to_two_people() -> None:
    """Both are open at once: the plan gives neither person the other's."""
    alone = plan(Strategy.LEAST_LOAD, {"ann": 0, "bob": 0})
    assert _people([alone.give(task(n, case=9)) for n in range(3)]) == ["ann", "bob", None]


def test_a_full_queue_and_a_full_step_leave_their_tasks_where_they_are() -> None:
    """What is beyond the limit waits, with the reason."""
    queue = plan(Strategy.LEAST_LOAD, {"ann": 0}, queue_room={"reviews": 1})
    assert [queue.give(task(n)).excluded for n in range(2)] == [{}, {"queue_full": 1}]
    step = plan(Strategy.LEAST_LOAD, {"ann": 0}, station_room={"review": 0})
    assert step.give(task(1)).excluded == {"station_full": 1}


def test_the_rest_is_counted_by_reason() -> None:
    """Five candidates are kept; everybody else is a number beside a reason."""
    lane = Lane(1, "reviews", Strategy.LEAST_LOAD, dict.fromkeys(PEOPLE, 0), {"skill": 4, "off_shift": 1})
    hands = [Hands(person, 1 if person == "ann" else 0, 1) for person in PEOPLE]
    choice = Plan([lane], hands).give(task(1, barred={"bob": "requester"}))
    assert [candidate.person for candidate in choice.candidates] == ["cleo", "dan", "eve", "fay", "gus"]
    assert choice.excluded == {"skill": 4, "off_shift": 1, "requester": 1, AT_CAPACITY: 1}
    assert RANKED_LOWER not in choice.excluded


@given(worlds())
def test_nobody_is_passed_by_in_a_lane(world: tuple[Plan, list[Lane], dict[str, Hands], list[Waiting]]) -> None:
    """First in first out: once a task is left lying, none behind it that asks and bars the same is given to anybody."""
    plan, _, _, tasks = world
    lying: set[tuple[int, frozenset[str]]] = set()
    for waiting in tasks:
        asks = waiting.lane, frozenset(waiting.barred)
        if plan.give(waiting).person is None:
            lying.add(asks)
        else:
            assert asks not in lying


@given(worlds(), st.integers(0, 10))
def test_a_queue_gives_out_what_it_has_room_for_and_no_more(
    world: tuple[Plan, list[Lane], dict[str, Hands], list[Waiting]], room: int
) -> None:
    """Its first tasks that somebody may do, up to the limit."""
    _, lanes, hands, tasks = world
    free, limited = (
        Plan(lanes, [Hands(h.person, h.in_hand, None) for h in hands.values()], queue_room=rooms)
        for rooms in ({}, {"queue 0": room})
    )
    of_queue = {lane.id for lane in lanes if lane.queue == "queue 0"}
    wanted = [choice for task in tasks if (choice := free.give(task)).person and task.lane in of_queue]
    got = [choice for task in tasks if (choice := limited.give(task)).person and task.lane in of_queue]
    assert [choice.task for choice in got] == [choice.task for choice in wanted[:room]]
