"""What managers do: holds, incidents, dead letters, absences. Each act asks for a reason, and is recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import psycopg
from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from orchestration_pipelines.console.api.calls import Act, Call, acts, calls
from orchestration_pipelines.console.api.exact import Asking
from orchestration_pipelines.console.api.problems import ACTS, READS, Kind, Problem, documented
from orchestration_pipelines.console.pages import Number
from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import dead_letters, holds, incidents, people

router = APIRouter(tags=["management"])
Overseer = Annotated[Call, calls(Scope.READ, Right.OVERSEE)]
Manager = Annotated[Act, acts(Scope.MANAGE, Right.MANAGE)]
People = Annotated[Act, acts(Scope.MANAGE, Right.PEOPLE)]
Name = Annotated[str, Field(max_length=200)]
#: an id of a person in a path
Person = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
_PAGE = 100


class Why(Asking):
    """Why it is done: it is kept in the record."""

    reason: Annotated[str, Field(max_length=2_000)]


class Behind(Asking):
    """Where the page begins."""

    after: int = Field(0, ge=0, le=2**63 - 1, description="The number of the last one of the page before.")


class Place(Why):
    """A workflow, or one step of it; and why."""

    workflow: Name
    step: Name | None = Field(None, description="The id of a step in the drawing; null: the whole workflow.")


class Absent(Why):
    """When somebody is away, who stands in, and why."""

    starts: AwareDatetime | None = Field(None, description="null: now.")
    ends: AwareDatetime | None = Field(None, description="null: until they are set back.")
    delegate: Name | None = Field(None, description="Who stands in.")


class Done(BaseModel):
    """What was done."""

    done: str


class Hold(BaseModel):
    """A place where no machine works until it is lifted. People still decide."""

    workflow: str
    step: str | None
    reason: str
    held_by: str
    held_at: datetime


class Holds(BaseModel):
    """The holds that stand."""

    holds: list[Hold]


class Incident(BaseModel):
    """Something that a person must mend."""

    incident: int
    workflow: str
    case: int | None
    case_key: str | None
    step: str | None
    kind: str
    reason: str
    owner: str
    opened_at: datetime


class Incidents(BaseModel):
    """Open incidents, in the order in which they were opened."""

    incidents: list[Incident]
    after: int | None = Field(description="Send it back as `after` for the next page; null: this is the last.")


class DeadLetter(BaseModel):
    """A visit that no further attempt will finish."""

    dead_letter: int
    workflow: str
    case: int
    case_key: str
    step: str
    attempts: int
    error: str
    dead_at: datetime


class DeadLetters(BaseModel):
    """Dead letters that nobody has replayed or abandoned, in order."""

    dead_letters: list[DeadLetter]
    after: int | None = Field(description="Send it back as `after` for the next page; null: this is the last.")


@router.get("/holds", response_model=Holds, responses=documented(*READS))
def standing_holds(call: Overseer) -> Response:
    """What is held."""

    def look(connection: psycopg.Connection) -> Holds:
        return Holds(
            holds=[
                Hold(
                    workflow=hold.workflow,
                    step=hold.element,
                    reason=hold.reason,
                    held_by=hold.held_by,
                    held_at=hold.held_at,
                )
                for hold in holds.standing(connection)
            ]
        )

    return call.read(look)


@router.post("/holds", response_model=Done, responses=documented(*ACTS, Kind.REFUSED))
def hold(act: Manager, place: Place) -> Response:
    """Stop the machines there at once. People still decide."""

    def do(connection: psycopg.Connection) -> Done:
        holds.hold(connection, place.workflow, place.step, by=act.operator, reason=place.reason, at=act.at)
        return Done(done="held")

    return act.once(do)


@router.post("/holds/lift", response_model=Done, responses=documented(*ACTS, Kind.REFUSED))
def lift(act: Manager, place: Place) -> Response:
    """Let the machines work there again."""

    def do(connection: psycopg.Connection) -> Done:
        holds.resume(connection, place.workflow, place.step, by=act.operator, reason=place.reason, at=act.at)
        return Done(done="lifted")

    return act.once(do)


@router.get("/incidents", response_model=Incidents, responses=documented(*READS))
def open_incidents(call: Overseer, behind: Annotated[Behind, Query()]) -> Response:
    """What a person must mend."""

    def look(connection: psycopg.Connection) -> Incidents:
        found = incidents.listed(connection, limit=_PAGE + 1, after=behind.after)
        return Incidents(
            incidents=[
                Incident(
                    incident=each.id,
                    workflow=each.workflow,
                    case=each.case_id,
                    case_key=each.case_key,
                    step=each.element,
                    kind=each.kind,
                    reason=each.reason,
                    owner=each.owner,
                    opened_at=each.opened_at,
                )
                for each in found[:_PAGE]
            ],
            after=found[_PAGE - 1].id if len(found) > _PAGE else None,
        )

    return call.read(look)


@router.post(
    "/incidents/{incident}/resolve", response_model=Done, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def resolve(act: Manager, incident: Number, why: Why) -> Response:
    """Say how an incident was mended; a case that was stuck is tried again."""

    def do(connection: psycopg.Connection) -> Done:
        if not incidents.listed(connection, incident=incident, ended=True):
            raise Problem(Kind.NOT_FOUND, f"there is no incident {incident}")
        again = incidents.resolve(connection, incident, by=act.operator, reason=why.reason, at=act.at)
        return Done(done="resolved; the case is tried again" if again else "resolved")

    return act.once(do)


@router.get("/dead-letters", response_model=DeadLetters, responses=documented(*READS))
def standing_letters(call: Overseer, behind: Annotated[Behind, Query()]) -> Response:
    """What was given up after its last attempt."""

    def look(connection: psycopg.Connection) -> DeadLetters:
        found = dead_letters.listed(connection, limit=_PAGE + 1, after=behind.after)
        return DeadLetters(
            dead_letters=[
                DeadLetter(
                    dead_letter=letter.id,
                    workflow=letter.workflow,
                    case=letter.case_id,
                    case_key=letter.case_key,
                    step=letter.element,
                    attempts=letter.attempts,
                    error=letter.error,
                    dead_at=letter.dead_at,
                )
                for letter in found[:_PAGE]
            ],
            after=found[_PAGE - 1].id if len(found) > _PAGE else None,
        )

    return call.read(look)


@router.post(
    "/dead-letters/{letter}/replay", response_model=Done, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def replay(act: Manager, letter: Number, why: Why) -> Response:
    """Try the same visit again, all attempts anew."""

    def do(connection: psycopg.Connection) -> Done:
        _refuse_no_letter(connection, letter)
        dead_letters.replay(connection, letter, by=act.operator, reason=why.reason, at=act.at)
        return Done(done="replayed")

    return act.once(do)


@router.post(
    "/dead-letters/{letter}/abandon", response_model=Done, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED)
)
def abandon(act: Manager, letter: Number, why: Why) -> Response:
    """Give a visit up: what the case completed is undone, and it ends as cancelled."""

    def do(connection: psycopg.Connection) -> Done:
        _refuse_no_letter(connection, letter)
        dead_letters.abandon(connection, letter, by=act.operator, reason=why.reason, at=act.at)
        return Done(done="abandoned")

    return act.once(do)


@router.post("/people/{person}/absence", response_model=Done, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED))
def absence(act: People, person: Person, absent: Absent) -> Response:
    """Somebody is away: they are given nothing, and what they have goes to their delegate, or back."""

    def do(connection: psycopg.Connection) -> Done:
        people.set_absent(
            connection,
            person,
            starts=absent.starts or act.at,
            ends=absent.ends,
            delegate=absent.delegate,
            reason=absent.reason,
            by=act.person,
            at=act.at,
            asserted_by=act.asserted_by,
        )
        return Done(done="absent")

    return act.once(do)


@router.post("/people/{person}/back", response_model=Done, responses=documented(*ACTS, Kind.NOT_FOUND, Kind.REFUSED))
def back(act: People, person: Person) -> Response:
    """Somebody is there again; absences to come are taken away."""

    def do(connection: psycopg.Connection) -> Done:
        people.set_back(connection, person, by=act.person, at=act.at, asserted_by=act.asserted_by)
        return Done(done="back")

    return act.once(do)


def _refuse_no_letter(connection: psycopg.Connection, letter: int) -> None:
    if not dead_letters.listed(connection, letter=letter, ended=True):
        raise Problem(Kind.NOT_FOUND, f"there is no dead letter {letter}")
