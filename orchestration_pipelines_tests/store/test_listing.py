"""One queue's tasks page by page: nothing twice, nothing left out, and each page costs what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from orchestration_pipelines.store import backlog, listing, worklist
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.listing import ORDERS, Place, Wanted
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.store.test_plans import Recording
from orchestration_pipelines_tests.trials import lists
from orchestration_pipelines_tests.trials.lists import NOW

COUNT = 12_000  #: open tasks, nine in ten of them in one queue; many were opened at one instant
_VALUES = {name: order.value for name, order in ORDERS.items()}


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, migrated: str) -> Iterator[str]:
    """A database with the tasks of the trial, analysed."""
    name = sql.Identifier(f"lists_{uuid4().hex[:8]}")
    with psycopg.connect(server.url("postgres"), autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(migrated)))
        url = server.url(name.as_string().strip('"'))
        lists.load(url, COUNT)
        yield url
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def owner(loaded: str) -> Iterator[psycopg.Connection]:
    """The owner, who may drop an index; whatever a test does is rolled back."""
    with connect(loaded, role=None, autocommit=False) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def whole(owner: psycopg.Connection) -> Wanted:
    """All of the big queue."""
    return Wanted("flow", "big", backlog.lanes(owner, "flow", "big", None, None))


def paged(connection: psycopg.Connection, wanted: Wanted, order: str, few: bool, size: int) -> list[Place]:
    """All pages, one after the other."""
    read: list[Place] = []
    while True:
        page = listing.page(connection, wanted, order, read[-1] if read else None, few=few, size=size)
        read += page[:size]
        if len(page) <= size:
            return read


def sorted_at_once(connection: psycopg.Connection, wanted: Wanted, order: str, also: str = "true") -> list[int]:
    """The same, by one plain statement."""
    rows = connection.execute(
        f"SELECT t.id FROM review_task t JOIN cases c ON c.id = t.case_id WHERE t.workflow = %s AND t.queue = %s "
        f"AND t.lane = ANY (%s) AND t.ended_at IS NULL AND {also} ORDER BY {_VALUES[order]}, t.id".encode(),
        (wanted.workflow, wanted.queue, list(wanted.lanes)),
    )
    return [row[0] for row in rows]


FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "true"),
    "a step": ({"step": "second_look"}, "t.element = 'second_look'"),
    "a state": ({"status": "claimed"}, "t.status = 'claimed'"),
    "a priority": ({"priority": 3}, "t.priority = 3"),
    "past due": ({"due_before": NOW}, "t.due_at < '2026-03-02 09:00+00'"),
    "all at once": (
        {"step": "second_look", "status": "open", "priority": 2, "due_before": NOW},
        "t.element = 'second_look' AND t.status = 'open' AND t.priority = 2 AND t.due_at < '2026-03-02 09:00+00'",
    ),
}


@pytest.mark.parametrize("few", [True, False], ids=["gathered", "walked"])
@pytest.mark.parametrize("order", ORDERS)
def test_pages_together_are_the_whole_list_in_order(
    owner: psycopg.Connection, whole: Wanted, order: str, few: bool
) -> None:
    """Whatever is asked, and both ways: nothing twice, nothing left out, though many have one and the same instant."""
    for asked, also in FILTERS.values():
        size = 700 if few or not asked else 211
        read = paged(owner, whole._replace(**asked), order, few, size)
        assert [place.task for place in read] == sorted_at_once(owner, whole, order, also)


def test_what_has_no_deadline_comes_last(owner: psycopg.Connection, whole: Wanted) -> None:
    """In order of deadlines; and one goes on behind it, too."""
    owner.execute("UPDATE review_task SET due_at = NULL WHERE id % 100 = 1")
    one_lane = whole._replace(lanes=whole.lanes[:1])
    read = paged(owner, one_lane, "due", False, 50)
    assert [place.task for place in read] == sorted_at_once(owner, one_lane, "due")
    assert read[-1].value == "infinity"


def test_lanes_are_all_that_is_shown(owner: psycopg.Connection, whole: Wanted) -> None:
    """A queue's other lanes are in no page, whoever has their tasks in hand."""
    one_lane = whole._replace(lanes=whole.lanes[:1])
    for order in ORDERS:
        for few in (True, False):
            tasks = [place.task for place in paged(owner, one_lane, order, few, 500)]
            assert tasks == sorted_at_once(owner, one_lane, order)
    assert listing.page(owner, whole._replace(lanes=[]), "order") == []


