"""The engine: one workflow on one database. Dagster, the command line, a test and a simulation all drive this."""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any

import psycopg

from orchestration_pipelines.engine import forsaken, intake, releases, routing, versions
from orchestration_pipelines.engine.dispatch import Dispatch, SweepReport, Unserved
from orchestration_pipelines.engine.lookout import EVERY_S, Lookout
from orchestration_pipelines.engine.order import sweeping_order
from orchestration_pipelines.engine.routing import Routed
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.sweep import AHEAD, URGENT, Clock, Sweep, Swept
from orchestration_pipelines.engine.tables import ActiveTables, in_force
from orchestration_pipelines.engine.tick import Ticked, tick
from orchestration_pipelines.engine.workflow import CANCELLATION, Workflow
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.store import account, ageing, rungs, timers, tokens
from orchestration_pipelines.store import versions as released
from orchestration_pipelines.store.ageing import QueueAge
from orchestration_pipelines.store.connection import connect, pin_plans
from orchestration_pipelines.store.sweepers import Stander, bury_dead, dead_runs, standing

#: how long one sweep works before it leaves the rest to the next
SWEEP_S = 120.0
#: a decision that nobody has taken on for so long is everybody's
_LEFT_S = 60.0
#: who waits for a decision looks again without being told: a notification can be missed
LOOK_AGAIN_S = 1.0


