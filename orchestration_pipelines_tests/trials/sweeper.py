"""A sweeping process: ``python -m orchestration_pipelines_tests.trials.sweeper``; it ends when nothing moves any more.

``ORCHESTRATION_FAILPOINT`` says where it kills itself. A mutation of the product, a stop in a window, a case that
kills: they are patches of this process alone.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from dataclasses import replace
from itertools import count
from typing import Any

import psycopg

from orchestration_pipelines.domain.worker import Case
from orchestration_pipelines.engine import sweep
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.failpoint import reached
from orchestration_pipelines.engine.sweep import Sweep
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines_tests.trials import mutations
from orchestration_pipelines_tests.trials.ground import WORKFLOW
from orchestration_pipelines_tests.trials.mutations import MUTATIONS

_LOOK_EVERY_S = 0.1
#: a process that stops itself runs on for a moment, into a transaction even: it sleeps that moment away
_STOPS_WITHIN_S = 0.5


class Stepping(Engine):
    """An engine that sweeps in steps of a given size."""

    steps: dict[str, Any]

    def open_sweep(self, run: str, **settings: Any) -> Sweep:
        return super().open_sweep(run, **{**self.steps, **settings})


def kills_its_process(workflow: Workflow, key: str) -> None:
    """The worker ``screen`` ends its process at one case."""
    screen = workflow.workers["screen"]

    def call(case: Case) -> Any:
        if case.key == key:
            os.kill(os.getpid(), signal.SIGKILL)
        return screen.call(case)

    workflow.workers.update({"screen": replace(screen, call=call)})  # type: ignore[attr-defined] # a dict, in a trial


def stops_at(window: str, nth: int) -> None:
    """The process stops (SIGSTOP) at a window; what it does when it goes on, nobody expects any more."""
    turns = count(1)

    def reached_and_stopped(here: str) -> None:
        reached(here)
        if here == window and next(turns) == nth:
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(_STOPS_WITHIN_S)

    mutations.replace(sweep, "reached", reached_and_stopped)


def main() -> None:
    """Sweep until nothing has moved for a while."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=2.0, help="end after so many seconds without work")
    parser.add_argument("--chunk", type=int, default=sweep.CHUNK)
    parser.add_argument("--lanes", type=int, default=sweep.LANES)
    parser.add_argument("--lease", type=float, default=sweep.LEASE_S, help="seconds")
    parser.add_argument("--stop", default="", help="a window, and at which reaching of it: effect-done:2")
    parser.add_argument("--killer", default="", help="the key of a case that kills the process")
    parser.add_argument("--mutant", choices=sorted(MUTATIONS))
    asked = parser.parse_args()
    workflow = load_workflow(WORKFLOW)
    if asked.mutant:
        MUTATIONS[asked.mutant]()
    if asked.stop:
        window, _, nth = asked.stop.partition(":")
        stops_at(window, int(nth))
    if asked.killer:
        kills_its_process(workflow, asked.killer)
    deployment = deploy()
    urls = {tool: deployment.tool_url(tool) for tool in workflow.tools}
    engine = Stepping(deployment.url, workflow, tool_urls=urls)
    engine.steps = {"chunk": asked.chunk, "lanes": asked.lanes, "lease_s": asked.lease}
    moved_at = time.monotonic()
    while True:
        if moved(engine):
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at >= asked.idle:
            return
        else:
            time.sleep(_LOOK_EVERY_S)


def moved(engine: Engine) -> int:
    """Sweep once; how much moved. A database that is away is waited for."""
    try:
        report = engine.sweep("trial")
    except psycopg.OperationalError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 0
    for problem in report.errors:
        print(problem, flush=True)
    return report.tally.moved


if __name__ == "__main__":
    main()
