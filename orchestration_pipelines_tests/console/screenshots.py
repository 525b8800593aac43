"""The README's pictures of the console, taken anew: ``python -m orchestration_pipelines_tests.console.screenshots``.

The pilot's first applications, half of them decided as in 1990, on a server that is removed again. It takes a minute.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher
from playwright.sync_api import Browser, sync_playwright

from orchestration_pipelines.console.viewer import COOKIE
from orchestration_pipelines.engine import access, hands
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.workflows.mortgage_underwriting import applications, lender, record
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import CHROMIUM, PASSWORD, serving, session_of
from orchestration_pipelines_tests.workflows.mortgage import FOLDER

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_WIDE, _PHONE = {"width": 1160, "height": 600}, {"width": 390, "height": 844}


def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as place, _server(Path(place)) as server:
        desk, engine = _filled(server)
        with desk, serving(desk) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
            with engine.connect() as connection:
                task = hands.pull(connection, "nora", at=engine.clock())
                hands.pull(connection, "omar", at=engine.clock())
            _take(browser, desk, address, "nora", f"/tasks/{task}", "console_case")
            _take(browser, desk, address, "ines", "/queues", "console_queues")
            _take(browser, desk, address, "mara", "/manage", "console_manage")
            _take(browser, desk, address, "nora", "/work", "console_phone", viewport=_PHONE, color_scheme="dark")


@contextmanager
def _server(place: Path) -> Iterator[EmbeddedServer]:
    os.environ["ORCHESTRATION_HOME"] = str(place)  # where the scorer is kept
    server = EmbeddedServer(Home(place).ensure(), settings={"fsync": "off"})
    server.start()
    try:
        yield server
    finally:
        server.remove()


def _filled(server: EmbeddedServer) -> tuple[Desk, Engine]:
    url, lender_url = server.url("console"), server.url("console_lender")
    for one in (url, lender_url):
        urls.ensure_database(one)
    schema.migrate(url)
    lender.set_up(lender_url)
    clock = SetClock()
    clock.now = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
    engine = Engine(url, load_workflow(FOLDER), clock=clock, tool_urls={"lender": lender_url})
    rows = list(applications.rows(120))
    for chosen, hours in ((rows[:50], 24), (rows[50:85], 70), (rows[85:], 3)):
        engine.submit(chosen, requested_by=applications.broker, source=applications.SOURCE)
        engine.sweep()
        if chosen[0] is rows[0]:
            record.play(engine)  # as in 1990; the others wait
            engine.sweep()
        clock.advance(hours=hours)
    passwords = access.Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    desk = Desk(url, clock=clock, passwords=passwords)
    with desk.connection() as connection:
        connection.cursor().executemany(
            "INSERT INTO account (person, password, temporary, set_at, opened_by, opened_at) "
            "VALUES (%s, %s, false, %s, 'pictures', %s)",
            [(person, passwords.hashed(PASSWORD), clock(), clock()) for person in engine.workflow.reviewers],
        )
    return desk, engine


def _take(browser: Browser, desk: Desk, address: str, person: str, path: str, name: str, **settings: object) -> None:
    context = browser.new_context(base_url=address, **{"viewport": _WIDE, **settings})  # type: ignore[arg-type]
    place = address.replace("http:", "https:")  # what a Secure cookie is asked for with
    context.add_cookies([{"name": COOKIE, "value": session_of(desk, person), "url": place, "secure": True}])
    page = context.new_page()
    page.goto(path)
    page.screenshot(path=str(PICTURES / f"{name}.png"))
    context.close()


if __name__ == "__main__":
    main()
