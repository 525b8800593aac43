"""The page of figures names exactly the figures that there are."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from orchestration_pipelines.domain import flow
from orchestration_pipelines.domain.measures import FlowFigures, Reviewed, Step

_PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")


def _rows(page: str) -> set[str]:
    """What the first column of a table names."""
    cells = re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_figure_of_flow_is_defined_and_nothing_else() -> None:
    """One row for each field of the figures."""
    ours, of_a_log = _PAGE.split("## Of an event log")
    assert _rows(ours) == {field.name.removesuffix("_hours") for field in fields(FlowFigures)}
    known = {field.name for field in fields(flow.Figures)}
    # counts that need no words, and rates that are said beside their counts
    assert _rows(of_a_log) == known - {"cases", "events", "reopen_rate", "breach_rate"}


def test_what_is_told_by_step_and_role_is_defined() -> None:
    """Each column of a step and of a role's reviews is named in the text."""
    for fact in (Step, Reviewed):
        for name in (
            set(fact._fields) - {"element", "queue", "role"} if fact is Reviewed else set(fact._fields) - {"element"}
        ):
            assert f"`{name.removesuffix('_s')}`" in _PAGE