class Engine:
    """One workflow on one database, under one clock."""

    def __init__(
        self,
        url: str,
        workflow: Workflow,
        *,
        clock: Callable[[], datetime] | None = None,
        tool_urls: Mapping[str, str] | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.url, self.workflow = url, workflow  #: as its folder has it
        self._tables = ActiveTables(workflow.name)
        self.clock: Callable[[], datetime] = clock or Clock()
        self._tool_urls = dict(tool_urls or {})
        self._chance = chance or random.Random()  # noqa: S311 - jitter, not a secret

    def connect(self) -> psycopg.Connection:
        """A connection as the application."""
        return connect(self.url)

    @cached_property
    def version(self) -> int:
        """The id of this drawing's version; released on first use."""
        with self.connect() as connection:
            return versions.release(connection, self.workflow, account.user(), self.clock())

    @cached_property
    def in_force(self) -> Workflow:
        """The workflow with the tables that were released, whatever the files in its folder say."""
        version = self.version
        with self.connect() as connection:
            self._tables.refresh(connection)
            return in_force(connection, self.workflow, version, self._tables)

    def tools(self) -> dict[str, Callable[[], Any]]:
        """The factories of the tools that the workflow's workers may use."""
        return {
            name: partial(factory, self.tool_url(name)) if inspect.signature(factory).parameters else factory
            for name, factory in self.workflow.tools.items()
        }

    def tool_url(self, name: str) -> str:
        """Where a tool's system is; RuntimeError says how to tell."""
        try:
            return self._tool_urls[name]
        except KeyError:
            raise RuntimeError(f"the tool {name!r} needs a URL: set ORCHESTRATION_TOOL_{name.upper()}_URL") from None

    def station(self, element: str) -> Station:
        """A station of the current version."""
        return Station(self.in_force, self.version, element)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The stations in the order in which a sweep serves them."""
        return sweeping_order(self.workflow)

    def submit(
        self,
        rows: Iterable[intake.Row],
        *,
        requested_by: str | Callable[[Mapping[str, Any]], str],
        source: str,
        progress: Callable[[intake.Submitted], None] = lambda _: None,
    ) -> intake.Submitted:
        """Offer rows as new cases, in somebody's name."""
        with connect(self.url, sweeper=True) as connection:
            return intake.submit(
                connection,
                self.in_force,
                self.version,
                rows,
                requested_by=requested_by,
                source=source,
                now=self.clock(),
                progress=progress,
            )

    def submit_within(
        self, connection: psycopg.Connection, rows: Iterable[intake.Row], *, requested_by: str, source: str
    ) -> intake.Submitted:
        """The same within the caller's transaction: not many rows, and all of them or none."""
        pin_plans(connection)
        return intake.submit(
            connection,
            self.in_force,
            self.version,
            rows,
            requested_by=requested_by,
            source=source,
            now=self.clock(),
        )

    def differing(self) -> list[str]:
        """The table files of the folder that are not in force, each in a sentence that says what to do."""
        with self.connect() as connection:
            return [str(each) for each in releases.differing(connection, self.workflow)]

    def dispatch(self) -> Dispatch:
        """Count the dispatch, fire what is due, and find where work is."""
        with connect(self.url, sweeper=True) as connection:
            version = self.version
            number = released.count_dispatch(connection, self.workflow.name)
            found = Dispatch(number, buried=bury_dead(connection))
            found.fired = self.tick().timers
            found.woken = tokens.wake_due(connection, self.clock())
            urgent = self.clock() - URGENT
            waiting = self.waiting(connection)
            found.stations = {element: first <= urgent for element, first in waiting.items()}
            found.earlier = bool(released.ready_ids(connection, self.workflow.name, version))
        return found

    def next_decision(self, seconds: float) -> Unserved | None:
        """What people decided and no sweep has taken on; waits up to ``seconds`` for it, and holds no transaction.

        Asked by state, never by a position in the table: decisions commit out of order.
        """
        until = time.monotonic() + seconds
        with self.connect() as connection:
            connection.execute("LISTEN orchestration_decided")
            while True:
                first = min(self.waiting(connection, self.clock() - URGENT).values(), default=None)
                if first is not None:
                    return self._unserved(connection, first + AHEAD)
                if (left := until - time.monotonic()) <= 0:
                    return None
                for _ in connection.notifies(timeout=min(left, LOOK_AGAIN_S), stop_after=1):
                    pass  # whose it was, the state tells

    def unserved(self) -> Unserved | None:
        """Whether a whole sweep is wanted: cases arrived, or something is due. Only reads.

        What people decided has its own runs; it counts here only if those have left it for a while.
        """
        now = self.clock()
        with self.connect() as connection:
            urgent, left = now - URGENT, now - AHEAD - timedelta(seconds=_LEFT_S)
            waiting = [key for key in self.waiting(connection).values() if key > urgent or key < left]
            if waiting:
                return self._unserved(connection, min(waiting))
            due = timers.something_due(connection, now) or tokens.something_due(connection, now)
            if due or released.ready_ids(connection, self.workflow.name, self.version):
                return self._unserved(connection, now)
        return None

    def waiting(self, connection: psycopg.Connection, until: datetime | str = "infinity") -> dict[str, datetime]:
        """The stations of the current version where a token can be claimed: to the first's place in the order."""
        return tokens.claimable(connection, self.workflow.name, self.version, self.order, until)

    def _unserved(self, connection: psycopg.Connection, first: datetime) -> Unserved:
        dispatches = released.dispatches(connection, self.workflow.name)
        return Unserved(dispatches, (self.clock() - first).total_seconds())

    def dead_runs(self, started: Mapping[str, datetime]) -> set[str]:
        """Which of these runs, that count as started since then, have no process any more."""
        with self.connect() as connection:
            return dead_runs(connection, started)

    def standing(self) -> list[Stander]:
        """Who stands by for decisions, the latest first: see :mod:`~orchestration_pipelines.engine.standing_sweep`."""
        with self.connect() as connection:
            return standing(connection, self.workflow.name)

    def route(self, at_most: int = routing.AT_ONCE) -> Routed:
        """Give out the open tasks of the queues that do so, and what absent people have left behind."""
        with self.connect() as connection:
            return routing.route(connection, self.workflow.name, self.clock(), at_most)

    def tick(self) -> Ticked:
        """Do what is due by now, in every workflow of the database: see :mod:`~orchestration_pipelines.engine.tick`."""
        with connect(self.url, sweeper=True) as connection:
            return tick(connection, self.clock())

    def alarm(self) -> int:
        """Make incidents of work that nobody is left to do, in every workflow of the database; how many there are."""
        with self.connect() as connection:
            return forsaken.alarm(connection, self.clock())

    def next_due(self, seconds: float) -> datetime | None:
        """When a timer or a rung is next due, if within so many seconds: a tick then finds it."""
        with self.connect() as connection:
            return rungs.next_due(connection, self.clock() + timedelta(seconds=seconds))

    def ages(self) -> list[QueueAge]:
        """How old the backlog of each queue is."""
        with self.connect() as connection:
            return ageing.ages(connection, self.workflow.name, self.clock())

    def open_sweep(self, run: str, *, look_every_s: float = EVERY_S, **settings: Any) -> Sweep:
        """A sweeper's session, to sweep stations with."""
        lookout = Lookout(self._urgent_stations, look_every_s)
        return Sweep(
            self.url,
            run,
            clock=self.clock,
            tools=self.tools(),
            lookout=lookout,
            tables=self._tables,
            chance=self._chance,
            **settings,
        )

    def _urgent_stations(self, connection: psycopg.Connection) -> list[Station]:
        return [self.station(element) for element in self.waiting(connection, self.clock() - URGENT)]

    def sweep_station(self, sweep: Sweep, element: str, *, until: float, urgent_only: bool = False) -> list[Swept]:
        """Sweep one station. A compensation throw drives its handlers until every saga is undone."""
        station = self.station(element)
        swept = [sweep.station(station, until=until, urgent_only=urgent_only)]
        if station.element.kind in (Kind.THROW_COMPENSATION, Kind.END_COMPENSATION):
            while time.monotonic() < until:
                busy = [
                    name
                    for name in swept[-1].tally.handed
                    if name != CANCELLATION and self.workflow.process.elements[name].is_handler
                ]
                if not busy:
                    break
                swept.extend(
                    sweep.station(self.station(handler), until=until, urgent_only=urgent_only) for handler in busy
                )
                swept.append(sweep.station(station, until=until, urgent_only=urgent_only))
        return swept

    def earlier(self, connection: psycopg.Connection) -> list[tuple[int, Workflow]]:
        """The earlier versions on which a token is ready, each as a workflow that can be swept."""
        return versions.earlier(connection, self.workflow, self.version, self._tables)

    def sweep_earlier(self, sweep: Sweep, *, until: float) -> list[Swept]:
        """Sweep the cases that finish on earlier versions of the drawing, through the same code."""
        with self.connect() as connection:
            flights = self.earlier(connection)
        swept: list[Swept] = []
        for version, workflow in flights:
            stations = [Station(workflow, version, element) for element in sweeping_order(workflow)]
            moved = True
            while moved and time.monotonic() < until:  # loops and sagas lead back
                once = [sweep.station(station, until=until) for station in stations]
                moved = any(here.tally.moved for here in once)
                swept.extend(once)
        return swept

    def sweep(self, run: str = "sweep", *, seconds: float = SWEEP_S) -> SweepReport:
        """One whole sweep without Dagster: dispatch, then every station in order, until nothing moves.

        A database that is lost on the way is an error in the report: the next sweep goes on from the rows.
        """
        until = time.monotonic() + seconds
        report = SweepReport()
        with self.open_sweep(run) as sweep:
            try:
                while time.monotonic() < until and self._sweep_once(sweep, report, until):
                    pass
                report.stations.extend(self.sweep_earlier(sweep, until=until))
                self.route()
            except psycopg.OperationalError as error:
                report.stations.append(Swept("dispatch", errors=[f"{type(error).__name__}: {error}"]))
        return report

    def _sweep_once(self, sweep: Sweep, report: SweepReport, until: float) -> bool:
        """Dispatch and sweep each station where work is; whether anything moved."""
        once = self.sweep_where(sweep, self.dispatch().stations, until=until)
        report.stations.extend(once)
        return any(swept.tally.moved for swept in once)

    def sweep_where(self, sweep: Sweep, waiting: Iterable[str], *, until: float) -> list[Swept]:
        """Sweep the stations where work waits, and those to which it is handed on, once and in order."""
        wanted, report = set(waiting), list[Swept]()
        for element in self.order:
            if element in wanted:
                for swept in self.sweep_station(sweep, element, until=until):
                    report.append(swept)
                    wanted.update(swept.tally.handed)
        return report
