"""Cases: found by their key, told whole, and submitted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from orchestration_pipelines.console.api.calls import Act, Call, acts, calls
from orchestration_pipelines.console.api.documents import DocumentLine, document_line
from orchestration_pipelines.console.api.exact import Asking, ExactRoute
from orchestration_pipelines.console.api.problems import ACTS, READS, Kind, Problem, documented
from orchestration_pipelines.console.pages import Number
from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import casefile, dossier, search
from orchestration_pipelines.engine.casefile import CaseFile
from orchestration_pipelines.engine.reading import offered

router = APIRouter(route_class=ExactRoute, tags=["cases"])
Reader = Annotated[Call, calls(Scope.READ, Right.READ)]
Submitter = Annotated[Act, acts(Scope.SUBMIT, Right.WORK)]

#: so many rows are offered at once; more are several requests, each under a key of its own
MOST = 1_000


class Hit(BaseModel):
    """A case that was found."""

    case: int
    case_key: str
    workflow: str
    submitted_at: datetime
    open: bool | None = Field(description="null: not said while a quality review of it is to come.")
    step: str | None = Field(description="Where it waits for people.")
    queue: str | None


class Hits(BaseModel):
    """Cases whose keys begin so, in order of their keys."""

    cases: list[Hit]
    more: bool = Field(description="There are others: more of the key tells them apart.")


class Wanted(Asking):
    """Which cases are asked for."""

    key: str = Field(min_length=1, max_length=200, description="How the key begins.")


class Fact(BaseModel):
    """A value of the case, and what it stands on."""

    name: str
    label: str
    value: str = Field(description="As a person reads it.")
    source: str = Field(description="submitted, derived, supplied, edited, open or unknown.")
    source_words: str
    source_at: datetime | None
    submitted: str | None = Field(description="What it was as submitted, where people changed it.")


class FactGroup(BaseModel):
    """Facts that belong together."""

    group: str
    facts: list[Fact]


class Change(BaseModel):
    """A value that is no longer what was submitted."""

    name: str
    label: str
    kind: str = Field(description="derived, supplied or edited.")
    before: str
    after: str
    words: str
    at: datetime


class Event(BaseModel):
    """One thing that happened."""

    at: datetime
    who: str = Field(description="A person; empty where a machine did it.")
    kind: str = Field(description="person, machine, clock, trouble, notice or sealed.")
    words: str
    more: list[str]
    step: str


class WaitingTask(BaseModel):
    """A task of the case, as blindness allows it to be told."""

    task: int
    step: str
    kind: str
    status: str
    assignee: str | None
    due_at: datetime | None


class Case(BaseModel):
    """A case, as whoever asks may see it."""

    case: int
    case_key: str
    workflow: str
    version: int
    where: str = Field(description="Where it stands, or how it ended, in words.")
    outcome: str | None = Field(description="The end that it reached.")
    requested_by: str
    submitted_at: datetime
    closed_at: datetime | None
    blind: bool = Field(description="A quality review is to come: only what was submitted is told.")
    groups: list[FactGroup]
    others: list[Fact]
    changes: list[Change]
    tasks: list[WaitingTask]
    documents: list[DocumentLine]
    timeline: list[Event]


class Submission(Asking):
    """Rows that are to become cases, in the name of the client's person."""

    workflow: Annotated[str, Field(max_length=200)]
    rows: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)] = Field(
        description="Each the columns that the workflow declares, by name; numbers stay exact."
    )


class Problematic(BaseModel):
    """A row that made no case."""

    row: int = Field(description="Its place, from 1.")
    key: str | None
    reason: str


class Submitted(BaseModel):
    """What became of the rows."""

    accepted: int
    duplicates: int = Field(description="Known already, with the same payload: nothing was changed.")
    conflicts: int = Field(description="Known already, with another payload: nothing was changed.")
    quarantined: int = Field(description="Not understood: kept for somebody to mend; the key stays free.")
    problems: list[Problematic]


