"""Fifty reviewers with a second of thinking time, on a hundred thousand open tasks, at the console as it is served.

    python -m orchestration_pipelines_tests.trials --only console [--small]

The console is the process that ``orchestrate console`` starts, on a server with durability on; the reviewers are
another process, and all share the machine. No decision may be lost or made twice: each answer has its row, each row its
answer.
"""

from __future__ import annotations

import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import psycopg

from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.engine import access, accounts
from orchestration_pipelines.store import people
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.trials.applications import arriving
from orchestration_pipelines_tests.trials.copies import multiply
from orchestration_pipelines_tests.trials.ground import Ground

PASSWORD = "quiet lamp over nine bridges"  # noqa: S105 - a trial's
THINK_S = 1.0
#: the aims: milliseconds and connections
PAGE_P95_MS, DECISION_P95_MS, CONNECTIONS = 150.0, 100.0, 60
#: so many tasks are opened by the engine; more are copies of these
_SWEPT = 5_000
_PATIENCE_S = 60.0


class Size(NamedTuple):
    """How large a trial is."""

    tasks: int
    reviewers: int
    warm_s: float  #: not counted: every page is shown for a first time
    seconds: float


FULL, SMALL = Size(100_000, 50, 30.0, 60.0), Size(2_000, 8, 3.0, 10.0)


