"""The tests' own drawings are drawings that the product reads."""

from __future__ import annotations

from pathlib import Path

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

WORKERS = """
from orchestration_pipelines import worker

@worker(inputs=("amount",), outputs=("ok",))
def check(case):
    return {"ok": case["amount"] > 10}

@worker(outputs=("receipt",))
def reserve(case):
    return {"receipt": case.key}

@worker(inputs=("receipt",))
def release(case):
    return None
"""


def test_a_case_walks_through_a_small_drawing(tmp_path: Path, database: str, clock: SetClock) -> None:
    """From submit to the end event, without Dagster."""
    bpmn = drawing(
        "service check",
        "service reserve undone by release",
        "end done",
        "end small",
        "received -> check -> big",
        "big -> reserve if ok",
        "big -> small default",
        "reserve -> done",
    )
    engine = Engine(database, load_workflow(workflow_folder(tmp_path / "flow", bpmn, WORKERS)), clock=clock)
    offered = [Row(1, {"case_key": "A", "amount": 5}), Row(2, {"case_key": "B", "amount": 50})]
    assert engine.submit(offered, requested_by="broker", source="test").accepted == 2
    report = engine.sweep()
    assert report.errors == []
    with engine.connect() as connection:
        ends = connection.execute("SELECT case_key, outcome FROM cases ORDER BY case_key").fetchall()
    assert ends == [("A", "small"), ("B", "done")]
