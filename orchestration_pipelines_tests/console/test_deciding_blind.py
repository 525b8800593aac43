"""A quality review on the page: what was submitted, yes or no, and nothing that would give the machine away."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration_pipelines.engine import hands, quality, reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.reviews import OpenTask
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import SETTINGS, SignedIn
from orchestration_pipelines_tests.console.test_deciding import decided, opened
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.blind import GRID, LINES, POLICY
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

REASONS = """
reasons:
  plain: {words: It is plain, outcomes: [approve, reject]}
  up: {words: More than I may say, outcomes: [escalate]}
"""


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """Case A was approved by the grid, and is to be looked at again."""
    folder = workflow_folder(tmp_path / "flow", drawing(*LINES), WORKERS, SETTINGS, grid=GRID)
    (folder / "policy.yaml").write_text(POLICY + REASONS)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    made.submit("A", amount=50)
    made.sweep()
    with made.engine.connect() as connection:
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        assert quality.draw_due(connection, made.engine.workflow, asked, clock()) == 1
    return made


def the_task(flow: Flow) -> OpenTask:
    with flow.engine.connect() as connection:
        (task,) = reviews.open_tasks(connection)
    return task


def test_a_quality_review_says_yes_or_no_and_moves_nothing(flow: Flow, signed_in: SignedIn) -> None:
    """No edit, no suggestion, nobody to ask, no way on; a no needs its reason; then it is kept."""
    ann, task = signed_in("ann"), the_task(flow)
    with flow.engine.connect() as connection:
        hands.claim(connection, [task.task], person="ann", at=flow.clock())
    page, form = opened(ann, task.task)
    assert "Your view" in page
    assert "It is plain" in page
    for hidden in ("More than I may say", "Ask a colleague", "Edit the facts", "suggested", "commit", 'value="return"'):
        assert hidden not in page, hidden
    assert ann.post(f"/tasks/{task.task}/decide", {**form, "outcome": "reject"}).status_code == 422
    for sent in ({"outcome": "return", "rationale": "why?"}, {"outcome": "approve", "edit.amount": "1"}):
        assert ann.post(f"/tasks/{task.task}/decide", {**form, **sent}).status_code == 422
    refused = ann.post(f"/tasks/{task.task}/ask", {"of": "bob", "text": "Would you?"})
    assert refused.status_code == 409
    assert decided(flow) == []
    answer = ann.post(f"/tasks/{task.task}/decide", {**form, "outcome": "reject", "reason": ["plain"]})
    assert answer.status_code == 303
    assert "Your view of" in ann.get(answer.headers["location"]).text
    assert decided(flow) == [("A", "ann", "reject", "")]
    assert flow.ends() == {"A": "done"}
