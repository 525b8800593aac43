"""What somebody's own page shows: what they have, what a pull would give them, and how much more they may take."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import psycopg
import pytest

from orchestration_pipelines.engine import hands, listing, search, worklist
from orchestration_pipelines.engine.backlog import Backlog, Figures, counted
from orchestration_pipelines.engine.hands import Refused
from orchestration_pipelines.engine.listing import BadPlace, Query
from orchestration_pipelines.engine.worklist import MyWork
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
  seniors: {owner: tests, role: senior}
  requesters: {owner: tests, role: requester}
reviewers: {ann: [reviewer], bob: [reviewer], cleo: [reviewer, senior], sven: [senior], max: [manager],
            abel: [auditor], dora: [other]}
"""
QUEUED = (
    'user review \'orch:queue==if amount > 90 then "seniors" else "reviews"\' orch:fallbackQueue=reviews '
    "orch:signatures=2",
    "end done",
    "received -> review -> done",
    "timer late on review P3D -> done",
)


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Cases A to F wait for two reviewers each, in this order, a minute apart; S for seniors since before them."""
    flow = draw(*QUEUED, settings=SETTINGS)
    flow.submit("S", amount=100)
    flow.sweep()
    for key in "ABCDEF":
        flow.clock.advance(minutes=1)
        flow.submit(key, by="bob" if key == "C" else "broker")
        flow.sweep()
    return flow


def mine(flow: Flow, person: str) -> MyWork:
    """Their page."""
    with flow.engine.connect() as connection:
        return worklist.my_work(connection, person, counted(connection, flow.clock()), flow.clock())


def changed(flow: Flow, statement: str) -> None:
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(statement.encode())


def pull(flow: Flow, person: str, **wanted: str) -> int:
    with flow.engine.connect() as connection:
        return hands.pull(connection, person, at=flow.clock(), **wanted)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_shown_as_next_is_what_a_pull_gives(flow: Flow, seed: int) -> None:
    """Whatever was taken, declined, signed, assigned, limited before; and where nothing is shown, nothing is given."""
    chance = random.Random(seed)
    changed(flow, "UPDATE reviewer SET capacity = 3 WHERE person IN ('ann', 'cleo')")
    changed(flow, f"UPDATE queue SET wip_limit = {chance.randint(3, 8)} WHERE name = 'reviews'")
    changed(flow, "UPDATE review_task SET order_key = order_key - id % 3 * interval '5 min'")
    for _ in range(14):
        person = chance.choice(["ann", "bob", "cleo"])
        page = mine(flow, person)
        for offer in page.offers:
            if offer.next and not page.is_full and not any(line.status == "assigned" for line in page.in_hand):
                with flow.engine.connect() as connection, connection.transaction(force_rollback=True):
                    given = hands.pull(connection, person, at=flow.clock(), queue=offer.queue.name)
                assert given == offer.next[0].task
        if page.next is None:
            with pytest.raises(Refused):
                pull(flow, person)
            if not page.in_hand:
                continue
            _rid(flow, chance, person, page.in_hand[0].task)
        else:
            assert pull(flow, person) == page.next.task
            if chance.random() < 0.5:
                _rid(flow, chance, person, page.next.task)


def _rid(flow: Flow, chance: random.Random, person: str, task: int) -> None:
    """They get rid of a task in some way."""
    with flow.engine.connect() as connection:
        act = chance.choice(["release", "decline", "sign", "reassign"])
        if act == "release":
            hands.release(connection, [task], person=person, at=flow.clock())
        elif act == "decline":
            hands.decline(connection, [task], person=person, reason="not mine", at=flow.clock())
        elif act == "sign":
            connection.execute(
                "INSERT INTO review_decision (task_id, outcome, decided_by, digest, decided_at) "
                "SELECT id, 'approve', %s, digest, %s FROM review_task WHERE id = %s",
                (person, flow.clock(), task),
            )
        else:
            to = chance.choice(["ann", "cleo", None])
            try:
                hands.reassign(connection, [task], to=to, by="max", reason="so", at=flow.clock())
            except Refused:
                return


def test_in_hand_is_due_first_with_its_state(flow: Flow) -> None:
    """Assigned, at work or paused; what has no deadline comes last."""
    first, second = pull(flow, "ann"), pull(flow, "ann")
    with flow.engine.connect() as connection:
        hands.pause(connection, [first], person="ann", at=flow.clock())
        third = mine(flow, "ann").next
        assert third is not None
        hands.reassign(connection, [third.task], to="ann", by="max", reason="hers", at=flow.clock())
    changed(flow, f"UPDATE review_task SET due_at = NULL WHERE id = {first}")
    page = mine(flow, "ann")
    states = [(line.task, line.status) for line in page.in_hand]
    assert states == [(second, "claimed"), (third.task, "assigned"), (first, "paused")]
    assert page.next == page.in_hand[1]  # what is assigned comes before what waits


def test_what_is_asked_of_whoever_submitted_is_theirs_alone(flow: Flow) -> None:
    """An applicant sees what waits for their answer, and nobody else does; nobody pulls it."""
    changed(flow, "UPDATE review_task SET queue = 'requesters'")
    assert [line.case_key for line in mine(flow, "bob").asked] == ["C", "C"]
    assert len(mine(flow, "broker").asked) == 12
    page = mine(flow, "ann")
    assert (page.asked, page.next) == ([], None)


def test_limits_are_shown_and_stop_what_is_next(flow: Flow) -> None:
    """One's own, a queue's and a step's."""
    changed(flow, "UPDATE reviewer SET capacity = 2 WHERE person = 'ann'")
    pull(flow, "ann")
    page = mine(flow, "ann")
    assert page.own is not None
    assert (page.own.in_hand, page.own.allowed, page.is_full) == (1, 2, False)
    pull(flow, "ann")
    assert mine(flow, "ann").is_full
    assert mine(flow, "ann").next is None
    changed(flow, "UPDATE queue SET wip_limit = 2 WHERE name = 'reviews'")
    (offer,) = mine(flow, "bob").offers
    assert offer.is_full
    assert offer.next == []
    changed(flow, "UPDATE queue SET wip_limit = NULL; INSERT INTO station_limit VALUES ('flow', 'review', 2)")
    assert [(step.name, step.allowed) for step in mine(flow, "bob").steps] == [("review", 2)]
    assert mine(flow, "bob").next is None
    assert mine(flow, "stranger").own is None


