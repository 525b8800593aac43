"""Tasks: what waits, what somebody has in hand, and everything that is done with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import psycopg
from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from orchestration_pipelines.console.api.calls import Act, Call, acts, calls
from orchestration_pipelines.console.api.etags import etag, refuse_stale
from orchestration_pipelines.console.api.exact import Asking, ExactRoute
from orchestration_pipelines.console.api.problems import ACTS, READS, TAGGED, Kind, Problem, documented
from orchestration_pipelines.console.pages import Number
from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import hands, listing, reviews, worklist
from orchestration_pipelines.engine.hands import Handed
from orchestration_pipelines.engine.reviews import OpenTask
from orchestration_pipelines.engine.worklist import Line

router = APIRouter(route_class=ExactRoute, tags=["tasks"])
Reader = Annotated[Call, calls(Scope.READ, Right.READ)]
Worker = Annotated[Act, acts(Scope.WORK, Right.WORK)]
Decider = Annotated[Act, acts(Scope.DECIDE, Right.WORK)]
Manager = Annotated[Act, acts(Scope.MANAGE, Right.MANAGE)]

#: so many tasks are acted on at once
MOST = 200
Name = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=2_000)]
Tasks = Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]], Field(min_length=1, max_length=MOST)]


class TaskLine(BaseModel):
    """A task that waits, as a line of a list."""

    task: int
    case: int = Field(description="The number of its case: /cases/{case}.")
    case_key: str
    workflow: str
    step: str = Field(description="The id of the step in the drawing.")
    question: str
    queue: str
    kind: str = Field(description="decision, or quality: a blind review that moves nothing.")
    status: str = Field(description="open, assigned, claimed or paused.")
    assignee: str | None
    priority: int
    signature: int = Field(description="Which of the signatures this is.")
    signatures: int
    opened_at: datetime
    due_at: datetime | None


class TaskPage(BaseModel):
    """A page of tasks."""

    tasks: list[TaskLine]
    after: str | None = Field(description="Send it back as `after` for the next page; null: this is the last.")


class Work(BaseModel):
    """Somebody's own work."""

    in_hand: list[TaskLine] = Field(description="What they have, due first.")
    allowed: int | None = Field(description="So many may they have in hand; null: no limit.")
    next: int | None = Field(description="The task that they would be given now.")


class Asked(Asking):
    """Which tasks are asked for."""

    workflow: Name
    queue: Name
    order: Literal["order", "age", "due", "key"] = Field(
        "order", description="order: as they are pulled; age, due, or the case's key."
    )
    status: Literal["open", "assigned", "claimed"] | None = None
    step: Name | None = None
    skill: Name | None = None
    region: Name | None = None
    priority: Annotated[int, Field(ge=0, le=9)] | None = None
    past_due: bool = False
    prefix: Name | None = Field(None, description="How the case's key begins; the list is in order of keys then.")
    after: Annotated[str, Field(max_length=400)] | None = Field(None, description="`after` of the page before.")

    def query(self) -> listing.Query:
        """The same, for the engine."""
        return listing.Query(
            order=self.order,
            status=self.status or "",
            step=self.step or "",
            skill=self.skill or "",
            region=self.region or "",
            priority=self.priority,
            past_due=self.past_due,
            prefix=self.prefix or "",
            after=self.after or "",
        )


class Task(BaseModel):
    """A task with everything that whoever decides it is shown."""

    task: int
    workflow: str
    case_key: str
    step: str
    question: str
    queue: str
    role: str = Field(description="Who may decide.")
    kind: str
    status: str
    assignee: str | None
    signature: str = Field(description='Of how many it is which: "1 of 2".')
    opened_at: datetime
    due_at: datetime | None
    requested_by: str
    facts: dict[str, Any] = Field(description="The case's values, with exact numbers.")
    editable: list[str]
    reasons: list[str] = Field(description="The rules that led here, in words.")


class HandedOver(BaseModel):
    """What became of a task that was to change hands."""

    task: int
    moved: bool = Field(description="Whether it did.")
    assignee: str | None = Field(description="Who has it now; null: it is in its queue.")
    rule: str = Field(description="The rule that lets it, or that does not.")


class HandedOvers(BaseModel):
    """What became of each of several tasks."""

    tasks: list[HandedOver]


class Pull(Asking):
    """Where to take the next task from; nothing said: wherever it may come from."""

    workflow: Name | None = None
    queue: Name | None = None


class Pulled(BaseModel):
    """The task that was taken: it is in hand now."""

    task: int


class Some(Asking):
    """Several tasks."""

    tasks: Tasks


class Declined(Asking):
    """Why a task is declined."""

    reason: Text


class DeclinedSome(Some, Declined):
    """Several tasks, and why they are declined."""


