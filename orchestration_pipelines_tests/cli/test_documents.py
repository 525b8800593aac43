"""``orchestrate documents``: as a person meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow

Say = Callable[..., str]
PDF = b"%PDF-1.7\nwords\n%%EOF\n"


@pytest.fixture
def say(tmp_path: Path, database: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Say:
    """The command line on a database in which case A waits; a refusal is raised."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    flow = Flow(
        Engine(database, load_workflow(workflow_folder(tmp_path / "flow", drawing(*REVIEWED), WORKERS)), clock=clock),
        clock,
    )
    flow.submit("A")
    flow.sweep()

    def run(*words: object) -> str:
        ran = CliRunner().invoke(orchestrate, ["documents", *map(str, words)], standalone_mode=False)
        if ran.exception is not None:
            raise ran.exception
        return ran.stdout

    return run


def test_a_document_goes_in_is_listed_and_comes_out(say: Say, tmp_path: Path) -> None:
    """In somebody's name, asserted by the operating-system user; nothing is overwritten on the way out."""
    slip = tmp_path / "slip.pdf"
    slip.write_bytes(PDF)
    assert "Document 1, slip.pdf (application/pdf), is with case A" in say("add", "A", slip, "--as", "ann")
    (listed,) = json.loads(say("list", "A", "--json"))
    assert (listed["name"], listed["added_by"], listed["role"]) == ("slip.pdf", "ann", "reviewer")
    to = tmp_path / "out.pdf"
    assert listed["digest"] in say("get", 1, to, "--as", "bob")
    assert to.read_bytes() == PDF
    with pytest.raises(Problem, match="is there already: name another FILE"):
        say("get", 1, to, "--as", "bob")
    with pytest.raises(Problem, match="no document 1 that otto sees"):
        say("get", 1, tmp_path / "other", "--as", "otto")
    with pytest.raises(Refused, match="has this very file already"):
        say("add", "A", slip, "--as", "ann")
    large = tmp_path / "large.txt"
    large.write_bytes(b"a" * (10 * 1024 * 1024 + 1))
    with pytest.raises(Problem, match="10,485,760 are taken"):
        say("add", "A", large, "--as", "ann")
