"""People as an admin keeps them: who there is, under which roles, and who is no more."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.manage.paging import ROWS, page
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.people import Person, Staff
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import people

router = APIRouter()
Admin = Annotated[Viewer, needs(Right.ACCOUNTS)]
Name = Annotated[str, Form(max_length=200)]
#: an id may hold what a path may not
Who = Annotated[str, Query(max_length=200)]
Reason = Annotated[str, Form(max_length=2_000)]


@router.get("/admin/people", name="staff")
def staff(request: Request, _: Admin, after: Who = "") -> Response:
    """Everybody there is, and was."""
    return _everybody(request, after)


@router.post("/admin/people", name="bring_in")
def bring_in(
    request: Request, viewer: Admin, person: Name = "", title: Name = "", roles: Name = "", reason: Reason = ""
) -> Response:
    """Somebody new, with their roles."""
    desk = desk_of(request)
    typed = {"person": person, "title": title, "roles": roles, "reason": reason}
    described = Person(person.strip(), roles=_roles(roles), title=title.strip())
    with desk.connection() as connection:
        if people.listed(connection, desk.clock(), described.id):
            return _everybody(request, status=409, told=f"there is somebody {described.id!r} already", typed=typed)
        try:
            people.bring_in(
                connection, Staff({described.id: described}), by=viewer.person, at=desk.clock(), reason=reason
            )
        except (people.Refused, people.BadDocument) as error:
            return _everybody(request, status=409, told=str(error), typed=typed)
    return _go_to(request, described.id)


@router.get("/admin/people/one", name="staff_member")
def staff_member(request: Request, _: Admin, person: Who) -> Response:
    """One of them."""
    return _one(request, person)


@router.post("/admin/people/one/roles", name="set_roles")
def set_roles(
    request: Request,
    viewer: Admin,
    person: Who,
    roles: Name = "",
    title: Name = "",
    give_back: Annotated[bool, Form()] = False,
    reason: Reason = "",
) -> Response:
    """Other roles, another title; what they may no longer do goes back to its queue if that is said."""
    desk = desk_of(request)
    typed = {"roles": roles, "title": title, "reason": reason}
    with desk.connection() as connection:
        try:
            people.change(
                connection,
                person,
                {"roles": _roles(roles), "title": title.strip()},
                by=viewer.person,
                reason=reason,
                at=desk.clock(),
                release=give_back,
            )
        except (people.Refused, people.BadDocument) as error:
            return _one(request, person, 409, told=str(error), typed=typed)
    return _go_to(request, person)


@router.post("/admin/people/one/deactivate", name="deactivate")
def deactivate(
    request: Request,
    viewer: Admin,
    person: Who,
    give_back: Annotated[bool, Form()] = False,
    reason: Reason = "",
) -> Response:
    """Somebody is no reviewer any more; what they did stays."""
    desk = desk_of(request)
    with desk.connection() as connection:
        try:
            people.deactivate(connection, person, by=viewer.person, at=desk.clock(), reason=reason, release=give_back)
        except people.Refused as error:
            return _one(request, person, 409, told=str(error), typed={"gone_reason": reason})
    return _go_to(request, person)


def _go_to(request: Request, person: str) -> Response:
    return RedirectResponse(f"{pages.link(request, 'staff_member')}?{urlencode({'person': person})}", 303)


def _roles(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(role for role in text.replace(",", " ").split() if role))


def _everybody(
    request: Request, after: str = "", *, status: int = 200, told: str = "", typed: dict[str, str] | None = None
) -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        found = people.listed(connection, desk.clock(), after=after, limit=ROWS + 1)
        roles = people.roles(connection)
    return pages.render(
        request,
        "manage/staff.html",
        status,
        page=page(found, lambda each: each.person),
        after=after,
        known=roles,
        told=told,
        typed=typed or {},
    )


def _one(
    request: Request, person: str, status: int = 200, *, told: str = "", typed: dict[str, str] | None = None
) -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        found = people.listed(connection, desk.clock(), person)
    if not found:
        raise NotFound
    return pages.render(request, "manage/staff_member.html", status, seen=found[0], told=told, typed=typed or {})
