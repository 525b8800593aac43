"""One case on one page: the question, the facts with their sources, what is suggested and why, and what happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.drawing import case_drawing
from orchestration_pipelines.console.form import decided, form_for
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.domain.upload import KINDS, MOST_BYTES
from orchestration_pipelines.engine import casefile, documents, dossier
from orchestration_pipelines.engine.dossier import Dossier

router = APIRouter()
Reader = Annotated[Viewer, needs(Right.READ)]

#: what is due within this is soon
SOON = timedelta(hours=4)
#: a Dagster run's id; what swept otherwise has no page to link to
_RUN_ID_CHARACTERS = 36


@router.get("/cases/{case}", name="case")
def case(request: Request, viewer: Reader, case: pages.Number) -> Response:
    """The page of a case, where nothing is decided."""
    return case_page(request, viewer, case)


@router.get("/tasks/{task}", name="task")
def task(request: Request, viewer: Reader, task: pages.Number) -> Response:
    """The page of a case with one of its tasks, and the form where it is decided."""
    found = form_for(request, viewer, task) if viewer.may(Right.WORK) else None
    return task_page(request, viewer, task, form=found, decided=decided(request, viewer))


def case_page(request: Request, viewer: Viewer, case: int, status: int = 200, **more: Any) -> Response:
    """The page of a case as this viewer may see it; ``more`` is what the page is shown again with."""
    desk = desk_of(request)
    with desk.connection() as connection:
        found = dossier.of_case(connection, case, viewer.person)
        allowed = found is not None and _may_add(connection, viewer, found)
    if found is None:
        raise NotFound
    return _page(request, viewer, found, status, may_add=allowed, **more)


def task_page(request: Request, viewer: Viewer, task: int, status: int = 200, **more: Any) -> Response:
    """The page of a task; ``more`` is what it is shown again with (a decision form that was refused, say)."""
    desk = desk_of(request)
    with desk.connection() as connection:
        found = dossier.of_task(connection, task, viewer.person)
        allowed = found is not None and _may_add(connection, viewer, found)
    if found is None:
        raise NotFound
    return _page(request, viewer, found, status, may_add=allowed, **more)


def _may_add(connection: Any, viewer: Viewer, found: Dossier) -> bool:
    """Whether the page has a form for documents: not where somebody is to look at what was submitted alone."""
    may = viewer.may(Right.WORK) and not found.is_blind
    return may and documents.may_add(connection, viewer.person, found.head.case_id)[0]


def _page(request: Request, viewer: Viewer, found: Dossier, status: int, **more: Any) -> Response:
    desk = desk_of(request)
    file = casefile.tell(found, desk.drawing(found.head.version_id))
    context: dict[str, Any] = {
        "diagram": None
        if found.is_blind or found.is_own
        else case_drawing(desk, found.head.case_id, found.head.version_id),
        "form": None,
        "problem": "",
        "unsent": "",
        "decided": None,
        "asking": None,
        "answering": None,
        "runs_at": desk.dagster.rstrip("/") if desk.dagster else None,
        "has_page": lambda run: len(run.id) == _RUN_ID_CHARACTERS,
        "age": _age,
        "business": lambda seconds: pages.span(timedelta(seconds=seconds)),
        "most_bytes": MOST_BYTES,
        "endings": ",".join(ending for endings in KINDS.values() for ending in endings),
        **more,
    }
    if found.is_own and found.task is not None and found.task.role != dossier.REQUESTER:
        context["form"] = None  # nobody decides their own; who signs it is told to nobody who submitted it
    return pages.render(request, "case.html", status, file=file, **context)


def _age(due: datetime, now: datetime) -> str:
    """How a time that something is due at is shown: due, soon or late."""
    return "late" if due < now else "soon" if due - now < SOON else "due"
