"""The table of built-in functions in docs/feel.md is what the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.model.feel.builtins import BUILTINS
from orchestration_pipelines.model.feel.builtins.library import POINT
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.function import Function

_PAGE = Path(__file__).parents[3] / "docs" / "feel.md"


def row(name: str) -> str:
    """A function's line of the table."""
    calls = [one.written.replace(POINT, "point").replace(" | ", " or ") for one in BUILTINS[name].signatures]
    return f"| `{name}` | {' or '.join(f'`({call})`' for call in calls)} |".replace(";", ",")


@pytest.mark.parametrize("name", BUILTINS)
def test_the_page_has_each_function(name: str) -> None:
    """With all its signatures, as they are declared."""
    assert row(name) in _PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_has_no_other_function() -> None:
    """One line for each."""
    lines = _PAGE.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("| `") and "` | `(" in line for line in lines) == len(BUILTINS)


@pytest.mark.parametrize("name", BUILTINS)
def test_each_is_a_function_that_never_raises(name: str) -> None:
    """Whatever it is given: nothing, too much, or what it does not take."""
    function = BUILTINS[name]
    assert isinstance(function, Function) and function.name == name
    odd = [None, True, 1.5, "", [], {}, [[]], function, object()]
    for count in range(5):
        for one in odd:
            evaluation = Evaluation()
            function.call(evaluation, [one] * count)
            function.call_named(evaluation, dict.fromkeys(function.parameters[:count], one))
            function.call_named(evaluation, {"no such name": one})
            assert evaluation.diagnostics
