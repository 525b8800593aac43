"""What all tests share: an embedded PostgreSQL for the session, a fresh database for each test, a clock to set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.databases import TEMPLATE, Databases

SHARED = Path(__file__).parents[2] / "shared"
#: a server for tests alone may forget everything: nothing in it outlives the session
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "shared_buffers": "128MB"}


class SetClock:
    """Business time that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    running = EmbeddedServer(Home(tmp_path_factory.mktemp("home")), settings=_FORGETFUL)
    running.start()
    try:
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="session")
def databases(server: EmbeddedServer) -> Databases:
    return Databases(server)


@pytest.fixture(scope="session")
def migrated(databases: Databases) -> str:
    """The name of a database at the newest schema, to make others from."""
    return TEMPLATE


@pytest.fixture
def database(server: EmbeddedServer, databases: Databases) -> Iterator[str]:
    """The URL of an empty database at the newest schema, as its owner."""
    name = databases.take()
    yield server.url(name)
    databases.give_back(name)


def shared(*parts: str) -> Path:
    """A file of the shared vectors or data; the test is skipped where they are not laid out."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"SKIPPED: shared/{'/'.join(parts)} is not beside this checkout")
    return path


@pytest.hookimpl(tryfirst=True)  # before it is chosen by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What opens a browser is slow. The slow files go first: begun last, one alone would keep the run waiting."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)
