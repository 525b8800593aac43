"""Automatic decisions that people look at again: how each cell stands, and letting one decide again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.viewer import desk_of
from orchestration_pipelines.engine import quality as engine
from orchestration_pipelines.engine.access import Refused

router = APIRouter()


@router.get("/manage/quality", name="quality")
def quality(request: Request, _: Overseer) -> Response:
    """Each cell, held against its limit."""
    return _page(request)


@router.post("/manage/quality/lift", name="lift_fallback")
def lift(
    request: Request,
    viewer: Manager,
    workflow: Annotated[str, Form(max_length=200)] = "",
    cell: Annotated[str, Form(max_length=500)] = "",
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Want a cell to decide again; the second person who does lets it."""
    desk = desk_of(request)
    with desk.connection() as connection:
        try:
            engine.lift(connection, cell, workflow or None, person=viewer.person, reason=reason, now=desk.clock())
        except Refused as error:
            return _page(request, 409, told=str(error), cell=cell, reason=reason)
    return pages.go_to(request, "quality")


def _page(request: Request, status: int = 200, *, told: str = "", cell: str = "", reason: str = "") -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        try:
            cells, nothing = engine.listed(connection, desk.clock()), ""
        except Refused as error:
            cells, nothing = [], str(error)
    return pages.render(
        request, "manage/quality.html", status, cells=cells, nothing=nothing, told=told, chosen=cell, reason=reason
    )