class Trial:
    """The installation, and what the reviewers were told."""

    def __init__(self, ground: Ground, size: Size) -> None:
        self.ground, self.size = ground, size
        self.people = [f"reviewer{number:02}" for number in range(1, size.reviewers + 1)]
        self.told: list[dict[str, Any]] = []
        self.open = self.connections = 0
        self.used: dict[str, float] = {}

    def prepare(self) -> None:
        """Cases until so many tasks are open, and people with accounts."""
        arrivals = arriving()
        while (waiting := self._waiting()) < min(self.size.tasks, _SWEPT):
            self.ground.arrive(islice(arrivals, max(500, 3 * (min(self.size.tasks, _SWEPT) - waiting))), 1.0)
            report = self.ground.engine.sweep(seconds=600)
            if report.errors:
                raise RuntimeError(f"the sweep failed: {report.errors}")
        multiply(self.ground.url, math.ceil(self.size.tasks / waiting) - 1)
        now, passwords = datetime.now(UTC), access.Passwords()
        with connect(self.ground.url) as connection:
            roles = ("underwriter", "senior_underwriter")
            people.put(connection, [Person(name, roles) for name in self.people] + [Person("ada", ("admin",))])
            for name in self.people:
                accounts.open_account(
                    connection,
                    passwords,
                    name,
                    by="ada",
                    address="trial",
                    at=now,
                    password=PASSWORD,
                    temporary=False,
                )
        self.open = self._waiting()
        with psycopg.connect(self.ground.url, autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
            owner.execute("CHECKPOINT")

    def _waiting(self) -> int:
        [(count,)] = self.ground.sql("SELECT count(*) FROM review_task WHERE status = 'open'")
        return int(count)

    def run(self) -> None:
        """Let the reviewers work at the console that is served."""
        with self._served() as (port, pid), self._watched():
            wanted = {
                "port": port,
                "people": self.people,
                "password": PASSWORD,
                "think_s": THINK_S,
                "comes_within_s": self.size.warm_s / 2,  # not all at one moment
                "seconds": self.size.warm_s + self.size.seconds,
            }
            postmaster = self._postmaster()
            begun, used, served = time.monotonic(), _cpu_s(pid), _cpu_of_all_s(postmaster)
            ran = subprocess.run(
                [sys.executable, "-m", "orchestration_pipelines_tests.trials.reviewers"],
                input=json.dumps(wanted),
                capture_output=True,
                text=True,
                check=False,
            )
            if ran.returncode:
                raise RuntimeError(f"the reviewers stopped: {ran.stderr[-2_000:]}")
            spent_s = time.monotonic() - begun
            self.used["console"] = (_cpu_s(pid) - used) / spent_s
            self.used["database"] = (_cpu_of_all_s(postmaster) - served) / spent_s
        self.told = [json.loads(line) for line in ran.stdout.splitlines()]
        [mine] = [said for said in self.told if said["kind"] == "used"]
        self.used["reviewers"] = mine["cpu_s"] / mine["s"]
        self.told.remove(mine)

    def _postmaster(self) -> int:
        """The server's process: that of which any backend is a child."""
        with psycopg.connect(self.ground.url) as own:
            return _parent(own.info.backend_pid)

    @contextmanager
    def _served(self) -> Iterator[tuple[int, int]]:
        """The console as a person starts it: its port and its process."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = [sys.executable, "-c", "from orchestration_pipelines.cli.main import main; main()"]
        with (self.ground.home.logs / "console.log").open("ab") as log:
            serving = subprocess.Popen(
                [*words, "console", "--port", str(port)], env=self.ground.env, stdout=log, stderr=log
            )
        try:
            until = time.monotonic() + _PATIENCE_S
            while not _answers(port):
                if serving.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"no console: {(self.ground.home.logs / 'console.log').read_text()[-2_000:]}")
                time.sleep(0.1)
            yield port, serving.pid
        finally:
            serving.terminate()
            serving.wait(_PATIENCE_S)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Count the connections to the product's database all the while."""
        over = threading.Event()

        def watch() -> None:
            with psycopg.connect(self.ground.url, autocommit=True) as own:
                while not over.wait(0.5):
                    row = own.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                        "AND pid <> pg_backend_pid()"
                    ).fetchone()
                    self.connections = max(self.connections, row[0] if row else 0)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()

    def figures(self) -> dict[str, Any]:
        """How long each kind of request took, after the warming up; and what all of it used."""
        spent = self._spent()
        figures: dict[str, Any] = {
            "open tasks": f"{self.open:,}",
            "reviewers": self.size.reviewers,
            "seconds measured": self.size.seconds,
            "requests a second": round(sum(map(len, spent.values())) / self.size.seconds, 1),
            "decisions": len([said for said in self.told if said["kind"] == "decide"]),
        }
        for kind, each in spent.items():
            figures[f"{kind}: median (p95, worst), ms"] = (
                f"{statistics.median(each):.0f} ({p95(each):.0f}, {max(each):.0f})"
            )
        figures["pages: p95, ms"] = round(p95(spent["list"] + spent["case"]), 1)
        figures["decisions: p95, ms"] = round(p95(spent["decide"]), 1)
        figures["database connections, at most"] = self.connections
        figures |= {f"cores used by the {who}": round(cores, 2) for who, cores in self.used.items()}
        return figures

    def _spent(self) -> Mapping[str, list[float]]:
        begun = min(said["at"] for said in self.told)
        spent = defaultdict[str, list[float]](list)
        for said in self.told:
            if said["kind"] != "sign-in" and said["at"] >= begun + self.size.warm_s:
                spent[said["kind"]].append(said["ms"])
        return spent

    def missed(self) -> list[str]:
        """The aims that were not reached."""
        spent = self._spent()
        pages, decisions = p95(spent["list"] + spent["case"]), p95(spent["decide"])
        short = []
        if pages >= PAGE_P95_MS:
            short.append(f"pages: p95 of {pages:.0f} ms, not below {PAGE_P95_MS:.0f}")
        if decisions >= DECISION_P95_MS:
            short.append(f"decisions: p95 of {decisions:.0f} ms, not below {DECISION_P95_MS:.0f}")
        if self.connections >= CONNECTIONS:
            short.append(f"{self.connections} connections, not below {CONNECTIONS}")
        return short

    def wrong(self) -> list[str]:
        """What may not be, however slow: answers that are none, decisions that were lost or made twice."""
        refused = Counter(f"{said['kind']}: {said['wrong']}" for said in self.told if "wrong" in said)
        wrong = [f"{count} times {what}" for what, count in refused.items()]
        answered = Counter(
            (int(said["number"]), said["task"], said["person"])
            for said in self.told
            if said["kind"] == "decide" and "wrong" not in said
        )
        made = Counter(
            self.ground.sql("SELECT id, task_id, decided_by FROM review_decision WHERE decided_by LIKE 'reviewer%'")
        )
        wrong += [f"answered, and not there: {each}" for each in (answered - made)]
        wrong += [f"there, and not answered: {each}" for each in (made - answered)]
        wrong += [
            f"two signatures of one person: {each}"
            for each in self.ground.sql(
                "SELECT case_id, visit, round, decided_by FROM review_decision GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
            )
        ]
        wrong += [
            f"in two hands at once: task {task}"
            for (task,) in self.ground.sql(
                "SELECT task_id FROM touch WHERE stopped_at IS NULL GROUP BY 1 HAVING count(*) > 1 UNION "
                "SELECT d.task_id FROM review_decision d JOIN assignment a ON a.task_id = d.task_id "
                "GROUP BY 1 HAVING count(DISTINCT a.person) > 1"
            )
        ]
        return wrong


def p95(spent: Sequence[float]) -> float:
    """The 95th percentile."""
    ordered = sorted(spent)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else float("inf")


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5):
            return True
    except (URLError, OSError):
        return False


def _cpu_s(pid: int) -> float:
    """What a process has used so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has just ended, and is counted with those that have
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _cpu_of_all_s(postmaster: int) -> float:
    """What a server has used: itself, the processes that have ended, and those that have not."""
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return _cpu_s(postmaster) + ended + sum(_cpu_s(int(child)) for child in children)


def measure(size: Size) -> tuple[dict[str, Any], list[str]]:
    """Run on a server of its own; the figures, and what was missed or wrong."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        server = EmbeddedServer(Home(home).ensure())
        try:
            server.start()
            trial = Trial(Ground(home, server), size)
            trial.prepare()
            trial.run()
            return trial.figures(), [*trial.wrong(), *(trial.missed() if size is FULL else [])]
        finally:
            server.remove()
