"""What must always be true, as asset checks: each passes on a sound record, and fails when its rule is broken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from orchestration_pipelines.defs.integrity import integrity_checks, integrity_schedule
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines.store.integrity import RULES
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

_SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues: {reviews: {owner: tests, role: reviewer}}
reviewers: {ann: [reviewer]}
"""
_WORKERS = """
from orchestration_pipelines import worker

class Bank:
    def put(self, key):
        return key[:8]

TOOLS = {"bank": Bank}

@worker(outputs=("receipt",), external="bank")
def pay(case, bank):
    return {"receipt": bank.put(case.idempotency_key)}

def books_balance(engine):
    '''The books balance.'''
    return [] if engine.workflow.owner == "tests" else ["they do not"]

INTEGRITY = {"books_balance": books_balance}
"""
_LINES = (
    "service pay",
    "user review orch:queue=reviews",
    "end done",
    "received -> pay -> large",
    "large -> review if amount > 100",
    "large -> done default",
    "review -> done",
    "timer late on review P3D -> done",
)
#: how each rule is broken behind everybody's back, by whoever owns the database
_BREAKS: Mapping[str, str] = {
    "one_outcome": "DELETE FROM token",
    "no_double_effect": "UPDATE effect SET key = 'the same'",
    "effects_settled": "UPDATE effect SET status = 'unknown'",
    "no_orphaned_task": "UPDATE token SET status = 'ready' WHERE status = 'waiting'",
    "somebody_may_do_it": "UPDATE reviewer SET active = false",
    "deadlines_fired": "UPDATE timer SET due_at = now() - interval '1 hour'",
    "no_wait_without_a_deadline": "UPDATE timer SET status = 'void'; UPDATE review_task SET due_at = NULL",
    "record_unchanged": "ALTER TABLE audit_entry DISABLE TRIGGER append_only; "
    "UPDATE audit_entry SET body = body || ' ' WHERE case_id = (SELECT min(id) FROM cases) AND seq = 1",
}


@pytest.fixture
def workflow(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """Two cases closed and one that waits for a person, on a fresh database, as a code location finds it."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "home"))
    found = load_workflow(workflow_folder(tmp_path / "small", drawing(*_LINES), _WORKERS, _SETTINGS))
    engine = deploy().engine(found)
    rows = [Row(number, {"case_key": f"c{number}", "amount": amount}) for number, amount in enumerate((1, 2, 500))]
    engine.submit(rows, requested_by="broker", source="test")
    engine.sweep()
    return found


def _asked(workflow: Workflow) -> dict[str, tuple[bool, str]]:
    """Each check: whether it passed, and what it names."""
    spec, checks = integrity_checks(workflow, workflow.package.INTEGRITY)
    job = dg.Definitions(
        assets=[spec],
        asset_checks=checks,
        jobs=[dg.define_asset_job("ask", selection=dg.AssetSelection.checks(*checks))],
    ).resolve_job_def("ask")
    result = job.execute_in_process(instance=dg.DagsterInstance.ephemeral())
    return {
        found.check_name: (found.passed, str(found.metadata["which"].value))
        for found in result.get_asset_check_evaluations()
    }


def test_a_sound_record_passes_every_check(workflow: Workflow) -> None:
    """The rules of the rows, the record itself, and what the workflow adds of its own."""
    found = _asked(workflow)
    assert set(found) == {*RULES, "record_unchanged", "books_balance"}
    assert {name for name, (passed, _) in found.items() if not passed} == set()


@pytest.mark.parametrize("rule", [*RULES, "record_unchanged"])
def test_each_check_fails_when_its_rule_is_broken(workflow: Workflow, database: str, rule: str) -> None:
    """Somebody breaks it behind the engine's back, and the check names a case."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(_BREAKS[rule].encode())
    passed, which = _asked(workflow)[rule]
    assert not passed
    with psycopg.connect(database) as owner:
        numbers = [str(number) for (number,) in owner.execute("SELECT id FROM cases")]
    assert any(f"\n|{number}|" in which for number in numbers) and "\n|c" not in which


@pytest.mark.parametrize(
    "left",
    [
        "UPDATE review_task SET requested_by = 'ann'",
        "SET session_replication_role = replica; INSERT INTO review_decision "
        "(task_id, case_id, visit, round, outcome, decided_by, role, digest, version_id) SELECT -1, case_id, visit, "
        "round, 'approve', 'ann', 'reviewer', digest, 1 FROM review_task",
    ],
)
def test_who_asked_or_has_signed_is_nobody_who_may(workflow: Workflow, database: str, left: str) -> None:
    """Ann alone is there, and the case is hers, or her name stands under it already."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(left.encode())
    passed, which = _asked(workflow)["somebody_may_do_it"]
    assert not passed and "by nobody" in which


def test_what_a_workflow_adds_can_fail(workflow: Workflow) -> None:
    """The workflow's own rule is asked of its engine, and says in words what is wrong."""
    object.__setattr__(workflow, "owner", "somebody else")
    passed, which = _asked(workflow)["books_balance"]
    assert not passed and "they do not" in which


def test_all_are_asked_every_night(workflow: Workflow) -> None:
    """The schedule runs by itself."""
    _, checks = integrity_checks(workflow, {})
    schedule = integrity_schedule(workflow, checks)
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
