"""Tables and drawings that somebody wants to be in force: what they change, and a second person's yes or no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import psycopg
from fastapi import APIRouter, Form, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.release import State
from orchestration_pipelines.engine import proposing
from orchestration_pipelines.engine import releases as engine
from orchestration_pipelines.engine.access import Refused
from orchestration_pipelines.engine.releases import Person, Release

router = APIRouter()
#: so many releases are shown, the newest
_SHOWN = 100


@router.get("/manage/releases", name="model_releases")
def releases(request: Request, _: Overseer) -> Response:
    """What waits for a second person, and what was released."""
    with desk_of(request).connection() as connection:
        proposed = engine.listed(connection, state=State.PROPOSED, limit=_SHOWN)
        others = [one for one in engine.listed(connection, limit=_SHOWN) if one.state != State.PROPOSED]
    return pages.render(request, "manage/releases.html", proposed=proposed, others=others)


@router.get("/manage/releases/{number}", name="model_release")
def release(request: Request, _: Overseer, number: pages.Number) -> Response:
    """One of them, and what it changes in words."""
    return _page(request, number)


@router.post("/manage/releases/{number}/approve", name="approve_release")
def approve(request: Request, viewer: Manager, number: pages.Number) -> Response:
    """Agree as a second person: it is in force from now on."""

    def act(connection: psycopg.Connection, found: Release) -> object:
        return engine.approve(
            connection, found.digest, found.workflow, by=Person(viewer.person), now=desk_of(request).clock()
        )

    return _act(request, viewer, number, act)


@router.post("/manage/releases/{number}/reject", name="reject_release")
def reject(
    request: Request, viewer: Manager, number: pages.Number, reason: Annotated[str, Form(max_length=2_000)] = ""
) -> Response:
    """Turn it down; whoever proposed it withdraws it by this."""

    def act(connection: psycopg.Connection, found: Release) -> object:
        now = desk_of(request).clock()
        return engine.reject(connection, found.digest, found.workflow, by=Person(viewer.person), reason=reason, now=now)

    return _act(request, viewer, number, act, reason)


def _act(
    request: Request,
    viewer: Viewer,
    number: int,
    act: Callable[[psycopg.Connection, Release], object],
    reason: str = "",
) -> Response:
    with desk_of(request).connection() as connection:
        found = _found(connection, number)
        try:
            act(connection, found)
        except Refused as error:
            return _page(request, number, 409, told=str(error), reason=reason)
    return pages.go_to(request, "model_release", number=number)


def _found(connection: psycopg.Connection, number: int) -> Release:
    try:
        return engine.release_of(connection, number)
    except LookupError:
        raise NotFound from None


def _page(request: Request, number: int, status: int = 200, *, told: str = "", reason: str = "") -> Response:
    with desk_of(request).connection() as connection:
        found = _found(connection, number)
        differences = proposing.differences(connection, found)
    return pages.render(
        request, "manage/release.html", status, release=found, differences=differences, told=told, reason=reason
    )
