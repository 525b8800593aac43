"""Human work under any order of acts: submit, claim, decide, edit, absence, policy, time passing, sweepers dying.

    python -m orchestration_pipelines_tests.trials --only work [--small]

The state machine of the tests, at full size and with other acts each time; after each step every law is asked of the
database. What breaks one is shown as the shortest run of acts that does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.engine.work.machine import run
from orchestration_pipelines_tests.engine.work.office import Office

#: nothing in it outlives the trial
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off"}


def measure(examples: int, steps: int) -> tuple[dict[str, Any], list[str]]:
    """What happened how often, and the law that was broken, if one was."""
    with tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(Home(Path(place) / "home"), settings=_FORGETFUL)
        server.start()
        try:
            return _measured(Office(server, Path(place) / "office"), examples, steps)
        finally:
            server.remove()


def _measured(office: Office, examples: int, steps: int) -> tuple[dict[str, Any], list[str]]:
    missed: list[str] = []
    try:
        run(office, examples, steps)
    except AssertionError as error:
        missed.append("\n".join([str(error), *getattr(error, "__notes__", ())]))
    return {"runs": examples, "steps at most": examples * steps, **dict(sorted((+office.happened).items()))}, missed
