"""A quality review in any SQL client: what a person who logs in sees of it, and what the database lets them do."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from orchestration_pipelines.engine import quality
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.blind import GRID, LINES, POLICY
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow
from orchestration_pipelines_tests.store.conftest import logged_in


@pytest.fixture
def drawn(tmp_path: Path, database: str, clock: SetClock, login: str) -> Flow:
    """Case A, approved by the grid and closed, which whoever logs in may look at again."""
    settings = DEFAULT_SETTINGS.replace("{ann: [reviewer]", f'{{"{login}": [reviewer], ann: [reviewer]')
    folder = workflow_folder(tmp_path / "flow", drawing(*LINES), WORKERS, settings, grid=GRID)
    (folder / "policy.yaml").write_text(POLICY)
    flow = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    flow.submit("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        assert quality.draw_due(connection, flow.engine.workflow, asked, clock()) == 1
    return flow


def _insert(outcome: str, columns: str = "", values: str = "") -> bytes:
    return (
        f"INSERT INTO review_decision (task_id, outcome, digest, rationale{columns}) "
        f"SELECT task, '{outcome}', digest, 'looked'{values} FROM reviewer_table"
    ).encode()


def test_a_plain_insert_is_a_review_and_moves_nothing(drawn: Flow, login: str) -> None:
    """The view shows the facts as submitted; the decision is theirs, and the case is as it was."""
    before = drawn.rows("SELECT state, outcome, variables FROM cases")
    with logged_in(drawn.engine.url, login) as person:
        (row,) = person.execute("SELECT * FROM reviewer_table").fetchall()
        assert not [word for word in ("auto", "approve", "r1", "done", "commit", "receipt") if word in str(row)]
        assert person.execute("SELECT facts, reasons, kind FROM reviewer_table").fetchone() == (
            {"amount": 50},
            [],
            "quality",
        )
        person.execute(_insert("reject"))
        assert person.execute("SELECT * FROM reviewer_table").fetchall() == []
    assert drawn.rows("SELECT state, outcome, variables FROM cases") == before
    assert drawn.one("SELECT actor FROM audit_trail WHERE act = 'reviewed'") == login
    assert drawn.broken_records() == {}


@pytest.mark.parametrize(
    "statement",
    [_insert("return"), _insert("escalate"), _insert("approve", ", edits", ", '{\"amount\": 1}'")],
)
def test_the_guard_refuses_what_would_move_the_case(drawn: Flow, login: str, statement: bytes) -> None:
    """A quality review says approve or reject, and edits nothing."""
    with logged_in(drawn.engine.url, login) as person, pytest.raises(psycopg.DatabaseError) as told:
        person.execute(statement)
    assert told.value.sqlstate == "OP004"


@pytest.mark.parametrize("table", ["quality_sample", "quality_draw", "quality_fallback", "task_trail", "audit_trail"])
def test_a_reviewer_reads_nothing_beside_the_view(drawn: Flow, login: str, table: str) -> None:
    """Neither the sample, which says what was chosen, nor the trails."""
    with logged_in(drawn.engine.url, login) as person, pytest.raises(psycopg.errors.InsufficientPrivilege):
        person.execute(f"SELECT * FROM {table}".encode())
