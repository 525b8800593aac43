"""The team at work: each pulls, works, sets aside, goes home, comes back and decides, through the engine alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg

from orchestration_pipelines.domain.review import Outcome
from orchestration_pipelines.engine import hands, reviews
from orchestration_pipelines.engine.reviews import OpenTask
from orchestration_pipelines.engine.simulation.agenda import Agenda, Event, Kind
from orchestration_pipelines.engine.simulation.chance import Chance
from orchestration_pipelines.engine.simulation.conduct import Conduct
from orchestration_pipelines.engine.simulation.member import Job, Member
from orchestration_pipelines.store import simulation as table
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines.store.reviews import fields
from orchestration_pipelines.store.simulation import Held

_WHY = "simulated"
#: an edited number changes by so much
_EDITED = Decimal("1.05")


class Team:
    """Everybody who decides, and the requesters who are asked."""

    def __init__(
        self,
        connection: psycopg.Connection,
        workflow: str,
        members: Sequence[Member],
        conduct: Conduct,
        chance: Chance,
        agenda: Agenda,
    ) -> None:
        self._connection, self._workflow = connection, workflow
        self._members = {each.id: each for each in sorted(members, key=lambda each: each.id)}
        self._conduct, self._chance, self._agenda = conduct, chance, agenda
        self._types = {name: field.type for name, field in fields(connection, workflow).items()}
        self._asked: set[int] = set()

    def begin(self, start: datetime) -> None:
        """Everybody comes with their first shift."""
        for each in self._members.values():
            self._agenda.plan(each.next_shift(start), Kind.COMES, each.id)

    def act(self, event: Event) -> bool:
        """Let somebody do what they planned; whether they decided or answered something."""
        if event.kind is Kind.ANSWER:
            return self._answer(event.about, event.at)
        who = self._members[event.who]
        match event.kind:
            case Kind.COMES:
                self._come(who, event.at)
            case Kind.LEAVES:
                self._leave(who, event.at)
            case Kind.READY:
                if (job := who.aside.pop(event.about, None)) is not None:
                    who.ready[job.task] = job
            case Kind.LEG_OVER if event.turn == who.turn and who.job is not None:
                return self._end_leg(who, who.job, event.at)
        return False

    def look_around(self, now: datetime) -> None:
        """Whoever lost a task to somebody else or to a deadline is free; who is free takes up the next one."""
        held = {each.task: each for each in table.in_hand(self._connection)}
        for who in self._members.values():
            for task in [*who.aside, *who.ready, *([who.job.task] if who.job else [])]:
                if not _claimed(held.get(task), who) and who.lose(task):
                    who.idle_since = now
        self._ask_requesters(now)
        free = [each for each in self._members.values() if each.there and each.job is None]
        if not free:
            return
        assigned = {each.person for each in held.values() if each.status == "assigned"}
        waiting = table.waiting_roles(self._connection)
        for who in sorted(free, key=lambda each: (each.idle_since or now, each.id)):
            if who.ready:
                self._take_up_again(who, now)
            elif who.id in assigned or waiting & set(who.person.roles):
                self._pull(who, now)

    # -- coming and going

    def _come(self, who: Member, now: datetime) -> None:
        who.there = True
        self._agenda.plan(who.leaves(now), Kind.LEAVES, who.id)
        if who.job is None:
            who.idle_since = now
        elif self._touch(hands.resume, who.job.task, who, now):
            self._work(who, who.job, now)

    def _leave(self, who: Member, now: datetime) -> None:
        who.there = False
        self._agenda.plan(who.next_shift(now), Kind.COMES, who.id)
        if who.job is not None and who.begun is not None and self._touch(hands.pause, who.job.task, who, now):
            who.job.left -= now - who.begun
            who.begun = None
            who.turn += 1

    # -- at work

    def _pull(self, who: Member, now: datetime) -> None:
        try:
            task = hands.pull(self._connection, who.id, at=now, workflow=self._workflow)
        except Refused:
            return
        held = next(each for each in table.in_hand(self._connection) if each.task == task)
        name = self._name(held)
        if self._chance.happens(self._conduct.decline, *name, who.id, "declines"):
            hands.decline(self._connection, [task], person=who.id, reason=_WHY, at=now)
            self._agenda.plan(now, Kind.AWAKE)  # the next one, at once
            return
        mean = self._conduct.mean(who.person.roles, held.role, who.person.level)
        service = self._chance.lasts(mean, self._conduct.spread, *name, "takes")
        job = Job(task, service)
        if self._chance.happens(self._conduct.set_aside, *name, "is set aside"):
            job.left, job.rest = service / 2, service / 2
            job.wait = self._chance.lasts(self._conduct.set_aside_for, self._conduct.spread, *name, "waits")
        self._work(who, job, now)

    def _take_up_again(self, who: Member, now: datetime) -> None:
        task, job = next(iter(who.ready.items()))
        del who.ready[task]
        if self._touch(hands.resume, task, who, now):
            self._work(who, job, now)

    def _work(self, who: Member, job: Job, now: datetime) -> None:
        who.job, who.begun, who.idle_since = job, now, None
        who.turn += 1
        self._agenda.plan(now + job.left, Kind.LEG_OVER, who.id, who.turn)  # void, if the shift ends before

    def _end_leg(self, who: Member, job: Job, now: datetime) -> bool:
        who.job = who.begun = None
        who.idle_since = now
        who.turn += 1
        if job.rest is None:
            return self._decide(who, job.task, now)
        if self._touch(hands.pause, job.task, who, now):
            who.aside[job.task] = Job(job.task, job.rest)
            self._agenda.plan(who.hours.due(now, job.wait), Kind.READY, who.id, about=job.task)
        return False

    def _touch(self, act: Any, task: int, who: Member, now: datetime) -> bool:
        try:
            act(self._connection, [task], person=who.id, at=now)
        except Refused:  # it was taken from them meanwhile
            who.lose(task)
            who.idle_since = now
            return False
        return True

    # -- deciding

    def _decide(self, who: Member, task: int, now: datetime) -> bool:
        """Decide; whoever is told no hands the task back, for another to do. Whether it was decided."""
        held = next((each for each in table.in_hand(self._connection) if each.task == task), None)
        if held is None or not _claimed(held, who):  # a deadline came first, or somebody else has it
            return False
        shown = reviews.open_task(self._connection, task)
        outcome, edits = self._choice(shown, held, who.id)
        try:
            reviews.decide(
                self._connection,
                task,
                person=who.id,
                seen=shown.digest,
                outcome=outcome,
                rationale=_WHY,
                edits=edits,
                at=now,
            )
        except Refused as refused:
            hands.decline(self._connection, [task], person=who.id, reason=str(refused), at=now)
            return False
        return True

    def _choice(self, shown: OpenTask, held: Held, who: str) -> tuple[Outcome, Mapping[str, Any]]:
        name = (*self._name(held), who)
        drawn = self._chance.of(*name, "outcome").random()
        if drawn < self._conduct.send_back:
            return Outcome.RETURN, {}
        if drawn < self._conduct.send_back + self._conduct.send_up:
            return Outcome.ESCALATE, {}
        right = self._chance.happens(self._conduct.approve, held.case_key, "merits approval")
        agrees = self._chance.happens(self._conduct.agree, *name, "agrees")
        if right != agrees:
            return Outcome.REJECT, {}
        numbers = [
            field
            for field in shown.editable
            if self._types.get(field) == "number" and isinstance(shown.facts.get(field), int | Decimal)
        ]
        if numbers and self._chance.happens(self._conduct.edit, *name, "edits"):
            field = self._chance.of(*name, "field").choice(numbers)
            return Outcome.APPROVE, {field: round(Decimal(shown.facts[field]) * _EDITED, 2)}
        return Outcome.APPROVE, {}

    # -- requesters

    def _ask_requesters(self, now: datetime) -> None:
        for held in table.asked_of_requesters(self._connection):
            if held.task in self._asked:
                continue
            self._asked.add(held.task)
            name = self._name(held)
            if self._chance.happens(self._conduct.answer, *name, "answers"):
                after = self._chance.lasts(self._conduct.answer_after, self._conduct.spread, *name, "answers after")
                self._agenda.plan(now + after, Kind.ANSWER, held.person, about=held)

    def _answer(self, held: Held, now: datetime) -> bool:
        refuses = self._chance.happens(self._conduct.refuse, *self._name(held), "refuses")
        try:
            reviews.answer(self._connection, held.task, person=held.person, declines=refuses, rationale=_WHY, at=now)
        except Refused:  # a deadline came first
            return False
        return True

    @staticmethod
    def _name(held: Held) -> tuple[object, ...]:
        """A signature by what it is, whatever number it got."""
        return held.case_key, held.element, held.visit, held.round, held.signature


def _claimed(held: Held | None, who: Member) -> bool:
    """Whether it is still this person who works on it."""
    return held is not None and (held.person, held.status) == (who.id, "claimed")
