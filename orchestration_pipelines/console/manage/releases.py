"""Tables and drawings that somebody wants to be in force: what they change, and a second person's yes or no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

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
Reason = Annotated[str, Form(max_length=2_000)]


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
def approve(request: Request, viewer: Manager, number: pages.Number, reason: Reason = "") -> Response:
    """Agree as a second person: it is in force from now on."""
    return _act(request, viewer, number, engine.approve, reason)


@router.post("/manage/releases/{number}/reject", name="reject_release")
def reject(request: Request, viewer: Manager, number: pages.Number, reason: Reason = "") -> Response:
    """Turn it down; whoever proposed it withdraws it by this."""
    return _act(request, viewer, number, engine.reject, reason)


def _act(request: Request, viewer: Viewer, number: int, act: Callable[..., Release], reason: str) -> Response:
    desk = desk_of(request)
    if not reason.strip():
        return _page(request, number, 422, told="a reason is needed: whoever comes next must know why")
    with desk.connection() as connection:
        found = _found(connection, number)
        try:
            act(connection, found.digest, found.workflow, by=Person(viewer.person), now=desk.clock(), reason=reason)
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
        changes = [changed(line) for line in proposing.differences(connection, found)]
    return pages.render(
        request, "manage/release.html", status, release=found, changes=changes, told=told, reason=reason
    )


class Changed(NamedTuple):
    """What becomes of one rule."""

    rule: str
    before: Sequence[str]  #: clauses that are no more
    after: Sequence[str]  #: clauses that are new


def changed(line: str) -> Changed:
    """A difference in words, taken apart where it says before and after: clauses that stay are left out."""
    rule, _, words = line.partition(": ")
    before, arrow, after = words.partition(" → ")
    if not arrow:
        return Changed(line, (), ())
    was, becomes = before.split("; "), after.split("; ")
    return Changed(rule, [each for each in was if each not in becomes], [each for each in becomes if each not in was])
