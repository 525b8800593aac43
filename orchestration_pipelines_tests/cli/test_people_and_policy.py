"""``orchestrate policy``, ``people``, ``reviews why``, ``notices``: from the policy to the notice, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import TOLD, orchestrate
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow
from orchestration_pipelines_tests.engine.test_hands import SETTINGS

POLICY = """\
calendars: {office: {zone: Europe/Berlin, hours: {mon-fri: [09:00-17:00]}}}
skills: [fraud]
queues: {reviews: {strategy: least_load, escalates_to: seniors}}
steps:
  review: {sla: {calendar: office, budget: PT8H, ladder: [{after: PT2H, act: remind}, {after: PT4H, act: escalate}]}}
"""
PEOPLE = "people: {dora: {roles: [reviewer], skills: [fraud], shifts: {mon-fri: [08:00-18:00]}}}\n"
Say = Callable[..., str]


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """A workflow with people and no policy; its database and an empty home are those of the command line."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    folder = workflow_folder(tmp_path / "flow", drawing(*REVIEWED), WORKERS, SETTINGS)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    made.engine.version  # noqa: B018 - released on first use
    return made


@pytest.fixture
def say(flow: Flow) -> Say:
    """The command line; what it refuses comes back as what it says, after a bang."""

    def run(*words: object) -> str:
        ran = CliRunner().invoke(orchestrate, [str(word) for word in words], standalone_mode=False)
        if isinstance(ran.exception, TOLD):
            return f"! {ran.exception}"
        if ran.exception is not None:
            raise ran.exception
        return ran.stdout

    return run


def written(name: str, content: str) -> str:
    """A file where the command line runs."""
    Path(name).write_text(content)
    return name


def test_a_policy_is_checked_set_and_shown(say: Say) -> None:
    """By a manager, with a reason; the history says who and why, and what holds already is said so."""
    file = written("policy.yaml", POLICY)
    assert "flow has no policy yet" in say("policy", "show", "--workflow", "flow")
    assert "policy.yaml can be set" in say("policy", "check", file, "--workflow", "flow")
    setting = ("policy", "set", file, "--workflow", "flow", "--reason", "we try it")
    assert "only a manager changes the policy, and ann is none" in say(*setting, "--as", "ann")
    assert say(*setting, "--as", "max") == "Policy 1 of flow holds now.\n"
    assert say(*setting, "--as", "max") == "This policy holds already.\n"
    assert say("policy", "show", "--workflow", "flow") == POLICY
    history = json.loads(say("policy", "show", "--workflow", "flow", "--history", "--json"))
    assert [(each["set_by"], each["reason"]) for each in history] == [("max", "we try it")]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("budget: PT8H", "budget: -PT8H", r"steps.review.sla.budget"),
        ("mon-fri: [09:00-17:00]", "", r"calendars.office"),
        ("[{after: PT2H, act: remind}, {after: PT4H, act: escalate}]",
         "[{after: PT4H, act: escalate}, {after: PT2H, act: remind}]", r"steps.review.sla.ladder"),
        ("escalates_to: seniors", "escalates_to: nowhere", r"queues.reviews.escalates_to"),
    ],
)  # fmt: skip
def test_a_bad_policy_is_refused_by_its_place(say: Say, was: str, becomes: str, told: str) -> None:
    """A negative promise, an empty calendar, a ladder out of order, an unknown queue: named, and nothing holds."""
    file = written("bad.yaml", POLICY.replace(was, becomes))
    said = say("policy", "set", file, "--workflow", "flow", "--reason", "we try it", "--as", "max")
    assert said.startswith("! ")
    assert "bad.yaml" in said
    assert told in said
    assert "flow has no policy yet" in say("policy", "show", "--workflow", "flow")


