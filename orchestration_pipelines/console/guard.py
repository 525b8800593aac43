"""What every route passes: ``needs(Right.X)``, or ``public()``. A test finds the route that has neither."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from orchestration_pipelines.console.viewer import (
    Forbidden,
    PasswordNeeded,
    Viewer,
    address_of,
    desk_of,
    viewer_of,
)
from orchestration_pipelines.domain.standing import RIGHTS, Right
from orchestration_pipelines.engine import access

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: the hidden field of every form, and the header that a script sends instead
FIELD, HEADER = "csrf", "x-csrf-token"


def needs(right: Right, *, counts: bool = True) -> Any:
    """The dependency of a route for people who are signed in; it gives the :class:`Viewer`.

    An unsafe method must come from our own pages and carry the session's token. ``counts=False`` is for what a page
    asks by itself: it does not keep a session alive that nobody sits at.
    """

    async def allowed(request: Request) -> Viewer:
        viewer = await run_in_threadpool(viewer_of, request, counts=counts)
        if request.method not in SAFE_METHODS:
            await _refuse_forged(request, viewer)
        if viewer.who.temporary and right is not Right.OWN:
            raise PasswordNeeded
        if not viewer.may(right):
            who = " or ".join(sorted(standing.words for standing in RIGHTS[right]))
            await run_in_threadpool(_note, request, viewer, "forbidden", right.value)
            raise Forbidden(f"this is for {who}, and you are {viewer.standing.words}")
        return viewer

    return _marked(allowed, right)


def public() -> Any:
    """The dependency of a route for everybody. An unsafe method must come from our own pages."""

    async def allowed(request: Request) -> None:
        if request.method not in SAFE_METHODS and not is_from_here(request):
            raise Forbidden("this came from another site, or through a program that hides where it came from")

    return _marked(allowed, None)


def _marked(dependency: Callable[[Request], Awaitable[Any]], right: Right | None) -> Any:
    vars(dependency)["right"] = right
    return Depends(dependency)


def is_from_here(request: Request) -> bool:
    """Whether a page of ours sent it, as the browser says.

    A program that is no browser says nothing, and sends no cookie that it was not told to send.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _refuse_forged(request: Request, viewer: Viewer) -> None:
    if is_from_here(request):
        given = request.headers.get(HEADER)
        if given is None:
            form = await request.form()
            field = form.get(FIELD)
            given = field if isinstance(field, str) else ""
        if hmac.compare_digest(given.encode(), viewer.csrf.encode()):
            return
    await run_in_threadpool(_note, request, viewer, "forged", "")
    raise Forbidden("this did not come from a page of this session: open the page again and send it from there")


def _note(request: Request, viewer: Viewer, act: str, detail: str) -> None:
    desk = desk_of(request)
    told = f"{request.method} {request.url.path[:500]} {detail}".strip()
    with desk.connection() as connection:
        access.refused(connection, act, viewer.who, address=address_of(request), at=desk.clock(), detail=told)


def not_found(request: Request, viewer: Viewer) -> None:
    """Record that somebody asked for what they do not see, or what is not there."""
    _note(request, viewer, "not found", "")
