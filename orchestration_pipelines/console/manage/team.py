"""People as their manager sees them: what they have in hand, whether they are there, what they can do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.manage.paging import ROWS, page
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.engine import load, people

router = APIRouter()
#: whoever types another year has mistyped it
_FIRST_YEAR, _LAST_YEAR = 2000, 2199
Reason = Annotated[str, Form(max_length=2_000)]
Instant = Annotated[str, Form(max_length=40)]
#: an id may hold what a path may not
Who = Annotated[str, Query(max_length=200)]


@router.get("/manage/people", name="team")
def team(request: Request, _: Overseer, after: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Everybody, with what they have in hand."""
    desk = desk_of(request)
    with desk.connection() as connection:
        found = load.burdens(connection, desk.clock(), after, ROWS + 1)
    return pages.render(request, "manage/team.html", page=page(found, lambda row: row.person), after=after)


@router.get("/manage/people/one", name="member")
def member(request: Request, _: Overseer, person: Who) -> Response:
    """One of them: roles, skills, shifts, absences."""
    return _page(request, person)


@router.post("/manage/people/one/absent", name="set_absent")
def set_absent(
    request: Request,
    viewer: Manager,
    person: Who,
    starts: Instant = "",
    ends: Instant = "",
    delegate: Annotated[str, Form(max_length=200)] = "",
    reason: Reason = "",
) -> Response:
    """Somebody is away, and may be stood in for; nothing said of the beginning means now."""
    desk = desk_of(request)
    typed = {"starts": starts, "ends": ends, "delegate": delegate, "absent_reason": reason}
    try:
        begin, end = (_instant(text, viewer) for text in (starts, ends))
    except ValueError:
        return _page(
            request, person, 422, told="write times as 2026-12-24T09:00, in this century or the next", typed=typed
        )
    with desk.connection() as connection:
        try:
            people.set_absent(
                connection,
                person,
                starts=begin or desk.clock(),
                ends=end,
                delegate=delegate.strip() or None,
                reason=reason,
                by=viewer.person,
                at=desk.clock(),
            )
        except people.Refused as error:
            return _page(request, person, 409, told=str(error), typed=typed)
    return _one(request, person)


@router.post("/manage/people/one/back", name="set_back")
def set_back(request: Request, viewer: Manager, person: Who, reason: Reason = "") -> Response:
    """Somebody is back; absences to come are taken away."""
    desk = desk_of(request)
    if not reason.strip():
        return _page(request, person, 422, told="a reason is needed: whoever comes next must know why")
    with desk.connection() as connection:
        try:
            people.set_back(connection, person, by=viewer.person, at=desk.clock(), reason=reason)
        except people.Refused as error:
            return _page(request, person, 409, told=str(error), typed={"back_reason": reason})
    return _one(request, person)


@router.post("/manage/people/one/capacity", name="set_capacity")
def set_capacity(
    request: Request,
    viewer: Manager,
    person: Who,
    capacity: Annotated[str, Form(max_length=10)] = "",
    reason: Reason = "",
) -> Response:
    """How many tasks somebody has in hand at once; nothing said means no limit."""
    desk = desk_of(request)
    typed = {"capacity": capacity, "capacity_reason": reason}
    if capacity.strip() and not capacity.strip().isdecimal():
        return _page(request, person, 422, told="a capacity is a whole number, or nothing: no limit", typed=typed)
    with desk.connection() as connection:
        try:
            people.change(
                connection,
                person,
                {"capacity": int(capacity) if capacity.strip() else None},
                by=viewer.person,
                reason=reason,
                at=desk.clock(),
            )
        except (people.Refused, people.BadDocument) as error:
            return _page(request, person, 409, told=str(error), typed=typed)
    return _one(request, person)


def _one(request: Request, person: str) -> Response:
    return RedirectResponse(f"{pages.link(request, 'member')}?{urlencode({'person': person})}", 303)


def _instant(text: str, viewer: Viewer) -> datetime | None:
    """What somebody typed by the wall clock of their zone."""
    if not text.strip():
        return None
    at = datetime.fromisoformat(text.strip())
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"{at.year} is no year to be absent in")
    return at if at.tzinfo is not None else at.replace(tzinfo=viewer.zone)


def _page(
    request: Request, person: str, status: int = 200, *, told: str = "", typed: dict[str, str] | None = None
) -> Response:
    desk = desk_of(request)
    now = desk.clock()
    with desk.connection() as connection:
        everybody = people.listed(connection, now)
        seen = next((each for each in everybody if each.person == person), None)
        if seen is None:
            raise NotFound
        shifts = people.shifts_of(connection, person)
        absences = people.absences(connection, now, None, person)
    return pages.render(
        request,
        "manage/member.html",
        status,
        seen=seen,
        shifts=shifts,
        absences=absences,
        others=[each for each in everybody if each.active and each.person != person],
        told=told,
        typed=typed or {},
    )
