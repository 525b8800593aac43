"""``orchestrate up``: one for a home, what dies is started again, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from orchestration_pipelines.cli.parts import end_leftovers, marks, members
from orchestration_pipelines.store.home import Home
from orchestration_pipelines_tests.defs.flows import location
from orchestration_pipelines_tests.defs.live import Live, until


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    running = Live(tmp_path, location(tmp_path))
    try:
        yield running
    finally:
        running.remove()


def _pid_of(live: Live, program: str) -> int:
    """The part that runs this program: the leader of its group."""
    for pid in live.processes():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if any(word.endswith(program.encode()) for word in words[:2]) and os.getpgid(pid) == pid:
            return pid
    raise AssertionError(f"no {program} runs")


def _told(live: Live, what: str, times: int) -> bool:
    return live.told().count(what) == times


@pytest.mark.slow
@pytest.mark.xdist_group("daemon")
def test_up_from_start_to_end(live: Live) -> None:
    """Refuses a second one, starts again what dies, recovers from its own death, and ends clean within 15 s."""
    live.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{live.port}/server_info", timeout=5) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{live.console_port}/", timeout=5) as answer:
        assert "orchestrate users create NAME --admin" in answer.read().decode(), "nobody has an account yet"
    assert "orchestrate users pilot" in live.told()
    told = Path(f"/proc/{_pid_of(live, 'dagster-daemon')}/environ").read_bytes().split(b"\0")
    assert f"ORCHESTRATION_CONSOLE_URL=http://127.0.0.1:{live.console_port}".encode() in told, "runs lead to its pages"
    second = live.orchestrate("up", "--port", "1")
    assert second.returncode == 1
    assert "runs already" in second.stderr

    for program in ("dagster-daemon", "dagster-webserver"):
        victim = _pid_of(live, program)
        os.kill(victim, signal.SIGKILL)
        part = program.removeprefix("dagster-")
        until(90, "its death is told", partial(_told, live, f"{part} ended with signal 9", 1))
        until(90, "it is up again", partial(_told, live, f"{part} is up", 2))
    live.server.kill()
    until(90, "PostgreSQL is started again", lambda: "PostgreSQL had died and was started again" in live.told())

    assert live.process is not None
    live.process.kill()
    live.process.wait()
    assert live.processes(), "its parts outlive it: the next start must end them"
    live.start()
    assert "ended daemon, which an earlier start had left running" in live.told()

    assert live.end(signal.SIGTERM) < 15
    assert live.processes() == []
    assert not live.server.answers()
    assert list(marks(live.home).glob("*.json")) == []


def test_a_port_in_use_gets_a_message(live: Live) -> None:
    """Before anything is started, with the option that chooses another."""
    for port, option in ((live.port, "--port"), (live.console_port, "--console-port")):
        with socket.create_server(("127.0.0.1", port)):
            refused = live.orchestrate("up", "--port", str(live.port), "--console-port", str(live.console_port))
        assert refused.returncode == 1
        assert f"port {port} cannot be used" in refused.stderr
        assert f"another with {option} " in refused.stderr
    assert not live.server.answers()


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(tmp_path: Path) -> None:
    """A pid file outlives its process, and process numbers are used again."""
    home = Home(tmp_path).ensure()
    marks(home).mkdir()
    mark = marks(home) / "daemon.json"
    mark.write_text(f'{{"group": {os.getpgrp()}}}')
    assert os.getpid() in set(members(os.getpgrp()))
    assert end_leftovers(home) == []
    assert not mark.exists()


def test_down_with_nothing_there_says_so(live: Live) -> None:
    """And a home that was started is removed whole."""
    assert "nothing" in live.orchestrate("down").stderr
    assert live.orchestrate("env").returncode == 0
    assert live.server.answers()
    assert "is stopped" in live.orchestrate("down").stderr
    assert not live.server.answers()
    assert live.orchestrate("down", "--remove", "--yes").returncode == 0
    assert not live.home.root.exists()
