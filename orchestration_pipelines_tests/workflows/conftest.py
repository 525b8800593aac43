"""The mortgage workflow's fixtures: its home, the lender's database, an engine on both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from orchestration_pipelines.store import urls
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.workflows.mortgage_underwriting import lender
from orchestration_pipelines.workflows.mortgage_underwriting.scorer import scorer_in
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.workflows.mortgage import Underwriting


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scorer, fitted once for all tests."""
    folder = tmp_path_factory.mktemp("artefacts")
    scorer_in(folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, artefacts: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of the test's own, with the scorer in it."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path))
    made = Home(tmp_path).ensure()
    shutil.copytree(artefacts, made.artefacts, dirs_exist_ok=True)
    return made


@contextmanager
def lender_beside(database: str) -> Iterator[str]:
    url = urls.sibling(database, "lender")
    urls.ensure_database(url)
    lender.set_up(url)
    try:
        yield url
    finally:
        with psycopg.connect(urls.on_database(database, "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(urls.database_of(url))))


@pytest.fixture
def lender_url(database: str) -> Iterator[str]:
    """A lender without a history."""
    with lender_beside(database) as url:
        yield url


@pytest.fixture
def underwriting(database: str, lender_url: str, clock: SetClock, home: Home) -> Underwriting:
    return Underwriting(database, lender_url, clock)
