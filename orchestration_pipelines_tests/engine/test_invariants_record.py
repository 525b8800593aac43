"""Invariants H12 to H20 (docs/invariants.md): nothing orphaned, doubled, pretended or held open; and the page."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from orchestration_pipelines.engine import dead_letters, reviews
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, STRAIGHT, Flow

ROOT = Path(__file__).parents[2]
NUMBERED = tuple(range(1, 21))


def replaced(old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in REVIEWED]


def test_h12_a_task_that_nobody_may_do_is_an_alarm_and_goes_to_the_fallback_queue(draw: Draw) -> None:
    """Too few people for its signatures, the requester not counted: an incident, at once, never a silence."""
    two = replaced("orch:queue=reviews", "orch:queue=seniors orch:signatures=2")
    flow = draw(*two)
    flow.submit("A")
    flow.sweep()
    ((_, element, kind, reason),) = flow.incidents()
    assert (element, kind) == ("review", "nobody may decide")
    assert reason.startswith("2 tasks in the queue seniors need 2 people and 1 may decide them")


def test_h12_the_requester_does_not_count_and_the_fallback_queue_takes_over(draw: Draw) -> None:
    """The only senior submitted the case: her task goes where somebody else may do it."""
    falling = replaced("orch:queue=reviews", "'orch:queue==\"seniors\"' orch:fallbackQueue=reviews")
    flow = draw(*falling)
    flow.submit("A", by="cleo")
    flow.submit("B")
    flow.sweep()
    ((key, _, kind, reason),) = flow.incidents()
    assert (key, kind) == ("A", "nobody may decide")
    assert reason.endswith("they are in reviews now")
    assert flow.rows("SELECT c.case_key, t.queue FROM review_task t JOIN cases c ON c.id = t.case_id ORDER BY 1") == [
        ("A", "reviews"),
        ("B", "seniors"),
    ]
    flow.decide("A", "ann")
    flow.sweep()
    assert flow.ends()["A"] == "done"


def test_h15_offering_the_same_item_twice_makes_one_case(draw: Draw) -> None:
    """In one batch, in another, in another form of the same value; racing submitters: test_intake.py."""
    flow = draw(*STRAIGHT)
    came = [flow.submit("A", "A"), flow.submit("A"), flow.submit("A", amount="50.0")]
    assert [(one.accepted, one.duplicates) for one in came] == [(1, 1), (0, 1), (0, 1)]
    flow.sweep()
    assert flow.rows("SELECT count(*) FROM cases") == [(1,)]
    assert len(flow.bank.kept) == 1


def test_h17_the_record_of_an_act_that_failed_never_says_that_it_succeeded(draw: Draw) -> None:
    """Act and record are one transaction: refused decision, failed worker, refused advance leave no such entry."""
    flow = draw(*REVIEWED)
    flow.submit("A", "B")
    refuse_letters_of(flow, "B")
    flow.script["reserve"] = lambda case, bank: 1 / 0 if case.key == "B" else {"receipt": "R"}
    for _ in range(4):
        flow.engine.sweep()
        flow.clock.advance(minutes=5)
    with flow.engine.connect() as connection:
        (task,) = reviews.open_tasks(connection)
        with pytest.raises(reviews.Refused):
            reviews.decide(connection, task.task, person="broker", seen=task.digest, outcome="approve")
    acts = "SELECT act FROM audit_trail t JOIN cases c ON c.id = t.case_id WHERE c.case_key = %s ORDER BY seq"
    assert flow.rows(acts, "A") == [("submitted",), ("completed",)]
    assert flow.rows(acts, "B") == [("submitted",), ("failed",), ("failed",)]  # the third could not be written
    assert flow.letters() == {}
    assert (
        flow.rows("SELECT status, attempt FROM token JOIN cases ON id = case_id WHERE case_key = 'B'")[0][0] == "ready"
    )


def refuse_letters_of(flow: Flow, key: str) -> None:
    """The database refuses the dead letter of one case: neither it nor anything that goes with it is written."""
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(f"ALTER TABLE dead_letter ADD CHECK (case_id <> {case_id(flow, key)})")


def case_id(flow: Flow, key: str) -> int:
    return int(flow.one("SELECT id FROM cases WHERE case_key = %s", key))


def test_h18_replay_and_abandonment_are_one_recorded_act_with_a_reason(draw: Draw) -> None:
    """No reason, no act; a second act on a letter is refused and told what became of it; both are in the record."""
    flow = draw(*STRAIGHT)
    keys: list[str] = []

    def reserve(case: object, bank: object) -> None:
        keys.append(case.idempotency_key)  # type: ignore[attr-defined]
        raise OSError("gone")

    flow.script["reserve"] = reserve
    flow.submit("A", "B")
    for _ in range(4):
        flow.sweep()
        flow.clock.advance(minutes=5)
    with flow.engine.connect() as connection:
        first, second = dead_letters.listed(connection)
        with pytest.raises(dead_letters.Refused, match="a reason is needed"):
            dead_letters.replay(connection, first.id, by="olga", reason=" ", at=flow.clock())
        assert len(dead_letters.listed(connection)) == 2
        dead_letters.replay(connection, first.id, by="olga", reason="the line is back", at=flow.clock())
        dead_letters.abandon(connection, second.id, by="olga", reason="withdrawn", at=flow.clock())
        for act in (dead_letters.replay, dead_letters.abandon):
            with pytest.raises(dead_letters.Refused, match="was replayed by olga: the line is back"):
                act(connection, first.id, by="otto", reason="me too", at=flow.clock())
    del flow.script["reserve"]
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": "cancelled"}
    assert flow.bank.kept.keys() == {keys[0]}  # the same visit, the same key
    assert flow.rows("SELECT act, actor, b ->> 'reason' FROM audit_trail WHERE role = 'operator' ORDER BY case_id") == [
        ("replayed", "olga", "the line is back"),
        ("abandoned", "olga", "withdrawn"),
    ]


def test_h20_a_wait_of_days_holds_nothing_open(draw: Draw) -> None:
    """No connection, lock, transaction, lease or thread is left behind while a person is asked."""
    flow = draw(*REVIEWED)
    before = set(threading.enumerate())
    flow.submit("A", "B")
    flow.sweep()
    assert set(flow.standing().values()) == {("review", "waiting")}
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    eventually(lambda: flow.one(f"SELECT count(*) {others}") == 0)
    eventually(lambda: set(threading.enumerate()) <= before)
    assert (
        flow.one(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        == 0
    )
    assert flow.one("SELECT count(*) FROM pg_prepared_xacts") == 0
    assert flow.one("SELECT count(*) FROM token WHERE holder IS NOT NULL OR lease_until IS NOT NULL") == 0
    assert flow.one("SELECT count(*) FROM sweeper WHERE ended_at IS NULL") == 0


def eventually(holds: Callable[[], bool]) -> None:
    """A server process, or a thread, ends a moment after its last act: within five seconds."""
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_every_invariant_on_the_page_has_a_test_of_its_number() -> None:
    """docs/invariants.md names each number, and the tests that it names are there."""
    rows = re.findall(r"^\| H(\d+) \|.*\| (`[^|]+`) \|$", (ROOT / "docs/invariants.md").read_text(), re.M)
    assert tuple(int(number) for number, _ in rows) == NUMBERED
    for number, named in rows:
        tests = re.findall(r"`([\w/.]+)::(test_\w+)`", named)
        assert len(tests) == named.count("::") > 0
        for place, test in tests:
            assert test.startswith(f"test_h{int(number):02}_")
            assert f"def {test}(" in (ROOT / "orchestration_pipelines_tests" / place).read_text()
