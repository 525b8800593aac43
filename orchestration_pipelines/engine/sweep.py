"""Sweeping a station: claim a chunk, do the work, advance; until nothing is left or the time is over.

Three lanes work at a time: while one waits for PostgreSQL another computes. They share the work as three sweeps
would, by ``FOR UPDATE SKIP LOCKED``.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from orchestration_pipelines.engine.advance import Advance, Advanced, intend
from orchestration_pipelines.engine.calling import Toolbox
from orchestration_pipelines.engine.carrying import Carrier
from orchestration_pipelines.engine.collector import collector_at_rest
from orchestration_pipelines.engine.failpoint import reached
from orchestration_pipelines.engine.lookout import Lookout
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.tables import ActiveTables
from orchestration_pipelines.engine.tally import Tally
from orchestration_pipelines.engine.verdict import Failed, Step, Trip, Verdict
from orchestration_pipelines.engine.working import work
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.store import tokens
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.sweepers import SweeperSession
from orchestration_pipelines.store.tokens import CRASHES_ALLOWED, Claimed

CHUNK = 2_000
LANES = 3
LEASE_S = 300.0
#: a chunk that a worker is called on case by case should not take longer than this
_CHUNK_SECONDS = 5.0
_FIRST_CHUNK = 250
#: a decided case, a fired timer: queued so far ahead of those that arrived with it (0001_authority.sql)
AHEAD = timedelta(days=1)
#: … and told by this from the others
URGENT = AHEAD / 2


class Clock:
    """Business time. The system's, unless a test, a replay or a simulation says otherwise."""

    def __call__(self) -> datetime:
        """Now, with a zone."""
        return datetime.now(UTC)


@dataclass
class Swept:
    """What sweeping from a station came to; a chunk may have been carried through others behind it."""

    station: str
    seconds: float = 0.0
    chunks: int = 0
    tally: Tally = field(default_factory=Tally)
    errors: list[str] = field(default_factory=list)  #: what stopped a lane


