"""docs/api.md: its examples run as they stand, and say what the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestration_pipelines.cli.new import make
from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import people
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.api.conftest import token_of
from orchestration_pipelines_tests.console.conftest import serving

_PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def examples() -> list[str]:
    """The blocks of the page that a shell runs."""
    return re.findall(r"^```sh\n(.*?)^```", _PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def expected(example: str) -> list[str]:
    """What the page says is answered: each line, in its parts between what it leaves out."""
    lines = [line.removeprefix("# ") for line in example.splitlines() if line.startswith("# ")]
    return [part for line in lines for part in re.split("…", line) if part.strip("{},[] ")]


def test_the_examples_run_as_they_stand(tmp_path: Path, database: str, clock: SetClock) -> None:
    """A new workflow, a client that submits, one that decides: every answer is the one on the page."""
    if shutil.which("curl") is None:
        pytest.skip("SKIPPED: there is no curl: apt-get install curl")
    folder = make(tmp_path / "claims", "ops")
    engine = Engine(database, load_workflow(folder), clock=clock)
    assert engine.version
    with Desk(database, clock=clock, connections=4, folders=[folder]) as desk, serving(desk) as address:
        with desk.connection() as connection:
            people.put(connection, [Person("ada", ("admin",))])
        env = {
            "API": f"{address}/api/v1",
            "INTAKE": token_of(desk, "bob", Scope.SUBMIT),
            "DESK": token_of(desk, "ann", Scope.READ, Scope.WORK, Scope.DECIDE),
            "PATH": "/usr/bin:/bin",
        }
        submitting, *others = examples()
        for part in (submitting, "".join(others)):
            done = subprocess.run(
                ["bash", "-e"], input=part, env=env, cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            for said in expected(part):
                assert said in done.stdout, f"{said!r} is not in\n{done.stdout}"
            assert engine.sweep().errors == []
