"""Accounts as an admin keeps them: who may sign in, where they are signed in, and the record of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.manage.paging import page
from orchestration_pipelines.console.manage.staff import Admin, Name, Who
from orchestration_pipelines.console.viewer import Viewer, address_of, desk_of
from orchestration_pipelines.domain.standing import Right, standing_of
from orchestration_pipelines.engine import access, accounts, people

router = APIRouter()
#: so many lines of the record are shown, the newest
_LINES = 200


@router.get("/admin/accounts", name="accounts")
def listed(request: Request, _: Admin, after: Who = "") -> Response:
    """Everybody who can sign in."""
    return _page(request, after=after)


@router.post("/admin/accounts/open", name="open_account")
def open_account(request: Request, viewer: Admin, person: Name = "") -> Response:
    """An account for somebody who has none; its password is shown this once."""
    return _with_password(request, viewer, accounts.open_account, person)


@router.post("/admin/accounts/password", name="new_password")
def new_password(request: Request, viewer: Admin, person: Name = "") -> Response:
    """A new password for somebody who lost theirs; it is shown this once."""
    return _with_password(request, viewer, accounts.set_password, person)


@router.post("/admin/accounts/disable", name="disable_account")
def disable(request: Request, viewer: Admin, person: Name = "") -> Response:
    """Nobody comes in by this account any more."""
    return _act(request, viewer, accounts.disable, person)


@router.post("/admin/accounts/enable", name="enable_account")
def enable(request: Request, viewer: Admin, person: Name = "") -> Response:
    """They may come in again."""
    return _act(request, viewer, accounts.enable, person)


@router.post("/admin/accounts/sessions/end", name="end_sessions_of")
def end_sessions(request: Request, viewer: Admin, person: Name = "") -> Response:
    """Whoever is in by this account is out."""
    return _act(request, viewer, access.end_sessions, person)


@router.get("/admin/access", name="access_record")
def access_record(
    request: Request,
    _: Annotated[Viewer, needs(Right.ACCESS)],
    person: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Who signed in, who was refused, who was put out: the newest first."""
    with desk_of(request).connection() as connection:
        lines = access.recorded(connection, person=person or None, at_most=_LINES)
    return pages.render(request, "manage/access.html", lines=lines, person=person)


def _act(request: Request, viewer: Viewer, act: Callable[..., object], person: str) -> Response:
    try:
        _do(request, viewer, act, person)
    except access.Refused as error:
        return _page(request, 409, told=str(error))
    return pages.go_to(request, "accounts")


def _with_password(request: Request, viewer: Viewer, act: Callable[..., str], person: str) -> Response:
    """The one answer to a POST that is a page: the password is nowhere else, so that nothing could lead to it."""
    try:
        password = _do(request, viewer, act, person, desk_of(request).passwords)
    except access.Refused as error:
        return _page(request, 409, told=str(error), person=person)
    return pages.render(request, "manage/password.html", person=person, password=password)


def _do(request: Request, viewer: Viewer, act: Callable[..., Any], person: str, *means: object) -> Any:
    desk = desk_of(request)
    with desk.connection() as connection:
        return act(connection, *means, person.strip(), by=viewer.person, address=address_of(request), at=desk.clock())


def _page(request: Request, status: int = 200, *, told: str = "", person: str = "", after: str = "") -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        found = accounts.listed(connection, desk.clock())
        everybody = people.listed(connection, desk.clock())
    have = {account.person for account in found}
    return pages.render(
        request,
        "manage/accounts.html",
        status,
        page=page([each for each in found if each.person > after], lambda each: each.person),
        after=after,
        without=[each for each in everybody if each.active and each.person not in have],
        standing_of=standing_of,
        told=told,
        person=person,
    )