def test_people_come_are_renamed_go_away_and_leave(say: Say) -> None:
    """Each by a manager, and each seen in the list."""
    say("policy", "set", written("policy.yaml", POLICY), "--workflow", "flow", "--reason", "first", "--as", "max")
    assert say("people", "import", written("new.yaml", PEOPLE), "--as", "max") == "1 people are as new.yaml says.\n"
    assert say("people", "rename", "dora", "Dora B.", "--as", "max") == "dora is called Dora B. now.\n"
    away = say("people", "set-absent", "dora", "--delegate", "ann", "--reason", "away", "--as", "dora")
    assert away.startswith("dora is absent then.")
    (dora,) = (each for each in json.loads(say("people", "list", "--json")) if each["person"] == "dora")
    assert (dora["title"], dora["away"], dora["skills"]) == ("Dora B.", "absent", {"fraud": 1})
    shown = json.loads(say("people", "show", "dora", "--json"))
    assert shown["absences"][0]["delegate"] == "ann"
    assert shown["shifts"][0] == "mon 08:00-18:00"
    assert "is no reviewer any more" in say("people", "deactivate", "dora", "--reason", "left", "--as", "max")
    (dora,) = (each for each in json.loads(say("people", "list", "--json")) if each["person"] == "dora")
    assert dora["active"] is False


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("skills: [fraud]", "skills: [frauds]", "people.dora.skills"),
        ("[08:00-18:00]", "['08:00-12:00', '11:00-18:00']", "people.dora.shifts"),
        ("roles: [reviewer]", "role: [reviewer]", "people.dora.role"),
    ],
)
def test_bad_people_are_refused_by_their_place(say: Say, was: str, becomes: str, told: str) -> None:
    """An unknown skill, shifts that overlap, a slip of the pen: nobody comes in."""
    say("policy", "set", written("policy.yaml", POLICY), "--workflow", "flow", "--reason", "first", "--as", "max")
    said = say("people", "import", written("bad.yaml", PEOPLE.replace(was, becomes)), "--as", "max")
    assert said.startswith("! ")
    assert told in said
    assert "dora" not in say("people", "list")


def test_whoever_has_work_in_hand_leaves_with_release_alone(say: Say, flow: Flow) -> None:
    """The refusal says what to type; then the task is back in its queue."""
    flow.submit("A")
    flow.sweep()
    task = json.loads(say("reviews", "next", "--as", "ann", "--json"))["task"]
    leaving = ("people", "deactivate", "ann", "--reason", "left", "--as", "max")
    assert "orchestrate people deactivate ann --release" in say(*leaving)
    assert f"Back in their queues: tasks {task}." in say(*leaving, "--release")
    assert "is in the hands of bob" in say("reviews", "claim", task, "--as", "bob")
    assert "in the hands of cleo" in say("reviews", "reassign", task, "--to", "cleo", "--as", "max", "--reason", "hers")


def test_why_somebody_has_a_task_and_what_they_were_told(say: Say, flow: Flow) -> None:
    """The account of an assignment, and a reminder that is listed, delivered once and listed as sent."""
    say("policy", "set", written("policy.yaml", POLICY), "--workflow", "flow", "--reason", "first", "--as", "max")
    flow.submit("A")
    flow.sweep()
    task = flow.one("SELECT id FROM review_task")
    why = json.loads(say("reviews", "why", task, "--json"))
    assert why["strategy"] == "least_load"
    assert why["recorded"][0]["cause"] == "least_load"
    assert {place["person"] for place in why["places"]} >= {"ann", "bob", "max"}
    flow.clock.advance(hours=3)
    flow.engine.tick()
    waits = json.loads(say("notices", "list", "--status", "pending", "--json"))
    assert [(each["kind"], each["person"]) for each in waits] == [("reminded", why["recorded"][0]["person"])]
    assert say("notices", "send") == "1 sent, 0 to be tried again, 0 given up\n"
    assert say("notices", "send") == "0 sent, 0 to be tried again, 0 given up\n"
    assert [each["status"] for each in json.loads(say("notices", "list", "--json"))] == ["sent"]
