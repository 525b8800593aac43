"""``orchestrate model draw``: a picture of a file or a workflow, and words where there can be none."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.model.bpmn import template
from orchestration_pipelines_tests.drawing import drawing

_ROOT = Path(__file__).parents[2]


def draw(*words: object) -> Result:
    """The verb, as a user gives it."""
    return CliRunner().invoke(orchestrate, ["model", "draw", *map(str, words)])


def test_a_file_is_drawn(tmp_path: Path) -> None:
    """To a file, with a word about it; or to where one pipes it."""
    (tmp_path / "mine.bpmn").write_bytes(template("mine", "tests"))
    said = draw(tmp_path / "mine.bpmn", "--out", tmp_path / "mine.svg")
    assert said.exit_code == 0, said.output
    assert said.output.endswith("3 steps: Check, Review, Finish.\n")
    assert draw(tmp_path / "mine.bpmn").output == (tmp_path / "mine.svg").read_text(encoding="utf-8")


def test_a_drawing_without_a_picture_is_laid_out(tmp_path: Path) -> None:
    """Each step of it."""
    (tmp_path / "plain.bpmn").write_bytes(drawing("service check", "end done", "received -> check -> done"))
    assert 'data-element="check"' in draw(tmp_path / "plain.bpmn").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.bpmn"], "nowhere.bpmn cannot be read"),
        (["theirs.bpmn", "--counts"], "name a workflow or its folder"),
        (["throughput", "--counts", "--case", "A"], "two pictures"),
        (["nothing"], "there is no workflow 'nothing'"),
        (["throughput", "--out", "/nowhere/at/all.svg"], "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_told(words: list[str], said: str) -> None:
    """With what to do instead."""
    result = draw(*words)
    assert isinstance(result.exception, Problem)
    assert said in str(result.exception)


def test_a_picture_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """By the element whose number is none."""
    (tmp_path / "theirs.bpmn").write_bytes(template("t", "tests").replace(b'x="190"', b'x="NaN"', 1))
    result = draw(tmp_path / "theirs.bpmn")
    assert "the shape of check: its x is NaN" in str(result.exception)


def test_the_committed_picture_is_what_the_command_draws() -> None:
    """Of the mortgage workflow: drawn anew with orchestrate model draw mortgage_underwriting --out …"""
    kept = (_ROOT / "docs" / "pictures" / "mortgage_underwriting.svg").read_text(encoding="utf-8")
    assert draw("mortgage_underwriting").output == kept
