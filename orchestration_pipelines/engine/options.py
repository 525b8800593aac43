"""What a reviewer can decide, and where each choice leads: gone through on the drawing, without any effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.domain.review import Outcome, result
from orchestration_pipelines.model import feel
from orchestration_pipelines.model.process import Element, Kind, Process
from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch, Path, Router
from orchestration_pipelines.store.decisions import Wait
from orchestration_pipelines.store.reasons import Offered
from orchestration_pipelines.store.reviews import OpenTask

REQUESTER = "requester"
_QUALITY = (Outcome.APPROVE, Outcome.REJECT)


@dataclass(frozen=True)
class Option:
    """One outcome, and what comes of it."""

    outcome: Outcome
    leads: tuple[str, ...]  #: what happens then, step by step, in the words of the drawing
    asks_requester: bool = False  #: the case goes to whoever submitted it
    goes_up: bool = False  #: other people than those of this queue decide then

    @property
    def words(self) -> str:
        """All of it in a line."""
        return ", then ".join(self.leads)


def options(process: Process, task: OpenTask, wait: Wait, roles: Mapping[str, str]) -> list[Option]:
    """The outcomes that lead on from a task; one behind which the drawing has no way is not offered.

    ``roles`` is what each queue of the workflow asks for. What a machine on the way will say is not foretold: the way
    goes to the next step.
    """
    if wait.kind == "quality":
        return [Option(outcome, ("the answer is kept; the case does not move",)) for outcome in _QUALITY]
    offered = _QUALITY if task.role == REQUESTER else tuple(Outcome)
    found = (
        leads_to(process, task.element, task.facts, outcome, wait, roles, task.requested_by, task.role)
        for outcome in offered
    )
    return [option for option in found if option is not None]


@dataclass(frozen=True)
class NextStep:
    """An outcome that leads elsewhere when it is chosen for this reason: a document is requested, say."""

    option: Option
    reason: Offered


def next_steps(
    process: Process, task: OpenTask, wait: Wait, roles: Mapping[str, str], offered: Sequence[Offered]
) -> list[NextStep]:
    """What the drawing does for some reasons alone."""
    found: list[NextStep] = []
    for plain in options(process, task, wait, roles):
        for reason in offered:
            if plain.outcome not in reason.outcomes:
                continue
            named = leads_to(
                process,
                task.element,
                task.facts,
                plain.outcome,
                wait,
                roles,
                task.requested_by,
                task.role,
                (reason.code,),
            )
            if named is not None and named.leads != plain.leads:
                found.append(NextStep(named, reason))
    return found


def leads_to(
    process: Process,
    element: str,
    facts: Mapping[str, Any],
    outcome: Outcome,
    wait: Wait,
    roles: Mapping[str, str],
    requested_by: str,
    role: str = "",
    reasons: Sequence[str] = (),
) -> Option | None:
    """Where an outcome of a user task leads, for a case that says ``facts``; None: the drawing has no way.

    ``role`` is whom the task itself asks; ``reasons`` are the codes named with the outcome.
    """
    before = facts.get(element) or {}
    added = result(
        before, outcome=outcome, by=(), visit=wait.visit, last_round=wait.round, rationale=(), reasons=reasons
    )
    router, then = Router(process), {**facts, element: added}
    try:
        passed = list(_passed(process, router, router.leave(element, then), then))
    except feel.FeelLimit:
        return None
    if isinstance(passed[-1], NoBranch):
        return None
    asked = _role(process.elements[_place(passed[-1])], roles)
    return Option(
        outcome,
        tuple(_words(process.elements[_place(step)], roles, requested_by) for step in passed),
        asks_requester=asked == REQUESTER,
        goes_up=asked not in (None, REQUESTER, role),
    )


def _passed(process: Process, router: Router, way: Path, facts: Mapping[str, Any]) -> Iterator[Path]:
    """The next step; and behind a throw, which only undoes, the one after it."""
    seen: set[str] = set()
    while True:
        yield way
        if not isinstance(way, Arrive) or way.station in seen:
            return
        seen.add(way.station)
        if process.elements[way.station].kind is not Kind.THROW_COMPENSATION:
            return
        way = router.leave(way.station, facts)


def _place(way: Path) -> str:
    if isinstance(way, Arrive):
        return way.station
    return way.end if isinstance(way, Finish) else way.gateway


def _words(element: Element, roles: Mapping[str, str], requested_by: str) -> str:
    name = element.name or element.id
    if element.kind in (Kind.THROW_COMPENSATION, Kind.END_COMPENSATION):
        return "undo what was done"
    if element.kind is Kind.USER:
        role = _role(element, roles)
        whom = requested_by if role == REQUESTER else role.replace("_", " ") if role else "people"
        return f"{name} ({whom})"
    if element.kind is Kind.RULE:
        return f"a table decides: {name}"
    return name if element.kind is Kind.SERVICE else f"the case ends: {name}"


def _role(element: Element, roles: Mapping[str, str]) -> str | None:
    """Whom a user task asks, where the drawing names its queue."""
    return roles.get(element.extra.get("queue", "")) if element.kind is Kind.USER else None
