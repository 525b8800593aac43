"""One's own account: the password, and where one is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import NotFound, Viewer, address_of, desk_of
from orchestration_pipelines.domain.password import SHORTEST
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import access

router = APIRouter()
Self = Annotated[Viewer, needs(Right.OWN)]


@router.get("/account", name="account")
def account(request: Request, viewer: Self) -> Response:
    """The account of whoever looks."""
    return _page(request, viewer)


@router.post("/account/password", name="change_password")
def change_password(
    request: Request,
    viewer: Self,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Change the password; one's other sessions are over."""
    if new != again:
        return _page(request, viewer, 422, "The new password was typed in two ways.")
    desk = desk_of(request)
    with desk.connection() as connection:
        try:
            access.change_password(
                connection,
                desk.passwords,
                viewer.who,
                old=old,
                new=new,
                address=address_of(request),
                at=desk.clock(),
            )
        except access.Refused as error:
            return _page(request, viewer, 422, f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return pages.go_to(request, "start")


@router.post("/account/sessions/{session}/end", name="end_session")
def end_session(request: Request, viewer: Self, session: pages.Number) -> Response:
    """End one of one's own sessions."""
    if _end(request, viewer, only=session) == 0:
        raise NotFound
    return pages.go_to(request, "account")


@router.post("/account/sessions/end", name="end_other_sessions")
def end_other_sessions(request: Request, viewer: Self) -> Response:
    """End all of one's sessions but this."""
    _end(request, viewer, but=viewer.session)
    return pages.go_to(request, "account")


def _end(request: Request, viewer: Viewer, *, only: int | None = None, but: int | None = None) -> int:
    desk = desk_of(request)
    with desk.connection() as connection:
        return access.end_sessions(
            connection,
            viewer.person,
            by=viewer.person,
            address=address_of(request),
            at=desk.clock(),
            only=only,
            but=but,
        )


def _page(request: Request, viewer: Viewer, status: int = 200, told: str = "") -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        sessions = access.sessions(connection, viewer.person, desk.clock())
    return pages.render(request, "account.html", status, sessions=sessions, told=told, shortest=SHORTEST)
