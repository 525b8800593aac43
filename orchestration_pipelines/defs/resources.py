"""What the ops of a run share: the engine, and one sweeper for the whole run."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import SWEEP_S, Engine
from orchestration_pipelines.engine.sweep import Sweep, Swept
from orchestration_pipelines.engine.tally import Tally
from orchestration_pipelines.engine.workflow import Workflow


class RunSweep:
    """One Dagster run's sweep: opened when an op first needs it, so that a run without work costs little."""

    def __init__(self, engine: Engine, run_id: str, seconds: float = SWEEP_S) -> None:
        self.engine = engine
        self.tally = Tally()  #: of the whole run
        self.errors: list[str] = []
        self.urgent_only = False
        self._run_id = run_id
        self._sweep: Sweep | None = None
        self._until = time.monotonic() + seconds
        self.last_advance = time.monotonic()

    def sweep(self, element: str) -> list[Swept]:
        """Sweep a station; what goes wrong is kept for the report, so that the other stations are served."""
        if self._sweep is None:
            self._sweep = self.engine.open_sweep(self._run_id)
        swept = self.engine.sweep_station(self._sweep, element, until=self._until, urgent_only=self.urgent_only)
        self._keep(swept)
        return swept

    def sweep_earlier(self) -> list[Swept]:
        """Sweep the cases on earlier versions of the drawing."""
        if self._sweep is None:
            self._sweep = self.engine.open_sweep(self._run_id)
        swept = self.engine.sweep_earlier(self._sweep, until=self._until)
        self._keep(swept)
        return swept

    def _keep(self, swept: list[Swept]) -> None:
        for each in swept:
            if each.chunks:
                self.last_advance = time.monotonic()
            self.tally.merge(each.tally)
            self.errors.extend(f"{each.station}: {error}" for error in each.errors)

    def close(self) -> None:
        """End the sweeper's session."""
        if self._sweep is not None:
            self._sweep.close()


@dataclass
class RunSweeps:
    """The resource of a job, and the sweeps that its runs had in this process."""

    definition: dg.ResourceDefinition
    opened: list[RunSweep]

    def last(self) -> RunSweep:
        """The latest run's."""
        return self.opened[-1]


def run_sweep_resource(engine: Engine, seconds: float = SWEEP_S) -> RunSweeps:
    """The resource on an engine that is there already: a benchmark, a pilot, a test."""
    opened: list[RunSweep] = []

    def opening(context: dg.InitResourceContext) -> Iterator[RunSweep]:
        run = RunSweep(engine, context.run_id or "no run", seconds)
        opened.append(run)
        try:
            yield run
        finally:
            run.close()

    return RunSweeps(dg.ResourceDefinition(opening), opened)


def sweep_resource(workflow: Workflow) -> dg.ResourceDefinition:
    """The run's sweep of a workflow, on the deployment that the environment describes."""

    def opening(context: dg.InitResourceContext) -> Iterator[RunSweep]:
        run = RunSweep(deploy().engine(workflow), context.run_id or "no run")
        try:
            yield run
        finally:
            run.close()

    return dg.ResourceDefinition(opening, description=f"The engine and the sweeper of {workflow.name}.")
