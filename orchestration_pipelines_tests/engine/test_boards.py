"""What a manager looks at, in numbers: promises by queue and step, work in hand by person, limits, what waits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from orchestration_pipelines.engine import hands, holds, load, oversight, people, promises
from orchestration_pipelines.engine.load import Wanted
from orchestration_pipelines.engine.promises import KeptDay, KeptStep
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow
from orchestration_pipelines_tests.engine.promises import promise

SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
  seniors: {owner: tests, role: senior}
reviewers: {ann: [reviewer], bob: [reviewer], cleo: [reviewer, senior], max: [manager]}
"""
LINES = (
    'user review \'orch:queue==if amount > 90 then "seniors" else "reviews"\' orch:approves=true',
    "user documents orch:queue=reviews",
    "end done",
    "received -> review -> which",
    'which -> documents if review.outcome = "return"',
    "which -> done default",
    "documents -> done",
    "timer late on review P30D -> done",
    "timer lapsed on documents P30D -> done",
)


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """A promise of four hours for a review and of a day for a case, which pauses while documents are waited for."""
    flow = draw(*LINES, settings=SETTINGS)
    promise(flow, "review", "4 hours")
    promise(flow, "", "24 hours", pauses=["documents"])
    return flow


def _came(flow: Flow, *keys: str, amount: int = 50) -> None:
    flow.submit(*keys, amount=amount)
    flow.sweep()


def _owner(flow: Flow, statement: str) -> None:
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(statement.encode())


def test_the_board_counts_open_tasks_by_when_they_are_due(flow: Flow) -> None:
    """Past due, soon, today, later and without a promise; what is in hand is counted beside it."""
    _came(flow, "A")
    flow.clock.advance(hours=3)
    _came(flow, "B")
    _came(flow, "S", amount=100)
    flow.clock.advance(hours=1)
    with flow.engine.connect() as connection:
        hands.pull(connection, "ann", at=flow.clock())
        board = promises.board(connection, flow.clock())
    reviews, seniors = board.tasks
    assert (reviews.queue, reviews.element, reviews.open, reviews.in_hand) == ("reviews", "review", 2, 1)
    assert (reviews.past_due, reviews.soon, reviews.today, reviews.later, reviews.undated) == (1, 1, 0, 0, 0)
    assert reviews.first_due_at == flow.clock()
    assert (seniors.queue, seniors.open, seniors.soon, seniors.past_due) == ("seniors", 1, 1, 0)
    cases, steps = board.clocks
    assert (cases.element, cases.open, cases.today, cases.paused) == ("", 3, 3, 0)
    assert (steps.element, steps.open, steps.past_due, steps.soon) == ("review", 3, 1, 2)


def test_a_clock_that_stands_still_is_shown_as_such_and_comes_last(flow: Flow) -> None:
    """Where the case waits, since when, and how much was left; what is due is in the order in which it is due."""
    _came(flow, "A", "B", "C")
    flow.clock.advance(hours=1)
    flow.decide("B", outcome="return", rationale="a paper is missing")
    flow.sweep()
    with flow.engine.connect() as connection:
        (a, c, b) = promises.clocks(connection, "flow", "", None, 10)
        assert [a.case_key, c.case_key, b.case_key] == ["A", "C", "B"]
        assert (b.status, b.due_at, b.paused_in, b.left_s) == ("paused", None, "documents", 23 * 3_600)
        assert b.paused_at == flow.clock()
        pages = [
            promises.clocks(connection, "flow", "", after, 1) for after in (None, (a.due_at, a.id), (c.due_at, c.id))
        ]
        assert [clock.case_key for page in pages for clock in page] == ["A", "C", "B"]
        assert promises.clocks(connection, "flow", "", (None, b.id), 1) == []
        assert promises.board(connection, flow.clock()).clocks[0].paused == 1


def test_promises_count_on_the_day_on_which_they_end(flow: Flow) -> None:
    """Kept or broken; one that is broken and runs still counts on the day on which it was broken."""
    flow.clock.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    _came(flow, "A", "B", "C")
    flow.clock.advance(hours=1)
    flow.decide("A")
    flow.sweep()
    flow.clock.advance(hours=4)  # the reviews of B and C are broken
    flow.sweep()
    flow.clock.advance(days=1)
    flow.decide("B")
    flow.sweep()
    with flow.engine.connect() as connection:
        board = promises.board(connection, flow.clock(), 3)
    assert list(board.days) == [
        KeptDay(date(2026, 3, 1), 0, 0),
        KeptDay(date(2026, 3, 2), 3, 1),  # A's two were kept, C's review was broken
        KeptDay(date(2026, 3, 3), 3, 3),  # B's two, and C's case
    ]
    assert list(board.steps) == [KeptStep("flow", "", 3, 2), KeptStep("flow", "review", 3, 2)]


