"""Hostile DMN ends in a clear error, each within 2 s of work and 200 MB."""

from __future__ import annotations

import pytest

from orchestration_pipelines_tests.model.confined import End, ends
from orchestration_pipelines_tests.model.dmn import hostile


@pytest.fixture(scope="module")
def ended() -> dict[str, End]:
    return ends(hostile.__name__)


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.startswith("refused")])
def test_a_hostile_file_is_refused(case: str, ended: dict[str, End]) -> None:
    """With its name; nothing is fetched, and nothing outside its folder is opened."""
    assert ended[case].outcome == "DmnRefused", ended[case]
    assert ended[case].is_in_bounds, ended[case]


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.startswith("endless")])
def test_what_never_ends_is_ended(case: str, ended: dict[str, End]) -> None:
    """By the budget, which a whole decision shares; or it is null, and why is told."""
    assert ended[case].outcome in ("FeelLimit", "null"), ended[case]
    assert ended[case].is_in_bounds, ended[case]


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.startswith("large")])
def test_what_is_large_is_decided_or_ended(case: str, ended: dict[str, End]) -> None:
    """And never by the end of Python's own stack."""
    assert ended[case].outcome in ("FeelLimit", "DmnRefused", "null", "value"), ended[case]
    assert ended[case].is_in_bounds, ended[case]


@pytest.mark.parametrize("case", [case for case in hostile.CASES if case.startswith("checked")])
def test_what_is_hostile_is_checked_in_time(case: str, ended: dict[str, End]) -> None:
    """Whatever it would take to decide it: what is too much is told as not checked."""
    assert ended[case].outcome in ("value", "DmnRefused"), ended[case]
    assert ended[case].is_in_bounds, ended[case]