class Sweep:
    """One sweeper: its session, and the lanes that work for it."""

    def __init__(
        self,
        url: str,
        run: str,
        *,
        clock: Callable[[], datetime],
        tools: Mapping[str, Callable[[], Any]],
        lookout: Lookout,
        tables: ActiveTables,
        chance: random.Random,
        chunk: int = CHUNK,
        lanes: int = LANES,
        lease_s: float = LEASE_S,
    ) -> None:
        self._session = SweeperSession(url, run)
        self._url, self._clock, self._lookout = url, clock, lookout
        self._tables, self._chance = tables, chance
        self._chunk, self._lease_s = chunk, lease_s
        self._lanes = [_Lane(url, tools) for _ in range(lanes)]

    @property
    def holder(self) -> int:
        """The sweeper's number, under which it leases."""
        return self._session.id

    @property
    def connection(self) -> psycopg.Connection:
        """The session's own connection, which holds the sweeper's lock: to look and to listen, never to work on."""
        return self._session.connection

    def reset(self) -> None:
        """Go on with fresh connections and tools: what just failed may have broken them."""
        for lane in self._lanes:
            lane.reset()

    def close(self) -> None:
        """End the session and its connections."""
        for lane in self._lanes:
            lane.close()
        self._session.close()

    def __enter__(self) -> Sweep:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def station(self, station: Station, *, until: float, urgent_only: bool = False) -> Swept:
        """Sweep one station until it is empty or ``until`` (monotonic seconds). Never raises for a case's sake."""
        swept = Swept(station.id)
        begun = time.monotonic()
        gathered = threading.Lock()
        size = _Size(self._chunk, station)

        def run(lane: _Lane, alone: bool) -> None:
            try:
                for tally in self._work_through(lane, station, size, until, urgent_only, alone):
                    with gathered:
                        swept.tally.merge(tally)
                        swept.chunks += 1
            except Exception as error:  # noqa: BLE001 - a lane's end is reported, it must not stop the other stations
                with gathered:
                    swept.errors.append(f"{type(error).__name__}: {error}")
                lane.reset()
            finally:
                size.looked.set()

        threads = [threading.Thread(target=run, args=(lane, False), daemon=True) for lane in self._lanes]
        with collector_at_rest():
            threads[0].start()
            size.looked.wait()
            at_work = threads if size.more else threads[:1]  # one chunk wants no second lane, nor its connections
            for thread in at_work[1:]:
                thread.start()
            for thread in at_work:
                thread.join()
            # Those that may have killed a process come last, one by one, with nobody at work beside them.
            run(self._lanes[0], True)
        swept.seconds = time.monotonic() - begun
        return swept

    def _work_through(
        self, lane: _Lane, station: Station, size: _Size, until: float, urgent_only: bool, alone: bool
    ) -> Iterator[Tally]:
        carrier = None if alone else Carrier(station.workflow, station.version)
        while time.monotonic() < until:
            if not (alone or urgent_only):
                yield from self._serve_urgent(lane)
            limit = 1 if alone else size.now
            claimed = self._claim(lane.connection, station, limit, alone, urgent_only)
            size.look(len(claimed), limit)
            if not claimed:
                return
            reached("claimed")
            yield from self._process(lane, station, claimed, size, carrier)

    def _serve_urgent(self, lane: _Lane) -> Iterator[Tally]:
        """What people decided meanwhile, and what a timer fired, comes before more of the arrivals."""
        for station in self._lookout.look(lane.connection):
            claimed = self._claim(lane.connection, station, _FIRST_CHUNK, alone=False, urgent_only=True)
            if claimed:
                reached("claimed")
                carrier = Carrier(station.workflow, station.version)
                yield from self._process(lane, station, claimed, _Size(self._chunk, station), carrier)

    def _claim(
        self, connection: psycopg.Connection, station: Station, limit: int, alone: bool, urgent_only: bool
    ) -> list[Claimed]:
        with connection.transaction():
            claimed = tokens.claim(
                connection,
                workflow=station.workflow.name,
                version=station.version,
                element=station.id,
                holder=self.holder,
                limit=limit,
                lease_s=self._lease_s,
                since="-infinity",
                until=self._clock() - URGENT if urgent_only else "infinity",
                alone=alone,
            )
            if claimed:
                intend(connection, station, claimed, self._clock())
        return claimed

    def _process(
        self, lane: _Lane, station: Station, claimed: Sequence[Claimed], size: _Size, carrier: Carrier | None
    ) -> Iterator[Tally]:
        """Work a chunk, advance it, and go on with what is carried further."""
        started_at, begun = self._clock(), time.monotonic()
        if carrier is not None:
            carrier.held = tokens.held(lane.connection, station.workflow.name)
        self._tables.refresh(lane.connection)
        trips, seconds = self._travel(lane, station, claimed, carrier)
        size.learn(len(claimed), time.monotonic() - begun)
        if station.worker is not None and station.worker.external is not None:
            reached("effect-done")
        if station.element.kind is Kind.USER:
            reached("decided")
        writing = time.monotonic()
        advance = Advance(lane.connection, station, self.holder, carrier, self._lease_s, self._chance)
        for advanced in self._advance(advance, trips, started_at):
            advanced.tally.spend(seconds)
            advanced.tally.spend({station.id: time.monotonic() - writing})
            seconds, writing = {}, time.monotonic()
            yield advanced.tally
            for onward, chunk in advanced.carried:
                yield from self._process(lane, onward, chunk, size, carrier)
            writing = time.monotonic()

    def _travel(
        self, lane: _Lane, station: Station, claimed: Sequence[Claimed], carrier: Carrier | None
    ) -> tuple[list[Trip], Mapping[str, float]]:
        def here(at: Station, chunk: Sequence[Claimed]) -> list[Verdict]:
            return work(at, lane.connection, chunk, lane.tools)

        if carrier is not None:
            return carrier.travel(station, claimed, here)
        begun = time.monotonic()
        if claimed[0].crashes >= CRASHES_ALLOWED:
            ended = f"the process ended {claimed[0].crashes} times while it worked on this case"
            return [[Step(station, token, Failed(ended, final=True))] for token in claimed], {}
        verdicts = here(station, claimed)
        trips = [[Step(station, token, verdict)] for token, verdict in zip(claimed, verdicts, strict=True)]
        return trips, {station.id: time.monotonic() - begun}

    def _advance(self, advance: Advance, trips: Sequence[Trip], started_at: datetime) -> Iterator[Advanced]:
        """Advance; where the transaction fails, halve the chunk until the culprit stands alone."""
        try:
            advanced = advance.write(trips, started_at, self._clock())
        except psycopg.OperationalError:
            raise  # the database is gone, not the chunk bad
        except Exception as error:
            if len(trips) > 1:
                middle = len(trips) // 2
                yield from self._advance(advance, trips[:middle], started_at)
                yield from self._advance(advance, trips[middle:], started_at)
                return
            step = trips[0][0]
            if len(trips[0]) > 1:
                yield from self._advance(advance, [[step]], started_at)  # how far does it go? one step, at least
                return
            if isinstance(step.verdict, Failed):
                raise
            refused = Failed(f"the advance was refused: {type(error).__name__}: {error}", final=True)
            yield from self._advance(advance, [[Step(step.station, step.token, refused)]], started_at)
            return
        yield advanced


class _Lane:
    """A connection and the tools that one thread works with."""

    def __init__(self, url: str, tools: Mapping[str, Callable[[], Any]]) -> None:
        self._url, self._factories = url, tools
        self._connection: psycopg.Connection | None = None
        self.tools = Toolbox(tools)

    @property
    def connection(self) -> psycopg.Connection:
        """The lane's connection, opened when first needed."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, sweeper=True)
        return self._connection

    def reset(self) -> None:
        """After an error: the next station starts with fresh ones."""
        self.close()
        self.tools = Toolbox(self._factories)

    def close(self) -> None:
        """Close the connection and the tools."""
        self.tools.close()
        if self._connection is not None:
            self._connection.close()


class _Size:
    """How many cases a chunk takes: fewer where a worker is slow, so that a lease is never outlived."""

    def __init__(self, most: int, station: Station) -> None:
        self._most = most
        worker = station.worker
        by_case = station.element.kind is Kind.SERVICE and worker is not None and not worker.whole_chunk
        self.now = min(most, _FIRST_CHUNK) if by_case else most
        self._learns = by_case
        self.more = False  #: whether the first claim was full: there may be more
        self.looked = threading.Event()  #: the first claim is over

    def look(self, claimed: int, limit: int) -> None:
        """Take note of how much the first claim found."""
        if not self.looked.is_set():
            self.more = claimed == limit
            self.looked.set()

    def learn(self, cases: int, seconds: float) -> None:
        """Take note of how long a chunk's work took."""
        if self._learns and cases:
            fitting = int(_CHUNK_SECONDS / max(seconds / cases, 1e-6))
            self.now = max(1, min(self._most, fitting))
