"""The advance: everything that a chunk's verdicts change, in ONE transaction.

The chunk's cases are locked in id order, and only tokens whose lease is still ours count: a sweeper that was
believed dead and lives (a zombie) writes nothing. If the transaction fails, the caller halves the chunk.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from orchestration_pipelines.domain.audit import SALT_BYTES, chained, commitment
from orchestration_pipelines.domain.canonical import decode, encode
from orchestration_pipelines.domain.identity import approval_id
from orchestration_pipelines.domain.retry import backoff
from orchestration_pipelines.domain.worker import Retry
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.verdict import (
    Cancelled,
    Done,
    Failed,
    GivenBack,
    Handoffs,
    Resume,
    Undo,
    Verdict,
)
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.model.process import ENDS, Kind
from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch
from orchestration_pipelines.store import cases, faults, records, reviews, timers, tokens
from orchestration_pipelines.store.copying import instant
from orchestration_pipelines.store.tokens import Claimed, Held, TokenMove


@dataclass
class Advanced:
    """What an advance did."""

    completed: int = 0
    failed: int = 0
    dead: int = 0
    stuck: int = 0
    lost: int = 0  #: the lease was no longer ours
    given_back: int = 0
    closed: dict[str, int] = field(default_factory=dict)  #: by outcome
    handoffs: Handoffs = field(default_factory=Handoffs)

    def merge(self, other: Advanced) -> None:
        """Add another's figures."""
        self.completed += other.completed
        self.failed += other.failed
        self.dead += other.dead
        self.stuck += other.stuck
        self.lost += other.lost
        self.given_back += other.given_back
        for outcome, count in other.closed.items():
            self.closed[outcome] = self.closed.get(outcome, 0) + count
        self.handoffs.merge(other.handoffs)


def advance(
    connection: psycopg.Connection,
    station: Station,
    holder: int,
    chunk: Sequence[Claimed],
    verdicts: Sequence[Verdict],
    started_at: datetime,
    now: datetime,
) -> Advanced:
    """Write what the verdicts say of those tokens that are still ours. One transaction."""
    writing = _Writing(station, holder, started_at, now)
    with connection.transaction():
        held = {(token.case_id, token.no): token for token in tokens.lock(connection, holder, chunk)}
        writing.done.lost = len(chunk) - len(held)
        for token, verdict in zip(chunk, verdicts, strict=True):
            if (place := held.get((token.case_id, token.no))) is not None:
                writing.add(token, place, verdict)
        writing.write(connection)
    return writing.done


