"""Queues: how deep and how old each is and who is there; one queue's tasks page by page; a case found by its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.drawing import queue_drawings
from orchestration_pipelines.console.guard import needs
from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import listing, search, worklist
from orchestration_pipelines.engine.backlog import Colleague, Heap, Queue, Sum, summed
from orchestration_pipelines.model.picture import Diagram

router = APIRouter()
Reader = Annotated[Viewer, needs(Right.READ)]
#: what a list asks by itself
Looking = Annotated[Viewer, needs(Right.READ, counts=False)]
Word = Annotated[str, Query(max_length=200)]


class Asked:
    """The filter of a queue's list, as the form sends it: what is left empty is not asked."""

    def __init__(
        self,
        order: Literal["order", "age", "due", "key"] = "order",
        status: Literal["", "open", "assigned", "claimed"] = "",
        step: Word = "",
        skill: Word = "",
        region: Word = "",
        priority: Annotated[str, Query(pattern="^[0-9]?$")] = "",
        past_due: Literal["", "1"] = "",
        key: Word = "",
        after: Word = "",
    ) -> None:
        self.query = listing.Query(
            order, status, step, skill, region, int(priority) if priority else None, bool(past_due), key.strip(), after
        )


@router.get("/queues", name="queues")
def queues(request: Request, viewer: Reader) -> Response:
    """All queues that one sees, and the drawings with what waits at their steps."""
    return _queues(request, viewer, "queues.html", desk_of(request).pictures())


@router.get("/parts/queues", name="queues_part")
def queues_part(request: Request, viewer: Looking) -> Response:
    """Their figures alone, as they are now."""
    return _queues(request, viewer, "queues_part.html")


@router.get("/queues/{workflow}/{queue:path}", name="queue")
def queue(request: Request, viewer: Reader, workflow: str, queue: str, asked: Annotated[Asked, Depends()]) -> Response:
    """One queue's tasks."""
    return _queue(request, viewer, workflow, queue, asked.query, "queue.html")


@router.get("/parts/queues/{workflow}/{queue:path}", name="queue_part")
def queue_part(
    request: Request, viewer: Looking, workflow: str, queue: str, asked: Annotated[Asked, Depends()]
) -> Response:
    """The same page's list alone, as it is now."""
    return _queue(request, viewer, workflow, queue, asked.query, "queue_part.html")


@router.get("/search", name="search")
def find(request: Request, viewer: Reader, q: Word = "") -> Response:
    """Cases by the beginning of their key; where there is just one, that one."""
    with desk_of(request).connection() as connection:
        found = search.find(connection, viewer.person, q)
    if len(found.hits) == 1 and not found.more:
        return pages.go_to(request, "case", case=found.hits[0].case_id)
    return pages.render(request, "search.html", typed=q.strip(), found=found)


class Row(NamedTuple):
    """A queue in the list of queues."""

    queue: Queue
    whole: Sum
    fitting: Sum | None  #: what of it whoever looks could take; None: they take nothing from it
    there: Sequence[Colleague]  #: who may decide in it and is there now


def _queues(
    request: Request, viewer: Viewer, template: str, pictures: Mapping[str, Diagram] = MappingProxyType({})
) -> Response:
    desk = desk_of(request)
    now = desk.clock()
    with desk.connection() as connection:
        figures = desk.backlog.figures(connection, now)
        fitting = set(worklist.lanes(connection, viewer.person)) if viewer.may(Right.WORK) else set()
    rows, seen = [], []
    for one in listing.queues_seen(figures, viewer.who.roles):
        heaps = figures.of_queue(one.workflow, one.name)
        own = [heap for heap in heaps if heap.lane in fitting]
        there = [colleague for colleague in figures.of_role(one.role) if colleague.away is None]
        rows.append(Row(one, summed(heaps), summed(own) if one.role in viewer.who.roles else None, there))
        seen += heaps
    return pages.render(request, template, rows=rows, drawings=queue_drawings(pictures, seen, now))


class Options(NamedTuple):
    """What a queue's list can be filtered by: what there is in it."""

    steps: Sequence[tuple[str, str]]  #: id and name
    skills: Sequence[str]
    regions: Sequence[str]
    priorities: Sequence[int]


def _queue(request: Request, viewer: Viewer, workflow: str, name: str, query: listing.Query, template: str) -> Response:
    desk = desk_of(request)
    now = desk.clock()
    drawn = desk.newest().get(workflow)
    with desk.connection() as connection:
        figures = desk.backlog.figures(connection, now)
        seen = listing.queues_seen(figures, viewer.who.roles)
        one = next((queue for queue in seen if (queue.workflow, queue.name) == (workflow, name)), None)
        if one is None:
            raise NotFound
        heaps = listing.heaps_seen(connection, figures, one, viewer.person, viewer.who.roles)
        told, status = "", 200
        try:
            found = listing.listed(
                connection, figures, one, query, person=viewer.person, roles=viewer.who.roles, now=now
            )
        except listing.BadPlace as error:
            found, told, status = listing.Listed([], None), pages.sentence(error), 422
        may = worklist.may_claim(connection, viewer.person, found.lines) if viewer.may(Right.WORK) else {}
    names = {id: element.name or id for id, element in drawn.elements.items()} if drawn else {}
    return pages.render(
        request,
        template,
        status,
        queue=one,
        whole=summed(heaps),
        there=[colleague for colleague in figures.of_role(one.role) if colleague.away is None],
        query=query,
        options=_options(heaps, names),
        names=names,
        found=found,
        may=may,
        told=told,
        here=_here(query),
        first=_here(query._replace(after="")),
        onward=_here(query._replace(after=found.after)) if found.after else None,
    )


def _options(heaps: Sequence[Heap], names: dict[str, str]) -> Options:
    return Options(
        [(step, names.get(step, step)) for step in sorted({heap.element for heap in heaps})],
        sorted({heap.skill for heap in heaps if heap.skill is not None}),
        sorted({heap.region for heap in heaps if heap.region is not None}),
        sorted({heap.priority for heap in heaps}, reverse=True),
    )


def _here(query: listing.Query) -> str:
    """The same list, as the query of an address."""
    asked = {
        "order": "" if query.order == "order" else query.order,
        "status": query.status,
        "step": query.step,
        "skill": query.skill,
        "region": query.region,
        "priority": "" if query.priority is None else str(query.priority),
        "past_due": "1" if query.past_due else "",
        "key": query.prefix,
        "after": query.after,
    }
    return urlencode({name: value for name, value in asked.items() if value})
