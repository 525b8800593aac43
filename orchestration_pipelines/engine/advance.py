"""The advance: everything that a chunk's verdicts change, in ONE transaction.

What the claim read of a case is believed until it is written: each statement says what it builds on (the case's
audit number, the token's lease). Where that no longer holds, everything is rolled back and looked at again under
lock, and only tokens whose lease is still ours count: a sweeper that was believed dead and lives (a zombie) writes
nothing. If the transaction fails for another reason, the caller halves the chunk.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from orchestration_pipelines.domain.audit import SALT_BYTES, chained, commitment
from orchestration_pipelines.domain.audit_body import template
from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.domain.identity import approval_id
from orchestration_pipelines.domain.retry import backoff
from orchestration_pipelines.domain.worker import Retry
from orchestration_pipelines.engine.failpoint import reached
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.verdict import (
    Cancelled,
    Done,
    Failed,
    Handoffs,
    Resume,
    Undo,
    Verdict,
)
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch
from orchestration_pipelines.store import cases, faults, records, reviews, timers, tokens
from orchestration_pipelines.store.copying import instant, int8, text
from orchestration_pipelines.store.tokens import Claimed, TokenMove


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
    try:
        with connection.transaction():
            return _Writing(station, holder, started_at, now).all(connection, zip(chunk, verdicts, strict=True))
    except tokens.Outrun:
        with connection.transaction():
            ours = tokens.look_again(connection, chunk)
            still = [
                (ours[token.case_id, token.no], verdict)
                for token, verdict in zip(chunk, verdicts, strict=True)
                if (token.case_id, token.no) in ours
            ]
            done = _Writing(station, holder, started_at, now).all(connection, still)
            done.lost = len(chunk) - len(still)
            return done


class _Writing:
    """The rows of one advance, gathered by table."""

    def __init__(self, station: Station, holder: int, started_at: datetime, now: datetime) -> None:
        self.done = Advanced()
        self._station, self._holder, self._now = station, holder, now
        self._when = instant(started_at) + instant(now) + int8(holder)
        self._at = now.isoformat()
        self._chance = random.Random()  # noqa: S311 - jitter, not a secret
        self._salts = memoryview(b"")
        self._moves: list[TokenMove] = []
        self._ended: list[Claimed] = []
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
        self._aside: dict[str, list[Claimed]] = {"dead": [], "stuck": []}
        self._backing_off: list[tuple[Claimed, datetime]] = []
        self._given_back: list[Claimed] = []
        self._letters: list[faults.NewDeadLetter] = []
        self._incidents: list[faults.NewIncident] = []
        self._named: dict[str, bytes] = {}
        self._shapes: dict[tuple[str, str | None, tuple[tuple[str, Any], ...], bool], bytes] = {}

    def all(self, connection: psycopg.Connection, decided: Iterable[tuple[Claimed, Verdict]]) -> Advanced:
        """Gather what the verdicts change, and write it."""
        for token, verdict in decided:
            if isinstance(verdict, Done):
                self._add_done(token, verdict)
            elif isinstance(verdict, Failed):
                self._add_failed(token, verdict)
            else:
                self.done.given_back += 1
                self._given_back.append(token)
        self._write(connection)
        return self.done

    # -- gathering

    def _add_done(self, token: Claimed, verdict: Done) -> None:
        station = self._station
        if token.cancel_reason is not None and station.id != CANCELLATION and not station.element.is_handler:
            verdict.way = Arrive(CANCELLATION, ())
        if isinstance(verdict.way, NoBranch):
            self._add_stuck(token, verdict, verdict.way)
            return
        self.done.completed += 1
        case_id, visit = token.case_id, token.visit
        change = _Change(visits=token.visits)
        to = self._go(token, verdict, change)
        seq = token.audit_seq + 1
        said: tuple[tuple[str, Any], ...] = (("outcome", verdict.outcome), ("to", to))
        if verdict.effect is not None:
            said += (("effect", verdict.effect),)
            self._effects.append((case_id, visit, verdict.effect))
        if verdict.approved_by is not None:
            change.approval = approval_id(case_id, visit)
            self._approvals.append((change.approval, case_id, visit, verdict.approved_by))
        elif verdict.voids_approval and token.approval is not None:
            change.approval = ""
            self._voided.append(case_id)
        if verdict.arms is not None:
            handler, snapshot = verdict.arms
            self._armed.append((case_id, seq, station.id, visit, handler, snapshot))
        if token.fired is not None:
            self._expired.append((case_id, visit))
        head = self._record(token, verdict.outcome, said, verdict.actor, verdict.detail)
        what = self._named.get(verdict.outcome)
        if what is None:
            what = self._named[verdict.outcome] = text(station.id) + text(verdict.outcome)
        self._activities.append(
            records.activity_row(case_id, visit, what, token.attempt, token.entered_at, self._when, verdict.detail)
        )
        self._changes.append(
            cases.CaseChange(
                case_id,
                token.audit_seq,
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
        case_id, way = token.case_id, verdict.way
        if isinstance(way, Finish):
            return self._end(token, change, "closed", way.end)
        if isinstance(way, Cancelled):
            return self._end(token, change, "cancelled", "cancelled")
        change.visits += 1
        throw_from, saga_no = None, 0
        if isinstance(way, Arrive):
            to = way.station
        elif isinstance(way, Undo):
            to, throw_from, saga_no = way.handler, self._station.id, way.saga_no
            self._marked["running"].append((case_id, way.saga_no))
        elif isinstance(way, Resume):
            to = way.throw
            self._marked["consumed"].append((case_id, way.saga_no))
        else:
            raise TypeError(f"{way} is no way to go")
        waits = self._waits_at(to)
        if waits:
            self._arrivals.setdefault(to, []).append((token, change.visits, verdict.patch))
        status = "waiting" if waits else "ready"
        self._moves.append(TokenMove(case_id, token.no, token.claim_no, to, status, change.visits, throw_from, saga_no))
        self.done.handoffs.add(to, case_id)
        return to

    def _waits_at(self, element: str) -> bool:
        drawn = self._station.workflow.process.elements.get(element)
        return drawn is not None and drawn.kind is Kind.USER

    def _end(self, token: Claimed, change: _Change, state: str, outcome: str) -> str:
        change.state, change.outcome = state, outcome
        self._ended.append(token)
        self.done.closed[outcome] = self.done.closed.get(outcome, 0) + 1
        return outcome

    def _add_failed(self, token: Claimed, verdict: Failed) -> None:
        station, case_id, visit = self._station, token.case_id, token.visit
        worker = station.worker
        wait = None if verdict.final else backoff(worker.retry if worker else Retry(), token.attempt, self._chance)
        if wait is not None:
            self.done.failed += 1
            self._backing_off.append((token, self._now + wait))
        else:
            self.done.dead += 1
            self._aside["dead"].append(token)
            self._letters.append(
                faults.NewDeadLetter(case_id, visit, station.id, token.attempt, verdict.error, verdict.traceback)
            )
            if station.element.is_handler:
                reason = f"a compensation could not be completed: {verdict.error}"
                owner = station.workflow.owner_of(station.id)
                self._incidents.append(faults.NewIncident(case_id, station.id, "compensation", reason, owner))
        if worker is not None and worker.external is not None:
            self._effects.append((case_id, visit, "unknown"))
        act = "failed" if wait is not None else "dead"
        head = self._record(token, act, (("error", verdict.error[:2000]),), None, None)
        self._changes.append(cases.CaseChange(case_id, token.audit_seq, None, token.audit_seq + 1, head, token.visits))

    def _add_stuck(self, token: Claimed, verdict: Done, way: NoBranch) -> None:
        station, case_id = self._station, token.case_id
        self.done.stuck += 1
        self._aside["stuck"].append(token)
        reason = f"at the gateway {way.gateway}: {way.diagnostics}"
        owner = station.workflow.owner_of(station.id)
        self._incidents.append(faults.NewIncident(case_id, station.id, "no branch", reason, owner))
        if verdict.effect is not None:
            self._effects.append((case_id, token.visit, verdict.effect))
        head = self._record(token, "stuck", (("reason", reason),), None, verdict.detail)
        self._changes.append(
            cases.CaseChange(case_id, token.audit_seq, verdict.patch, token.audit_seq + 1, head, token.visits)
        )

    def _record(
        self,
        token: Claimed,
        act: str,
        said: tuple[tuple[str, Any], ...],
        actor: str | None,
        detail: bytes | None,
    ) -> bytes:
        """Gather an audit entry; returns the case's new head."""
        if not self._salts:
            self._salts = memoryview(os.urandom(SALT_BYTES * 2048))
        salt, self._salts = bytes(self._salts[:SALT_BYTES]), self._salts[SALT_BYTES:]
        seq = token.audit_seq + 1
        known = (act, actor, said, detail is None)
        shape = self._shapes.get(known)
        if shape is None:
            shape = self._shapes[known] = self._shape(*known)
        if detail is None:
            body = shape % (token.attempt, token.case_id, token.visit, seq)
        else:
            body = shape % (token.attempt, token.case_id, detail, token.visit, seq)
        committed = commitment(salt, body)
        self._audit.append(records.audit_row(token.case_id, seq, salt, body, committed, token.audit_head))
        return chained(token.audit_head, committed)

    def _shape(self, act: str, actor: str | None, said: tuple[tuple[str, Any], ...], plain: bool) -> bytes:
        """What entries like this one have in common, as a template."""
        constant = dict(
            said,
            act=act,
            actor=actor or "engine",
            role="reviewer" if actor else "machine",
            element=self._station.id,
            at=self._at,
            version=self._station.version,
            sweeper=self._holder,
        )
        return template(constant, detailed=not plain)

    # -- writing

    def _write(self, connection: psycopg.Connection) -> None:
        """Write what was gathered, a statement for each table: the cases first, then their tokens."""
        now, workflow = self._now, self._station.workflow
        cases.change(connection, self._changes, now)
        tokens.move(connection, self._moves, now)
        tokens.end(connection, self._ended)
        tokens.back_off(connection, *_unzipped(self._backing_off))
        tokens.give_back(connection, self._given_back)
        for status, aside in self._aside.items():
            tokens.set_aside(connection, aside, status)
        reached("compensating" if self._station.element.is_handler else "mid-advance")
        records.settle_effects(connection, self._effects, now)
        self._refuse_unsettled(connection)
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
        open_effects = records.unsettled_effects(connection, [token.case_id for token in self._ended])
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


def _unzipped(pairs: Sequence[tuple[Claimed, datetime]]) -> tuple[list[Claimed], list[datetime]]:
    return [token for token, _ in pairs], [until for _, until in pairs]


class UnsettledEffect(RuntimeError):
    """A case would have closed with an effect intended or unknown."""
