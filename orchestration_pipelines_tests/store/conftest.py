"""What the tests of the store share: one case that waits for a person, and people who log in to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow


@pytest.fixture
def login(database: str) -> Iterator[str]:
    """A person's own role on the server: its name."""
    name = f"Ann {uuid4().hex[:8]}"  # a name that must be quoted
    with psycopg.connect(database, autocommit=True) as owner:
        role = sql.Identifier(name)
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE orchestration_reviewer").format(role))
        yield name
        owner.execute(sql.SQL("DROP OWNED BY {}").format(role))
        owner.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def waiting(tmp_path: Path, database: str, clock: SetClock, login: str) -> Flow:
    """A workflow with one case, A, that waits for one of its reviewers: ann, bob, cleo, or who logs in."""
    settings = DEFAULT_SETTINGS.replace("{ann: [reviewer]", f'{{"{login}": [reviewer], ann: [reviewer]')
    folder = workflow_folder(tmp_path / "flow", drawing(*REVIEWED), WORKERS, settings)
    flow = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    flow.submit("A")
    flow.sweep()
    return flow


def logged_in(database: str, person: str) -> psycopg.Connection:
    """A connection as this person, through any SQL client."""
    return psycopg.connect(make_conninfo(database, user=person), autocommit=True)
