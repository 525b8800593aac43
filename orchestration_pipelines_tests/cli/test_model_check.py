"""``orchestrate model check``: what is wrong, in words, and an exit code for a script."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.cli.model import description
from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.cli.session import find_workflow
from orchestration_pipelines_tests.drawing import drawing
from orchestration_pipelines_tests.model.dmn.drawing import column, decision, definitions, literal, table

_SHIPPED = Path(__file__).parents[2] / "orchestration_pipelines" / "workflows"
_GAP = decision("graded", table([column("n", label="Points")], [""], [("< 5", "1"), ("> 5", "2")]))
_OVERLAP = decision("graded", table(["n"], [""], [("<= 5", "1"), (">= 5", "2")]))


def check(*words: object) -> Result:
    """The verb, as a user gives it."""
    return CliRunner().invoke(orchestrate, ["model", "check", *map(str, words)])


def written(place: Path, *parts: str) -> Path:
    """A DMN file."""
    path = place / "their.dmn"
    path.write_bytes(definitions(*parts))
    return path


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    """They are shown, in the words of the table."""
    said = check(written(tmp_path, _GAP))
    assert said.exit_code == 0
    assert "Points = 5: no rule matches" in said.output


def test_an_error_is_one_for_a_script(tmp_path: Path) -> None:
    """With the rules and the example for a program to read."""
    said = check(written(tmp_path, _OVERLAP), "--json")
    assert said.exit_code == 1
    overlap, _ = json.loads(said.output)
    assert (overlap["level"], overlap["kind"]) == ("error", "overlap")
    assert (overlap["rules"], overlap["example"]) == (["r1", "r2"], {"n": "5"})


def test_a_text_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """Though the other decisions of the file may be fine."""
    said = check(written(tmp_path, _GAP, decision("broken", literal("1 +"))))
    assert said.exit_code == 1
    assert "broken" in said.output


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.dmn", b"<!DOCTYPE a><a/>", "DTD"),
        ("a.dmn", b"\0", "well-formed"),
        ("a.bpmn", b"<a/>", "definitions of a BPMN"),
        ("a.bpmn", drawing("service check", "received -> check"), "no sequence flow leaves it"),
    ],
)
def test_a_file_that_is_refused_is_an_error(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """With each reason, for drawings as for tables."""
    (tmp_path / name).write_bytes(content)
    said = check(tmp_path / name)
    assert said.exit_code == 1
    assert reason in said.output


@pytest.mark.parametrize("name", ["nowhere.dmn", "a.txt", "."])
def test_what_is_no_model_is_told(tmp_path: Path, name: str) -> None:
    """A file that is not there, one of another kind, a folder without any."""
    (tmp_path / "a.txt").write_text("a")
    said = check(tmp_path / name)
    assert isinstance(said.exception, Problem)
    assert str(tmp_path) in str(said.exception)


def test_a_sound_drawing_has_nothing(tmp_path: Path) -> None:
    """And says so."""
    (tmp_path / "a.bpmn").write_bytes(drawing("service check", "end done", "received -> check -> done"))
    assert (check(tmp_path).exit_code, "nothing was found" in check(tmp_path).output) == (0, True)


def test_a_folder_is_checked_as_a_workflow(tmp_path: Path) -> None:
    """Its files, and whether they make a workflow."""
    shutil.copytree(_SHIPPED / "throughput", tmp_path / "copied")
    assert check(tmp_path / "copied").exit_code == 0
    (tmp_path / "copied" / "workers.py").unlink()
    said = check(tmp_path / "copied")
    assert said.exit_code == 1
    assert "workers.py is missing" in said.output


def test_the_grids_readme_shows_what_is_found() -> None:
    """Word for word; and the page of the workflow lists the same."""
    readme = (_SHIPPED / "mortgage_underwriting" / "README.md").read_text(encoding="utf-8")
    found = description(find_workflow("mortgage_underwriting"))["found in the tables"]
    assert found
    assert [each["level"] for each in found] == ["note"] * len(found)
    for each in found:
        assert f"    {each['level']}  {each['kind']}  {each['reason']}\n" in readme
