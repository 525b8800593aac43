"""What anybody can do in the office, a second after the act before. Who may not is refused, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from orchestration_pipelines.domain.people import Staff
from orchestration_pipelines.engine import casework, hands, people, policy, reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines.store import integrity
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.engine.work import laws
from orchestration_pipelines_tests.engine.work.office import EVERYBODY, STAFF, Office, death, rules


class Acts:
    """One run of an office, on a database and a clock of its own."""

    def __init__(self, office: Office) -> None:
        self.office, self.clock = office, SetClock()
        self._keys, self._left = count(1), set[str]()
        with ExitStack() as held:
            url = held.enter_context(office.database())
            self.engine = Engine(url, office.workflow, clock=self.clock)
            self.app = held.enter_context(self.engine.connect())
            self.owner = held.enter_context(connect(url, role=None))
            self._held = held.pop_all()

    def close(self) -> None:
        """Leave nothing behind."""
        self._held.close()

    def do(self, name: str, **arguments: Any) -> None:
        """An act by its name."""
        self.clock.advance(seconds=1)
        getattr(self, name)(**arguments)

    # -- cases

    def submit(
        self, queue: str, skill: str | None, region: str | None, urgent: bool, pair: bool, by: str = "broker"
    ) -> None:
        case = {"queue": queue, "skill": skill, "region": region, "urgent": urgent, "pair": pair, "amount": 50}
        row = Row(1, {"case_key": f"case {next(self._keys)}", **case})
        assert self.engine.submit([row], requested_by=by, source="office").accepted == 1

    def cancel(self, number: int) -> None:
        self._try("cancel", casework.cancel, f"case {number}", by="max", reason="withdrawn")

    # -- hands

    def pull(self, person: str) -> None:
        """First in first out within the class, of what they might do and limits leave room for."""
        first = laws.next_of(self.owner, person)
        pulled = self._try("pull", hands.pull, person)
        assert pulled == first, f"{person} pulled {pulled}, and the first was {first}"

    def claim(self, number: int, person: str) -> None:
        self._try("claim", hands.claim, [self._task(number)], person=person)

    def release(self, number: int, person: str | None) -> None:
        task, holder = self._held_task(number)
        self._try("release", hands.release, [task], person=person or holder)

    def decline(self, number: int, person: str | None) -> None:
        task, holder = self._held_task(number) if person is None else (self._task(number), person)
        self._try("decline", hands.decline, [task], person=holder, reason="I know them")

    def pause(self, number: int, person: str | None) -> None:
        task, holder = self._held_task(number)
        self._try("pause", hands.pause, [task], person=person or holder)

    def resume(self, number: int, person: str | None) -> None:
        task, holder = self._held_task(number)
        self._try("resume", hands.resume, [task], person=person or holder)

    def reassign(self, number: int, by: str, to: str | None) -> None:
        self._try("reassign", hands.reassign, [self._task(number)], to=to, by=by, reason="it is better so")

    # -- decisions

    def decide(self, number: int, person: str | None, outcome: str, amount: int | None, stale: bool) -> None:
        """By whoever might, on what was shown, it is done; by others, or on what was shown before, it is not."""
        task = self._task(number)
        able = [who for who in EVERYBODY if task in laws.might_decide(self.owner, who)]
        person = person or next(iter(able), "stranger")
        shown = self.owner.execute("SELECT digest, editable FROM review_task WHERE id = %s", (task,)).fetchone()
        digest, editable = shown or ("", [])
        edits = {"amount": amount} if amount is not None and editable else {}
        seen = "0" * 64 if stale else digest
        decided = self._try(
            "decide", reviews.decide, task, person=person, seen=seen, outcome=outcome, rationale="seen", edits=edits
        )
        assert (decided is not None) == (person in able and not stale), f"{person} decided: {decided}; might: {able}"

    # -- machines, and time

    def sweep(self) -> None:
        assert self.engine.sweep().errors == []

    def die(self, window: str) -> None:
        """A case comes, and whoever sweeps dies at work."""
        self.submit("reviews", None, None, False, False)
        spared = {self.app.info.backend_pid, self.owner.info.backend_pid}
        with death(self.engine.url, window, spared):
            died = bool(self.engine.sweep().errors)
        self.office.happened["a sweeper died" if died else "a sweeper lived"] += 1

    def route(self) -> None:
        routed = self.engine.route()
        self.office.happened["routed"] += routed.assigned
        self.office.happened["relieved"] += routed.handed_on + routed.given_back
        assert routed.refused == 0

    def wait(self, span: timedelta) -> None:
        """Nobody looks meanwhile: what becomes due is late."""
        self.clock.now += span

    def tick(self, span: timedelta) -> None:
        """Nothing is left armed and overdue."""
        self.clock.now += span
        ticked = self.engine.tick()
        self.office.happened.update({f"rung: {act}": fired for act, fired in ticked.rungs.items()})
        self.office.happened.update({"timer": ticked.timers, "stuck": ticked.stuck, "late rung": ticked.late})
        left = laws.overdue(self.owner, self.clock())
        assert not left, left
        assert integrity.broken(self.owner, "deadlines_fired", self.office.workflow.name, self.clock()) == []

    # -- people and policy

    def go_away(self, person: str, delegate: str | None, begins: int, days: int) -> None:
        starts = self.clock() + timedelta(hours=begins)
        given = {"starts": starts, "ends": starts + timedelta(days=days), "delegate": delegate}
        self._try("away", people.set_absent, person, reason="away", by="max", **given)

    def come_back(self, person: str) -> None:
        self._try("back", people.set_back, person, by="max")

    def leave(self, person: str, release: bool) -> None:
        """For good; three people in a run at most."""
        if len(self._left) < 3 and (
            self._try("leave", people.deactivate, person, by="max", reason="left", release=release) is not None
        ):
            self._left.add(person)

    def change_capacity(self, person: str, capacity: int | None) -> None:
        if person not in self._left:
            staff = Staff({person: replace(STAFF.people[person], capacity=capacity)})
            self._try("capacity", people.bring_in, staff, by="max", release=True)

    def change_policy(self, queue: int | None, station: int | None, strategy: str) -> None:
        document = rules(queue, station, strategy)
        self._try("policy", policy.put, self.office.workflow, document, by="max", reason="we try it")

    # -- what is there

    def _task(self, number: int) -> int:
        """An open task, counted round; 0, which is none, where there is none."""
        return self._counted(number, "ended_at IS NULL")[0]

    def _held_task(self, number: int) -> tuple[int, str]:
        """A task that somebody has, counted round, and who has it; or one that nobody has."""
        task, person = self._counted(number, "status IN ('assigned', 'claimed')")
        return (task, person) if task else (self._task(number), "stranger")

    def _counted(self, number: int, which: str) -> tuple[int, str]:
        found = self.owner.execute(
            f"SELECT id, assignee FROM review_task WHERE {which} ORDER BY id".encode()
        ).fetchall()
        return found[number % len(found)] if found else (0, "stranger")

    def _try(self, name: str, what: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """An act at this moment; None where it is refused."""
        try:
            said = what(self.app, *arguments, at=self.clock(), **named)
        except Refused:
            self.office.happened[f"{name}, refused"] += 1
            return None
        self.office.happened[name] += 1
        return True if said is None else said