class Reassigned(Asking):
    """To whom, and why."""

    to: Name | None = Field(description="A person; null: back to the queue.")
    reason: Text


class ReassignedSome(Some, Reassigned):
    """Several tasks, to whom, and why."""


class Decision(Asking):
    """What is decided, and why."""

    outcome: Literal["approve", "reject", "return", "escalate"]
    rationale: str = Field("", description="Needed for anything but a plain approval.")
    reasons: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list, max_length=50, description="Codes of the reasons that the policy offers."
    )
    edits: dict[str, Any] = Field(
        default_factory=dict, description="New values of fields that may be edited here; null takes one away."
    )


class Decided(BaseModel):
    """A decision that was made."""

    decision: int
    task: int


Seen = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=1_000,
        description="The ETag of the task as it was looked at. A decision on another state is refused, and told what "
        "has changed.",
        examples=['"' + 64 * "0" + '.claimed.00000000"'],
    ),
]

# -- looking


@router.get("/work", response_model=Work, responses=documented(*READS))
def work(call: Reader) -> Response:
    """What the client's person has in hand, and what they would be given next. Nothing is taken by looking."""

    def look(connection: psycopg.Connection) -> Work:
        figures = call.desk.backlog.figures(connection, call.desk.clock())
        mine = worklist.my_work(connection, call.person, figures, call.desk.clock())
        return Work(
            in_hand=_lines(mine.in_hand),
            allowed=mine.own.allowed if mine.own else None,
            next=mine.next.task if mine.next else None,
        )

    return call.read(look)


@router.get("/tasks", response_model=TaskPage, responses=documented(*READS, Kind.NOT_FOUND))
def tasks(call: Reader, query: Annotated[Asked, Query()]) -> Response:
    """The open tasks of a queue that the client's person sees, page by page."""

    def look(connection: psycopg.Connection) -> TaskPage:
        figures = call.desk.backlog.figures(connection, call.desk.clock())
        roles = call.client.person_roles
        seen = listing.queues_seen(figures, roles)
        queue = next((each for each in seen if (each.workflow, each.name) == (query.workflow, query.queue)), None)
        if queue is None:
            raise Problem(Kind.NOT_FOUND, f"there is no queue {query.workflow}/{query.queue} that this client sees")
        try:
            found = listing.listed(
                connection, figures, queue, query.query(), person=call.person, roles=roles, now=call.desk.clock()
            )
        except listing.BadPlace as error:
            raise Problem(Kind.INVALID, str(error)) from None
        return TaskPage(tasks=_lines(found.lines), after=found.after)

    return call.read(look)


@router.get(
    "/tasks/{task}",
    response_model=Task,
    responses={200: TAGGED, **documented(*READS, Kind.NOT_FOUND, Kind.GONE)},
)
def task(call: Reader, task: Number) -> Response:
    """An open task, with what a decision is made on. Its ETag goes into If-Match of the decision."""

    def look(connection: psycopg.Connection) -> tuple[Task, Mapping[str, str]]:
        _refuse_unseen(connection, call.person, [task])
        try:
            found = reviews.open_task(connection, task)
        except reviews.Refused as error:
            raise Problem(Kind.GONE, str(error)) from None
        return _task(found), {"etag": etag(found)}

    return call.read(look)


# -- acting on one


@router.post("/tasks/next", response_model=Pulled, responses=documented(*ACTS, Kind.REFUSED))
def pull(act: Worker, wanted: Pull) -> Response:
    """Take the next task in order of all that the client's person may do."""

    def do(connection: psycopg.Connection) -> Pulled:
        taken = hands.pull(
            connection,
            act.person,
            at=act.at,
            workflow=wanted.workflow,
            queue=wanted.queue,
            asserted_by=act.asserted_by,
        )
        return Pulled(task=taken)

    return act.once(do)


