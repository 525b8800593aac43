"""Stopping the machines of a workflow or of one step, and letting them go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.viewer import desk_of
from orchestration_pipelines.engine import holds as engine

router = APIRouter()
#: so many lifted holds are shown
_LIFTED = 20
Name = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=2_000)]


@router.get("/manage/holds", name="holds")
def holds(request: Request, _: Overseer) -> Response:
    """The holds that stand, and those that stood."""
    return _page(request)


@router.post("/manage/holds/hold", name="hold")
def hold(request: Request, viewer: Manager, place: Name = "", reason: Reason = "") -> Response:
    """Stop the machines there at once."""
    return _act(request, engine.hold, viewer.person, place, reason)


@router.post("/manage/holds/resume", name="lift_hold")
def lift(request: Request, viewer: Manager, place: Name = "", reason: Reason = "") -> Response:
    """Lift a hold."""
    return _act(request, engine.resume, viewer.person, place, reason)


def _act(request: Request, act: Callable[..., None], by: str, place: str, reason: str) -> Response:
    desk = desk_of(request)
    workflow, _, element = place.partition("/")
    if not workflow:
        return _page(request, 422, told="say what is to be held", reason=reason)
    drawn = desk.newest().get(workflow)
    if act is engine.hold and element and (drawn is None or element not in drawn.elements):
        return _page(request, 422, told=f"{workflow} has no step {element!r}", reason=reason)
    with desk.connection() as connection:
        try:
            act(connection, workflow, element or None, by=by, reason=reason, at=desk.clock())
        except engine.Refused as error:
            return _page(request, 409, told=str(error), place=place, reason=reason)
    return pages.go_to(request, "holds")


def _page(request: Request, status: int = 200, *, told: str = "", place: str = "", reason: str = "") -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        standing, lifted = engine.standing(connection), engine.lifted(connection, _LIFTED)
    return pages.render(
        request,
        "manage/holds.html",
        status,
        standing=standing,
        lifted=lifted,
        drawn=desk.newest(),
        told=told,
        place=place,
        reason=reason,
        span=pages.span,
    )
