"""The board of promises: what is past due, what is due next, what stands still, what was kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Overseer
from orchestration_pipelines.console.manage.paging import ROWS, Mark, behind, marked, page
from orchestration_pipelines.console.viewer import desk_of
from orchestration_pipelines.engine import promises
from orchestration_pipelines.engine.report.kept import kept_by_day
from orchestration_pipelines.engine.report.svg import data_uri

router = APIRouter()
Name = Annotated[str, Query(max_length=200)]


@router.get("/manage/sla", name="sla")
def sla(request: Request, _: Overseer) -> Response:
    """By queue and step, and by case."""
    desk = desk_of(request)
    with desk.connection() as connection:
        board = promises.board(connection, desk.clock())
    picture, words = kept_by_day(board.days)
    kept = {(step.workflow, step.element): step for step in board.steps}
    steps = sorted(kept.keys() | {(clock.workflow, clock.element) for clock in board.clocks})
    clocks = {(clock.workflow, clock.element): clock for clock in board.clocks}
    return pages.render(
        request,
        "manage/sla.html",
        board=board,
        promised=[(step, clocks.get(step), kept.get(step)) for step in steps],
        kept=data_uri(picture),
        kept_words=words,
        drawn=desk.newest(),
    )


@router.get("/manage/sla/clocks", name="clocks")
def clocks(request: Request, _: Overseer, workflow: Name = "", step: Name = "", after: Mark = "") -> Response:
    """The clocks of a step, or of whole cases, that run or stand still."""
    desk = desk_of(request)
    with desk.connection() as connection:
        found = promises.clocks(connection, workflow, step, behind(after), ROWS + 1)
    return pages.render(
        request,
        "manage/clocks.html",
        workflow=workflow,
        step=step,
        after=after,
        page=page(found, lambda row: marked(row.due_at, row.id)),
        drawn=desk.newest(),
        hours=hours,
    )


def hours(seconds: int) -> str:
    """Business time, which has no days of a length of its own."""
    whole, rest = divmod(seconds // 60, 60)
    return f"{whole} h {rest} min" if rest else f"{whole} h"
