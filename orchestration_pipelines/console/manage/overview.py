"""What needs somebody now, on one page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import Viewer, desk_of
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import oversight, promises
from orchestration_pipelines.engine.report.kept import kept_by_day
from orchestration_pipelines.engine.report.svg import data_uri

router = APIRouter()
#: who reads the manager's pages, and who acts on them
Overseer = Annotated[Viewer, needs(Right.OVERSEE)]
Manager = Annotated[Viewer, needs(Right.MANAGE)]


@router.get("/manage", name="manage")
def manage(request: Request, viewer: Overseer) -> Response:
    """The numbers that a manager begins the day with."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.connection() as connection:
        counted = oversight.needs(connection, now)
        days = promises.days(connection, now)
    picture, words = kept_by_day(days)
    return pages.render(
        request, "manage/overview.html", needs=counted, days=days, kept=data_uri(picture), kept_words=words
    )