def test_figures_count_what_waits_for_whom(flow: Flow) -> None:
    """By lane and step: twelve signatures of six cases; what is past due, in hand or not; who is there."""
    pull(flow, "ann")
    flow.clock.advance(days=3, minutes=-3)
    with flow.engine.connect() as connection:
        figures = counted(connection, flow.clock())
    (heap,) = figures.of_queue("flow", "reviews")
    assert (heap.waiting, heap.in_hand, heap.waiting_past_due, heap.in_hand_past_due) == (11, 1, 3, 1)
    assert heap.oldest == flow.clock() - timedelta(days=3, minutes=2)
    assert [colleague.person for colleague in figures.of_role("reviewer")] == ["ann", "bob", "cleo"]
    assert [queue.name for queue in listing.queues_seen(figures, ["reviewer"])] == ["reviews"]
    assert len(listing.queues_seen(figures, ["auditor"])) == 3
    assert listing.queues_seen(figures, ["admin"]) == []


def test_dear_figures_are_kept_for_ten_times_what_they_cost(flow: Flow) -> None:
    """Cheap ones are made anew each time."""
    seconds = iter([0.0, 0.01, 0.01, 0.51, 5.0, 5.01, 5.02, 5.03, 5.04])
    backlog = Backlog(lambda: next(seconds))
    with flow.engine.connect() as connection:
        cheap, dear, still, anew, again = (backlog.figures(connection, flow.clock()) for _ in range(5))
    assert dear is not cheap
    assert still is dear
    assert anew is not dear
    assert again is not anew


