"""Hostile FEEL ends in a clear error, each within 2 s of work and 200 MB."""

from __future__ import annotations

import pytest

from orchestration_pipelines_tests.model.confined import End, ends
from orchestration_pipelines_tests.model.feel import hostile


@pytest.fixture(scope="module")
def ended() -> dict[str, End]:
    return ends(hostile.__name__)


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.startswith("unreadable")])
def test_what_cannot_be_read_is_told(case: str, ended: dict[str, End]) -> None:
    """With the place, and without recursion of Python's own."""
    assert ended[case].outcome == "FeelError", ended[case]
    assert ended[case].is_in_bounds, ended[case]


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.startswith("endless")])
def test_what_never_ends_is_ended(case: str, ended: dict[str, End]) -> None:
    """By the budget; or it is null, and why is told."""
    assert ended[case].outcome in ("FeelLimit", "null"), ended[case]
    assert "there is no" not in ended[case].message, ended[case]
    assert ended[case].is_in_bounds, ended[case]


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.startswith("meaningless")])
def test_what_is_too_much_is_null_or_ended(case: str, ended: dict[str, End]) -> None:
    """Or it is decided quickly after all: a pattern may be matched without going back."""
    assert ended[case].outcome in ("FeelLimit", "null", "value"), ended[case]
    assert "there is no" not in ended[case].message, ended[case]
    assert ended[case].is_in_bounds, ended[case]
