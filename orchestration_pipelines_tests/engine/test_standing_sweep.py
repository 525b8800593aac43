"""The standing sweep: what was decided is taken on the moment it is there, and whatever ends it loses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.cli.doctor import Level, standing_by
from orchestration_pipelines.engine.holds import hold, resume
from orchestration_pipelines.engine.standing_sweep import StandingSweep, wanted
from orchestration_pipelines_tests.defs.live import until
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow


class Stood:
    """A standing sweep at work in a thread."""

    def __init__(self, standing: StandingSweep, serving: Future[str]) -> None:
        self.standing, self.serving = standing, serving

    def ends(self) -> str:
        """Why it ended."""
        return self.serving.result(timeout=20)


@contextmanager
def stands(flow: Flow, seconds: float = 60.0, chunk: int = 100) -> Iterator[Stood]:
    """A standing sweep for a flow; stopped at the end."""
    with flow.engine.open_sweep("run 1", lanes=1, chunk=chunk) as sweep, ThreadPoolExecutor(1) as thread:
        standing = StandingSweep(flow.engine, sweep, until=time.monotonic() + seconds)
        serving = thread.submit(standing.serve)
        until(20, "it stands", lambda: serving.done() or any(s.id == sweep.holder for s in flow.engine.standing()))
        try:
            yield Stood(standing, serving)
        finally:
            standing.stop()


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Three cases that stand before a person."""
    made = draw(*REVIEWED)
    made.submit("A", "B", "C")
    made.sweep()
    return made


