"""What a decision answers is kept in the case as JSON can hold it: the same now and in a later sweep."""

from __future__ import annotations

import pytest

from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.tables import table

_LINES = (
    "rule grid",
    "service check",
    "end kept",
    "end lost",
    "received -> grid -> check -> which",
    "which -> kept if string(grid.route) = grid.text",
    "which -> lost default",
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('date("2026-03-02")', "2026-03-02"),
        ('duration("P1Y2M")', "P1Y2M"),
        ('duration("PT36H")', "P1DT12H"),
        ("[1..3)", "[1..3)"),
        ('time("10:00:00@Europe/Paris")', "10:00:00@Europe/Paris"),
    ],
)
def test_an_answer_that_json_has_no_kind_for_is_kept_as_its_text(draw: Draw, written: str, kept: str) -> None:
    """A date, a duration, a range: no dead letter, and the way behind it is chosen on what is kept."""
    grid = table(("-", written, f'"{kept}"'), outputs=("route", "text"))
    flow = draw(*_LINES, grid=grid)
    flow.submit("A")
    flow.sweep()
    assert flow.letters() == {} and flow.ends() == {"A": "kept"}
    assert flow.one("SELECT variables #>> '{grid,route}' FROM cases") == kept
