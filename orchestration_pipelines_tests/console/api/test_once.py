"""The same request twice, at once, and with the server killed in the middle: over a real server, each is done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import httpx
import pytest

from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.api.conftest import token_of
from orchestration_pipelines_tests.engine.flow import Flow

_PATIENCE_S = 30
_CASES = 8
#: a console on the port that it prints
_SERVE = """
import socket, sys, uvicorn
from orchestration_pipelines.console.app import create_app
from orchestration_pipelines.engine.desk import Desk
here = socket.socket()
here.bind(("127.0.0.1", 0))
here.listen()
print(here.getsockname()[1], flush=True)
with Desk(sys.argv[1], connections=4) as desk:
    uvicorn.Server(uvicorn.Config(create_app(desk), log_level="error", lifespan="off")).run(sockets=[here])
"""


class Server:
    """A console in a process of its own."""

    def __init__(self, url: str, failpoint: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, url],
            stdout=subprocess.PIPE,
            env={**os.environ, "ORCHESTRATION_FAILPOINT": failpoint},
        )
        assert self.process.stdout is not None
        self.address = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(_PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def waiting(flow: Flow) -> Flow:
    """Cases that wait for a reviewer."""
    flow.submit(*(f"C{number:02}" for number in range(_CASES)))
    flow.sweep()
    return flow


def sent(address: str, token: str, task: int, key: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
    return httpx.post(f"{address}/api/v1/tasks/{task}/claim", headers=headers, timeout=_PATIENCE_S)


def claims(flow: Flow, task: int) -> int:
    """How often a task came into somebody's hands."""
    count: int = flow.one("SELECT count(*) FROM assignment WHERE task_id = %s", task)
    return count


def test_of_two_at_the_same_instant_one_acts(waiting: Flow, desk: Desk) -> None:
    """Both are answered: as done, as repeated, or to wait for the other; and each task is taken once."""
    token, start = token_of(desk, "ann", at=datetime.now(UTC)), Barrier(2)
    tasks = [row[0] for row in waiting.rows("SELECT id FROM review_task ORDER BY id")]
    with Server(waiting.engine.url) as server, ThreadPoolExecutor(2) as pool:

        def run(_: int) -> list[tuple[int, bytes]]:
            answers = []
            for task in tasks:
                start.wait(_PATIENCE_S)
                answer = sent(server.address, token, task, f"k{task}")
                while answer.status_code == 409 and answer.json()["type"].endswith("under-way"):
                    answer = sent(server.address, token, task, f"k{task}")
                answers.append((answer.status_code, answer.content))
            return answers

        one, two = pool.map(run, range(2))
    assert one == two
    assert {status for status, _ in one} == {200}
    assert [claims(waiting, task) for task in tasks] == [1] * _CASES


@pytest.mark.parametrize(("window", "before"), [("acted", 0), ("answered", 1)])
def test_a_server_killed_on_the_way_leaves_act_and_key_or_neither(
    waiting: Flow, desk: Desk, window: str, before: int
) -> None:
    """Killed before its act is kept, or before it has answered: sent again elsewhere, it was done once."""
    token = token_of(desk, "ann", at=datetime.now(UTC))
    [[task], *_] = waiting.rows("SELECT id FROM review_task ORDER BY id")
    with Server(waiting.engine.url, f"{window}:1") as killed:
        with pytest.raises(httpx.TransportError):
            sent(killed.address, token, task, "k")
        assert killed.process.wait(_PATIENCE_S) == -signal.SIGKILL
    assert (claims(waiting, task), waiting.one("SELECT count(*) FROM client_reply")) == (before, before)
    with Server(waiting.engine.url) as next_one:
        answer = sent(next_one.address, token, task, "k")
    assert (answer.status_code, answer.json()["assignee"]) == (200, "ann")
    assert ("idempotency-replayed" in answer.headers) == bool(before)
    assert claims(waiting, task) == 1
