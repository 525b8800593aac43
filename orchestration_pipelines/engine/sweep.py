"""Sweeping a station: claim a chunk, do the work, advance; until nothing is left or the time is over.

Two lanes work at a time: while one waits for PostgreSQL the other computes. They share the work as two sweeps
would, by ``FOR UPDATE SKIP LOCKED``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from orchestration_pipelines.engine.advance import Advanced, advance
from orchestration_pipelines.engine.calling import Toolbox
from orchestration_pipelines.engine.failpoint import reached
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.verdict import Failed, Verdict
from orchestration_pipelines.engine.working import key_of, work
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.store import records, tokens
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.sweepers import SweeperSession
from orchestration_pipelines.store.tokens import CRASHES_ALLOWED, Claimed

CHUNK = 2_000
LANES = 2
LEASE_S = 300.0
#: a chunk that a worker is called on case by case should not take longer than this
_CHUNK_SECONDS = 5.0
_FIRST_CHUNK = 250
#: a decided case, a fired timer: queued a day ahead of those that arrived with it
URGENT = timedelta(hours=12)


class Clock:
    """Business time. The system's, unless a test, a replay or a simulation says otherwise."""

    def __call__(self) -> datetime:
        """Now, with a zone."""
        return datetime.now(UTC)


@dataclass
class Swept:
    """What sweeping a station came to."""

    station: str
    seconds: float = 0.0
    chunks: int = 0
    advanced: Advanced = field(default_factory=Advanced)
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
        chunk: int = CHUNK,
        lanes: int = LANES,
        lease_s: float = LEASE_S,
    ) -> None:
        self._session = SweeperSession(url, run)
        self._url, self._clock = url, clock
        self._chunk, self._lease_s = chunk, lease_s
        self._lanes = [_Lane(url, tools) for _ in range(lanes)]

    @property
    def holder(self) -> int:
        """The sweeper's number, under which it leases."""
        return self._session.id

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

        def run(lane: _Lane) -> None:
            try:
                for advanced in self._work_through(lane, station, size, until, urgent_only):
                    with gathered:
                        swept.advanced.merge(advanced)
                        swept.chunks += 1
            except Exception as error:  # noqa: BLE001 - a lane's end is reported, it must not stop the other stations
                with gathered:
                    swept.errors.append(f"{type(error).__name__}: {error}")
                lane.reset()

        threads = [threading.Thread(target=run, args=(lane,), daemon=True) for lane in self._lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        swept.seconds = time.monotonic() - begun
        return swept

    def _work_through(self, lane: _Lane, station: Station, size: _Size, until: float, urgent_only: bool) -> Any:
        alone = False
        while time.monotonic() < until:
            claimed = self._claim(lane.connection, station, 1 if alone else size.now, alone, urgent_only)
            if not claimed:
                if alone:
                    return
                alone = True  # those that may have killed a process come last, one by one
                continue
            reached("claimed")
            yield self._process(lane, station, claimed, size)

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
            worker = station.worker
            if claimed and worker is not None and worker.external is not None:
                records.intend_effects(
                    connection,
                    station.id,
                    worker.external,
                    [(token.case_id, token.visit, key_of(station, token)) for token in claimed],
                    self._clock(),
                )
        return claimed

    def _process(self, lane: _Lane, station: Station, claimed: Sequence[Claimed], size: _Size) -> Advanced:
        started_at, begun = self._clock(), time.monotonic()
        killers = [token for token in claimed if token.crashes >= CRASHES_ALLOWED]
        if killers:
            verdicts: list[Verdict] = [
                Failed(f"the process ended {token.crashes} times while it worked on this case", final=True)
                for token in claimed
            ]
        else:
            verdicts = work(station, lane.connection, claimed, lane.tools)
        size.learn(len(claimed), time.monotonic() - begun)
        if station.worker is not None and station.worker.external is not None:
            reached("effect-done")
        return self._advance(lane, station, claimed, verdicts, started_at)

    def _advance(
        self,
        lane: _Lane,
        station: Station,
        claimed: Sequence[Claimed],
        verdicts: Sequence[Verdict],
        started_at: datetime,
    ) -> Advanced:
        """Advance; where the transaction fails, halve the chunk until the culprit stands alone."""
        try:
            return advance(lane.connection, station, self.holder, claimed, verdicts, started_at, self._clock())
        except psycopg.OperationalError:
            raise  # the database is gone, not the chunk bad
        except Exception as error:
            if len(claimed) == 1:
                if isinstance(verdicts[0], Failed):
                    raise
                broken: list[Verdict] = [
                    Failed(f"the advance was refused: {type(error).__name__}: {error}", final=True)
                ]
                return self._advance(lane, station, claimed, broken, started_at)
            middle = len(claimed) // 2
            first = self._advance(lane, station, claimed[:middle], verdicts[:middle], started_at)
            first.merge(self._advance(lane, station, claimed[middle:], verdicts[middle:], started_at))
            return first


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

    def learn(self, cases: int, seconds: float) -> None:
        """Take note of how long a chunk's work took."""
        if self._learns and cases:
            fitting = int(_CHUNK_SECONDS / max(seconds / cases, 1e-6))
            self.now = max(1, min(self._most, fitting))
