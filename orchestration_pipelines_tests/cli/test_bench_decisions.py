"""The benchmark of decisions: it measures what it says, and refuses to measure a wrong answer."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli import bench_decisions
from orchestration_pipelines.cli.main import orchestrate


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_every_aim_is_measured(flags: list[str]) -> None:
    """For people and for programs, without a database."""
    said = CliRunner().invoke(orchestrate, ["bench", "--decisions", "--cases", "50", *flags])
    assert said.exit_code == 0, said.output
    if flags:
        figures = json.loads(said.output)
        assert {name: figures[name]["aim"] for name in bench_decisions.AIMS} == dict(bench_decisions.AIMS)
        assert all(figure["per_s"] > 0 for figure in figures.values())
    else:
        assert all(name in said.output for name in bench_decisions.AIMS)


def test_a_grid_that_differs_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast wrong answer is no figure."""
    monkeypatch.setattr(bench_decisions, "by_hand", lambda confidence, amount: {})
    with pytest.raises(ValueError, match="mean nothing"):
        bench_decisions.measure(10)
