"""Everything that ``orchestrate up`` starts, in a home of its own, for tests and trials of the real daemon."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from orchestration_pipelines.store import urls
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

T = TypeVar("T")

_UP = "Ctrl-C stops everything"
ORCHESTRATE = Path(sys.executable).with_name("orchestrate")


def until(deadline_s: float, what: str, look: Callable[[], T]) -> T:
    """Ask until the answer is true; fail with ``what`` when the time is over."""
    ends = time.monotonic() + deadline_s
    while not (answer := look()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {deadline_s:.0f} s: {what}")
        time.sleep(0.1)
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Live:
    """A code location, as a user's own, under ``orchestrate up``; without the standing sweep unless asked for."""

    def __init__(self, place: Path, module: str, *, standing: bool = False) -> None:
        self.place, self.module = place, module
        self.home = Home(place / "home")
        self.server = EmbeddedServer(self.home)
        self.port, self.console_port = free_port(), free_port()
        self.env = {
            **os.environ,
            "ORCHESTRATION_HOME": str(self.home.root),
            "ORCHESTRATION_STANDING_SWEEP": "on" if standing else "off",
        }
        for variable in ("DAGSTER_HOME", "ORCHESTRATION_DAGSTER_URL", "ORCHESTRATION_DATABASE_URL"):
            self.env.pop(variable, None)
        self.process: subprocess.Popen[bytes] | None = None
        self._seen_up = 0  #: how often it had said that all is up, before its last start

    # -- up, and how it ends

    def start(self, *, wait: bool = True) -> None:
        self._seen_up = self.told().count(_UP)
        with (self.place / "up.log").open("ab") as log:
            ports = ["--port", str(self.port), "--console-port", str(self.console_port)]
            command = [str(ORCHESTRATE), "up", *ports, "--module", self.module]
            self.process = subprocess.Popen(command, cwd=self.place, env=self.env, stdout=log, stderr=log)
        if wait:
            self.wait_until_up()

    def wait_until_up(self) -> None:
        try:
            until(120, "all is up", lambda: self.told().count(_UP) > self._seen_up)
        except AssertionError as late:
            raise AssertionError(self.told()[-3000:]) from late

    def told(self) -> str:
        log = self.place / "up.log"
        return log.read_text() if log.exists() else ""

    def end(self, number: signal.Signals = signal.SIGINT) -> float:
        """Signal ``up`` alone; the seconds until it was gone."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=30)
        return time.monotonic() - begun

    def kill_everything(self) -> None:
        """SIGKILL to ``up`` and all that it started, the runs included; PostgreSQL lives on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until(10, "all are gone", lambda: not self.processes())

    def processes(self) -> list[int]:
        """Every living process that was started for this home, PostgreSQL's aside."""
        wanted = f"ORCHESTRATION_HOME={self.home.root}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if not entry.name.isdigit() or wanted not in (entry / "environ").read_bytes().split(b"\0"):
                    continue
                command, state = (entry / "cmdline").read_bytes(), (entry / "stat").read_text().rpartition(")")[2]
            except OSError:
                continue
            if command and b"postgres" not in command.split(b"\0")[0] and state.split()[0] not in "ZX":
                found.append(int(entry.name))
        return found

    def remove(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGTERM)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.server.remove()

    # -- the databases

    def sql(self, query: str, *values: Any, database: str = urls.DATABASE) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.server.url(database), autocommit=True) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def runs(self) -> list[tuple[str, str, dict[str, str]]]:
        """Dagster's runs, oldest first: id, status, tags."""
        rows = self.sql("SELECT run_id, status, run_body FROM runs ORDER BY id", database=f"{urls.DATABASE}_dagster")
        return [(run, status, json.loads(body)["tags"]) for run, status, body in rows]

    def cancel(self, run: str) -> None:
        """As the button of Dagster's UI does."""
        asked = "mutation ($run: String!) { terminateRun(runId: $run) { __typename } }"
        body = json.dumps({"query": asked, "variables": {"run": run}}).encode()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            assert "TerminateRunSuccess" in connection.getresponse().read().decode()

    def orchestrate(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(ORCHESTRATE), *words]
        return subprocess.run(command, cwd=self.place, env=self.env, capture_output=True, text=True, check=False)
