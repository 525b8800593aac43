"""The pilot, as `make run` runs it: processes, Dagster runs, and figures that add up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pilot")]  # one home, one server
KEYS = [
    "submitted",
    "quarantined",
    "auto_approved",
    "reviewed",
    "approved",
    "declined",
    "compensated",
    "open",
    "dead",
    "audit_entries",
    "ledger_balanced",
    "wall_s",
]


class Cli:
    """The command line in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.env = {**os.environ, "ORCHESTRATION_HOME": str(home)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("orchestrate")), *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    home = tmp_path_factory.mktemp("pilot")
    yield Cli(home)
    EmbeddedServer(Home(home)).remove()


def _adds_up(figures: dict[str, Any]) -> bool:
    ends = ("approved", "declined", "quarantined", "open", "dead")
    return bool(figures["submitted"] == sum(figures[end] for end in ends))


def _runs_in_history(cli: Cli) -> str:
    """Dagster's runs: job and status of each."""
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import dagster as dg\n"
            "from orchestration_pipelines.cli.dagster_home import enter_dagster_home\n"
            "from orchestration_pipelines.engine.deployment import deploy\n"
            "enter_dagster_home(deploy())\n"
            "print({(r.job_name, r.status.value) for r in dg.DagsterInstance.get().get_runs()})",
        ],
        env=cli.env,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.strip()


def test_the_flagged_wait_for_a_person_and_go_on_when_one_has_decided(cli: Cli) -> None:
    """Wait mode: tasks are listed and shown; a decision by the CLI is taken on; who may not is told why."""
    waiting = cli.json("pilot", "--limit", "40", "--reviewers", "wait")
    assert list(waiting) == KEYS
    assert _adds_up(waiting)
    assert waiting["open"] > 0
    assert waiting["reviewed"] == 0
    task = next(t for t in cli.json("reviews", "list") if t["element"] == "human_review" and t["signature"] == "1 of 1")
    number, seen = str(task["task"]), task["digest"]
    own = ("--as", task["requested_by"], "--seen", seen, "--outcome", "approve")
    refused = cli.run("reviews", "decide", number, *own)
    assert refused.returncode == 1
    assert "nobody decides their own" in refused.stderr
    shown = cli.run("reviews", "show", number).stdout
    assert "Should this loan be made?" in shown
    assert seen in shown
    done = cli.json("reviews", "decide", number, "--as", "ines", "--seen", seen, "--outcome", "approve")
    assert done["by"] == "ines"
    again = cli.run("reviews", "decide", number, "--as", "nora", "--seen", seen, "--outcome", "approve")
    assert "was decided by ines" in again.stderr
    swept = cli.json("sweep", "mortgage_underwriting")
    assert swept["closed"] == {"approved": 1}
    history = cli.json("case", task["case_key"])
    assert (history["state"], history["outcome"]) == ("closed", "approved")
    assert [entry["did"] for entry in history["history"]].count("signed") == 1


def test_the_record_plays_the_people_and_a_second_run_shows_the_same(cli: Cli) -> None:
    """Every case ends; then everything is a duplicate and the figures stand; the runs are in Dagster's history."""
    first = cli.json("pilot", "--limit", "40", "--fresh")
    assert _adds_up(first)
    assert (first["submitted"], first["open"], first["dead"]) == (40, 0, 0)
    assert first["ledger_balanced"] is True
    assert first["reviewed"] > 0
    second = cli.json("pilot", "--limit", "40")
    assert {**second, "wall_s": 0} == {**first, "wall_s": 0}
    told = cli.run("pilot", "--limit", "40").stdout
    assert "What became of the applications" in told
    assert "approved by people" in told
    assert _runs_in_history(cli) == "{('mortgage_underwriting', 'SUCCESS')}"


def test_a_bad_row_is_told_mended_and_offered_again(cli: Cli, tmp_path: Path) -> None:
    """Counts and problems by row; the good rest goes on; exit codes say what happened."""
    flow, offered = tmp_path / "flow", tmp_path / "offered.csv"
    assert cli.run("new", str(flow)).returncode == 0
    offered.write_text("case_key,amount,note\nA-1,250,first\nA-2,lots,second\nA:3,4,third\n")
    submitted = cli.json("submit", str(flow), str(offered), "--as", "broker")
    problems = submitted.pop("problems")
    assert submitted == {"accepted": 1, "duplicates": 0, "conflicts": 0, "quarantined": 2}
    assert [(problem["row"], problem["key"]) for problem in problems] == [(3, "A-2"), (4, "A:3")]
    assert "field 'amount' is 'lots', not a number" in problems[0]["reason"]
    row = str(cli.json("quarantine", "list")[0]["id"])
    wrong = cli.run("quarantine", "resubmit", row, str(flow), "--set", "amount")
    assert (wrong.returncode, "is not field=value" in wrong.stderr) == (2, True)
    assert cli.run("quarantine", "resubmit", row, str(flow), "--set", "amount=20").stdout == "Row 1 is now case A-2.\n"
    assert cli.json("sweep", str(flow))["errors"] == []
    assert {case["key"]: case["stands_at"] for case in cli.json("cases", "list", "--workflow", "flow")} == {
        "A-1": "review",
        "A-2": "review",
    }
    assert "is cancelled" in cli.run("cases", "cancel", "A-2", "--reason", "a test").stdout
    held = cli.run("hold", f"{flow}", "--reason", "audit")
    assert (held.returncode, "is held" in held.stdout) == (0, True)
    cli.json("sweep", str(flow))
    assert cli.json("cases", "list", "--state", "cancelled", "--workflow", "flow") == []
    assert cli.run("resume", f"{flow}", "--reason", "done").returncode == 0
    cli.json("sweep", str(flow))
    assert [case["key"] for case in cli.json("cases", "list", "--state", "cancelled", "--workflow", "flow")] == ["A-2"]
    missing = cli.run("submit", "nonesuch", "x.csv")
    assert (missing.returncode, "there is no workflow 'nonesuch'" in missing.stderr) == (1, True)