@router.get("/cases", response_model=Hits, responses=documented(*READS))
def cases(call: Reader, wanted: Annotated[Wanted, Query()]) -> Response:
    """The cases whose keys begin so, among those that the client's person sees."""

    def look(connection: psycopg.Connection) -> Hits:
        found = search.find(connection, call.person, wanted.key)
        return Hits(
            cases=[
                Hit(
                    case=hit.case_id,
                    case_key=hit.case_key,
                    workflow=hit.workflow,
                    submitted_at=hit.submitted_at,
                    open=hit.is_open,
                    step=hit.element,
                    queue=hit.queue,
                )
                for hit in found.hits
            ],
            more=found.more,
        )

    return call.read(look)


@router.get("/cases/{case}", response_model=Case, responses=documented(*READS, Kind.NOT_FOUND))
def case(call: Reader, case: Number) -> Response:
    """A case with its facts and their sources, its documents and its timeline."""

    def look(connection: psycopg.Connection) -> Case:
        read = dossier.of_case(connection, case, call.person)
        if read is None:
            raise Problem(Kind.NOT_FOUND, f"there is no case {case} that this client sees")
        return _case(casefile.tell(read, call.desk.drawing(read.head.version_id)), read)

    return call.read(look)


@router.post("/cases", response_model=Submitted, responses=documented(*ACTS, Kind.NOT_FOUND))
def submit(act: Submitter, submission: Submission) -> Response:
    """Offer rows as new cases, in the name of the client's person; good rows go on whatever the bad ones do."""
    try:
        engine = act.desk.engine(submission.workflow)
    except LookupError as error:
        raise Problem(Kind.NOT_FOUND, str(error)) from None

    def do(connection: psycopg.Connection) -> Submitted:
        rows = offered(submission.rows, engine.workflow.intake)
        became = engine.submit_within(connection, rows, requested_by=act.person, source=f"{act.asserted_by} {act.key}")
        return Submitted(
            accepted=became.accepted,
            duplicates=became.duplicates,
            conflicts=became.conflicts,
            quarantined=became.quarantined,
            problems=[
                Problematic(row=problem.row, key=problem.key, reason=problem.reason) for problem in became.problems
            ],
        )

    return act.once(do)


def _case(file: CaseFile, read: dossier.Dossier) -> Case:
    head = file.head
    return Case(
        case=head.case_id,
        case_key=head.key,
        workflow=head.workflow,
        version=head.version,
        where=file.where,
        outcome=head.outcome,
        requested_by=head.requested_by,
        submitted_at=head.submitted_at,
        closed_at=head.closed_at,
        blind=file.is_blind,
        groups=[FactGroup(group=group, facts=[*map(_fact, lines)]) for group, lines in file.groups.items()],
        others=[*map(_fact, file.others)],
        changes=[
            Change(
                name=shown.change.name,
                label=shown.label,
                kind=shown.change.kind,
                before=shown.before,
                after=shown.after,
                words=shown.change.words,
                at=shown.change.at,
            )
            for shown in file.changes
        ],
        tasks=[
            WaitingTask(
                task=task.task,
                step=task.element,
                kind=task.kind,
                status=task.status,
                assignee=task.assignee,
                due_at=task.due_at,
            )
            for task in read.tasks
        ],
        documents=[*map(document_line, file.documents)],
        timeline=[
            Event(
                at=entry.at,
                who=entry.who,
                kind=entry.kind,
                words=entry.words,
                more=list(entry.more),
                step=entry.element,
            )
            for entry in file.timeline
        ],
    )


def _fact(line: casefile.Line) -> Fact:
    return Fact(
        name=line.fact.name,
        label=line.fact.label,
        value=line.value,
        source=line.source.kind,
        source_words=line.source.words,
        source_at=line.source.at,
        submitted=line.was,
    )
