"""Workflows to test, drawn in a few lines; whatever a test did to them, every case's record must verify."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

Draw = Callable[..., Flow]


@pytest.fixture
def draw(tmp_path: Path, database: str, clock: SetClock) -> Iterator[Draw]:
    """Make an engine from the lines of a drawing."""
    made: list[Flow] = []

    def make(
        *lines: str, workers: str = WORKERS, settings: str = DEFAULT_SETTINGS, attributes: str = "", **dmn: str
    ) -> Flow:
        place = tmp_path / f"version_{len(made)}"
        workflow = load_workflow(
            workflow_folder(place, drawing(*lines, attributes=attributes), workers, settings, **dmn)
        )
        made.append(Flow(Engine(database, workflow, clock=clock), clock))
        return made[-1]

    yield make
    assert [flow.broken_records() for flow in made[-1:]] in ([], [{}])
