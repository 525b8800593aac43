"""``orchestrate new``: what it makes loads, runs and is a Dagster code location; what it cannot make it refuses."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.cli.new import make
from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.defs.jobs import workflow_job
from orchestration_pipelines.defs.resources import run_sweep_resource
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock


def test_a_case_of_the_new_workflow_waits_for_a_person_and_ends(tmp_path: Path, database: str, clock: SetClock) -> None:
    """Submit, sweep, approve, run the Dagster job: the case is done."""
    workflow = load_workflow(make(tmp_path / "claims", 'Zoë: "claims"'))
    assert workflow.owner == 'Zoë: "claims"'
    engine = Engine(database, workflow, clock=clock)
    row = Row(1, {"case_key": "A-1", "amount": 250, "note": None})
    assert engine.submit([row], requested_by="broker", source="test").accepted == 1
    assert engine.sweep().errors == []
    with engine.connect() as connection:
        connection.execute(
            "INSERT INTO review_decision (task_id, outcome, rationale, digest, decided_by) "
            "SELECT id, 'approve', 'seen', digest, 'ann' FROM review_task WHERE ended_at IS NULL"
        )
    with dg.DagsterInstance.ephemeral() as instance:
        job = workflow_job(workflow, {}, resource=run_sweep_resource(engine).definition)
        assert job.execute_in_process(instance=instance).success
    with engine.connect() as connection:
        assert connection.execute("SELECT case_key, outcome FROM cases").fetchall() == [("A-1", "done")]


def test_its_definitions_are_a_code_location(tmp_path: Path) -> None:
    """definitions.py alone gives the job and its sensors."""
    folder = make(tmp_path / "claims", "ops")
    spec = importlib.util.spec_from_file_location("claims_definitions", folder / "definitions.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert isinstance(module.defs, dg.Definitions)
    dg.Definitions.validate_loadable(module.defs)
    assert module.defs.resolve_job_def("claims").name == "claims"


@pytest.mark.parametrize("name", ["two words", "1st", "class", "a-b", "a.b"])
def test_a_name_that_is_no_identifier_is_refused(tmp_path: Path, name: str) -> None:
    """The name names a job, a file and a module; nothing is left behind."""
    with pytest.raises(Problem, match="cannot name a workflow"):
        make(tmp_path / name, "ops")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    """Nobody's work is written over."""
    (tmp_path / "mine").mkdir()
    with pytest.raises(Problem, match="there already"):
        make(tmp_path / "mine", "ops")
    assert list((tmp_path / "mine").iterdir()) == []


def test_the_package_is_imported_without_dagster() -> None:
    """A worker's process pays for Dagster only if it asks for definitions."""
    asked = "import sys, orchestration_pipelines; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
