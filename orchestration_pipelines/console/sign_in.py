"""Coming in and going out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.guard import needs, public
from orchestration_pipelines.console.viewer import (
    COOKIE,
    SignInNeeded,
    Viewer,
    address_of,
    desk_of,
    drop_session,
    keep_session,
    viewer_of,
)
from orchestration_pipelines.domain.password import LONGEST
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import access, accounts

router = APIRouter()


@router.get("/", name="start", dependencies=[public()])
def start(request: Request) -> Response:
    """Where somebody begins who asks for nothing in particular."""
    try:
        viewer = viewer_of(request, counts=True)
    except SignInNeeded:
        return pages.go_to(request, "sign_in")
    return RedirectResponse(pages.home(request, viewer), 303)


@router.get("/sign-in", name="sign_in", dependencies=[public()])
def sign_in(request: Request, onward: Annotated[str, Query(alias="next")] = "") -> Response:
    """The sign-in page."""
    with desk_of(request).connection() as connection:
        nobody = not accounts.has_account(connection)
    return pages.render(request, "sign_in.html", person="", onward=onward, told="", nobody=nobody)


@router.post("/sign-in", name="come_in", dependencies=[public()])
def come_in(
    request: Request,
    person: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form()] = "",
    onward: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Sign in, to a new session each time, so that none can be foisted on anybody; the browser's old one is over."""
    desk, address = desk_of(request), address_of(request)
    try:
        with desk.connection() as connection:
            knock = access.knock(connection, person.strip(), address=address, at=desk.clock())
        proof = access.proved(desk.passwords, knock, password[: LONGEST + 1])
        with desk.connection() as connection:
            token = access.let_in(connection, knock, proof, browser=request.headers.get("user-agent", ""))
    except access.NotSignedIn as error:
        return _shown_again(request, error, person, onward)
    with desk.connection() as connection:
        if (before := request.cookies.get(COOKIE)) is not None:
            was = access.session_of(connection, before, desk.clock(), counts=False)
            if was is not None:
                access.sign_out(connection, was, address=address, at=desk.clock())
    answer = RedirectResponse(onward if is_local(onward) else pages.link(request, "start"), 303)
    keep_session(answer, token)
    return answer


def _shown_again(request: Request, error: access.NotSignedIn, person: str, onward: str) -> Response:
    limited = error.again_after is not None
    answer = pages.render(
        request,
        "sign_in.html",
        429 if limited else 401,
        person=person,
        onward=onward,
        told=str(error),
        nobody=False,
    )
    if error.again_after is not None:
        answer.headers["retry-after"] = str(int(error.again_after.total_seconds()) + 1)
    return answer


@router.post("/sign-out", name="sign_out")
def sign_out(request: Request, viewer: Annotated[Viewer, needs(Right.OWN)]) -> Response:
    """Leave: the session is over, and the browser forgets what it kept."""
    desk = desk_of(request)
    with desk.connection() as connection:
        access.sign_out(connection, viewer.who, address=address_of(request), at=desk.clock())
    answer = pages.go_to(request, "sign_in")
    drop_session(answer)
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def is_local(path: str) -> bool:
    """Whether a path leads to this very site: no other host can be written into it."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
