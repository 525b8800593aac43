"""What a workflow folder is refused for, beyond its drawing."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.engine.workflow import WorkflowRefused, load_workflow
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.model.dmn.drawing import decision, definitions, table


def flow(queue: str = "orch:queue=reviews", lane: str = "") -> bytes:
    drawn = drawing(
        f"user review {queue}", "end over", "received -> review -> over", "timer late on review P3D -> over"
    )
    lanes = f"<laneSet><lane id='l' name='Desk' {lane}><flowNodeRef>review</flowNodeRef></lane></laneSet></process>"
    return drawn.replace(b"</process>", lanes.encode())


@pytest.mark.parametrize("lane", ["", 'orch:role="reviewer"'])
def test_a_lane_is_a_picture_or_agrees_with_its_queues(tmp_path: Path, lane: str) -> None:
    """With a role it names the role of the queue; without one it means nothing."""
    assert load_workflow(workflow_folder(tmp_path / "w", flow(lane=lane), "")).name == "flow"


@pytest.mark.parametrize(
    ("queue", "lane", "reason"),
    [
        ("orch:queue=reviews", 'orch:role="senior"', "lies in the lane Desk, which is the role senior's"),
        ("orch:queue==x orch:fallbackQueue=reviews", 'orch:role="reviewer"', "the queue seniors asks for senior"),
        ("orch:queue==x orch:fallbackQueue=nowhere", "", "sends to the queue 'nowhere'"),
        ("orch:queue=nowhere", "", "sends to the queue 'nowhere'"),
    ],
)
def test_queues_that_cannot_be_kept_are_refused(tmp_path: Path, queue: str, lane: str, reason: str) -> None:
    """A lane's role that the queue does not ask for would be shown and not held."""
    with pytest.raises(WorkflowRefused, match=reason):
        load_workflow(workflow_folder(tmp_path / "w", flow(queue, lane), ""))


def test_a_decision_in_two_files_is_refused(tmp_path: Path) -> None:
    """Which of them ran would depend on their file names."""
    content = definitions(decision("grade", table(["x"], [""], [("-", "1")]))).decode()
    with pytest.raises(WorkflowRefused, match=r"a\.dmn and b\.dmn both have the decision 'grade'"):
        load_workflow(workflow_folder(tmp_path / "w", flow(), "", a=content, b=content))


def test_a_table_with_a_problem_is_refused(tmp_path: Path) -> None:
    """A model opens with a cell that is no FEEL, so that it can be tried; no case is decided by it."""
    content = definitions(decision("grade", table(["x"], [""], [("< ", "1")]))).decode()
    with pytest.raises(WorkflowRefused, match=r"a\.dmn: grade \(grade\) r1 input 1: FEEL"):
        load_workflow(workflow_folder(tmp_path / "w", flow(), "", a=content))


def test_settings_that_are_no_yaml_are_refused(tmp_path: Path) -> None:
    """A slip in workflow.yaml is told with its line, not with a traceback."""
    folder = workflow_folder(tmp_path / "w", flow(), "")
    (folder / "workflow.yaml").write_text("name: flow\nintake: {fields: {note: text?}}\n")
    with pytest.raises(WorkflowRefused, match=r"(?s)workflow\.yaml is not YAML.*line 2"):
        load_workflow(folder)