def test_a_decision_is_heard_and_taken_to_its_end(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would not look again before the test gives up; and once told to stop, it begins nothing more."""
    monkeypatch.setattr("orchestration_pipelines.engine.standing_sweep.LOOK_AGAIN_S", 30.0)
    with stands(flow) as stood:
        flow.decide("A")
        until(20, "A is done", lambda: flow.ends()["A"] == "done")
        stood.standing.stop()
        flow.decide("B")
        assert stood.ends() == "it was told to"
    assert stood.standing.errors == []
    assert stood.standing.tally().closed == {"done": 1}
    assert flow.ends() == {"A": "done", "B": None, "C": None}


def test_what_was_decided_before_it_stood_is_served(flow: Flow) -> None:
    """No notification reaches it: the state tells. What had arrived is left to the runs that come and go."""
    flow.decide("A", outcome="reject")
    flow.submit("new")
    with stands(flow):
        until(20, "A was undone and has ended", lambda: flow.ends()["A"] == "rejected")
    assert flow.standing()["new"] == ("reserve", "ready")
    assert ("A", "release", "done") in flow.effects()


def test_a_timer_that_fired_is_served_and_arrivals_are_left(flow: Flow) -> None:
    """Nobody notifies of a timer: it looks again. What arrives has runs of its own."""
    with stands(flow):
        flow.clock.advance(days=4)
        flow.submit("new")
        assert flow.engine.tick().timers == 3
        until(20, "all have run out of time", lambda: set(flow.ends().values()) == {"rejected", None})
        assert flow.standing() == {"new": ("reserve", "ready")}


def test_a_held_step_is_not_worked_until_it_is_resumed(flow: Flow) -> None:
    """A hold is respected at the next claim, as by every sweep."""
    with flow.engine.connect() as connection:
        hold(connection, flow.engine.workflow.name, "commit", by="ann", reason="count anew", at=flow.clock())
    with stands(flow):
        flow.decide("A")
        until(20, "it stands before the held step", lambda: flow.standing().get("A") == ("commit", "ready"))
        with flow.engine.connect() as connection:
            resume(connection, flow.engine.workflow.name, "commit", by="ann", reason="counted", at=flow.clock())
        until(20, "A is done", lambda: flow.ends()["A"] == "done")


def test_cases_of_an_earlier_version_are_served_too(draw: Draw, flow: Flow) -> None:
    """They finish on the drawing they began on."""
    now = draw(*REVIEWED[:-1], "timer late on review P4D -> undo_all")
    now.submit("N")
    now.sweep()
    with stands(now):
        now.decide("A")
        now.decide("N")
        until(20, "both are done", lambda: now.ends() == {"A": "done", "B": None, "C": None, "N": "done"})
    assert now.one("SELECT count(DISTINCT version_id) FROM cases") == 2


def test_it_leaves_when_its_successor_stands(flow: Flow) -> None:
    """The one that came first goes; what is decided meanwhile is served by whoever is there, once."""
    with ExitStack() as first_run:
        first = first_run.enter_context(stands(flow))
        with stands(flow) as second:
            flow.decide("A")
            assert first.ends() == "its successor stands"
            first_run.close()
            assert len(flow.engine.standing()) == 1
            flow.decide("B")
            until(20, "both are done", lambda: {flow.ends()[key] for key in "AB"} == {"done"})
            assert not second.serving.done()
    assert flow.engine.standing() == []
    assert sorted(flow.effects()) == sorted(set(flow.effects()))


def test_its_time_ends(flow: Flow) -> None:
    """A process is not kept for ever."""
    with stands(flow, seconds=0) as stood:
        assert stood.ends() == "its time is over"


def test_a_lost_database_ends_it_and_the_next_goes_on(flow: Flow) -> None:
    """Its lock is gone with its connection, so that it stands no longer; what it held is the next one's."""
    flow.script["commit"] = lambda case, bank: _cut(flow)
    with stands(flow) as stood:
        flow.decide("A")
        with pytest.raises(psycopg.OperationalError):
            stood.ends()
    assert flow.engine.standing() == []
    del flow.script["commit"]
    flow.clock.advance(minutes=5)
    with stands(flow):
        flow.engine.dispatch()  # wakes what is to be retried
        until(20, "A is done", lambda: flow.ends()["A"] == "done")
    assert [status for key, element, status in flow.effects() if (key, element) == ("A", "commit")] == ["done"]


def _cut(flow: Flow) -> dict[str, Any]:
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    raise ConnectionError("the bank went with it")


def test_a_stop_finishes_the_chunk_at_hand(flow: Flow) -> None:
    """A cancelled run leaves nothing half done."""
    entered, go_on = threading.Event(), threading.Event()

    def commit(case: Any, bank: Any) -> dict[str, str]:
        entered.set()
        assert go_on.wait(20)
        return {"receipt": bank.put(case.idempotency_key)}

    flow.script["commit"] = commit
    with stands(flow) as stood:
        flow.decide("A")
        assert entered.wait(20)
        stood.standing.stop()
        go_on.set()
        assert stood.ends() == "it was told to"
    assert flow.ends()["A"] == "done"


def test_after_a_failure_its_tools_are_opened_anew(draw: Draw) -> None:
    """A tool whose connection broke would fail every case of a process that lives for half an hour."""
    workers = WORKERS.replace(
        'TOOLS = {"bank": lambda: BANK', 'OPENED = []\nTOOLS = {"bank": lambda: OPENED.append(1) or BANK'
    )
    flow = draw(*REVIEWED, workers=workers)
    opened = flow.engine.workflow.package.OPENED
    flow.submit("A", "B")
    flow.sweep()
    flow.script["commit"] = lambda case, bank: 1 / 0
    with stands(flow):
        flow.decide("A")
        until(20, "A is to be tried again", lambda: flow.standing()["A"] == ("commit", "backoff"))
        before = len(opened)
        del flow.script["commit"]
        flow.decide("B")
        until(20, "B is done", lambda: flow.ends()["B"] == "done")
    assert len(opened) == before + 1


def test_an_idle_one_holds_two_connections_and_no_transaction(flow: Flow) -> None:
    """It may stand by for days."""
    before = flow.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with stands(flow):
        flow.decide("A")
        until(20, "A is done", lambda: flow.ends()["A"] == "done")
        after = flow.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert after - before <= 2
        until(10, "no transaction is open", lambda: flow.one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()") == 0)  # fmt: skip


@pytest.mark.parametrize(("written", "on"), [(None, True), ("", True), ("on", True), ("off", False)])
def test_one_setting_switches_it_off(written: str | None, on: bool) -> None:
    """On where nothing is said."""
    assert wanted({} if written is None else {"ORCHESTRATION_STANDING_SWEEP": written}) is on


def test_a_setting_that_says_neither_is_refused() -> None:
    """ "false" would be taken for on."""
    with pytest.raises(ValueError, match="set it to on or off"):
        wanted({"ORCHESTRATION_STANDING_SWEEP": "false"})


def test_doctor_says_for_which_workflow_nobody_stands_by(flow: Flow) -> None:
    """Where cases are open; and that it is off, where it is."""
    with flow.engine.connect() as connection:
        missing = standing_by(connection, {})
        assert (missing.level, missing.state) == (Level.WARN, "nobody stands by for flow")
        assert standing_by(connection, {"ORCHESTRATION_STANDING_SWEEP": "off"}).level is Level.OK
        assert standing_by(connection, {"ORCHESTRATION_STANDING_SWEEP": "no"}).level is Level.BAD
        with stands(flow):
            assert standing_by(connection, {}).level is Level.OK
            flow.clock.advance(days=4)
            flow.engine.tick()
            until(20, "all have run out of time", lambda: set(flow.ends().values()) == {"rejected"})
        assert standing_by(connection, {}).state == "decisions take effect at once", "no case is open"
