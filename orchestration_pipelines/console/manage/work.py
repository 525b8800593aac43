"""Work in people's hands, and giving it to somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.manage.paging import MARK, MOST, ROWS, Ticked, behind, marked, page
from orchestration_pipelines.console.viewer import desk_of
from orchestration_pipelines.engine import hands, load, people
from orchestration_pipelines.engine.load import Wanted

router = APIRouter()
Name = Annotated[str, Field(max_length=200)]


class Only(StrEnum):
    """Which open tasks are asked for."""

    ALL = ""
    PAST_DUE = "past_due"
    STUCK = "stuck"
    FREE = "free"


class Asked(BaseModel):
    """What a list of tasks is asked for by its address."""

    workflow: Name = ""
    queue: Name = ""
    step: Name = ""
    person: Name = ""
    only: Only = Only.ALL
    after: Annotated[str, Field(max_length=80, pattern=MARK)] = ""
    done: Annotated[int, Field(ge=0, le=MOST)] = 0  #: how many tasks were just given to somebody else

    def at(self, **changes: object) -> str:
        """The query of an address that asks for the same, with changes."""
        said = self.model_dump(exclude_defaults=True, exclude={"after", "done"}, mode="json") | changes
        return urlencode({name: value for name, value in said.items() if value})

    @property
    def wanted(self) -> Wanted:
        """As the engine is asked."""
        return Wanted(
            self.workflow or None,
            self.queue or None,
            self.step or None,
            self.person or None,
            past_due=self.only is Only.PAST_DUE,
            stuck=self.only is Only.STUCK,
            free=self.only is Only.FREE,
        )


@router.get("/manage/work", name="manage_work")
def work(request: Request, _: Overseer, asked: Annotated[Asked, Query()]) -> Response:
    """Open tasks, the oldest first."""
    return _page(request, asked)


@router.post("/manage/work", name="reassign")
def reassign(
    request: Request,
    viewer: Manager,
    asked: Annotated[Asked, Query()],
    task: Ticked = None,
    to: Annotated[str, Form(max_length=200)] = "",
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Give tasks to somebody, or back to their queues; those of which it may not be done stay chosen."""
    desk = desk_of(request)
    chosen = task or []
    with desk.connection() as connection:
        try:
            handed = hands.reassign(
                connection, chosen, to=to.strip() or None, by=viewer.person, reason=reason, at=desk.clock()
            )
        except hands.Refused as error:
            return _page(request, asked, 409, told=[str(error)], chosen=chosen, to=to, reason=reason)
    left = [one for one in handed if not one.moved]
    if not left:
        onward = f"{pages.link(request, 'manage_work')}?{asked.at(done=len(handed))}"
        return RedirectResponse(onward, 303)
    return _page(
        request,
        asked.model_copy(update={"done": len(handed) - len(left)}),
        409,
        told=[f"task {one.task} is left as it was: {one.rule}" for one in left],
        chosen=[one.task for one in left],
        to=to,
        reason=reason,
    )


def _page(
    request: Request,
    asked: Asked,
    status: int = 200,
    *,
    told: Sequence[str] = (),
    chosen: Sequence[int] = (),
    to: str = "",
    reason: str = "",
) -> Response:
    desk = desk_of(request)
    now = desk.clock()
    mark = behind(asked.after)
    begin = (mark[0], mark[1]) if mark is not None and mark[0] is not None else None
    with desk.connection() as connection:
        found = load.tasks(connection, now, asked.wanted, begin, ROWS + 1)
        limits = load.limits(connection)
        everybody = [each for each in people.listed(connection, now) if each.active]
    return pages.render(
        request,
        "manage/work.html",
        status,
        asked=asked,
        page=page(found, lambda row: marked(row.opened_at, row.task)),
        queues=[(limit.workflow, limit.name) for limit in limits if limit.kind == "queue"],
        everybody=everybody,
        told=told,
        chosen=set(chosen),
        to=to,
        reason=reason,
    )
