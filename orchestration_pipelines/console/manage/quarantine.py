"""What did not arrive: rows that made no case, and notices that could not be delivered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.mending import Asked
from orchestration_pipelines.console.manage.overview import Overseer
from orchestration_pipelines.console.manage.paging import ROWS, page
from orchestration_pipelines.console.viewer import NotFound, desk_of
from orchestration_pipelines.engine import notifying
from orchestration_pipelines.engine import quarantine as engine

router = APIRouter()
#: so many notices are shown, the newest
_NOTICES = 200


@router.get("/manage/quarantine", name="quarantine")
def quarantine(request: Request, _: Overseer, asked: Annotated[Asked, Query()]) -> Response:
    """Quarantined rows, the oldest first."""
    desk = desk_of(request)
    with desk.connection() as connection:
        found = engine.listed(connection, asked.workflow or None, ended=asked.ended, after=asked.after, limit=ROWS + 1)
    return pages.render(
        request,
        "manage/quarantine.html",
        asked=asked,
        page=page(found, lambda row: row.id),
        workflows=sorted(desk.newest()),
    )


@router.get("/manage/quarantine/{row}", name="quarantined")
def quarantined(request: Request, _: Overseer, row: pages.Number) -> Response:
    """One row as it was read, without what is withheld."""
    with desk_of(request).connection() as connection:
        found = engine.listed(connection, row=row, ended=True)
    if not found:
        raise NotFound
    return pages.render(request, "manage/quarantined.html", row=found[0])


@router.get("/manage/notices", name="notices")
def notices(request: Request, _: Overseer) -> Response:
    """Notices that were given up, and those that are tried again."""
    with desk_of(request).connection() as connection:
        dead = notifying.notices(connection, "dead", _NOTICES)
        pending = [told for told in notifying.notices(connection, "pending", _NOTICES) if told.error]
    return pages.render(request, "manage/notices.html", dead=dead, pending=pending)
