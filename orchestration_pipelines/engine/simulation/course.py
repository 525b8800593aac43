"""The course of a simulation: from one instant at which something happens to the next, under a clock of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import inf

import psycopg

from orchestration_pipelines.engine import intake, routing
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.simulation.agenda import Agenda, Event, Kind
from orchestration_pipelines.engine.simulation.arrivals import Arrival, Supply
from orchestration_pipelines.engine.simulation.team import Team
from orchestration_pipelines.engine.sweep import Sweep
from orchestration_pipelines.engine.tick import tick
from orchestration_pipelines.store import simulation as table
from orchestration_pipelines.store import tokens

#: no sweep is cut short by the machine's clock: what is done at an instant must not depend on how fast it is
_NO_END = inf


class SimulatedClock:
    """Business time that a simulation sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Now, with a zone."""
        return self.now


@dataclass
class Happened:
    """What a simulation came to, beside what the tables tell."""

    arrived: int = 0
    quarantined: int = 0
    instants: int = 0


class SimulationFailed(RuntimeError):
    """The machine's part did not run through; the message says where."""


class Course:
    """One simulation under way."""

    def __init__(
        self,
        engine: Engine,
        clock: SimulatedClock,
        connection: psycopg.Connection,
        team: Team,
        agenda: Agenda,
        supply: Supply,
    ) -> None:
        self._engine, self._clock, self._connection = engine, clock, connection
        self._team, self._agenda, self._supply = team, agenda, supply
        self._happened = Happened()

    def run(
        self, arrivals: Iterable[Arrival], end: datetime, progress: Callable[[datetime, Happened], None]
    ) -> Happened:
        """Go from instant to instant up to ``end``; nothing waits, and nothing depends on how long it takes."""
        for arrival in arrivals:
            self._agenda.plan(arrival.at, Kind.ARRIVAL, about=arrival.row)
        self._team.begin(self._clock.now)
        gives_out = table.gives_out(self._connection)
        with self._engine.open_sweep("simulation", look_every_s=inf, lanes=1) as sweep:
            due: datetime | None = None
            while (at := self._next(due, end)) is not None:
                self._clock.now = at
                self._happened.instants += 1
                acted = self._act(self._agenda.take(at))
                if is_due := due is not None and due <= at:
                    self._keep_time()
                if acted or is_due:
                    self._work(sweep)
                if gives_out:
                    routing.route(self._connection, self._engine.workflow.name, at)
                self._team.look_around(at)
                due = table.next_due(self._connection)
                progress(at, self._happened)
        self._clock.now = end
        self._keep_time()
        return self._happened

    def _next(self, due: datetime | None, end: datetime) -> datetime | None:
        """The next instant at which something happens before the end."""
        ahead = [at for at in (due, self._agenda.next_at()) if at is not None]
        at = max(min(ahead, default=end), self._clock.now)
        return at if at < end else None

    def _act(self, events: list[Event]) -> bool:
        """What people and the world do at this instant; whether a machine has something to do then."""
        wanted = False
        rows = [event.about for event in events if event.kind is Kind.ARRIVAL]
        if rows:
            taken = intake.submit(
                self._connection,
                self._engine.in_force,
                self._engine.version,
                rows,
                requested_by=self._supply.requested_by,
                source="simulation",
                now=self._clock.now,
            )
            self._happened.arrived += taken.accepted
            self._happened.quarantined += taken.quarantined
            wanted = taken.accepted > 0
        for event in events:
            if event.kind not in (Kind.ARRIVAL, Kind.AWAKE):
                wanted |= self._team.act(event)
        return wanted

    def _work(self, sweep: Sweep) -> None:
        """The machines' part: whatever a station finds, until nothing moves."""
        while waiting := self._engine.waiting(self._connection):
            swept = self._engine.sweep_where(sweep, waiting, until=_NO_END)
            if errors := [f"{each.station}: {error}" for each in swept for error in each.errors]:
                raise SimulationFailed(f"at {self._clock.now.isoformat()}, {errors[0]}")

    def _keep_time(self) -> None:
        """Everything that is due; a tick has its own bound by the machine's clock, so again until nothing is left."""
        tokens.wake_due(self._connection, self._clock.now)
        while tick(self._connection, self._clock.now).anything:
            pass


def jitter(seed: int) -> random.Random:
    """The waits between attempts, the same for the same seed."""
    return random.Random(f"{seed}:jitter")  # noqa: S311 - repeatable, not secret
