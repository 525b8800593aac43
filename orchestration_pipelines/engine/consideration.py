"""What somebody needs to decide a task, read at one moment; and what came of the decision, told once it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from orchestration_pipelines.domain.intake import Field
from orchestration_pipelines.domain.review import ROUNDS, Outcome, joint_outcome
from orchestration_pipelines.engine.edits import undeclared
from orchestration_pipelines.engine.options import NextStep, Option, leads_to, next_steps, options
from orchestration_pipelines.engine.suggestion import Suggestion, suggested
from orchestration_pipelines.model.process import Process
from orchestration_pipelines.store import decisions, inquiries, reasons
from orchestration_pipelines.store import reviews as table
from orchestration_pipelines.store.decisions import Made, Wait
from orchestration_pipelines.store.inquiries import Colleague, Inquiry
from orchestration_pipelines.store.reasons import Offered
from orchestration_pipelines.store.reviews import OpenTask


@dataclass(frozen=True)
class Consideration:
    """An open task before somebody who may decide it, or is told why not."""

    task: OpenTask
    wait: Wait
    rule: str  #: why this person may decide, or may not
    barred: str | None  #: the same as a word; None: they may
    options: Sequence[Option]
    steps: Sequence[NextStep]  #: what the drawing does for some reasons alone
    fields: Sequence[Field]  #: what may be edited
    reasons: Sequence[Offered]
    suggestion: Suggestion | None
    inquiries: Sequence[Inquiry]
    colleagues: Sequence[Colleague]  #: who may be asked; nobody unless the task is in this person's hands

    @property
    def is_quality(self) -> bool:
        """Whether it looks at an automatic decision again, and moves nothing."""
        return self.wait.kind == "quality"

    @property
    def request(self) -> Sequence[str]:
        """What whoever returned the case last said, to whom the task is asked of."""
        answers = [said for said in self.task.facts.values() if isinstance(said, Mapping) and "visit" in said]
        last = max(answers, key=lambda said: said["visit"], default={})
        return last.get("rationale", ()) if last.get("outcome") == Outcome.RETURN else ()

    @property
    def is_last_round(self) -> bool:
        """Whether another edit sends the case up instead of asking its signers once more."""
        return self.wait.round >= ROUNDS


def consider(
    connection: psycopg.Connection, process: Process, task: int, wait: Wait, person: str
) -> Consideration | None:
    """An open task as ``person`` has it before them; None where it is open no longer. That they see it is the caller's.

    ``wait`` is what it belongs to, and ``process`` the drawing that its case runs on. A quality review has nothing
    beside its question: no suggestion, nothing to edit, nobody to ask.
    """
    found = table.waiting_tasks(connection, task=task)
    if not found:
        return None
    shown = found[0]
    allowed, rule = table.may(connection, person, "decide", task)
    is_blind = wait.kind == "quality"
    declared = table.fields(connection, shown.workflow)
    drawn = process.elements.get(shown.element)
    mine = shown.assignee == person and not is_blind
    roles = table.queue_roles(connection, shown.workflow)
    possible = options(process, shown, wait, roles)
    outcomes = {option.outcome for option in possible}
    offered = [
        reason
        for reason in reasons.offered(connection, shown.workflow, shown.element)
        if outcomes.intersection(reason.outcomes)
    ]
    return Consideration(
        task=shown,
        wait=wait,
        rule=rule,
        barred=None if allowed else table.why_not(connection, person, "decide", task),
        options=possible,
        steps=[] if is_blind else next_steps(process, shown, wait, roles, offered),
        fields=[declared.get(name) or undeclared(name, shown.facts.get(name)) for name in shown.editable],
        reasons=offered,
        suggestion=None if is_blind or drawn is None else suggested(drawn, shown.facts),
        inquiries=[]
        if is_blind
        else [each for each in inquiries.of_case(connection, wait.case_id, person) if each.task == task],
        colleagues=inquiries.colleagues(connection, task) if mine else [],
    )


@dataclass(frozen=True)
class Told:
    """What somebody decided, and what happens now. No other signer's choice is in it before all have signed."""

    made: Made
    leads: tuple[str, ...]  #: what happens next; empty as long as somebody must sign, and for a quality review
    joint: Outcome | None  #: what the signatures amount to; None as long as somebody must sign
    signed: int


def made_by(connection: psycopg.Connection, decision: int, person: str) -> Made | None:
    """A decision of this person; None if it is another's, or there is none."""
    made = decisions.made(connection, decision)
    return made if made is not None and made.decided_by == person else None


def told(connection: psycopg.Connection, process: Process, made: Made) -> Told:
    """What comes of a decision, told to whoever made it; ``process`` is the drawing that its case runs on."""
    wait = decisions.wait_of(connection, made.task)
    if wait is None:
        raise LookupError(f"there is no task {made.task}")
    if made.kind == "quality":
        return Told(made, (), Outcome(made.outcome), 1)
    if not made.outcomes:
        return Told(made, (), None, len(wait.signed))
    joint = joint_outcome(made.outcomes, wait.round)
    way = leads_to(
        process,
        made.element,
        made.facts,
        joint,
        wait,
        table.queue_roles(connection, made.workflow),
        made.requested_by,
        reasons=made.reasons,
    )
    return Told(made, () if way is None else way.leads, joint, len(made.outcomes))