def test_a_list_by_the_beginning_of_keys_is_in_their_order(owner: psycopg.Connection, whole: Wanted) -> None:
    """What begins so and nothing else, page by page; a percent sign is a percent sign."""
    for few in (True, False):
        read = paged(owner, whole._replace(prefix="C-0001"), "age", few, 30)
        assert [place.task for place in read] == sorted_at_once(owner, whole, "key", "c.case_key LIKE 'C-0001%%'")
        assert len(read) > 60
        assert listing.page(owner, whole._replace(prefix="C%"), "key", few=few) == []


class Walk:
    """A page as it is sent, and how many pages of the database it touches."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def touched(self, wanted: Wanted, order: str, after: Place | None = None) -> int:
        """Database pages, counted while it runs."""
        Recording.asked = []
        self.connection.cursor_factory = Recording
        try:
            found = listing.page(self.connection, wanted, order, after)
        finally:
            self.connection.cursor_factory = psycopg.Cursor
        assert len(found) == listing.PAGE + 1
        ((statement, parameters),) = Recording.asked
        explained = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement
        row = self.connection.execute(explained, parameters).fetchone()
        assert row is not None
        plan = row[0][0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


#: the index that an order is walked along, and what a page may touch: lanes are merged, cases asked for their tasks
WALKED = {
    "order": ("DROP INDEX review_task_pull", 2_000),
    "age": ("DROP INDEX review_task_open", 250),
    "due": ("DROP INDEX review_task_due", 250),
    "key": ("ALTER TABLE review_task DROP CONSTRAINT review_task_case_id_visit_signature_key", 1_200),
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_touches_what_it_shows_the_last_as_the_first(
    owner: psycopg.Connection, whole: Wanted, order: str
) -> None:
    """Some database pages for a line, however many tasks wait; without its index there are several times as many."""
    index, most = WALKED[order]
    walk = Walk(owner)
    first = listing.page(owner, whole, order, size=5_000)
    assert walk.touched(whole, order) < most
    assert walk.touched(whole, order, first[-1]) < most
    owner.execute(index.encode())
    assert walk.touched(whole, order, first[-1]) > min(2 * most, 2_100)


def test_lines_say_how_a_task_stands(owner: psycopg.Connection, whole: Wanted) -> None:
    """In the order asked; what has ended meanwhile is left out; claimed without work on it is paused."""
    tasks = [place.task for place in listing.page(owner, whole, "age", size=5)]
    lines = worklist.lines(owner, [*reversed(tasks), -1])
    assert [line.task for line in lines] == list(reversed(tasks))
    assert {line.status for line in lines} == {"paused"}  # made up as claimed, without touch
    owner.execute("UPDATE review_task SET status = 'cancelled', ended_at = %s WHERE id = %s", (NOW, tasks[0]))
    assert len(worklist.lines(owner, tasks)) == len(tasks) - 1
    assert worklist.lines(owner, tasks)[0].mark == lines[-2].mark


def test_a_line_is_near_its_deadline_when_a_fifth_of_its_time_is_left() -> None:
    """Of the time that it was given; without a deadline it never is."""
    fields: dict[str, Any] = dict.fromkeys(worklist.Line._fields)
    opened, due = datetime.fromisoformat("2026-03-02T09:00Z"), datetime.fromisoformat("2026-03-02T19:00Z")
    line = worklist.Line(**fields | {"opened_at": opened, "due_at": due})
    assert line.soon_at == datetime.fromisoformat("2026-03-02T17:00Z")
    assert line._replace(due_at=None).soon_at is None
    assert line._replace(due_at=opened, opened_at=due).soon_at == opened
