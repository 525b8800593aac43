"""Pages that are open are told within a second: over real sockets, and in two real browsers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from orchestration_pipelines.console import live
from orchestration_pipelines.console.viewer import COOKIE
from orchestration_pipelines.engine import access, hands, worklist
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.store import worklist as table
from orchestration_pipelines_tests.console.conftest import SignedIn, Window, session_of
from orchestration_pipelines_tests.engine.flow import Flow

#: what the issue asks
_AT_ONCE_MS = 1_000
_THE_WATCH = """
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND (query LIKE '%left(md5(%' OR query LIKE 'SELECT coalesce(max(id)%' OR query LIKE 'LISTEN %')
"""
#: a busy machine may be slow to start a stream; nothing is measured by it
_PATIENCE_S = 12.0  # less than a heartbeat


@pytest.fixture
def tasks(flow: Flow) -> list[int]:
    """Three cases wait: the numbers of their tasks, in order of their keys."""
    flow.submit("A", "B", "C")
    flow.sweep()
    return [row[0] for row in flow.rows("SELECT id FROM review_task ORDER BY id")]


def marks(desk: Desk, tasks: list[int]) -> str:
    """What a page that shows these tasks says of them."""
    with desk.connection() as connection:
        return ",".join(f"{line.task}.{line.mark}" for line in table.lines(connection, tasks))


class Stream:
    """The events that one page is told."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def any(self) -> tuple[str, Any]:
        """The next event: its name and data."""
        for line in self._lines:
            if line.startswith("event: "):
                return line.removeprefix("event: "), json.loads(next(self._lines).removeprefix("data: "))
        raise AssertionError("the stream ended")

    def next(self, name: str) -> Any:
        """The data of the next event of this name."""
        while True:
            event, data = self.any()
            if event == name:
                return data

    def rest(self) -> list[str]:
        """Everything up to its end."""
        return [line for line in self._lines if line]


@contextmanager
def opened(served: str, token: str, shown: str = "") -> Iterator[Stream]:
    """A stream that has begun."""
    headers = {"cookie": f"{COOKIE}={token}"}
    with httpx.stream("GET", f"{served}/live", params={"tasks": shown}, headers=headers, timeout=_PATIENCE_S) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        stream = Stream(lines)
        assert stream.any() == ("begun", True)
        yield stream


def pull(desk: Desk, person: str) -> int:
    """Somebody takes the next task, elsewhere."""
    with desk.connection() as connection:
        return hands.pull(connection, person, at=desk.clock())


def test_h10_a_page_is_told_who_took_what_it_shows(served: str, desk: Desk, tasks: list[int]) -> None:
    """In words, within a second of the act; and to whoever took it that it is theirs."""
    with opened(served, session_of(desk, "ann"), marks(desk, tasks)) as ann:
        begun = time.monotonic()
        assert pull(desk, "bob") == tasks[0]
        told = ann.next("tasks")
        assert time.monotonic() - begun < _AT_ONCE_MS / 1_000
        assert [(one["task"], one["words"], one["yours"]) for one in told] == [(tasks[0], "taken by bob", False)]
        assert ann.next("lists") is True
        assert pull(desk, "ann") == tasks[1]
        assert ann.next("tasks") == [
            {
                "task": tasks[1],
                "mark": told_mark(desk, tasks[1]),
                "status": "claimed",
                "yours": True,
                "words": "taken by you",
            }
        ]


def told_mark(desk: Desk, task: int) -> str:
    return marks(desk, [task]).rpartition(".")[2]


def test_what_changed_before_the_stream_began_is_told_at_once(served: str, desk: Desk, tasks: list[int]) -> None:
    """Between a page and its stream nothing is lost: the page says under which marks it shows its tasks."""
    shown = marks(desk, tasks)
    pull(desk, "bob")
    with opened(served, session_of(desk, "ann"), shown) as ann:
        assert [one["words"] for one in ann.next("tasks")] == ["taken by bob"]


def test_h16_a_signature_is_told_and_not_what_it_says(served: str, desk: Desk, flow: Flow, tasks: list[int]) -> None:
    """That bob signed is told, though no notice is given of it before all have; what he chose is nowhere in it."""
    with opened(served, session_of(desk, "ann"), marks(desk, tasks)) as ann:
        flow.decide("A", by="bob", outcome="reject", rationale="too dear")
        told = ann.next("tasks")
        assert [(one["task"], one["status"], one["words"]) for one in told] == [(tasks[0], "signed", "signed by bob")]
        assert "reject" not in json.dumps(told)
        assert "dear" not in json.dumps(told)


