"""A station: one element of one workflow version, with everything compiled that its work needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.people import HIGHEST_LEVEL
from orchestration_pipelines.domain.policy import HIGHEST
from orchestration_pipelines.domain.worker import Worker
from orchestration_pipelines.engine.workflow import CANCELLATION, Table, Workflow
from orchestration_pipelines.model import feel
from orchestration_pipelines.model.checks import approving_timers
from orchestration_pipelines.model.duration import due
from orchestration_pipelines.model.process import Element, Kind
from orchestration_pipelines.store.reviews import NewTask

#: what a task asks when the table that should say found no rule: the most careful answer
_CAREFUL_SIGNATURES = 2
#: what a user task asks of people: by an attribute of the drawing, or an output of its routing decision
ROUTED = ("queue", "skill", "region", "level", "priority", "signatures", "due")


def _within(value: Any, low: int, high: int) -> int:
    """A whole number within its bounds; the lowest where nothing is said."""
    return low if value is None else min(max(int(value), low), high)


@dataclass(frozen=True)
class Setting:
    """An attribute of ours on an element: a literal, or FEEL over the case's variables behind an ``=``."""

    text: str

    @cached_property
    def _expression(self) -> Any:
        return feel.compile(self.text[1:])

    def of(self, variables: Mapping[str, Any]) -> Any:
        """The literal, or what the expression comes to for this case."""
        return self._expression.evaluate(variables) if self.text.startswith("=") else self.text


@dataclass(frozen=True)
class Station:
    """Where tokens of one workflow version rest at one element."""

    workflow: Workflow
    version: int
    id: str

    @cached_property
    def element(self) -> Element:
        """The drawn element; the cancellation, which nobody draws, is a throw for everything completed."""
        if self.id == CANCELLATION:
            return Element(id=CANCELLATION, name="Cancelled: undo what was done", kind=Kind.THROW_COMPENSATION)
        return self.workflow.process.elements[self.id]

    @cached_property
    def undoes(self) -> bool:
        """Whether it undoes what was done: a cancelled case goes through it like any other."""
        return self.id == CANCELLATION or self.element.is_handler

    @cached_property
    def worker(self) -> Worker | None:
        """The bound worker of a service task."""
        return self.workflow.worker_of(self.id) if self.element.kind is Kind.SERVICE else None

    @cached_property
    def decision(self) -> str:
        """The DMN decision of a business rule task."""
        return self.element.calls or self.element.id

    @property
    def table(self) -> Table:
        """The released table that has the decision, as it is in force now."""
        return self.workflow.tables[self.decision]

    @cached_property
    def approved_when(self) -> Setting | None:
        """When a rule's answer is an approval."""
        written = self.element.extra.get("approvedWhen")
        return Setting(written) if written else None

    @cached_property
    def declined_when(self) -> Setting | None:
        """When a rule's answer is a decline."""
        written = self.element.extra.get("declinedWhen")
        return Setting(written) if written else None

    @cached_property
    def otherwise(self) -> Setting | None:
        """What holds where a decision has no answer: people, at the highest impact."""
        written = self.element.extra.get("otherwise")
        return Setting(written) if written else None

    @cached_property
    def reads(self) -> frozenset[str]:
        """The variables that the ways behind this station depend on."""
        if self.id == CANCELLATION or self.element.is_handler:
            return frozenset()
        return self.workflow.router.reads(self.id)

    @cached_property
    def handler(self) -> str | None:
        """The compensation handler that this activity arms when it completes."""
        if self.id == CANCELLATION:
            return None
        return self.workflow.router.compensation_handler(self.id)

    def snapshot(self, variables: Mapping[str, Any]) -> bytes:
        """The handler's inputs as they are now."""
        worker = self.workflow.worker_of(self.handler) if self.handler else None
        return encode({name: variables.get(name) for name in (worker.inputs if worker else ())})

    # -- what a user task asks of people

    @cached_property
    def editable(self) -> tuple[str, ...]:
        """The variables that a reviewer may change here."""
        written = self.element.extra.get("editable", "")
        return tuple(name.strip() for name in written.split(",") if name.strip())

    @cached_property
    def question(self) -> str:
        """The question to decide, in one sentence."""
        return self.element.extra.get("question") or self.element.name

    def task(self, case_id: int, visit: int, variables: Mapping[str, Any], now: datetime) -> NewTask:
        """What this user task asks for one case. Where a table has no answer, the most careful one holds.

        What the drawing's attributes leave out, the decision of ``orch:routing`` says.
        """
        extra = self.element.extra
        routed = self._routed(variables)
        asked = {**routed, **{name: Setting(extra[name]).of(variables) for name in ROUTED if extra.get(name)}}
        queue = asked.get("queue")
        if queue not in self.workflow.queues:
            queue = extra.get("fallbackQueue") or next(iter(self.workflow.queues))
        signatures = asked.get("signatures", 1)
        skill, region, until = asked.get("skill"), asked.get("region"), asked.get("due")
        return NewTask(
            case_id=case_id,
            visit=visit,
            signatures=_CAREFUL_SIGNATURES if signatures is None else max(1, int(signatures)),
            queue=str(queue),
            skill=None if skill is None else str(skill),
            region=None if region is None else str(region),
            level=_within(asked.get("level"), 1, HIGHEST_LEVEL),
            priority=_within(asked.get("priority"), 0, HIGHEST),
            due_at=due(str(until), now) if until is not None else None,
        )

    def _routed(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the routing decision says; where none of its rules holds, two people are asked."""
        routing = self.element.extra.get("routing")
        if not routing:
            return {}
        said = self.workflow.tables[routing].model.evaluate(routing, variables)
        return said if isinstance(said, Mapping) else {"signatures": None}

    @cached_property
    def approving_timers(self) -> frozenset[str]:
        """The timers of which the drawing says that they may approve; two people have released it with that."""
        process = self.workflow.process
        if process.extra.get("timeoutMayApprove") != "true":
            return frozenset()
        return frozenset(timer.id for timer, _ in approving_timers(process))

    def timers(self, variables: Mapping[str, Any], now: datetime) -> list[tuple[str, datetime]]:
        """The boundary timers to arm on arrival, and when each is due."""
        armed = []
        for boundary in self.workflow.router.boundary_timers(self.id):
            timer = boundary.timer
            if timer is None:
                continue
            armed.append((boundary.id, due(str(Setting(timer.text).of(variables)), now)))
        return armed