def test_people_are_seen_with_what_they_have_and_whether_they_are_there(flow: Flow) -> None:
    """In hand of capacity, begun, stuck, past due, absent with whom; whoever is gone is seen while they have work."""
    _owner(flow, "UPDATE queue SET stuck_after = '2 hours' WHERE name = 'reviews'")
    _came(flow, "A", "B", "C")
    with flow.engine.connect() as connection:
        first = hands.pull(connection, "ann", at=flow.clock())
        people.change(connection, "ann", {"capacity": 3}, by="max", reason="new here", at=flow.clock())
        hands.reassign(connection, [first + 1], to="bob", by="max", reason="his", at=flow.clock())
        flow.clock.advance(hours=5)
        people.set_absent(
            connection,
            "bob",
            starts=flow.clock(),
            ends=flow.clock() + timedelta(days=1),
            delegate="cleo",
            reason="ill",
            by="max",
            at=flow.clock(),
        )
        everybody = load.burdens(connection, flow.clock(), "", 10)
        assert [each.person for each in everybody] == ["ann", "bob", "cleo", "max"]
        ann, bob = everybody[:2]
        assert (ann.in_hand, ann.capacity, ann.claimed, ann.stuck, ann.past_due, ann.away) == (1, 3, 1, 1, 1, None)
        assert (bob.in_hand, bob.claimed, bob.away, bob.delegate) == (1, 0, "absent", "cleo")
        assert (bob.roles, bob.skills) == (["reviewer"], [])
        assert bob.away_until == flow.clock() + timedelta(days=1)
        assert [each.person for each in load.burdens(connection, flow.clock(), "bob", 1)] == ["cleo"]
        told = oversight.needs(connection, flow.clock())
    assert (told.open_tasks, told.in_hand, told.past_due, told.due_soon, told.stuck) == (3, 2, 3, 0, 1)
    assert told.left_behind == 1


def test_tasks_are_found_by_queue_person_and_state_and_paged(flow: Flow) -> None:
    """The oldest first over all queues; a page begins behind the last task of the one before."""
    for key, amount in (("A", 50), ("S", 100), ("B", 50), ("C", 50)):
        _came(flow, key, amount=amount)
        flow.clock.advance(minutes=1)
    with flow.engine.connect() as connection:
        mine = hands.pull(connection, "ann", at=flow.clock())

        def keys(wanted: Wanted, limit: int = 10) -> list[str]:
            seen: list[str] = []
            after = None
            while page := load.tasks(connection, flow.clock(), wanted, after, limit):
                seen += [task.case_key for task in page]
                after = (page[-1].opened_at, page[-1].task)
            return seen

        assert keys(Wanted()) == keys(Wanted(), 1) == keys(Wanted(), 3) == ["A", "S", "B", "C"]
        assert keys(Wanted(queue="reviews"), 2) == ["A", "B", "C"]
        assert keys(Wanted(workflow="none")) == []
        assert keys(Wanted(person="ann"), 1) == ["A"]
        assert keys(Wanted(free=True)) == ["S", "B", "C"]
        assert keys(Wanted(element="documents")) == []
        assert keys(Wanted(past_due=True)) == []
        flow.clock.advance(hours=3, minutes=58)
        assert keys(Wanted(past_due=True)) == ["A", "S", "B"]
        _owner(flow, "UPDATE queue SET stuck_after = '1 hour'")
        assert keys(Wanted(stuck=True)) == keys(Wanted(stuck=True, person="ann")) == ["A"]
        (task,) = load.tasks(connection, flow.clock(), Wanted(person="ann"), None, 10)
        assert (task.task, task.assignee, task.stuck) == (mine, "ann", True)


def test_limits_are_shown_with_what_is_used_of_them(flow: Flow) -> None:
    """Every queue, and every step with a limit or with work; without a limit none is said."""
    _owner(flow, "UPDATE queue SET wip_limit = 2 WHERE name = 'reviews'")
    _owner(flow, "INSERT INTO station_limit VALUES ('flow', 'documents', 7)")
    _came(flow, "A", "B")
    with flow.engine.connect() as connection:
        hands.pull(connection, "ann", at=flow.clock())
        told = [limit[1:] for limit in load.limits(connection)]
    assert told == [
        ("queue", "reviews", 2, 1, 1),
        ("queue", "seniors", None, 0, 0),
        ("step", "documents", 7, 0, 0),
        ("step", "review", None, 1, 1),
    ]


def test_what_waits_for_a_manager_is_counted(flow: Flow) -> None:
    """Nothing waits of nothing; then a hold, an incident and a dead letter do, with the oldest of each."""
    with flow.engine.connect() as connection:
        assert set(oversight.needs(connection, flow.clock())) == {0, None}
        _came(flow, "A")
        holds.hold(connection, "flow", None, by="max", reason="an audit", at=flow.clock())
        connection.execute(
            "INSERT INTO incident (workflow, kind, reason, owner, opened_at) "
            "VALUES ('flow', 'no branch', '?', 'tests', %s)",
            (flow.clock(),),
        )
        told = oversight.needs(connection, flow.clock())
        assert (told.holds, told.incidents, told.oldest_incident_at, told.dead_letters) == (1, 1, flow.clock(), 0)
        holds.resume(connection, "flow", None, by="max", reason="done", at=flow.clock())
        assert oversight.needs(connection, flow.clock()).holds == 0
        ((*_, lifted_by, _, why),) = holds.lifted(connection, 10)
        assert (lifted_by, why) == ("max", "done")
