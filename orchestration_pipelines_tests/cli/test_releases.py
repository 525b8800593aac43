"""Releasing a table from the command line, end to end: edit, propose, approve; who is refused; what is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import TOLD, orchestrate
from orchestration_pipelines.store import urls
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.tables import table

STRICT = table(("< 100", '"auto"', "1"), (">= 100", '"review"', "1"))
LOOSE = table(("< 200", '"auto"', "1"), (">= 200", '"review"', "1"))
STEPS = (
    "rule grid",
    "user look orch:queue=reviews",
    "end passed",
    "end seen",
    "received -> grid -> which",
    'which -> passed if grid.route = "auto"',
    "which -> look default",
    "look -> seen",
    "timer late on look P3D -> seen",
)

Run = Callable[..., str]


@pytest.fixture
def run(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The command line on a database of its own: what it printed, or the message of what was refused."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.delenv("ORCHESTRATION_AS", raising=False)

    def invoke(*arguments: object) -> str:
        ran = CliRunner().invoke(orchestrate, [*map(str, arguments)])
        if isinstance(ran.exception, TOLD):
            return f"refused: {ran.exception}"
        assert ran.exception is None, (ran.exception, ran.output)
        return ran.output

    yield invoke
    with psycopg.connect(urls.on_database(database, "postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{urls.database_of(database)}_dagster" WITH (FORCE)')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return workflow_folder(tmp_path / "flow", drawing(*STEPS), "", grid=STRICT)


def decided(run: Run, folder: Path, key: str, amount: int) -> str:
    """Where a case with this amount stands or ended."""
    (folder / "cases.csv").write_text(f"case_key,amount\n{key},{amount}\n")
    run("submit", folder, folder / "cases.csv", "--as", "broker")
    run("sweep", folder)
    cases = json.loads(run("cases", "list", "--json"))
    (found,) = [case for case in cases if case["key"] == key]
    return str(found["outcome"] or found["stands_at"])


def test_a_table_is_edited_proposed_approved_and_in_force(run: Run, folder: Path) -> None:
    """Until a second person agrees, the old one decides; the difference is told in words, and so is the rule."""
    assert decided(run, folder, "A", 150) == "look"
    (folder / "grid.dmn").write_text(LOOSE)
    assert "grid.dmn in the folder" in run("sweep", folder)
    assert "grid.dmn in the folder" in run("model", "describe", folder)
    assert decided(run, folder, "B", 150) == "look"

    proposed = run("model", "release", folder / "grid.dmn", "--as", "ann", "--reason", "less to look at")
    assert "below 200" in proposed and "loosening" in proposed and "is proposed by ann" in proposed
    listed = json.loads(run("model", "releases", "--json"))
    assert (listed[0]["state"], listed[0]["requested_by"]) == ("proposed", "ann")
    digest = listed[0]["digest"]
    assert "a second person must approve" in run("model", "approve", digest[:12], "--as", "ann")
    assert decided(run, folder, "C", 150) == "look"
    assert "is active" in run("model", "approve", digest[:12], "--as", "bob")
    assert decided(run, folder, "D", 150) == "passed"
    assert "in the folder" not in run("sweep", folder)

    assert "below 200" in run("case", "D")
    (entry,) = [e for e in json.loads(run("case", "A", "--json"))["history"] if e["at_step"] == "grid"]
    assert len(entry["rules_in_words"]) == 1 and "at least 100" in entry["rules_in_words"][0]

    back = run(
        "model", "rollback", listed[1]["digest"][:12], "--workflow", folder, "--as", "bob", "--reason", "too lax"
    )
    assert "is proposed by bob" in back
    withdrawn = run("model", "reject", listed[1]["digest"][:12], "--as", "bob", "--reason", "not now")
    assert "is withdrawn: not now" in withdrawn
    states = [one["state"] for one in json.loads(run("model", "releases", "--json"))]
    assert states == ["withdrawn", "active", "superseded"]


def test_the_reviewer_is_told_the_rule_in_words(run: Run, folder: Path, database: str) -> None:
    """In the view, in any SQL client, and by reviews show: of the table that was in force then, not of today's."""
    assert decided(run, folder, "A", 150) == "look"
    run("model", "release", folder / "grid.dmn", "--as", "ann", "--reason", "again")
    (folder / "grid.dmn").write_text(table(("< 300", '"auto"', "1"), (">= 300", '"review"', "1")))
    run("model", "release", folder / "grid.dmn", "--as", "ann", "--reason", "more")
    run("model", "approve", json.loads(run("model", "releases", "--json"))[0]["digest"], "--as", "bob")
    with psycopg.connect(database) as connection:
        ((task, reasons),) = connection.execute("SELECT task, reasons FROM reviewer_table").fetchall()
    assert len(reasons) == 1 and reasons[0].startswith("grid: ") and "at least 100" in reasons[0]
    assert "at least 100" in run("reviews", "show", task)


def test_what_cannot_be_released_is_told(run: Run, folder: Path, tmp_path: Path) -> None:
    """No such file, no table, a broken one, no such proposal, nobody named: one message each, and on the record."""
    assert decided(run, folder, "A", 150) == "look"
    (tmp_path / "note.txt").write_text("x")
    (tmp_path / "grid.dmn").write_text("<nonsense/>")
    say = ("--as", "ann", "--reason", "why", "--workflow", folder)
    assert "cannot be read" in run("model", "release", tmp_path / "none.dmn", *say)
    assert "neither a table" in run("model", "release", tmp_path / "note.txt", *say)
    assert "is refused" in run("model", "release", tmp_path / "grid.dmn", *say)
    assert "is active already" in run("model", "release", folder / "grid.dmn", *say)
    assert "there is no proposal" in run("model", "approve", "abc", "--as", "bob")
    (tmp_path / "grid.dmn").write_text(LOOSE)
    assert "a reason is needed" in run(
        "model", "release", tmp_path / "grid.dmn", "--as", "ann", "--reason", " ", "--workflow", folder
    )
