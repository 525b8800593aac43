"""Groups treated alike, as an asset check: it reads what was withheld, and fails when a group is preferred."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import psycopg
import pytest

from orchestration_pipelines.defs.fairness import fairness_check
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

_SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}, withheld: {protected: [sex, old]}}
queues: {reviews: {owner: tests, role: reviewer}}
"""
_LINES = ("service check", "end done", "received -> check -> done")
_WORKERS = """
from orchestration_pipelines import worker

@worker()
def check(case):
    return None
"""


@pytest.fixture
def workflow(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A hundred women and a hundred men on a fresh database; whether somebody is old was recorded of few."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    found = load_workflow(workflow_folder(tmp_path / "small", drawing(*_LINES), _WORKERS, _SETTINGS))
    rows = [
        Row(
            number, {"case_key": f"{sex}{number}", "amount": number, "sex": sex, "old": "1" if number % 20 == 0 else ""}
        )
        for sex in "fm"
        for number in range(100)
    ]
    deploy().engine(found).submit(rows, requested_by="broker", source="test")
    return found


def _approve(database: str, sex: str, share: int) -> None:
    """A rule approves so many of a hundred."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO approval (id, case_id, visit, given_by, given_at) SELECT case_key, id, 1, '{rule:d:r}', now() "
            "FROM cases WHERE case_key LIKE %s ORDER BY id LIMIT %s",
            (f"{sex}%", share),
        )


def _asked(workflow: Workflow) -> dg.AssetCheckEvaluation:
    specs, checks = fairness_check(workflow)
    jobs = [dg.define_asset_job("ask", selection=dg.AssetSelection.checks(*checks))]
    job = dg.Definitions(assets=specs, asset_checks=checks, jobs=jobs).resolve_job_def("ask")
    (found,) = job.execute_in_process(instance=dg.DagsterInstance.ephemeral()).get_asset_check_evaluations()
    return found


def test_a_group_that_is_approved_half_as_often_fails_the_check(workflow: Workflow, database: str) -> None:
    """40 women and 80 men of a hundred: a ratio of a half, and the group is named."""
    _approve(database, "f", 40)
    _approve(database, "m", 80)
    found = _asked(workflow)
    assert not found.passed
    assert found.metadata["lowest ratio"].value == 0.5
    assert "|sex f|100|40.0%|m, 80.0%|0.5|" in str(found.metadata["which"].value)


def test_groups_treated_alike_pass(workflow: Workflow, database: str) -> None:
    """75 and 80 of a hundred; the few of whom something else is known are counted and not compared."""
    _approve(database, "f", 75)
    _approve(database, "m", 80)
    found = _asked(workflow)
    assert found.passed
    assert found.metadata["groups of fewer than 30 cases, not compared"].value == 1


def test_a_workflow_that_withholds_nothing_has_no_such_check(tmp_path: Path) -> None:
    """There is nothing to hold it against."""
    settings = _SETTINGS.replace(", withheld: {protected: [sex, old]}", "")
    found = load_workflow(workflow_folder(tmp_path / "small", drawing(*_LINES), _WORKERS, settings))
    assert fairness_check(found) == ([], [])
