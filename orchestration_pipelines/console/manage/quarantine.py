"""What did not arrive: rows that made no case, and notices that could not be delivered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import Field

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.mending import Asked
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.manage.paging import ROWS, page
from orchestration_pipelines.console.viewer import NotFound, desk_of
from orchestration_pipelines.engine import notifying
from orchestration_pipelines.engine import quarantine as engine

router = APIRouter()
Columns = Annotated[list[Annotated[str, Field(max_length=10_000)]] | None, Form(max_length=500)]
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
    return _row(request, row)


@router.post("/manage/quarantine/{row}", name="resubmit")
def resubmit(
    request: Request, viewer: Manager, row: pages.Number, column: Columns = None, value: Columns = None
) -> Response:
    """Offer it again with columns put right, in the name of whoever does."""
    # browsers send lines with a carriage return, whatever was in the cell
    typed = {name: said.replace("\r\n", "\n") for name, said in zip(column or [], value or [], strict=False)}
    found = _found(request, row)
    changes = {name: said for name, said in typed.items() if said != found.columns.get(name)}
    try:
        engine.resubmit(desk_of(request).engine(found.workflow), row, changes=changes, by=viewer.person)
    except (LookupError, engine.Refused) as error:
        return _row(request, row, 409, told=str(error), typed=typed)
    return pages.go_to(request, "quarantined", row=row)


@router.get("/manage/notices", name="notices")
def notices(request: Request, _: Overseer) -> Response:
    """Notices that were given up, and those that are tried again."""
    with desk_of(request).connection() as connection:
        dead = notifying.notices(connection, "dead", _NOTICES)
        pending = [told for told in notifying.notices(connection, "pending", _NOTICES) if told.error]
    return pages.render(request, "manage/notices.html", dead=dead, pending=pending)


def _found(request: Request, row: int) -> engine.QuarantinedRow:
    with desk_of(request).connection() as connection:
        found = engine.listed(connection, row=row, ended=True)
    if not found:
        raise NotFound
    return found[0]


def _row(
    request: Request, row: int, status: int = 200, *, told: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    found = _found(request, row)
    return pages.render(
        request, "manage/quarantined.html", status, row=found, told=told, columns={**found.columns, **(typed or {})}
    )