def test_nobody_waits_while_another_counts_what_is_dear(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures before are shown meanwhile; those that are too old are waited for, and made once."""
    instants = {"now": 0.0}
    backlog = Backlog(lambda: instants["now"])
    made: list[Figures] = []
    inside, go_on = threading.Event(), threading.Event()

    def slowly(connection: psycopg.Connection, now: datetime) -> Figures:
        found = counted(connection, now)
        made.append(found)
        if len(made) > 1:
            inside.set()
            assert go_on.wait(10)
        instants["now"] += 1.0
        return found

    monkeypatch.setattr("orchestration_pipelines.engine.backlog.counted", slowly)

    def ask() -> Figures:
        with flow.engine.connect() as connection:
            return backlog.figures(connection, flow.clock())

    first = ask()
    with ThreadPoolExecutor() as pages:
        instants["now"] = 15.0
        counting = pages.submit(ask)
        assert inside.wait(10)
        assert ask() is first
        go_on.set()
        assert counting.result() is made[1]
        instants["now"] = 500.0
        late = [pages.submit(ask) for _ in range(4)]
        assert {id(one.result()) for one in late} == {id(made[2])}
    assert len(made) == 3


def queue_page(flow: Flow, person: str, roles: list[str], query: Query, queue: str = "reviews") -> listing.Listed:
    with flow.engine.connect() as connection:
        figures = counted(connection, flow.clock())
        one = next(each for each in figures.queues if each.name == queue)
        return listing.listed(connection, figures, one, query, person=person, roles=roles, now=flow.clock())


def test_of_a_queue_somebody_sees_the_lanes_that_they_fit(flow: Flow) -> None:
    """A reviewer without the skill sees nothing of it; a manager and an auditor see all."""
    changed(flow, "UPDATE review_task SET skill = 'income' WHERE id % 2 = 0 AND queue = 'reviews'")
    changed(flow, "INSERT INTO reviewer_skill VALUES ('ann', 'credit', 1), ('bob', 'income', 1)")
    assert len(queue_page(flow, "ann", ["reviewer"], Query()).lines) == 6
    assert len(queue_page(flow, "bob", ["reviewer"], Query()).lines) == 12
    assert len(queue_page(flow, "abel", ["auditor"], Query()).lines) == 12
    assert len(queue_page(flow, "dora", ["other"], Query()).lines) == 0
    assert len(queue_page(flow, "max", ["manager"], Query(skill="income")).lines) == 6
    lines = queue_page(flow, "ann", ["reviewer"], Query(prefix="A", order="due")).lines
    assert [(line.case_key, line.skill) for line in lines] == [("A", None)]


@pytest.mark.parametrize("after", ["x", "~1", "yesterday~1", "2026-03-02~x", "2026-03-02~-1", "2026-03-02~" + "9" * 30])
def test_a_place_that_is_none_is_told(flow: Flow, after: str) -> None:
    """Made up in the address bar: no error of the database."""
    with pytest.raises(BadPlace, match="begin with"):
        queue_page(flow, "ann", ["reviewer"], Query(after=after))


def test_pages_go_on_where_they_ended(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the place that the page before names; the last names none."""
    monkeypatch.setattr(listing, "PAGE", 5)
    for order in listing.ORDERS:
        tasks: list[int] = []
        query, pages = Query(order=order), 0
        while True:
            page = queue_page(flow, "ann", ["reviewer"], query)
            tasks += [line.task for line in page.lines]
            pages += 1
            if page.after is None:
                break
            query = query._replace(after=page.after)
        assert (len(tasks), len(set(tasks)), pages) == (12, 12, 3)


def test_taking_is_offered_where_it_is_allowed(flow: Flow) -> None:
    """bob submitted C: of the same page he may take the others; what somebody has is not asked."""
    pull(flow, "ann")
    lines = queue_page(flow, "bob", ["reviewer"], Query()).lines
    with flow.engine.connect() as connection:
        may = worklist.may_claim(connection, "bob", lines)
    refused = {line.case_key for line in lines if line.task in may and not may[line.task].allowed}
    assert refused == {"C"}
    assert len(may) == 11


def found(flow: Flow, person: str, typed: str) -> list[str]:
    with flow.engine.connect() as connection:
        return [hit.case_key for hit in search.find(connection, person, typed).hits]


def test_a_search_finds_what_somebody_sees(flow: Flow) -> None:
    """By the beginning of the key, in capitals or not: a reviewer what they could do, a manager everything."""
    flow.submit("A-2", "AB", "a%b", amount=100)
    flow.sweep()
    assert found(flow, "cleo", " a ") == ["A", "A-2", "AB", "a%b"]
    assert found(flow, "ann", "a") == ["A"]
    assert found(flow, "max", "a%") == ["a%b"]
    assert found(flow, "abel", "s") == ["S"]
    assert found(flow, "dora", "a") == []
    assert found(flow, "max", "  ") == []
    assert found(flow, "max", "A" * 200) == []


def test_a_search_does_not_say_what_became_of_a_case(flow: Flow) -> None:
    """Where it waits, or that it is over; and while somebody looks at it blindly not even that."""
    with flow.engine.connect() as connection:
        (hit,) = search.find(connection, "max", "A").hits
        assert (hit.is_open, hit.element, hit.queue) == (True, "review", "reviews")
        assert not {"outcome", "state"} & set(hit._fields)
    changed(
        flow,
        "SET session_replication_role = replica; UPDATE review_task SET signatures = 1; "
        "UPDATE review_task SET kind = 'quality' WHERE case_id = (SELECT id FROM cases WHERE case_key = 'A')",
    )
    with flow.engine.connect() as connection:
        (hit,) = search.find(connection, "max", "A").hits
        assert (hit.is_open, hit.element, hit.question) == (None, None, None)
    changed(flow, "SET session_replication_role = replica; UPDATE review_task SET kind = 'decision'")


def test_a_search_that_finds_too_much_says_so(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of the key is asked for, whether the rest may be seen or not."""
    monkeypatch.setattr(search, "_SHOWN", 2)
    flow.submit("G1", "G2", "G3")
    flow.sweep()
    with flow.engine.connect() as connection:
        few = search.find(connection, "max", "G")
        assert ([hit.case_key for hit in few.hits], few.more) == (["G1", "G2"], True)
        monkeypatch.setattr(search, "_LOOKED_AT", 2)
        assert search.find(connection, "dora", "G") == ([], True)
