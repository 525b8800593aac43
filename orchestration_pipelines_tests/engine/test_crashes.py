"""Processes end in the middle of work: the rows say what goes on, and a case that kills ends as a dead letter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine import failpoint
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.sweep import LEASE_S
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import cases, schema, urls
from orchestration_pipelines.store.connection import _SWEEPER, connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, STRAIGHT, WORKERS, Flow

#: an outside system that outlives the process: a folder, a file for each key
LASTING_BANK = """
import os, pathlib
KEPT = pathlib.Path({folder!r})
def put(key):
    KEPT.mkdir(exist_ok=True)
    (KEPT / key).touch()
    return key
package.SCRIPT["reserve"] = package.SCRIPT["commit"] = lambda case, bank: {{"receipt": put(case.idempotency_key)}}
package.SCRIPT["release"] = lambda case, bank: put(case.idempotency_key) and None
"""


class Process:
    """Sweeps of one flow in processes of their own."""

    def __init__(self, flow: Flow, place: Path, script: str) -> None:
        self.flow, self.kept = flow, place / "kept"
        self.script = place / "script.py"
        self.script.write_text(LASTING_BANK.format(folder=str(self.kept)) + script)

    def sweep(self, failpoint: str = "") -> int:
        """The exit code of a sweep; negative is the signal that ended it."""
        engine = self.flow.engine
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "orchestration_pipelines_tests.engine.sweeping",
                engine.url,
                str(engine.workflow.folder),
                str(self.script),
                self.flow.clock().isoformat(),
            ],
            env={**os.environ, "ORCHESTRATION_FAILPOINT": failpoint},
            cwd=Path(__file__).parents[2],
            timeout=60,
            check=False,
        )
        return ran.returncode


def test_a_case_that_kills_its_process_ends_as_a_dead_letter_and_the_others_finish(draw: Draw, tmp_path: Path) -> None:
    """Twice with others, three times alone, then never again; by then everybody else is done, each once."""
    flow = draw(*STRAIGHT)
    flow.submit("A", "killer", "B", "C")
    process = Process(
        flow,
        tmp_path,
        "def check(case):\n"
        "    if case.key == 'killer':\n"
        "        os.kill(os.getpid(), 9) if case.attempt % 2 else os._exit(7)\n"
        "package.SCRIPT['check'] = check\n",
    )
    assert [process.sweep() for _ in range(6)] == [-signal.SIGKILL, 7, -signal.SIGKILL, 7, -signal.SIGKILL, 0]
    assert flow.ends() == {"A": "done", "B": "done", "C": "done", "killer": None}
    assert flow.letters() == {"killer": "the process ended 5 times while it worked on this case"}
    assert len(list(process.kept.iterdir())) == 3


@pytest.mark.parametrize("window", failpoint.WINDOWS)
def test_killed_in_each_window_nothing_is_lost_or_doubled(draw: Draw, tmp_path: Path, window: str) -> None:
    """Each of the five windows is really reached by a flow with review and compensation; the next sweep finishes."""
    flow = draw(*REVIEWED)
    flow.submit("approved", "rejected")
    process = Process(flow, tmp_path, "")
    kills = [process.sweep(f"{window}:1")] if window in ("claimed", "effect-done", "mid-advance") else []
    assert process.sweep() == 0
    flow.decide("approved")
    flow.decide("rejected", outcome="reject")
    kills.append(process.sweep(f"{window}:1"))
    assert set(kills) == {-signal.SIGKILL}
    assert process.sweep() == 0
    assert flow.ends() == {"approved": "done", "rejected": "rejected"}
    assert len(list(process.kept.iterdir())) == 4  # two reserved, one committed, one released
    assert {status for _, _, status in flow.effects()} == {"done"}
    assert flow.rows("SELECT count(*) FROM activity GROUP BY case_id, visit HAVING count(*) > 1") == []


def test_a_carried_chunk_reaches_effect_done(draw: Draw, tmp_path: Path) -> None:
    """Carried from a station before: its external effect is still a window of its own."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    process = Process(flow, tmp_path, "")
    assert process.sweep("effect-done:1") == -signal.SIGKILL
    assert flow.standing() == {"A": ("reserve", "ready")}
    assert len(list(process.kept.iterdir())) == 1
    assert flow.effects() == [("A", "reserve", "intended")]
    assert process.sweep() == 0
    assert flow.ends() == {"A": "done"}
    assert len(list(process.kept.iterdir())) == 1


def test_a_sweeper_frozen_in_the_middle_of_its_advance_holds_up_nobody(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds its cases' rows until the server ends its session, well within a lease; then another finishes them."""
    flow = draw(*STRAIGHT)
    with connect(flow.engine.url, sweeper=True) as connection:
        [patience_ms] = connection.execute(
            "SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"
        ).fetchone() or [0]
    assert 0 < patience_ms < LEASE_S * 1000 / 2
    monkeypatch.setitem(_SWEEPER, "idle_in_transaction_session_timeout", "1s")
    flow.submit("A", "B")
    frozen, go_on = threading.Event(), threading.Event()

    def change_and_freeze(*arguments: Any) -> None:
        change(*arguments)
        if not frozen.is_set():
            frozen.set()
            assert go_on.wait(30)

    change = cases.change
    monkeypatch.setattr(cases, "change", change_and_freeze)
    told: list[str] = []

    def frozen_sweep() -> None:
        with flow.engine.open_sweep("frozen", lease_s=0.0, lanes=1) as sweep:
            told.extend(sweep.station(flow.engine.station("check"), until=float("inf")).errors)

    sweeping = threading.Thread(target=frozen_sweep)
    sweeping.start()
    assert frozen.wait(30)
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": "done"}
    go_on.set()
    sweeping.join()
    assert len(told) == 1
    assert len(flow.rows("SELECT FROM activity")) == 4


# -- the database goes away


def test_connections_lost_in_the_middle_are_reported_and_the_next_sweep_finishes(draw: Draw) -> None:
    """Every lane and the session lose their connections at work: the sweep says so, and nothing is half done."""
    flow = draw(*STRAIGHT)
    flow.submit(*(f"K{number}" for number in range(50)))
    cut = threading.Event()

    def check(case: Any) -> None:
        if not cut.is_set():
            cut.set()
            terminate(flow.engine.url)

    flow.script["check"] = check
    report = flow.engine.sweep()
    assert any("terminating connection" in error for error in report.errors)
    flow.sweep()
    assert set(flow.ends().values()) == {"done"}
    assert len(flow.bank.kept) == 50


def terminate(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )


def test_a_server_killed_hard_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """The sweep ends with the reason; when the server is back, the next one finishes, and nothing is doubled."""
    server = EmbeddedServer(Home(tmp_path / "home"))
    server.start()
    try:
        urls.ensure_database(server.url())
        schema.migrate(server.url())
        workflow = load_workflow(workflow_folder(tmp_path / "killed", drawing(*STRAIGHT), WORKERS))
        clock = SetClock()
        flow = Flow(Engine(server.url(), workflow, clock=clock), clock)
        flow.submit(*(f"K{number}" for number in range(20)))
        killed = threading.Event()

        def reserve(case: Any, bank: Any) -> dict[str, str]:
            receipt = bank.put(case.idempotency_key)
            if not killed.is_set():
                killed.set()
                server.kill()
            return {"receipt": receipt}

        flow.script["reserve"] = reserve
        assert flow.engine.sweep().errors
        server.start()
        flow.sweep()
        assert set(flow.ends().values()) == {"done"}
        assert len(flow.bank.kept) == 20
        assert flow.broken_records() == {}
    finally:
        server.remove()
