"""What the tests of the console share: a desk with people of every standing, visitors without and with a browser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from starlette.testclient import TestClient

from orchestration_pipelines.console.app import create_app
from orchestration_pipelines.console.server import server
from orchestration_pipelines.console.viewer import COOKIE, csrf_of
from orchestration_pipelines.engine import access
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow

CHROMIUM = Path("/usr/bin/chromium")
#: of every test person
PASSWORD = "quiet lamp over nine bridges"  # noqa: S105 - a test's
#: one person at least of every standing, and two reviewers
PEOPLE = {
    "ann": ("reviewer",),
    "bob": ("reviewer",),
    "cleo": ("reviewer", "senior"),
    "mara": ("manager",),
    "abel": ("auditor",),
    "ada": ("admin",),
}
SETTINGS = DEFAULT_SETTINGS.replace("reviewers: {", "reviewers: {mara: [manager], abel: [auditor], ada: [admin], ")
#: argon2id at its cheapest: a test wants to know whether, not how slowly
_QUICK = access.Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
_HASHED = _QUICK.hashed(PASSWORD)


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """A workflow that people review (``REVIEWED``), with people of every standing; submit and sweep what you need."""
    folder = workflow_folder(tmp_path / "flow", drawing(*REVIEWED), WORKERS, SETTINGS)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    assert made.engine.version
    return made


@pytest.fixture
def desk(flow: Flow) -> Iterator[Desk]:
    """The desk of a console over that workflow, where everybody of PEOPLE has an account."""
    folders = [flow.engine.workflow.folder]
    with Desk(flow.engine.url, clock=flow.clock, passwords=_QUICK, connections=4, folders=folders) as opened:
        with opened.connection() as connection:
            connection.cursor().executemany(
                "INSERT INTO account (person, password, temporary, set_at, opened_by, opened_at) "
                "VALUES (%s, %s, false, %s, 'test', %s)",
                [(person, _HASHED, flow.clock(), flow.clock()) for person in PEOPLE],
            )
        yield opened


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    """Nobody yet: requests without a session. Redirects are not followed."""
    with TestClient(create_app(desk), base_url="https://localhost", follow_redirects=False) as made:
        yield made


class Visitor:
    """Somebody who is signed in, without a browser: ``get`` and ``post``; a post carries the form's token."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client, self.token = client, token
        self.csrf = csrf_of(token)

    @property
    def _headers(self) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self.token}"}

    def get(self, path: str, **settings: Any) -> httpx.Response:
        headers = self._headers | settings.pop("headers", {})
        answer: httpx.Response = self.client.get(path, headers=headers, **settings)
        return answer

    def post(self, path: str, form: Mapping[str, Any] | None = None, **settings: Any) -> httpx.Response:
        headers = self._headers | settings.pop("headers", {})
        data = {"csrf": self.csrf, **(form or {})}
        answer: httpx.Response = self.client.post(path, data=data, headers=headers, **settings)
        return answer


SignedIn = Callable[[str], Visitor]


@pytest.fixture
def signed_in(desk: Desk, client: TestClient) -> SignedIn:
    """``signed_in("ann")``: a visitor with a session of hers."""

    def sign_in(person: str) -> Visitor:
        return Visitor(client, session_of(desk, person))

    return sign_in


def session_of(desk: Desk, person: str) -> str:
    """The token of a new session of somebody of PEOPLE."""
    with desk.connection() as connection:
        return access.sign_in(
            connection, desk.passwords, person, PASSWORD, address="127.0.0.1", browser="test", at=desk.clock()
        )


@pytest.fixture
def served(desk: Desk) -> Iterator[str]:
    """The address of a real server on a free port of this machine."""
    with serving(desk) as address:
        yield address


class serving:
    """A real server in a thread, as long as the block takes."""

    def __init__(self, desk: Desk, **settings: Any) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server = server(create_app(desk), **settings)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        until = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(_playwright: Playwright) -> Iterator[Browser]:
    """A real Chromium; the test is skipped where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"SKIPPED: there is no Chromium at {CHROMIUM}: apt-get install chromium")
    expect.set_options(timeout=15_000)  # a busy machine takes its time
    running = _playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield running
    running.close()


Window = Callable[..., Page]


@pytest.fixture
def window(browser: Browser, served: str, desk: Desk) -> Iterator[Window]:
    """``window("ann")``: a page of a browser of its own in which ann is signed in; ``window()``: nobody is."""
    opened: list[BrowserContext] = []

    def open_window(person: str | None = None, **settings: Any) -> Page:
        context = browser.new_context(base_url=served, **settings)
        opened.append(context)
        if person is not None:
            place = served.replace("http:", "https:")  # what a Secure cookie is asked for with
            context.add_cookies([{"name": COOKIE, "value": session_of(desk, person), "url": place, "secure": True}])
        return context.new_page()

    yield open_window
    for context in opened:
        context.close()
