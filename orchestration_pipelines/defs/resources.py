"""What the ops of a run share: the engine, and one sweeper for the whole run."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import dagster as dg

from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import SWEEP_S, Engine
from orchestration_pipelines.engine.standing_sweep import StandingSweep
from orchestration_pipelines.engine.sweep import LANES, Swept
from orchestration_pipelines.engine.tally import Tally
from orchestration_pipelines.engine.workflow import Workflow


class RunSweep:
    """One Dagster run's sweep. It registers at once: a run without a sweeper counts as dead (``dead_run_sensor``)."""

    def __init__(self, engine: Engine, run_id: str, seconds: float = SWEEP_S, lanes: int = LANES) -> None:
        self.engine = engine
        self.tally = Tally()  #: of the whole run
        self.errors: list[str] = []
        self.urgent_only = False
        self._sweep = engine.open_sweep(run_id, lanes=lanes)
        self._until = time.monotonic() + seconds
        self.last_advance = time.monotonic()

    def sweep(self, element: str) -> list[Swept]:
        """Sweep a station; what goes wrong is kept for the report, so that the other stations are served."""
        return self._kept(
            element,
            lambda: self.engine.sweep_station(self._sweep, element, until=self._until, urgent_only=self.urgent_only),
        )

    def sweep_earlier(self) -> list[Swept]:
        """Sweep the cases on earlier versions of the drawing."""
        return self._kept("earlier versions", lambda: self.engine.sweep_earlier(self._sweep, until=self._until))

    def _kept(self, station: str, sweeping: Callable[[], list[Swept]]) -> list[Swept]:
        try:
            swept = sweeping()
        except Exception as error:  # noqa: BLE001 - an op that raises would stop every station behind it
            swept = [Swept(station, errors=[f"{type(error).__name__}: {error}"])]
        for each in swept:
            if each.chunks:
                self.last_advance = time.monotonic()
            self.tally.merge(each.tally)
            self.errors.extend(f"{each.station}: {shown(error)}" for error in each.errors)
        return swept

    def standing(self) -> StandingSweep:
        """The same sweeper, to stand by for decisions."""
        return StandingSweep(self.engine, self._sweep, until=self._until)

    def close(self) -> None:
        """End the sweeper's session."""
        self._sweep.close()


def shown(error: str) -> str:
    """An error as Dagster's UI may show it, which has no sign-in: what a database adds below may quote a case."""
    return error.strip().split("\n", 1)[0]


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
        run = RunSweep(engine, _run_id(context), seconds)
        opened.append(run)
        try:
            yield run
        finally:
            run.close()

    return RunSweeps(dg.ResourceDefinition(opening), opened)


def sweep_resource(workflow: Workflow, seconds: float = SWEEP_S, lanes: int = LANES) -> dg.ResourceDefinition:
    """The run's sweep of a workflow, on the deployment that the environment describes."""

    def opening(context: dg.InitResourceContext) -> Iterator[RunSweep]:
        run = RunSweep(deploy().engine(workflow), _run_id(context), seconds, lanes)
        try:
            yield run
        finally:
            run.close()

    return dg.ResourceDefinition(opening, description=f"The engine and the sweeper of {workflow.name}.")


def _run_id(context: dg.InitResourceContext) -> str:
    return context.run.run_id if context.run is not None else "no run"
