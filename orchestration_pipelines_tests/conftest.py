"""What all tests share: an embedded PostgreSQL for the session, a fresh database for each test, a clock to set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

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
def migrated(server: EmbeddedServer) -> str:
    """The name of a database at the newest schema, to make others from."""
    url = server.url("migrated")
    urls.ensure_database(url)
    schema.migrate(url)
    return "migrated"


@pytest.fixture
def database(server: EmbeddedServer, migrated: str) -> Iterator[str]:
    """The URL of a fresh database at the newest schema, as its owner."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(migrated))
        )
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def shared(*parts: str) -> Path:
    """A file of the shared vectors or data; the test is skipped where they are not laid out."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"SKIPPED: shared/{'/'.join(parts)} is not beside this checkout")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest go first: begun last, one of them alone would keep the whole run waiting."""
    long = {item.path for item in items if item.get_closest_marker("daemon") or "trials" in item.path.parts}
    items.sort(key=lambda item: item.path not in long)
