"""My work: what is in somebody's hands, what they may take next, and the acts that put it there or back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Form, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.form import decided
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import hands, inquiries, reviews, worklist
from orchestration_pipelines.engine.consideration import Told

router = APIRouter()
Worker = Annotated[Viewer, needs(Right.WORK)]
#: what a list asks by itself
Looking = Annotated[Viewer, needs(Right.WORK, counts=False)]
Name = Annotated[str, Form(max_length=200)]


@router.get("/work", name="work")
def work(request: Request, viewer: Worker) -> Response:
    """The page of whoever looks."""
    return _page(request, viewer, done=decided(request, viewer))


@router.get("/parts/work", name="work_part")
def work_part(request: Request, viewer: Looking) -> Response:
    """Its lists alone, as they are now."""
    return _page(request, viewer, template="work_part.html")


@router.post("/work/next", name="next_task")
def next_task(request: Request, viewer: Worker, workflow: Name = "", queue: Name = "") -> Response:
    """Take the next task, of all queues or of one, and go to it."""
    desk = desk_of(request)
    with desk.connection() as connection:
        try:
            task = hands.pull(
                connection, viewer.person, at=desk.clock(), workflow=workflow or None, queue=queue or None
            )
        except hands.Refused as error:
            return _page(request, viewer, 409, told=pages.sentence(error))
    return pages.go_to(request, "task", task=task)


@router.post("/tasks/{task}/claim", name="claim")
def claim(request: Request, viewer: Worker, task: pages.Number) -> Response:
    """Take this task, and go to it."""
    return _act(request, viewer, task, hands.claim) or pages.go_to(request, "task", task=task)


@router.post("/tasks/{task}/release", name="release")
def release(request: Request, viewer: Worker, task: pages.Number) -> Response:
    """Give it back to its queue, where it keeps its place."""
    return _act(request, viewer, task, hands.release) or pages.go_to(request, "work")


@router.post("/tasks/{task}/decline", name="decline")
def decline(
    request: Request, viewer: Worker, task: pages.Number, reason: Annotated[str, Form(max_length=2_000)] = ""
) -> Response:
    """Say that it is not for oneself: one is not offered it again."""
    return _act(request, viewer, task, hands.decline, reason=reason) or pages.go_to(request, "work")


@router.post("/tasks/{task}/pause", name="pause")
def pause(request: Request, viewer: Worker, task: pages.Number) -> Response:
    """Put it aside for a while; it stays in one's hands."""
    return _act(request, viewer, task, hands.pause) or pages.go_to(request, "work")


@router.post("/tasks/{task}/resume", name="resume")
def resume(request: Request, viewer: Worker, task: pages.Number) -> Response:
    """Go on with it."""
    return _act(request, viewer, task, hands.resume) or pages.go_to(request, "task", task=task)


def _act(request: Request, viewer: Viewer, task: int, what: Callable[..., Any], **said: Any) -> Response | None:
    """One act on one task; where it is refused, the page that says why. A task that one does not see is not there."""
    desk = desk_of(request)
    with desk.connection() as connection:
        _refuse_unseen(connection, viewer, task)
        try:
            what(connection, [task], person=viewer.person, at=desk.clock(), **said)
        except hands.Refused as error:
            return _page(request, viewer, 409, told=pages.sentence(error), declining=task if "reason" in said else None)
    return None


def _refuse_unseen(connection: psycopg.Connection, viewer: Viewer, task: int) -> None:
    seen, _ = reviews.may(connection, viewer.person, "see", task)
    if not seen:
        raise NotFound


def _page(
    request: Request,
    viewer: Viewer,
    status: int = 200,
    *,
    template: str = "work.html",
    told: str = "",
    declining: int | None = None,
    done: Told | None = None,
) -> Response:
    desk = desk_of(request)
    with desk.connection() as connection:
        now = desk.clock()
        figures = desk.backlog.figures(connection, now)
        mine = worklist.my_work(connection, viewer.person, figures, now)
        asked = inquiries.waiting_for(connection, viewer.person)
    return pages.render(request, template, status, mine=mine, asked=asked, told=told, declining=declining, decided=done)
