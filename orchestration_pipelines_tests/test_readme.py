"""The README's own workflow: exactly the lines that a newcomer copies, run from the first row to the last payment."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.cli.new import make
from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.reading import read_rows
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock

README = Path(__file__).parents[1] / "README.md"
_FILE = re.compile(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OFFERED = re.compile(r"printf '(\S+)' > expenses\.csv")


def blocks() -> dict[str, str]:
    """The blocks that name a file in their first line."""
    return {name: f"# {name}\n{content}" for name, content in _FILE.findall(README.read_text(encoding="utf-8"))}


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package as the README makes it, in a directory from which it can be imported."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "__init__.py").touch()
    make(tmp_path / "acme" / "expenses", "finance")
    for name, content in blocks().items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_readmes_workflow_is_short() -> None:
    """Under 60 lines of Python and YAML beside the drawing, blank ones counted."""
    found = blocks()
    assert sorted(found) == ["acme/definitions.py", "acme/expenses/workers.py", "acme/expenses/workflow.yaml"]
    assert sum(len(content.splitlines()) for content in found.values()) < 60


def test_the_readmes_workflow_runs(acme: Path, database: str, clock: SetClock) -> None:
    """The rows it offers: one waits for ann and is paid once, the other is quarantined as the README says."""
    engine = Engine(database, load_workflow(acme / "acme" / "expenses"), clock=clock)
    offered = _OFFERED.search(README.read_text(encoding="utf-8"))
    assert offered is not None
    (acme / "expenses.csv").write_text(offered[1].replace("\\n", "\n"), encoding="utf-8")
    rows = read_rows(acme / "expenses.csv", engine.workflow.intake)
    submitted = engine.submit(rows, requested_by="carla", source="expenses.csv")
    assert (submitted.accepted, submitted.quarantined) == (1, 1)
    assert submitted.problems[0].reason in README.read_text(encoding="utf-8")
    assert engine.sweep().errors == []
    with engine.connect() as connection:
        (task,) = reviews.open_tasks(connection, "expenses")
        reviews.decide(connection, task.task, person="ann", seen=task.digest, outcome="approve", at=clock())
    assert engine.sweep().errors == []
    with engine.connect() as connection:
        assert connection.execute("SELECT case_key, outcome FROM cases").fetchall() == [("E-1", "done")]
    (payment,) = (acme / "acme" / "expenses" / "payments").iterdir()
    assert payment.suffix == ".paid" and payment.read_text() == "1250"


def test_the_readmes_tool_keeps_a_voided_payment_from_standing(acme: Path) -> None:
    """Undone by key, whether it was made or comes later: what the engine asks of a tool."""
    payments = load_workflow(acme / "acme" / "expenses").tools["payments"]()
    payments.pay("made", 1)
    payments.void("made")
    payments.void("late")
    with pytest.raises(RuntimeError, match="was voided"):
        payments.pay("late", 1)
    assert not list(payments.folder.glob("*.paid"))


def test_the_readmes_code_location_loads(acme: Path) -> None:
    """acme.definitions is one: the job of the workflow, and its sensors."""
    defs = importlib.import_module("acme.definitions").defs
    assert isinstance(defs, dg.Definitions)
    dg.Definitions.validate_loadable(defs)
    assert defs.resolve_job_def("expenses").name == "expenses"
    assert "expenses_reviewer_table_sensor" in {sensor.name for sensor in defs.sensors or ()}


def test_the_readme_says_what_a_table_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines behind ``>>>``, run where the README lies."""
    monkeypatch.chdir(README.parent)
    told = doctest.testfile(str(README), module_relative=False)
    assert (told.failed, told.attempted > 5) == (0, True)
