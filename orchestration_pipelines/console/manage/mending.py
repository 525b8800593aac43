"""What a person must mend: incidents and dead letters, one or many at once, each with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

import psycopg
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.manage.paging import MOST, ROWS, Ticked, page
from orchestration_pipelines.console.viewer import desk_of
from orchestration_pipelines.engine import dead_letters as letters
from orchestration_pipelines.engine import incidents as faults

router = APIRouter()
Reason = Annotated[str, Form(max_length=2_000)]


class Asked(BaseModel):
    """What a list is asked for by its address."""

    workflow: Annotated[str, Field(max_length=200)] = ""
    ended: bool = False  #: those, too, that somebody has settled
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    done: Annotated[int, Field(ge=0, le=MOST)] = 0  #: how many were just settled

    def at(self, **changes: object) -> str:
        """The query of an address that asks for the same, with changes."""
        said = self.model_dump(exclude_defaults=True, exclude={"after", "done"}) | changes
        return urlencode({name: value for name, value in said.items() if value})


_List = Annotated[Asked, Query()]
#: one act on one row, which raises Refused
_Act = Callable[[psycopg.Connection, int], object]


@router.get("/manage/incidents", name="incidents")
def incidents(request: Request, _: Overseer, asked: _List) -> Response:
    """Open incidents, the oldest first."""
    return _incidents(request, asked)


@router.post("/manage/incidents", name="resolve")
def resolve(request: Request, viewer: Manager, asked: _List, incident: Ticked = None, reason: Reason = "") -> Response:
    """Say how incidents were mended; stuck cases are tried again."""
    at = desk_of(request).clock()

    def act(connection: psycopg.Connection, number: int) -> object:
        return faults.resolve(connection, number, by=viewer.person, reason=reason, at=at)

    return _settle(request, "incidents", _incidents, asked, incident or [], reason, act)


@router.get("/manage/dead-letters", name="dead_letters")
def dead_letters(request: Request, _: Overseer, asked: _List) -> Response:
    """Standing dead letters, the oldest first."""
    return _letters(request, asked)


@router.post("/manage/dead-letters/replay", name="replay")
def replay(request: Request, viewer: Manager, asked: _List, letter: Ticked = None, reason: Reason = "") -> Response:
    """Try the same visits again."""
    at = desk_of(request).clock()

    def act(connection: psycopg.Connection, number: int) -> object:
        letters.replay(connection, number, by=viewer.person, reason=reason, at=at)
        return None

    return _settle(request, "dead_letters", _letters, asked, letter or [], reason, act)


@router.post("/manage/dead-letters/abandon", name="abandon")
def abandon(request: Request, viewer: Manager, asked: _List, letter: Ticked = None, reason: Reason = "") -> Response:
    """Give visits up: what their cases have done is undone, and they end as cancelled."""
    at = desk_of(request).clock()

    def act(connection: psycopg.Connection, number: int) -> object:
        letters.abandon(connection, number, by=viewer.person, reason=reason, at=at)
        return None

    return _settle(request, "dead_letters", _letters, asked, letter or [], reason, act)


def _settle(
    request: Request,
    route: str,
    shown: Callable[..., Response],
    asked: Asked,
    chosen: Sequence[int],
    reason: str,
    act: _Act,
) -> Response:
    """Each is one transaction. Those that were refused stay chosen, and it is said why."""
    told, left = [], []
    with desk_of(request).connection() as connection:
        for number in chosen:
            try:
                act(connection, number)
            except letters.Refused as error:
                told.append(str(error))
                left.append(number)
    if chosen and not left:
        return RedirectResponse(f"{pages.link(request, route)}?{asked.at(done=len(chosen))}", 303)
    told = list(dict.fromkeys(told)) or ["choose at least one"]
    asked = asked.model_copy(update={"done": len(chosen) - len(left)})
    return shown(request, asked, 409 if chosen else 422, told=told, chosen=left, reason=reason)


def _incidents(request: Request, asked: Asked, status: int = 200, **typed: Any) -> Response:
    return _page(request, "manage/incidents.html", asked, faults.listed, status, **typed)


def _letters(request: Request, asked: Asked, status: int = 200, **typed: Any) -> Response:
    return _page(request, "manage/dead_letters.html", asked, letters.listed, status, **typed)


def _page(
    request: Request,
    template: str,
    asked: Asked,
    listed: Callable[..., Sequence[Any]],
    status: int,
    *,
    told: Sequence[str] = (),
    chosen: Sequence[int] = (),
    reason: str = "",
) -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        found = listed(connection, asked.workflow or None, ended=asked.ended, after=asked.after, limit=ROWS + 1)
    return pages.render(
        request,
        template,
        status,
        asked=asked,
        page=page(found, lambda row: row.id),
        workflows=sorted(desk.newest()),
        told=told,
        chosen=set(chosen),
        reason=reason,
    )
