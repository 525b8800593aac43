"""The standing sweep: it waits for what people decide, and takes it on the moment it is there.

A run's process takes seconds to start; this one has started. It serves what is urgent alone (decided cases, fired
timers) and leaves arrivals to the runs that come and go. It may be killed at any moment like every sweep, and two at
once share the work: by state, and with ``SKIP LOCKED``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import psycopg

from orchestration_pipelines.engine.engine import LOOK_AGAIN_S, Engine
from orchestration_pipelines.engine.order import sweeping_order
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.sweep import URGENT, Sweep
from orchestration_pipelines.engine.tally import Tally
from orchestration_pipelines.store import tokens, versions
from orchestration_pipelines.store.sweepers import stand, standing

#: one stands for so long, and is then followed by another: what a process gathers over time goes with it
STANDS_S = 1_800.0
#: a station is left after so long, so that the others are served and a stop is heard
_AT_ONCE_S = 2.0
#: so many times in a row it may fail before it leaves the work to a successor
_PATIENCE = 3
_ERRORS_KEPT = 20
#: the one setting: "off", and decisions wait for a run of their own
SETTING = "ORCHESTRATION_STANDING_SWEEP"


def wanted(env: Mapping[str, str]) -> bool:
    """Whether a standing sweep is kept alive here: unless the setting says ``off``. ValueError: neither on nor off."""
    written = env.get(SETTING) or "on"
    if written not in ("on", "off"):
        raise ValueError(f"{SETTING} is {written!r}: set it to on or off")
    return written == "on"


class _Flight(NamedTuple):
    """The stations of one version, in the order in which a sweep serves them."""

    version: int
    stations: dict[str, Station]


class StandingSweep:
    """One sweeper that stands by for the decisions of a workflow, until ``until`` (monotonic seconds)."""

    def __init__(self, engine: Engine, sweep: Sweep, *, until: float) -> None:
        self._engine, self._sweep, self._until = engine, sweep, until
        self._current = self._flight(engine.version, [engine.station(element) for element in engine.order])
        self._earlier: dict[int, _Flight] = {}
        self._stopping = threading.Event()
        self._counting = threading.Lock()
        self._tally = Tally()
        self.errors: list[str] = []  #: what stopped a lane, the first of each kind
        self.rounds = 0  #: in which something was served

    def stop(self) -> None:
        """Ask it to end, from another thread: the chunk at hand is finished, no other is begun."""
        self._stopping.set()

    def tally(self) -> Tally:
        """What was served so far."""
        with self._counting:
            whole = Tally()
            whole.merge(self._tally)
            return whole

    def serve(self) -> str:
        """Wait and serve until it is over; says why it ended. A lost database raises: the next one goes on."""
        connection, troubled = self._sweep.connection, 0
        stand(connection, self._engine.workflow.name)
        connection.execute("LISTEN orchestration_decided")
        self._serve(self._current, list(self._current.stations))  # warm before anybody waits
        while (over := self._over(connection)) is None:
            moved, failed = self._look(connection)
            troubled = troubled + 1 if failed and not moved else 0
            if troubled == _PATIENCE:
                return "it failed again and again"
            if not moved:
                for _ in connection.notifies(timeout=LOOK_AGAIN_S, stop_after=1):
                    pass  # what it was about, the state tells
        return over

    def _over(self, connection: psycopg.Connection) -> str | None:
        if self._stopping.is_set():
            return "it was told to"
        if time.monotonic() >= self._until:
            return "its time is over"
        if any(other.id > self._sweep.holder for other in standing(connection, self._engine.workflow.name)):
            return "its successor stands"
        return None

    def _look(self, connection: psycopg.Connection) -> tuple[int, bool]:
        """Serve what is urgent on each version: how many visits came to an end, and whether something failed."""
        moved, failed = 0, False
        urgent = self._engine.clock() - URGENT
        for flight in self._flights(connection):
            waiting = tokens.claimable(
                connection, self._engine.workflow.name, flight.version, list(flight.stations), urgent
            )
            if waiting:
                ended, broke = self._serve(flight, [element for element in flight.stations if element in waiting])
                moved, failed = moved + ended, failed or broke
        return moved, failed

    def _serve(self, flight: _Flight, elements: Sequence[str]) -> tuple[int, bool]:
        tally, errors = Tally(), list[str]()
        for element in elements:
            until = time.monotonic() + _AT_ONCE_S
            swept = self._sweep.station(flight.stations[element], until=until, urgent_only=True)
            tally.merge(swept.tally)
            errors += [f"{element}: {error}" for error in swept.errors]
        if errors or tally.failed or tally.dead:
            self._sweep.reset()
        with self._counting:
            self._tally.merge(tally)
            self.rounds += bool(tally.moved)
            self.errors += [error for error in errors if error not in self.errors][: _ERRORS_KEPT - len(self.errors)]
        return tally.moved, bool(errors)

    def _flights(self, connection: psycopg.Connection) -> Iterator[_Flight]:
        """The current version, and the earlier ones on which a token is ready."""
        yield self._current
        ready = set(versions.ready_ids(connection, self._engine.workflow.name, self._engine.version))
        if ready - set(self._earlier):
            for version, workflow in self._engine.earlier(connection):
                stations = [Station(workflow, version, element) for element in sweeping_order(workflow)]
                self._earlier[version] = self._flight(version, stations)
        yield from (self._earlier[version] for version in sorted(ready & set(self._earlier)))

    @staticmethod
    def _flight(version: int, stations: Sequence[Station]) -> _Flight:
        return _Flight(version, {station.id: station for station in stations})