class _Writing:
    """The rows of one advance, gathered by table."""

    def __init__(self, station: Station, holder: int, started_at: datetime, now: datetime) -> None:
        self.done = Advanced()
        self._station, self._holder, self._now = station, holder, now
        self._started, self._finished = instant(started_at), instant(now)
        self._at = now.isoformat()
        self._chance = random.Random()  # noqa: S311 - jitter, not a secret
        self._salts = memoryview(b"")
        self._moves: list[TokenMove] = []
        self._ended: list[tuple[int, int]] = []
        self._changes: list[cases.CaseChange] = []
        self._activities: list[bytes] = []
        self._audit: list[bytes] = []
        self._effects: list[tuple[int, int, str]] = []
        self._armed: list[tuple[int, int, str, int, str, bytes]] = []
        self._marked: dict[str, list[tuple[int, int]]] = {"running": [], "consumed": []}
        self._approvals: list[tuple[str, int, int, list[str]]] = []
        self._voided: list[int] = []
        self._arrivals: dict[str, list[tuple[Claimed, int, bytes | None]]] = {}
        self._expired: list[tuple[int, int]] = []
        self._aside: dict[str, list[tuple[int, int]]] = {"dead": [], "stuck": []}
        self._backing_off: list[tuple[int, int, datetime]] = []
        self._given_back: list[Claimed] = []
        self._letters: list[faults.NewDeadLetter] = []
        self._incidents: list[faults.NewIncident] = []

    # -- gathering

    def add(self, token: Claimed, held: Held, verdict: Verdict) -> None:
        """Gather what one verdict changes."""
        match verdict:
            case Done():
                self._add_done(token, held, verdict)
            case Failed():
                self._add_failed(token, held, verdict)
            case GivenBack():
                self.done.given_back += 1
                self._given_back.append(token)

    def _add_done(self, token: Claimed, held: Held, verdict: Done) -> None:
        if (
            held.cancel_reason is not None
            and self._station.id != CANCELLATION
            and not self._station.element.is_handler
        ):
            verdict.way = Arrive(CANCELLATION, ())
        if isinstance(verdict.way, NoBranch):
            self._add_stuck(
                token, held, "no branch", f"at {verdict.way.gateway} {verdict.way.diagnostics}", verdict
            )
            return
        self.done.completed += 1
        case_id, visit, station = token.case_id, token.visit, self._station
        change = _Change(visits=held.visits)
        to = self._go(token, verdict, change)
        seq = held.audit_seq + 1
        body: dict[str, Any] = {"outcome": verdict.outcome, "to": to, "attempt": token.attempt}
        if verdict.effect is not None:
            body["effect"] = verdict.effect
        if verdict.approved_by is not None:
            change.approval = approval_id(case_id, visit)
            self._approvals.append((change.approval, case_id, visit, verdict.approved_by))
            body["approval"] = change.approval
        elif verdict.voids_approval and token.approval is not None:
            change.approval = ""
            self._voided.append(case_id)
        head = self._record(token, seq, held.audit_head, verdict.outcome, body, verdict.actor, verdict.detail)
        if verdict.arms is not None:
            handler, snapshot = verdict.arms
            self._armed.append((case_id, seq, station.id, visit, handler, snapshot))
        if verdict.effect is not None:
            self._effects.append((case_id, visit, verdict.effect))
        if token.fired is not None:
            self._expired.append((case_id, visit))
        self._activities.append(
            records.activity_row(
                case_id,
                visit,
                station.id,
                verdict.outcome,
                token.attempt,
                token.entered_at,
                self._started,
                self._finished,
                self._holder,
                verdict.detail,
            )
        )
        self._changes.append(
            cases.CaseChange(
                case_id,
                verdict.patch,
                seq,
                head,
                change.visits,
                change.approval,
                change.state,
                change.outcome,
            )
        )

    def _go(self, token: Claimed, verdict: Done, change: _Change) -> str:
        """Gather the token's move, and say where it goes."""
        case_id, no, way = token.case_id, token.no, verdict.way
        if isinstance(way, Finish):
            kind = self._station.workflow.process.elements[way.end].kind
            assert kind in ENDS  # noqa: S101 - the router finishes at ends only
            return self._end(token, change, "closed", way.end)
        if isinstance(way, Cancelled):
            return self._end(token, change, "cancelled", "cancelled")
        change.visits += 1
        throw_from, saga_no = token.throw_from, 0
        if isinstance(way, Arrive):
            to, throw_from = way.station, None
        elif isinstance(way, Undo):
            to, throw_from, saga_no = way.handler, self._station.id, way.saga_no
            self._marked["running"].append((case_id, way.saga_no))
        elif isinstance(way, Resume):
            to, throw_from = way.throw, None
            self._marked["consumed"].append((case_id, way.saga_no))
        else:
            raise AssertionError(f"{way} is no way to go")
        waits = self._waits_at(to)
        if waits:
            self._arrivals.setdefault(to, []).append((token, change.visits, verdict.patch))
        self._moves.append(
            TokenMove(case_id, no, to, "waiting" if waits else "ready", change.visits, throw_from, saga_no)
        )
        self.done.handoffs.add(to, case_id)
        return to

    def _waits_at(self, element: str) -> bool:
        drawn = self._station.workflow.process.elements.get(element)
        return drawn is not None and drawn.kind is Kind.USER

    def _end(self, token: Claimed, change: _Change, state: str, outcome: str) -> str:
        change.state, change.outcome = state, outcome
        self._ended.append((token.case_id, token.no))
        self.done.closed[outcome] = self.done.closed.get(outcome, 0) + 1
        return outcome

    def _add_failed(self, token: Claimed, held: Held, verdict: Failed) -> None:
        station, case_id, visit = self._station, token.case_id, token.visit
        worker = station.worker
        wait = (
            None
            if verdict.final
            else backoff(worker.retry if worker else Retry(), token.attempt, self._chance)
        )
        body: dict[str, Any] = {"error": verdict.error[:2000], "attempt": token.attempt}
        if wait is not None:
            self.done.failed += 1
            self._backing_off.append((case_id, token.no, self._now + wait))
        else:
            self.done.dead += 1
            self._aside["dead"].append((case_id, token.no))
            self._letters.append(
                faults.NewDeadLetter(
                    case_id, visit, station.id, token.attempt, verdict.error, verdict.traceback
                )
            )
            if station.element.is_handler:
                self._incidents.append(
                    faults.NewIncident(
                        case_id,
                        station.id,
                        "compensation",
                        f"a compensation could not be completed: {verdict.error}",
                        station.workflow.owner_of(station.id),
                    )
                )
        if worker is not None and worker.external is not None:
            self._effects.append((case_id, visit, "unknown"))
        act = "failed" if wait is not None else "dead"
        head = self._record(token, held.audit_seq + 1, held.audit_head, act, body, None, None)
        self._changes.append(cases.CaseChange(case_id, None, held.audit_seq + 1, head, held.visits))

    def _add_stuck(self, token: Claimed, held: Held, kind: str, reason: str, verdict: Done | None) -> None:
        station = self._station
        self.done.stuck += 1
        self._aside["stuck"].append((token.case_id, token.no))
        owner = station.workflow.owner_of(station.id)
        self._incidents.append(faults.NewIncident(token.case_id, station.id, kind, reason, owner))
        if verdict is not None and verdict.effect is not None:
            self._effects.append((token.case_id, token.visit, verdict.effect))
        seq = held.audit_seq + 1
        head = self._record(token, seq, held.audit_head, "stuck", {"reason": reason}, None, None)
        patch = verdict.patch if verdict is not None else None
        self._changes.append(cases.CaseChange(token.case_id, patch, seq, head, held.visits))

    def _record(
        self,
        token: Claimed,
        seq: int,
        prev: bytes,
        act: str,
        body: dict[str, Any],
        actor: str | None,
        detail: bytes | None,
    ) -> bytes:
        """Gather an audit entry; returns the case's new head."""
        if not self._salts:
            self._salts = memoryview(os.urandom(SALT_BYTES * 1024))
        salt, self._salts = bytes(self._salts[:SALT_BYTES]), self._salts[SALT_BYTES:]
        station = self._station
        body.update(
            act=act,
            actor=actor or "engine",
            role="reviewer" if actor else "machine",
            record=f"visit:{token.visit}",
            element=station.id,
            case=token.case_id,
            seq=seq,
            at=self._at,
            version=station.version,
            sweeper=self._holder,
        )
        if detail is not None:
            body["detail"] = decode(detail)
        encoded = encode(body)
        committed = commitment(salt, encoded)
        self._audit.append(records.audit_row(token.case_id, seq, salt, encoded, committed, prev))
        return chained(prev, committed)

    # -- writing

    def write(self, connection: psycopg.Connection) -> None:
        """Write what was gathered, a statement for each table."""
        now, workflow = self._now, self._station.workflow
        records.settle_effects(connection, self._effects, now)
        self._refuse_unsettled(connection)
        tokens.move(connection, self._moves, now)
        tokens.end(connection, self._ended)
        tokens.back_off(connection, self._backing_off)
        tokens.give_back(connection, self._holder, self._given_back)
        for status, aside in self._aside.items():
            tokens.set_aside(connection, aside, status)
        cases.change(connection, self._changes, now)
        records.add_activities(connection, self._activities)
        records.add_audit(connection, self._audit)
        records.arm_compensations(connection, self._armed)
        for status, entries in self._marked.items():
            records.mark_compensations(connection, entries, status, now)
        records.void_approvals(connection, self._voided, now)
        records.give_approvals(connection, self._approvals, now)
        reviews.end_tasks(connection, self._expired, "expired", now)
        for element, arrivals in self._arrivals.items():
            self._open_tasks(connection, element, arrivals)
        if self._incidents:
            faults.open_incidents(connection, workflow.name, self._incidents, now)
        if self._letters:
            faults.add_dead_letters(connection, workflow.name, self._letters, now)

    def _refuse_unsettled(self, connection: psycopg.Connection) -> None:
        """No case closes while one of its effects is unsettled; such a close is a fault of ours, and is loud."""
        open_effects = records.unsettled_effects(connection, [case_id for case_id, _ in self._ended])
        if open_effects:
            raise UnsettledEffect(
                f"cases {sorted(open_effects)[:5]} would close with an effect that nobody has settled"
            )

    def _open_tasks(
        self,
        connection: psycopg.Connection,
        element: str,
        arrivals: Sequence[tuple[Claimed, int, bytes | None]],
    ) -> None:
        target = Station(self._station.workflow, self._station.version, element)
        asked: list[reviews.NewTask] = []
        armed: list[tuple[int, int, str, int, datetime]] = []
        for token, visit, patch in arrivals:
            variables = decode(token.variables) | (decode(patch) if patch else {})
            asked.append(target.task(token.case_id, visit, variables, self._now))
            armed.extend(
                (token.case_id, visit, boundary, token.no, due_at)
                for boundary, due_at in target.timers(variables, self._now)
            )
        reviews.open_tasks(
            connection, target.workflow.name, element, target.question, target.editable, asked, self._now
        )
        timers.arm(connection, armed)


@dataclass
class _Change:
    """What becomes of the case while its token's way is gathered."""

    visits: int
    approval: str | None = None
    state: str | None = None
    outcome: str | None = None


class UnsettledEffect(RuntimeError):
    """A case would have closed with an effect intended or unknown."""