def test_a_case_that_changes_in_the_same_hands_is_told_as_such(served: str, desk: Desk, tasks: list[int]) -> None:
    """Somebody edited it: whoever shows it shows what no longer holds."""
    with opened(served, session_of(desk, "ann"), marks(desk, tasks)) as ann:
        pull(desk, "bob")
        ann.next("tasks")
        with psycopg.connect(desk.url, autocommit=True) as owner:
            owner.execute("UPDATE review_task SET digest = 'another' WHERE id = %s", (tasks[0],))
        assert [(one["task"], one["words"]) for one in ann.next("tasks")] == [(tasks[0], "the case has changed")]


def test_what_ends_without_a_person_is_told(served: str, desk: Desk, flow: Flow, tasks: list[int]) -> None:
    """A deadline that ran out gives no notice: it is seen at the next look."""
    with opened(served, session_of(desk, "ann"), marks(desk, tasks)) as ann:
        flow.clock.advance(days=4)
        flow.sweep()
        assert {one["words"] for one in ann.next("tasks")} == {"no longer waits"}


def test_new_work_is_told_to_lists(served: str, desk: Desk, flow: Flow, tasks: list[int]) -> None:
    """A task that was just opened is in nobody's page: lists are asked for again."""
    with opened(served, session_of(desk, "ann"), "") as ann:
        deadline = time.monotonic() + _PATIENCE_S
        while desk.watch._newest < 0 and time.monotonic() < deadline:  # the watch has looked once
            time.sleep(0.01)
        flow.submit("D")
        flow.sweep()
        assert ann.next("lists") is True


def test_nothing_is_told_of_what_somebody_does_not_see(
    served: str, desk: Desk, flow: Flow, signed_in: SignedIn, tasks: list[int]
) -> None:
    """A task of a queue that is not theirs, and an auditor's own stream, which sees all; an admin has none at all."""
    with desk.connection() as connection:
        assert {may.allowed for may in worklist.may_see(connection, "ada", tasks).values()} == {False}
    assert signed_in("ada").get("/live").status_code == 403
    with flow.engine.connect() as connection:
        connection.execute("UPDATE review_task SET queue = 'seniors'")
    shown = marks(desk, tasks)
    with opened(served, session_of(desk, "ann"), shown) as ann, opened(served, session_of(desk, "abel"), shown) as abel:
        pull(desk, "cleo")
        assert [one["words"] for one in abel.next("tasks")] == ["taken by cleo"]
        assert ann.any() == ("lists", True)  # that something moved, and nothing else


