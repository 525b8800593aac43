"""``orchestrate`` in a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

_MAIN = "from orchestration_pipelines.cli.main import main; main()"


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


class Command:
    """The command line on one home, with the database that the home says."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self._environment = home, environment

    def __call__(self, *arguments: object, answer: str = "") -> Said:
        """Run a verb."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATION_", "DAGSTER_"))
        }
        environment = {**kept, "ORCHESTRATION_HOME": str(self.home), **self._environment}
        command = [sys.executable, "-c", _MAIN, *map(str, arguments)]
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, input=answer, timeout=180
        )
        return Said(ran.returncode, ran.stdout, ran.stderr)

    @property
    def server(self) -> EmbeddedServer:
        """The embedded server of this home."""
        return EmbeddedServer(Home(self.home))


@contextmanager
def at_home(home: Path) -> Iterator[Command]:
    """The command line on a new home, whose server is removed afterwards."""
    command = Command(home)
    try:
        yield command
    finally:
        command.server.remove()
