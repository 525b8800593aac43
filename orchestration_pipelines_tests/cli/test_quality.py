"""Quality reviews from the command line: shown blind in every list, and a cell let loose by two people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.engine import quality
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import quality as table
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.blind import GRID, LINES, POLICY
from orchestration_pipelines_tests.engine.flow import WORKERS
from orchestration_pipelines_tests.engine.learning import learning_folder, run

Say = Callable[..., Result]


@pytest.fixture
def engine(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """One case that the grid approved, drawn for review, on a database that the command line finds."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    folder = workflow_folder(tmp_path / "flow", drawing(*LINES), WORKERS, DEFAULT_SETTINGS, grid=GRID)
    (folder / "policy.yaml").write_text(POLICY)
    made = deploy().engine(load_workflow(folder))
    made.submit([Row(1, {"case_key": "a", "amount": 50})], requested_by="broker", source="test")
    made.sweep()
    _draw(made)
    return made


def _draw(engine: Engine) -> None:
    with engine.connect() as connection:
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        quality.draw_due(connection, engine.workflow, asked, engine.clock())
        quality.hold_to_limits(connection, engine.workflow, asked, engine.clock())


@pytest.fixture
def say(engine: Engine) -> Say:
    """The command line."""

    def said(*arguments: Any) -> Result:
        return CliRunner().invoke(orchestrate, [str(each) for each in arguments])

    return said


@pytest.mark.parametrize(
    "asked",
    [
        ("reviews", "list"),
        ("reviews", "list", "--json"),
        ("reviews", "show", 1),
        ("reviews", "show", 1, "--json"),
        ("reviews", "next", "--as", "ann"),
        ("reviews", "next", "--as", "ann", "--json"),
        ("case", "a"),
        ("case", "a", "--json"),
        ("cases", "list"),
        ("cases", "list", "--json"),
    ],
)
def test_nothing_that_a_reviewer_reads_says_what_the_machine_chose(say: Say, asked: tuple[Any, ...]) -> None:
    """Neither the choice nor its rule, nor what followed: the case is closed as done."""
    said = say(*asked)
    assert said.exit_code == 0, said.output
    shown = said.output.replace("approve|reject", "")  # what a reviewer may answer
    assert not [word for word in ("approve", "auto", "r1", "rule r", "commit", "done") if word in shown], shown


def test_a_review_is_decided_and_the_case_is_open_to_read_again(say: Say) -> None:
    """The verbs that decide anything else decide it."""
    shown = say("reviews", "show", 1).output
    assert "A quality review" in shown and "Would you say yes?" in shown
    digest = shown.split("Digest of what is shown: ")[1].split()[0]
    refused = say("reviews", "decide", 1, "--as", "ann", "--seen", digest, "--outcome", "escalate", "--rationale", "x")
    assert "approve or reject" in str(refused.exception)
    done = say("reviews", "decide", 1, "--as", "ann", "--seen", digest, "--outcome", "approve")
    assert done.exit_code == 0, done.output
    assert "done" in say("case", "a").output


def test_two_people_lift_a_fallback(say: Say, engine: Engine) -> None:
    """The list says that the cell is with people; the first asks, the same again is refused, a second confirms."""
    assert "too few reviews" in say("quality", "list").output.replace("\n", " ")
    with engine.connect() as connection:
        table.fall_back(connection, "flow", "r1", by="test", reason="too often wrong", now=engine.clock())
    (cell,) = json.loads(say("quality", "list", "--json").output)
    assert (cell["name"], cell["fallback"]["reason"], cell["needed"]) == ("r1", "too often wrong", 12)
    assert "A second person confirms" in say("quality", "lift", "r1", "--as", "ann", "--reason", "mended").output
    again = say("quality", "lift", "r1", "--as", "ann", "--reason", "mended")
    assert "a second person must agree" in str(again.exception)
    (cell,) = json.loads(say("quality", "list", "--json").output)
    assert cell["fallback"]["asked_by"] == "ann"
    assert "decides by itself again" in say("quality", "lift", "r1", "--as", "bob", "--reason", "agreed").output
    (cell,) = json.loads(say("quality", "list", "--json").output)
    assert cell["fallback"] is None


def test_what_was_learnt_is_looked_at_proposed_and_approved_by_somebody_else(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--look`` changes nothing; the proposal is a release like any other."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    folder = learning_folder(tmp_path / "flow")
    run(deploy().engine(load_workflow(folder)), 500, wrong_below=0.6)

    def said(*arguments: str) -> Result:
        return CliRunner().invoke(orchestrate, arguments)

    looked = said("quality", "propose", str(folder), "--look", "--json")
    (found,) = json.loads(looked.output)
    assert (found["cases"], found["thresholds"][0]["cell"], found["thresholds"][0]["from"]) == (500, "r3", 0.9)
    assert found["calibration"]["brier"] < 0.3 and len(found["differences"]) == 2
    shown = said("quality", "propose", str(folder), "--look")
    assert "Brier score" in shown.output and "would have gone from people to the machine" in shown.output
    assert said("quality", "propose", str(folder), "--as", "ann").exit_code != 0, "a reason is needed"
    made = said("quality", "propose", str(folder), "--as", "ann", "--reason", "learnt")
    assert "is proposed" in made.output, made.output
    digest = made.output.rpartition("model approve ")[2].split()[0]
    assert said("model", "approve", digest, "--as", "bob").exit_code == 0
    assert said("quality", "propose", str(folder), "--as", "ann", "--reason", "again").exit_code != 0
