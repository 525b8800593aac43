"""The advance: everything that a chunk's trips change, in ONE transaction.

What the claim read of a case is believed until it is written: each statement says what it builds on (the case's
audit number, the token's lease). Where that no longer holds, everything is rolled back and looked at again under
lock, and only tokens whose lease is still ours count: a sweeper that was believed dead and lives (a zombie) writes
nothing. If the transaction fails for another reason, the caller halves the chunk.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from orchestration_pipelines.engine import clocks as promises
from orchestration_pipelines.engine.asking import Arrival, ask
from orchestration_pipelines.engine.carrying import Carrier, enough
from orchestration_pipelines.engine.failpoint import reached
from orchestration_pipelines.engine.gathering import Gathered
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.tally import Tally
from orchestration_pipelines.engine.verdict import Done, Step, Trip, variables_of
from orchestration_pipelines.engine.working import key_of
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.store import cases, clocks, faults, records, reviews, tokens
from orchestration_pipelines.store.tokens import Claimed


@dataclass
class Advanced:
    """What an advance did, and the chunks that it carries on to the next stations."""

    tally: Tally
    carried: list[tuple[Station, list[Claimed]]] = field(default_factory=list)


class UnsettledEffect(RuntimeError):
    """A case would have closed with an effect intended or unknown."""


@dataclass(frozen=True)
class Advance:
    """Writes for one sweeper at one station."""

    connection: psycopg.Connection
    station: Station
    holder: int
    carrier: Carrier | None  #: None: nothing is carried on
    lease_s: float
    chance: random.Random = field(default_factory=random.Random)  #: of the waits between attempts

    def write(self, trips: Sequence[Trip], started_at: datetime, now: datetime) -> Advanced:
        """Write what the trips say of those tokens that are still ours. One transaction."""
        try:
            with self.connection.transaction():
                return self._write(trips, started_at, now)
        except tokens.Outrun:
            with self.connection.transaction():
                ours = tokens.look_again(self.connection, [trip[0].token for trip in trips])
                # Only the first step may have touched the outside; what came behind it is done again.
                still = [
                    [Step(first.station, token, first.verdict)]
                    for first in (trip[0] for trip in trips)
                    if (token := ours.get((first.token.case_id, first.token.no))) is not None
                ]
                done = self._write(still, started_at, now)
                done.tally.lost[self.station.id] += len(trips) - len(still)
                return done

    def _write(self, trips: Sequence[Trip], started_at: datetime, now: datetime) -> Advanced:
        """The cases first, then their tokens, then what is only added; a statement for each table."""
        connection, workflow = self.connection, self.station.workflow
        carries = self.carrier.carries if self.carrier is not None else _never
        gathered = Gathered(self.holder, self.station.version, started_at, now, carries, self.chance)
        for trip in trips:
            gathered.add(trip)
        carried = self._carried(gathered, len(trips))
        cases.change(connection, gathered.changes, now)
        tokens.move(connection, gathered.moves, now, self.lease_s)
        tokens.end(connection, gathered.ended)
        tokens.back_off(
            connection, [token for token, _ in gathered.backing_off], [until for _, until in gathered.backing_off]
        )
        tokens.give_back(connection, gathered.given_back)
        for status, aside in gathered.aside.items():
            tokens.set_aside(connection, aside, status)
        reached("compensating" if self.station.element.is_handler else "mid-advance")
        records.settle_effects(connection, gathered.effects, now)
        self._refuse_unsettled(gathered)
        records.add_activities(connection, gathered.activities)
        records.add_audit(connection, gathered.audit)
        records.arm_compensations(connection, gathered.armed)
        for status, entries in gathered.marked.items():
            records.mark_compensations(connection, entries, status, now)
        records.void_approvals(connection, gathered.voided, now)
        records.give_approvals(connection, gathered.approvals, now)
        reviews.end_tasks(connection, gathered.expired, "expired", now)
        self._let_clocks_run(trips, now)
        clocks.stop(connection, [(token.case_id, None) for token in gathered.ended], now)
        for element, arrivals in gathered.arrivals.items():
            asked = [
                Arrival(token.case_id, token.no, visit, {**variables_of(token), **(patch or {})})
                for token, visit, patch in arrivals
            ]
            ask(connection, Station(workflow, self.station.version, element), asked, now)
        for station, chunk in carried:
            intend(connection, station, chunk, now)
        faults.open_incidents(connection, workflow.name, gathered.incidents, now)
        faults.add_dead_letters(connection, workflow.name, gathered.letters, now)
        return Advanced(gathered.tally, carried)

    def _let_clocks_run(self, trips: Sequence[Trip], now: datetime) -> None:
        """Whatever a case waited for here, it waits no longer: its promise is kept to again."""
        if self.station.element.kind is Kind.USER:
            over = [(first.token.case_id, first.token.visit) for first, *_ in trips if isinstance(first.verdict, Done)]
            promises.resume(self.connection, self.station.workflow.name, self.station.id, over, now)

    def _carried(self, gathered: Gathered, chunk: int) -> list[tuple[Station, list[Claimed]]]:
        """Keep the lease of those that the same sweeper works on at once; set the others down."""
        carried: list[tuple[Station, list[Claimed]]] = []
        for element, group in gathered.onward.items():
            carrier = self.carrier
            if carrier is not None and enough(len(group), chunk):
                gathered.moves.extend(move._replace(kept=True, attempt=1) for move, _ in group)
                carried.append((carrier.station(element), [token for _, token in group]))
            else:
                gathered.moves.extend(move for move, _ in group)
        return carried

    def _refuse_unsettled(self, gathered: Gathered) -> None:
        """No case closes while one of its effects is unsettled; such a close is a fault of ours, and is loud."""
        unsettled = records.unsettled_effects(self.connection, [token.case_id for token in gathered.ended])
        if unsettled:
            raise UnsettledEffect(f"cases {sorted(unsettled)[:5]} would close with an effect that nobody has settled")


def _never(_: Station, __: str) -> bool:
    return False


def intend(connection: psycopg.Connection, station: Station, chunk: Sequence[Claimed], now: datetime) -> None:
    """Note the external effects that a station is about to attempt on a chunk."""
    worker = station.worker
    if worker is not None and worker.external is not None:
        records.intend_effects(
            connection,
            station.id,
            worker.external,
            [(token.case_id, token.visit, key_of(station, token)) for token in chunk],
            now,
        )
