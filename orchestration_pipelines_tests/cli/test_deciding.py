"""``orchestrate reviews decide-many``, ``history``, ``ask``, ``reasons``: as a person meets them."""

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
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, SETTINGS, with_reasons
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, database: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Say:
    """The command line on a database in which cases A to C wait for a reviewer; a refusal is raised."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    folder = workflow_folder(tmp_path / "flow", drawing(*DECIDING), WORKERS, SETTINGS, grid=GRID)
    flow = with_reasons(Flow(Engine(database, load_workflow(folder), clock=clock), clock))
    flow.submit("A", "B", "C")
    flow.sweep()

    def run(*words: object) -> str:
        ran = CliRunner().invoke(orchestrate, ["reviews", *map(str, words)], standalone_mode=False)
        if ran.exception is not None:
            raise ran.exception
        return ran.stdout

    return run


def test_a_file_of_decisions_is_decided_and_what_is_refused_is_listed(say: Say, tmp_path: Path) -> None:
    """A slip in it decides nothing; a refusal leaves the rest decided."""
    a, b, c = json.loads(say("list", "--json"))
    file = tmp_path / "decisions.csv"
    file.write_text(f"task,seen,outcome\n{a['task']},{a['digest']},approve\nx,,return\n{b['task']},{b['digest']}\n")
    with pytest.raises(Problem) as slips:
        say("decide-many", file, "--as", "ann")
    for slip in (
        "line 3: task is 'x'",
        "line 3: seen is empty",
        "line 3: outcome is 'return'",
        "line 4: it has not as",
    ):
        assert slip in str(slips.value)
    for text, wrong in (
        ("task,seen\n", "no column outcome"),
        ("task,seen,outcome,who\n", "'who', which nobody reads"),
        ('task,seen,outcome\n"1', "no CSV"),
    ):
        file.write_text(text)
        with pytest.raises(Problem, match=wrong):
            say("decide-many", file, "--as", "ann")
    file.write_text(
        "task,seen,outcome,rationale,reasons\n"
        f"{a['task']},{a['digest']},approve,,in_order\n"
        f'{b["task"]},{b["digest"]},reject,"no, really",no_invoice other\n'
        f"{c['task']},{c['digest']},reject,,\n"
    )
    told = say("decide-many", file, "--as", "ann")
    assert f"Task {c['task']} is left as it was: a rationale is needed" in told
    assert "2 of 3 are decided" in told
    with pytest.raises(Problem, match="nothing of the file could be decided"):
        say("decide-many", file, "--as", "ann")
    answers = json.loads(say("decide-many", file, "--as", "ann", "--json"))
    assert [each["decision"] for each in answers] == [None] * 3
    assert "no, really" in say("history", b["task"])
    counted = json.loads(say("reasons", "--days", 3_660, "--json"))
    assert {(each["rule"], each["reason"], each["decisions"]) for each in counted} == {
        ("much", "in_order", 1),
        ("much", "no_invoice", 1),
        ("much", "other", 1),
    }
    assert "There is no invoice" in say("reasons", "--workflow", "flow", "--days", 3_660)


def test_reasons_are_shown_and_named_and_a_colleague_is_asked(say: Say) -> None:
    """From taking a task to deciding it with a reason, with somebody's answer in between."""
    task = json.loads(say("next", "--as", "ann", "--json"))
    shown = say("show", task["task"])
    assert "no_invoice" in shown
    assert "There is no invoice" in shown
    assert json.loads(say("show", task["task"], "--json"))["offered_reasons"][0]["code"] == "no_invoice"
    assert "bob is told" in say("ask", task["task"], "--as", "ann", "--of", "bob", "--text", "A duplicate?")
    (asked,) = json.loads(say("inquiries", "--as", "bob", "--json"))
    assert "A duplicate?" in say("inquiries", "--as", "bob")
    assert "is answered" in say("reply", asked["id"], "--as", "bob", "--text", "Yes")
    with pytest.raises(Refused, match="the policy offers no reason bad_mood"):
        say("decide", task["task"], "--as", "ann", "--seen", task["digest"], "--outcome", "reject",
            "--reason-code", "bad_mood")  # fmt: skip
    say("decide", task["task"], "--as", "ann", "--seen", task["digest"], "--outcome", "reject",
        "--reason-code", "no_invoice")  # fmt: skip
    happened = json.loads(say("history", "--case", "A", "--json"))
    assert [each["what"] for each in happened] == ["opened", "claimed", "worked", "asked", "answered", "reject"]
    with pytest.raises(Problem, match="name a TASK, or a case"):
        say("history")
