"""The rows of one advance, gathered from trips, table by table. Nothing is written here."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from orchestration_pipelines.domain.audit import SALT_BYTES, chained, commitment
from orchestration_pipelines.domain.audit_body import template
from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.identity import approval_id
from orchestration_pipelines.domain.retry import backoff
from orchestration_pipelines.domain.worker import Retry
from orchestration_pipelines.engine.course import Course, where
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.tally import Tally
from orchestration_pipelines.engine.verdict import Cancelled, Done, Failed, NoAnswer, Resume, Trip, Undo, Way
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch
from orchestration_pipelines.store import faults, records
from orchestration_pipelines.store.cases import CaseChange
from orchestration_pipelines.store.copying import instant, int8, text
from orchestration_pipelines.store.tokens import Claimed, TokenMove

_Said = tuple[tuple[str, Any], ...]


class Gathered:
    """What the trips of a chunk change."""

    def __init__(
        self,
        holder: int,
        version: int,
        started_at: datetime,
        now: datetime,
        carries: Callable[[Station, str], bool],
        chance: random.Random,
    ) -> None:
        self.tally = Tally()
        self.moves: list[TokenMove] = []
        self.ended: list[Claimed] = []
        self.changes: list[CaseChange] = []
        self.activities: list[bytes] = []
        self.audit: list[bytes] = []
        self.effects: list[tuple[int, int, str]] = []
        self.armed: list[tuple[int, int, str, int, str, bytes]] = []
        self.marked: dict[str, list[tuple[int, int]]] = {"running": [], "consumed": []}
        self.approvals: list[tuple[str, int, int, list[str]]] = []
        self.voided: list[int] = []
        self.expired: list[tuple[int, int]] = []
        self.aside: dict[str, list[Claimed]] = {"dead": [], "stuck": []}
        self.backing_off: list[tuple[Claimed, datetime]] = []
        self.given_back: list[Claimed] = []
        self.letters: list[faults.NewDeadLetter] = []
        self.incidents: list[faults.NewIncident] = []
        #: tokens that arrived where people decide, with the case's patch: station to these
        self.arrivals: dict[str, list[tuple[Claimed, int, Mapping[str, Any] | None]]] = defaultdict(list)
        #: tokens that a machine could work on at once: station to (move, the token as that station will see it)
        self.onward: dict[str, list[tuple[TokenMove, Claimed]]] = defaultdict(list)
        self._holder, self._version, self._now = holder, version, now
        self._carries = carries  #: whether a token's lease may go on with it
        self._when = instant(started_at) + instant(now) + int8(holder)
        self._at = now.isoformat()
        self._entered = instant(now)[4:]
        self._chance = chance
        self._salts = memoryview(b"")
        self._named: dict[tuple[str, str], bytes] = {}
        self._shapes: dict[tuple[str, str, str | None, _Said, bool], bytes] = {}

    def add(self, trip: Trip) -> None:
        """Gather what one token's trip changes."""
        course = Course(trip[0].token)
        for step in trip:
            verdict = step.verdict
            if isinstance(verdict, Done):
                way = self._way(step.station, step.token, verdict)
                if isinstance(way, NoBranch | NoAnswer):
                    self._stick(course, step.station, verdict, way)
                    break
                self._complete(course, step.station, step.token, verdict, way)
                course.way = way
            elif isinstance(verdict, Failed):
                self._fail(course, step.station, step.token, verdict)
                break
            else:
                self._give_back(course, step.station)
                break
            if way is not verdict.way:
                break
        if course.over is None and course.way is not None:
            self._go(course, trip[-1].station, course.way)
        if course.seq > course.token.audit_seq:
            token = course.token
            self.changes.append(
                CaseChange(
                    token.case_id,
                    token.audit_seq,
                    encode(course.patch) if course.patch else None,
                    course.seq,
                    course.head,
                    course.visits,
                    course.approval_change,
                    course.state,
                    course.outcome,
                )
            )

    def _way(self, station: Station, token: Claimed, verdict: Done) -> Way:
        return Arrive(CANCELLATION) if _is_cancelled(station, token) else verdict.way

    # -- what a step adds

    def _complete(self, course: Course, station: Station, token: Claimed, verdict: Done, way: Way) -> None:
        case_id, visit = token.case_id, course.visit
        self.tally.completed[station.id] += 1
        said: _Said = (("outcome", verdict.outcome), ("to", where(way)))
        if verdict.effect is not None:
            said += (("effect", verdict.effect),)
            self.effects.append((case_id, visit, verdict.effect))
        if verdict.voided:
            said += (("voided", verdict.voided),)
            self.effects.extend((case_id, doubtful, "voided") for doubtful in verdict.voided)
        if verdict.approved_by is not None:
            course.approval = course.approval_change = approval_id(case_id, visit)
            self.approvals.append((course.approval, case_id, visit, verdict.approved_by))
        elif verdict.voids_approval and course.approval is not None:
            course.approval, course.approval_change = None, ""
            self.voided.append(case_id)
        if verdict.patch:
            course.patch = {**course.patch, **verdict.patch} if course.patch else verdict.patch
        if verdict.arms is not None:
            handler, snapshot = verdict.arms
            self.armed.append((case_id, course.seq + 1, station.id, visit, handler, snapshot))
        if token.fired is not None:
            self.expired.append((case_id, visit))
        self._record(course, station, token, verdict.outcome, said, verdict.actor, verdict.detail)
        what = self._named.get((station.id, verdict.outcome))
        if what is None:
            what = self._named[station.id, verdict.outcome] = text(station.id) + text(verdict.outcome)
        self.activities.append(
            records.activity_row(case_id, visit, what, token.attempt, course.entered_at, self._when, verdict.detail)
        )
        if not isinstance(way, Finish | Cancelled):
            course.visits += 1
            course.visit, course.entered_at = course.visits, self._entered

    def _fail(self, course: Course, station: Station, token: Claimed, verdict: Failed) -> None:
        case_id, worker = token.case_id, station.worker
        if worker is not None and worker.external is not None:
            self.effects.append((case_id, course.visit, "unknown"))
        if _is_cancelled(station, token):
            self._give_up(course, station, token, verdict)
            return
        wait = None if verdict.final else backoff(worker.retry if worker else Retry(), token.attempt, self._chance)
        self._record(
            course, station, token, "dead" if wait is None else "failed", (("error", verdict.error[:2000]),), None, None
        )
        if wait is None:
            self.tally.dead[station.id] += 1
            self.letters.append(
                faults.NewDeadLetter(case_id, course.visit, station.id, token.attempt, verdict.error, verdict.traceback)
            )
            if station.element.is_handler:
                reason = f"a compensation could not be completed: {verdict.error}"
                self._alarm(course, station, "compensation", reason)
            elif station.id == CANCELLATION:
                self._alarm(course, station, "effect in doubt", verdict.error)
        else:
            self.tally.failed[station.id] += 1
        course.over = "dead" if wait is None else "backoff"
        if course.way is not None:  # it failed on the way: it stays where it failed
            due_at = None if wait is None else self._now + wait
            self._move(course, station.id, course.over, due_at=due_at, attempt=token.attempt)
        elif wait is None:
            self.aside["dead"].append(course.token)
        else:
            self.backing_off.append((course.token, self._now + wait))

    def _give_up(self, course: Course, station: Station, token: Claimed, verdict: Failed) -> None:
        """The case was cancelled meanwhile: nobody waits for another attempt."""
        self.tally.failed[station.id] += 1
        self._record(course, station, token, "failed", (("error", verdict.error[:2000]),), None, None)
        course.visits += 1
        self._move(course, CANCELLATION, "ready")
        course.over = "cancelled"

    def _stick(self, course: Course, station: Station, verdict: Done, way: NoBranch | NoAnswer) -> None:
        token = course.token
        self.tally.stuck[station.id] += 1
        if isinstance(way, NoBranch):
            kind, reason = "no branch", f"at the gateway {way.gateway}: {way.diagnostics}"
        else:
            kind, reason = "no answer", f"the decision {station.decision} has no answer: {way.diagnostics}"
        self._alarm(course, station, kind, reason)
        if verdict.effect is not None:
            self.effects.append((token.case_id, course.visit, verdict.effect))
        if verdict.patch:
            course.patch = {**course.patch, **verdict.patch} if course.patch else verdict.patch
        self._record(course, station, token, "stuck", (("reason", reason),), None, verdict.detail)
        if course.way is not None:
            self._move(course, station.id, "stuck")
        else:
            self.aside["stuck"].append(token)
        course.over = "stuck"

    def _alarm(self, course: Course, station: Station, kind: str, reason: str) -> None:
        owner = station.workflow.owner_of(station.id)
        self.incidents.append(faults.NewIncident(course.token.case_id, station.id, kind, reason, owner))

    def _give_back(self, course: Course, station: Station) -> None:
        self.tally.given_back[station.id] += 1
        if course.way is None:
            self.given_back.append(course.token)
        else:
            self._move(course, station.id, "ready")
        course.over = "ready"

    # -- where the trip ends

    def _go(self, course: Course, station: Station, way: Way) -> None:
        token = course.token
        if isinstance(way, Finish | Cancelled):
            course.state = "closed" if isinstance(way, Finish) else "cancelled"
            course.outcome = where(way)
            self.ended.append(token)
            self.tally.closed[course.outcome] += 1
            return
        to = where(way)
        self.tally.hand(to, token.case_id)
        if isinstance(way, Undo):
            self.marked["running"].append((token.case_id, way.saga_no))
            self._move(course, to, "ready", throw_from=station.id, saga_no=way.saga_no)
            return
        if isinstance(way, Resume):
            self.marked["consumed"].append((token.case_id, way.saga_no))
        drawn = station.workflow.process.elements.get(to)
        if drawn is not None and drawn.kind is Kind.USER:
            self.arrivals[to].append((token, course.visits, course.patch))
            self._move(course, to, "waiting")
        elif isinstance(way, Arrive) and self._carries(station, to):
            self.onward[to].append((self._moved(course, to, "ready"), course.onward()))
        else:
            self._move(course, to, "ready")

    def _move(self, course: Course, to: str, status: str, **more: Any) -> None:
        self.moves.append(self._moved(course, to, status, **more))

    def _moved(self, course: Course, to: str, status: str, **more: Any) -> TokenMove:
        token = course.token
        return TokenMove(token.case_id, token.no, token.claim_no, to, status, course.visits, **more)

    # -- the record

    def _record(
        self,
        course: Course,
        station: Station,
        token: Claimed,
        act: str,
        said: _Said,
        actor: str | None,
        detail: bytes | None,
    ) -> None:
        """Gather an audit entry, and move the case's place in the record on."""
        if not self._salts:
            self._salts = memoryview(os.urandom(SALT_BYTES * 2048))
        salt, self._salts = bytes(self._salts[:SALT_BYTES]), self._salts[SALT_BYTES:]
        known = (station.id, act, actor, said, detail is None)
        shape = self._shapes.get(known)
        if shape is None:
            shape = self._shapes[known] = self._shape(station.id, act, actor, said, detail is None)
        course.seq += 1
        if detail is None:
            body = shape % (token.attempt, token.case_id, course.visit, course.seq)
        else:
            body = shape % (token.attempt, token.case_id, detail, course.visit, course.seq)
        committed = commitment(salt, body)
        self.audit.append(records.audit_row(token.case_id, course.seq, salt, body, committed, course.head))
        course.head = chained(course.head, committed)

    def _shape(self, element: str, act: str, actor: str | None, said: _Said, plain: bool) -> bytes:
        """What entries like this one have in common, as a template."""
        constant = dict(
            said,
            act=act,
            actor=actor or "engine",
            role="reviewer" if actor else "machine",
            element=element,
            at=self._at,
            version=self._version,
            sweeper=self._holder,
        )
        return template(constant, detailed=not plain)


def _is_cancelled(station: Station, token: Claimed) -> bool:
    """Whether the case goes to be undone, whatever this station came to; what undoes it is left alone."""
    return token.cancel_reason is not None and not station.undoes
