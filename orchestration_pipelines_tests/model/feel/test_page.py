"""docs/feel.md says what the code does: its examples, and its limits."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from orchestration_pipelines.model import feel

_PAGE = (Path(__file__).parents[3] / "docs" / "feel.md").read_text(encoding="utf-8")
_LIMITS = re.findall(r"^\| ([\d,]+) \|.*\| `(\w+)\.(\w+)` \|$", _PAGE, re.MULTILINE)


@pytest.mark.parametrize(("number", "module", "constant"), _LIMITS)
def test_the_limits_are_those_of_the_code(number: str, module: str, constant: str) -> None:
    """Each row of the table has its constant."""
    assert getattr(import_module(f"orchestration_pipelines.model.feel.{module}"), constant) == int(
        number.replace(",", "")
    )


def test_the_page_has_limits() -> None:
    """The table is found."""
    assert len(_LIMITS) == 8


def test_the_example_says_what_comes_out() -> None:
    """As a reader would try it."""
    told = feel.Evaluation()
    read = feel.compile("[1, 2, 3][item > limit]")
    assert feel.evaluate("loan amount > 2 * income", {"loan amount": 100, "income": 40}) is True
    assert read.names == {"limit"}
    assert read.evaluate({}, told) == []
    assert told.diagnostics[0] == "there is no 'limit'"
    assert feel.unary_tests("[1..5], > 9").evaluate({"?": 10}) is True
