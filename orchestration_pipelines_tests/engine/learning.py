"""A workflow whose grid decides small amounts by itself from a confidence on, and people who judge its cases."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from orchestration_pipelines.engine import quality
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import WORKERS
from orchestration_pipelines_tests.tables import table

#: small amounts are decided by the machine from a confidence of 0.9 on, large ones never
GRID = table(
    ("< 0.5", "-", '"review"', "1"),
    ("[0.5..0.9)", "< 100", '"review"', "1"),
    (">= 0.9", "< 100", '"auto"', "1"),
    (">= 0.5", ">= 100", '"review"', "1"),
    inputs=("score", "amount"),
)
LINES = (
    'rule grid "orch:otherwise=={route: \\"review\\", because: no_answer}" '
    '"orch:approvedWhen==grid.route = \\"auto\\"" "orch:review==[grid.route != \\"auto\\"]"',
    "user review orch:queue=reviews orch:approves=true",
    "end done",
    "end declined",
    "received -> grid -> which",
    'which -> done if grid.route = "auto"',
    "which -> review default",
    "review -> agreed",
    'agreed -> done if review.outcome = "approve"',
    "agreed -> declined default",
    "timer late on review P3D -> declined",
)
SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number, score: number}}
queues:
  reviews: {owner: tests, role: reviewer}
reviewers: {ann: [reviewer, manager], bob: [reviewer]}
"""
POLICY = """
quality:
  seed: s1
  queue: reviews
  question: Would you say yes?
  default: {rate: 0.5, limit: 0.1}
"""


def learning_folder(place: Path) -> Path:
    """The workflow's folder, with its policy."""
    folder = workflow_folder(place, drawing(*LINES), WORKERS, SETTINGS, grid=GRID)
    (folder / "policy.yaml").write_text(POLICY)
    return folder


def decide_all(engine: Engine, wrong: set[str]) -> None:
    """People say no to these cases and yes to all others, in decisions and in quality reviews."""
    with engine.connect() as connection:
        connection.execute(
            "INSERT INTO review_decision (task_id, outcome, rationale, decided_by, digest, decided_at) "
            "SELECT t.id, CASE WHEN c.case_key = ANY (%s) THEN 'reject' ELSE 'approve' END, 'seen', 'ann', t.digest, "
            "%s FROM review_task t JOIN cases c ON c.id = t.case_id WHERE t.ended_at IS NULL",
            (sorted(wrong), engine.clock()),
        )


def submit(engine: Engine, scores: dict[str, float], amount: int = 50) -> None:
    """Cases with these scores."""
    rows = [
        Row(number, {"case_key": key, "amount": amount, "score": Decimal(str(score))})
        for number, (key, score) in enumerate(scores.items(), 1)
    ]
    engine.submit(rows, requested_by="broker", source="test")


def run(engine: Engine, count: int, wrong_below: float, name: str = "c", amount: int = 50) -> None:
    """Cases with scores from 0.5 to 1, of which people refuse every third below a score, and none above it."""
    chance = random.Random(3)
    scores = {f"{name}{number}": round(chance.uniform(0.5, 1), 3) for number in range(count)}
    submit(engine, scores, amount)
    assert not engine.sweep().errors
    with engine.connect() as connection:
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        quality.draw_due(connection, engine.workflow, asked, engine.clock())
    decide_all(engine, {key for key, score in scores.items() if score < wrong_below and int(score * 1000) % 3 == 0})
    assert not engine.sweep().errors