@router.post(
    "/tasks/{task}/claim", response_model=HandedOver, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def claim(act: Worker, task: Number) -> Response:
    """Take a task."""
    return _one(act, task, partial(hands.claim, person=act.person, at=act.at, asserted_by=act.asserted_by))


@router.post(
    "/tasks/{task}/release", response_model=HandedOver, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def release(act: Worker, task: Number) -> Response:
    """Give a task back to its queue; it keeps its place."""
    return _one(act, task, partial(hands.release, person=act.person, at=act.at, asserted_by=act.asserted_by))


@router.post(
    "/tasks/{task}/decline", response_model=HandedOver, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def decline(act: Worker, task: Number, why: Declined) -> Response:
    """Not be offered a task again; nobody else notices."""
    return _one(
        act,
        task,
        partial(hands.decline, person=act.person, reason=why.reason, at=act.at, asserted_by=act.asserted_by),
    )


@router.post(
    "/tasks/{task}/pause", response_model=HandedOver, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def pause(act: Worker, task: Number) -> Response:
    """Put a claimed task aside; it stays in hand."""
    return _one(act, task, partial(hands.pause, person=act.person, at=act.at))


@router.post(
    "/tasks/{task}/resume", response_model=HandedOver, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def resume(act: Worker, task: Number) -> Response:
    """Go on with a paused task."""
    return _one(act, task, partial(hands.resume, person=act.person, at=act.at))


@router.post(
    "/tasks/{task}/reassign", response_model=HandedOver, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def reassign(act: Manager, task: Number, how: Reassigned) -> Response:
    """Give a task to somebody, or back to its queue."""
    return _one(
        act,
        task,
        partial(hands.reassign, to=how.to, by=act.person, reason=how.reason, at=act.at, asserted_by=act.asserted_by),
    )


@router.post(
    "/tasks/{task}/decision",
    response_model=Decided,
    responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED, Kind.STALE, Kind.UNSEEN),
)
def decide(
    act: Decider,
    task: Number,
    decision: Decision,
    seen: Seen,
) -> Response:
    """Decide a task, as it was looked at."""

    def do(connection: psycopg.Connection) -> Decided:
        _refuse_unseen(connection, act.person, [task])
        found = reviews.open_task(connection, task)
        refuse_stale(found, seen)
        number = reviews.decide(
            connection,
            task,
            person=act.person,
            seen=found.digest,
            outcome=decision.outcome,
            rationale=decision.rationale,
            reasons=decision.reasons,
            edits=decision.edits,
            asserted_by=act.asserted_by,
            at=act.at,
        )
        return Decided(decision=number, task=task)

    return act.once(do)


# -- acting on several: what may be done is done, and each is answered for


@router.post("/tasks/claim", response_model=HandedOvers, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED))
def claim_some(act: Worker, some: Some) -> Response:
    """Take tasks."""
    return _several(act, some, partial(hands.claim, person=act.person, at=act.at, asserted_by=act.asserted_by))


@router.post("/tasks/release", response_model=HandedOvers, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED))
def release_some(act: Worker, some: Some) -> Response:
    """Give tasks back to their queues."""
    return _several(act, some, partial(hands.release, person=act.person, at=act.at, asserted_by=act.asserted_by))


@router.post("/tasks/decline", response_model=HandedOvers, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED))
def decline_some(act: Worker, some: DeclinedSome) -> Response:
    """Not be offered these tasks again."""
    return _several(
        act,
        some,
        partial(hands.decline, person=act.person, reason=some.reason, at=act.at, asserted_by=act.asserted_by),
    )


@router.post("/tasks/reassign", response_model=HandedOvers, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED))
def reassign_some(act: Manager, some: ReassignedSome) -> Response:
    """Give tasks to somebody, or back to their queues."""
    return _several(
        act,
        some,
        partial(hands.reassign, to=some.to, by=act.person, reason=some.reason, at=act.at, asserted_by=act.asserted_by),
    )


_Hand = Callable[[psycopg.Connection, Sequence[int]], Sequence[Handed]]


def _one(act: Act, task: int, hand: _Hand) -> Response:
    def do(connection: psycopg.Connection) -> HandedOver:
        _refuse_unseen(connection, act.person, [task])
        return _handed(hand(connection, [task])[0])

    return act.once(do)


def _several(act: Act, some: Some, hand: _Hand) -> Response:
    def do(connection: psycopg.Connection) -> HandedOvers:
        _refuse_unseen(connection, act.person, some.tasks)
        return HandedOvers(tasks=[_handed(each) for each in hand(connection, some.tasks)])

    return act.once(do)


def _refuse_unseen(connection: psycopg.Connection, person: str, asked: Sequence[int]) -> None:
    """The same answer where there is no such task, and where it is none of theirs."""
    may = worklist.may_see(connection, person, asked)
    if unseen := [task for task in asked if not may[task].allowed]:
        named = ", ".join(map(str, dict.fromkeys(unseen)))
        raise Problem(Kind.NOT_FOUND, f"there is no task {named} that this client sees")


def _handed(handed: Handed) -> HandedOver:
    return HandedOver(task=handed.task, moved=handed.moved, assignee=handed.person, rule=handed.rule)


def _task(found: OpenTask) -> Task:
    return Task(step=found.element, **{name: getattr(found, name) for name in Task.model_fields if name != "step"})


def _lines(lines: Sequence[Line]) -> list[TaskLine]:
    named = {"step": "element", "case": "case_id"}
    return [
        TaskLine(**{name: getattr(line, named.get(name, name)) for name in TaskLine.model_fields}) for line in lines
    ]
