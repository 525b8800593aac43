"""Limits of work in hand: used of allowed. Changed, they are a new policy, with who and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import psycopg
from fastapi import APIRouter, Form, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.manage.overview import Manager, Overseer
from orchestration_pipelines.console.viewer import NotFound, desk_of
from orchestration_pipelines.engine import load, policy
from orchestration_pipelines.engine.load import Limit
from orchestration_pipelines.model.process import Kind, Process

router = APIRouter()
#: of a queue and of a step, the group of the policy that its limit stands in
_GROUPS = {"queue": "queues", "step": "steps"}


@router.get("/manage/limits", name="limits")
def limits(request: Request, _: Overseer) -> Response:
    """Every queue and step, with its limit."""
    return _page(request)


@router.post("/manage/limits", name="set_limits")
def set_limits(
    request: Request,
    viewer: Manager,
    workflow: Annotated[str, Form(max_length=200)],
    kind: Annotated[list[str], Form(max_length=500)],
    name: Annotated[list[str], Form(max_length=500)],
    allowed: Annotated[list[str], Form(max_length=500)],
    seen: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Set the limits of a workflow's queues and steps, as they stand in the form; nothing said means no limit."""
    desk = desk_of(request)
    drawn = desk.newest().get(workflow)
    if drawn is None:
        raise NotFound
    rows = list(zip(kind, name, allowed, strict=False))
    typed = {(workflow, what, which): said for what, which, said in rows}
    wanted: dict[policy.Place, int | None]
    try:
        wanted = {
            (_GROUPS[what], which, "wip_limit"): int(said) if said.strip() else None for what, which, said in rows
        }
    except (ValueError, KeyError):
        told = "a limit is a whole number, or nothing: no limit"
        return _page(request, 422, told=told, typed=typed, reason=reason)
    with desk.connection() as connection:
        try:
            policy.amend(
                connection,
                policy.released(connection, workflow, drawn),
                wanted,
                seen=seen,
                by=viewer.person,
                reason=reason,
                at=desk.clock(),
            )
        except (policy.Refused, policy.BadDocument) as error:
            return _page(request, 409, told=str(error), typed=typed, reason=reason)
    return pages.go_to(request, "limits")


def _page(
    request: Request,
    status: int = 200,
    *,
    told: str = "",
    typed: Mapping[tuple[str, str, str], str] | None = None,
    reason: str = "",
) -> Response:
    desk = desk_of(request)
    drawn = desk.newest()
    with desk.connection() as connection:
        groups = _groups(connection, drawn)
    return pages.render(
        request,
        "manage/limits.html",
        status,
        groups=groups,
        drawn=drawn,
        told=told,
        typed=typed or {},
        reason=reason,
    )


def _groups(
    connection: psycopg.Connection, drawn: Mapping[str, Process]
) -> list[tuple[str, policy.SetPolicy | None, list[Limit]]]:
    """Each workflow with its policy and its limits: of queues, and of the steps in which people decide."""
    found: dict[str, list[Limit]] = {}
    for limit in load.limits(connection):
        found.setdefault(limit.workflow, []).append(limit)
    return [
        (workflow, policy.newest(connection, workflow), _drawn(rows, workflow, drawn.get(workflow)))
        for workflow, rows in found.items()
    ]


def _drawn(rows: list[Limit], workflow: str, process: Process | None) -> list[Limit]:
    """A step that is not drawn any more is shown while it has a limit; one that is drawn, always."""
    steps = {step.id for step in process.elements.values() if step.kind is Kind.USER} if process else set()
    known = {row.name for row in rows if row.kind == "step"}
    kept = [row for row in rows if row.kind == "queue" or row.name in steps or row.allowed is not None]
    return kept + [Limit(workflow, "step", step, None, 0, 0) for step in sorted(steps - known)]