def test_a_stream_needs_a_session_and_ends_with_it(
    served: str, desk: Desk, tasks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is put out is told nothing more: the stream asks for the session again while it lasts."""
    assert httpx.get(f"{served}/live", headers={"sec-fetch-mode": "cors"}).status_code == 401
    monkeypatch.setattr(live, "_HEARTBEAT_S", 0.2)
    token = session_of(desk, "ann")
    with opened(served, token, marks(desk, tasks)) as ann:
        with desk.connection() as connection:
            access.end_sessions(connection, "ann", by="ann", address="test", at=desk.clock())
        assert "event: tasks" not in ann.rest()


def test_streams_take_no_connection_and_are_limited(served: str, desk: Desk, tasks: list[int]) -> None:
    """Twenty of one person beside a pool of four connections and the watch's; the twenty-first is told to wait."""
    token, shown = session_of(desk, "ann"), marks(desk, tasks)
    streams = [opened(served, token, shown) for _ in range(live.STREAMS)]
    read = [stream.__enter__() for stream in streams]
    try:
        refused = httpx.get(f"{served}/live", headers={"cookie": f"{COOKIE}={token}"})
        assert refused.status_code == 429
        assert httpx.get(f"{served}/work", headers={"cookie": f"{COOKIE}={token}"}).status_code == 200
        pull(desk, "bob")
        assert [one.next("tasks")[0]["words"] for one in read] == ["taken by bob"] * live.STREAMS
        with psycopg.connect(desk.url, autocommit=True) as owner:
            assert owner.execute(f"SELECT count(*) {_THE_WATCH}".encode()).fetchone() == (1,)
            others = owner.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchone()
        assert others is not None
        assert others[0] <= 4 + 1 + 1  # the pool, the watch, and whoever counts
    finally:
        for stream in streams:
            stream.__exit__(None, None, None)
    watched(desk, 0)  # a page that is left is forgotten at once, not at the next sign of life
    with opened(served, token, shown):
        watched(desk, 1)


def test_streams_end_when_the_desk_closes(served: str, desk: Desk, tasks: list[int]) -> None:
    """A server that stops does not wait for pages that are open."""
    with opened(served, session_of(desk, "ann"), marks(desk, tasks)) as ann:
        begun = time.monotonic()
        desk.watch.close()
        assert "event: tasks" not in ann.rest()
        assert time.monotonic() - begun < _PATIENCE_S / 2


def test_the_watch_takes_another_connection_when_it_lost_its_own(served: str, desk: Desk, tasks: list[int]) -> None:
    """A database that restarts, or somebody who ends the session: what moved meanwhile is told then."""
    with opened(served, session_of(desk, "ann"), marks(desk, tasks)) as ann:
        pull(desk, "bob")
        ann.next("tasks")
        with psycopg.connect(desk.url, autocommit=True) as owner:
            owner.execute(f"SELECT pg_terminate_backend(pid) {_THE_WATCH}".encode())
        pull(desk, "bob")
        assert [one["task"] for one in ann.next("tasks")] == [tasks[1]]


# ---------------------------------------------------------------- in a browser
def test_h10_a_task_that_another_takes_leaves_the_list_within_a_second(
    window: Window, desk: Desk, tasks: list[int]
) -> None:
    """On ann's page the line says who took it, its button is off, and the line goes when she is not in the list."""
    ann, bob = window("ann"), window("bob")
    ann.clock.install()
    ann.goto("/work")
    bob.goto("/work")
    line = ann.locator(f"#task-{tasks[0]}")
    expect(line.get_by_role("button", name="Take")).to_be_enabled()
    watched(desk, 2)
    with bob.expect_response("**/work/next"):  # from here on a second is counted
        bob.keyboard.press("n")
    expect(line.locator(".state")).to_have_text("taken by bob", timeout=_AT_ONCE_MS)
    expect(line.get_by_role("button")).to_have_count(0)
    expect(ann.locator("#said")).to_have_text("A: taken by bob")
    ann.clock.fast_forward(10_000)  # time for a line to fade, twice
    expect(line).to_have_count(0)
    expect(ann.locator(f"#task-{tasks[1]}")).to_be_visible()


def watched(desk: Desk, pages: int) -> None:
    """Wait until just so many pages have their streams."""
    deadline = time.monotonic() + _PATIENCE_S
    while len(desk.watch._pages) != pages:
        assert time.monotonic() < deadline, f"{len(desk.watch._pages)} streams, not {pages}"
        time.sleep(0.02)


def test_a_list_that_somebody_is_in_does_not_move(window: Window, desk: Desk, flow: Flow, tasks: list[int]) -> None:
    """While ann is at a line, one that went stays, marked; the focus stays where it is; what is new comes later."""
    ann = window("ann")
    ann.clock.install()
    ann.goto("/queues/flow/reviews")
    for _ in range(2):
        ann.keyboard.press("j")
    focused = ann.locator(f"#task-{tasks[1]} .open")
    expect(focused).to_be_focused()
    before = focused.bounding_box()
    watched(desk, 1)
    flow.decide("A", by="bob")
    gone = ann.locator(f"#task-{tasks[0]}.gone")
    expect(gone).to_contain_text("signed by bob", timeout=_AT_ONCE_MS + 500)
    flow.submit("D")
    flow.sweep()
    expect(ann.locator("#said")).to_contain_text("There is more", timeout=10_000)
    ann.clock.fast_forward(10_000)  # a line would have faded, were she not in the list
    expect(gone).to_have_count(1)
    expect(focused).to_be_focused()
    assert focused.bounding_box() == before
    ann.get_by_label("Find a case by its key").focus()
    ann.mouse.move(5, 5)
    ann.clock.fast_forward(10_000)
    expect(ann.locator("[data-list] tr.gone")).to_have_count(0)


def test_h10_two_people_at_one_task_know_of_one_another(window: Window, desk: Desk, tasks: list[int]) -> None:
    """bob takes the task that ann reads: her page says so within a second, and what she typed is still there."""
    ann, bob = window("ann"), window("bob")
    ann.goto(f"/tasks/{tasks[0]}")
    ann.locator("#rationale").fill("half a sentence")
    bob.goto("/queues/flow/reviews")
    watched(desk, 2)
    bob.locator(f"#task-{tasks[0]}").get_by_role("button", name="Take").click()
    told = ann.get_by_role("alert").filter(has_text="This task is taken by bob.")
    expect(told).to_be_visible(timeout=_AT_ONCE_MS)
    expect(ann.locator("#rationale")).to_have_value("half a sentence")
    told.get_by_role("link", name="Show it as it is now").click()
    expect(ann.locator("main")).not_to_contain_text("out of date")
