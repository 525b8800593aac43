"""``orchestrate deltas`` and ``orchestrate log report``: an imported log as a page, and as a baseline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration_pipelines.cli.main import orchestrate

_LOG = "case:concept:name,concept:name,time:timestamp\n" + "".join(
    f"c{day}-{n},ask,2026-02-{day:02}T00:00:00Z\nc{day}-{n},end,2026-02-{day:02}T{10 + n}:00:00Z\n"
    for day in range(2, 8)
    for n in range(3)
)


@pytest.fixture
def before(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log of six days on a database that the command line finds."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    (tmp_path / "before.csv").write_text(_LOG)
    assert _say("log", "import", str(tmp_path / "before.csv"), "--name", "before").exit_code == 0
    return "before"


def _say(*words: str) -> Result:
    return CliRunner().invoke(orchestrate, words)


def test_a_log_is_compared_with_itself_and_the_page_names_no_case(before: str, tmp_path: Path) -> None:
    """Two periods that are alike: no effect is shown, in the terminal, as JSON and on the page."""
    periods = ("--before", "2026-02-02..2026-02-04", "--after", "2026-02-05..2026-02-07")
    out = tmp_path / "deltas.html"
    said = _say("deltas", "--log", before, *periods, "--out", str(out))
    assert said.exit_code == 0, said.output
    assert "no effect shown" in said.output.replace("\n", " ")
    html = out.read_text(encoding="utf-8")
    assert "9 cases of the log before" in html and "c2-0" not in html
    told = json.loads(_say("deltas", "--log", before, *periods, "--json").output)
    assert (told["before"], told["after"], told["deltas"][0]["before"]) == (9, 9, 11)
    assert _say("deltas", "--after", "2026-02-05..2026-02-07").exit_code != 0, "of what?"


def test_a_log_has_a_page_of_its_own(before: str, tmp_path: Path) -> None:
    """With the figures and pictures of a workflow's."""
    out = tmp_path / "before.html"
    said = _say("log", "report", before, "--out", str(out))
    assert "18 cases from 2026-02-02 to 2026-02-07" in said.output, said.output
    assert "lead p50" in out.read_text(encoding="utf-8")
    assert _say("log", "report", "nowhere", "--out", str(out)).exit_code != 0
