"""``orchestrate reviews next``, ``claim`` …: the verbs of hands, as a person and as a program meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow
from orchestration_pipelines_tests.engine.test_hands import SETTINGS

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, database: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Say:
    """The command line on a database in which cases A and B wait for a reviewer; a refusal is raised."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    folder = workflow_folder(tmp_path / "flow", drawing(*REVIEWED), WORKERS, SETTINGS)
    flow = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    flow.submit("A", "B")
    flow.sweep()

    def run(*words: object) -> str:
        ran = CliRunner().invoke(orchestrate, ["reviews", *map(str, words)], standalone_mode=False)
        if ran.exception is not None:
            raise ran.exception
        return ran.stdout

    return run


def told(text: str) -> Any:
    return json.loads(text)


def test_a_person_takes_works_and_gives_back(say: Say) -> None:
    """Next shows what was taken; every verb says where the task is now."""
    taken = told(say("next", "--as", "ann", "--json"))
    assert (taken["case_key"], taken["status"], taken["assignee"]) == ("A", "claimed", "ann")
    task = taken["task"]
    assert say("pause", task, "--as", "ann") == f"Task {task} is in the hands of ann.\n"
    say("resume", task, "--as", "ann")
    assert say("release", task, "--as", "ann") == f"Task {task} is back in its queue.\n"
    assert f"Task {task} is yours, ann: case A" in say("next", "--as", "ann", "--queue", "reviews")
    (declined,) = told(say("decline", task, "--as", "ann", "--reason", "I know them", "--json"))
    assert (declined["task"], declined["moved"], declined["person"]) == (task, True, None)
    with pytest.raises(Refused, match=f"ann has declined task {task}"):
        say("claim", task, "--as", "ann")


def test_a_refusal_says_by_whom_and_what_to_do(say: Say) -> None:
    """Somebody else's task; and in bulk, what was done beside what was not."""
    say("claim", 1, "--as", "bob")
    with pytest.raises(Refused, match=r"task 1 is claimed by bob since .* ask them to release it, or a manager"):
        say("claim", 1, "--as", "ann")
    both = say("claim", 1, 2, "--as", "ann")
    assert "Task 1 is left as it was: task 1 is claimed by bob since" in both
    assert "Task 2 is in the hands of ann." in both


def test_a_manager_reassigns_with_a_reason(say: Say) -> None:
    """To somebody, or without --to back to the queue."""
    say("claim", 1, "--as", "bob")
    with pytest.raises(Refused, match="only a manager reassigns, and ann is none"):
        say("reassign", 1, "--to", "ann", "--as", "ann", "--reason", "mine")
    assert "in the hands of ann" in say("reassign", 1, "--to", "ann", "--as", "max", "--reason", "bob is ill")
    assert "back in its queue" in say("reassign", 1, "--as", "max", "--reason", "ann too")
