"""How many connections to PostgreSQL everything takes: ``make up``, eight runs at work, fifty people in the console.

    python -m orchestration_pipelines_tests.trials --only connections [--small]

Counted at the server five times a second: Dagster's own and the product's, the standing sweeps', the console's, and
those of the runs, which are processes of their own as Dagster's launcher would start them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from orchestration_pipelines.cli.up import SHIPPED
from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.engine import access, accounts
from orchestration_pipelines.store import people
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.defs.live import Live, until
from orchestration_pipelines_tests.trials.latency import dagster_variables

#: what the architecture page allows
MOST = 60
_PASSWORD = "quiet lamp over nine bridges"  # noqa: S105 - a trial's
_WORKFLOW = "mortgage_underwriting"
_EVERY_S = 0.2
_LAUNCHED = {"ops": {"receive": {"config": {"source": "loanapp", "requested_by": ""}}}}


class Counting:
    """The connections at the server, the most at any moment."""

    def __init__(self, url: str) -> None:
        self.url, self.most, self.then = url, 0, Counter[str]()
        self._over = threading.Event()
        self._counter = ThreadPoolExecutor(1)

    def _count(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self._over.wait(_EVERY_S):
                found = Counter(
                    f"{database.rpartition('_')[2]}, {name or 'Dagster'}"
                    for database, name in connection.execute(
                        "SELECT coalesce(datname, 'signing in'), application_name FROM pg_stat_activity "
                        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                    )
                )
                if found.total() > self.most:
                    self.most, self.then = found.total(), found

    def __enter__(self) -> Counting:
        self._counted = self._counter.submit(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._counted.result()  # one that broke off has counted nothing
        self._counter.shutdown()


def measure(runs: int, reviewers: int, seconds: float) -> dict[str, Any]:
    """The most connections while so many runs and people are at work."""
    with tempfile.TemporaryDirectory() as folder:
        live = Live(Path(folder), SHIPPED, standing=True)
        try:
            live.start()
            until(300, "one stands", lambda: live.sql("SELECT id FROM sweeper WHERE ended_at IS NULL"))
            names = _people(live, reviewers)
            with Counting(live.server.url("postgres")) as idle:
                time.sleep(3)
            with Counting(live.server.url("postgres")) as counting, _reviewing(live, names, seconds):
                at_work = [_run(live) for _ in range(runs)]
                ended = [each.wait(timeout=600) for each in at_work]
            return {
                "connections idle": idle.most,
                "connections at the most": counting.most,
                **{f"… of {name}": count for name, count in counting.then.most_common()},
                "runs that failed": sum(code != 0 for code in ended),
                "people who did not come in": reviewers - live.sql("SELECT count(DISTINCT person) FROM session")[0][0],
            }
        finally:
            live.remove()


def _people(live: Live, count: int) -> list[str]:
    names, passwords, now = [f"reviewer{number:02}" for number in range(count)], access.Passwords(), datetime.now(UTC)
    with connect(live.server.url()) as connection:
        people.put(connection, [Person(name, ("underwriter",)) for name in names] + [Person("ada", ("admin",))])
        for name in names:
            accounts.open_account(
                connection, passwords, name, by="ada", address="trial", at=now, password=_PASSWORD, temporary=False
            )
    return names


@contextmanager
def _reviewing(live: Live, names: Sequence[str], seconds: float) -> Iterator[None]:
    wanted = {
        "port": live.console_port,
        "people": names,
        "password": _PASSWORD,
        "think_s": 1.0,
        "comes_within_s": seconds / 3,
        "seconds": seconds,
    }
    command = [sys.executable, "-m", "orchestration_pipelines_tests.trials.reviewers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as at_the_console:
        threading.Thread(target=at_the_console.communicate, args=(json.dumps(wanted),), daemon=True).start()
        yield
        at_the_console.wait(timeout=seconds + 120)


def _run(live: Live) -> subprocess.Popen[bytes]:
    """A run that takes the shipped applications in and sweeps, in a process of its own."""
    command = [str(Path(sys.executable).with_name("dagster")), "job", "execute", "-m", SHIPPED, "-j", _WORKFLOW]
    config = live.place / "run.yaml"
    config.write_text(json.dumps(_LAUNCHED))
    env = {**os.environ, **live.env, **dagster_variables(live)}
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*command, "-c", str(config)], cwd=live.place, env=env, stdout=quiet, stderr=quiet)


def missed(found: dict[str, Any]) -> list[str]:
    """Whether the budget was kept, by runs that did their work."""
    short = [] if found["connections at the most"] < MOST else [f"{found['connections at the most']}, not below {MOST}"]
    return short + [
        f"{found[what]} {what}" for what in ("runs that failed", "people who did not come in") if found[what]
    ]
