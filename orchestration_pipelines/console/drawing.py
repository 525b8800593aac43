"""Drawings on pages: a workflow's picture with its marks, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from markupsafe import Markup

from orchestration_pipelines.engine import drawing
from orchestration_pipelines.engine.backlog import Heap, summed
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.model import picture
from orchestration_pipelines.model.picture import Diagram, Marks, Waiting

#: the id of where a case stands: a link that leads there scrolls the picture too
ANCHOR = "stands"


class Drawn(NamedTuple):
    """A picture for templates/diagram.html."""

    title: str
    svg: Markup
    words: str
    anchor: str  #: the id of the place that matters, or ""


def case_drawing(desk: Desk, case: int, version_id: int) -> Drawn | None:
    """Where a case stands and came by; None where its drawing is too large, or where nobody is to know."""
    process = desk.drawing(version_id)  # before a connection is held: the first time it takes one of its own
    if desk.diagram(version_id) is None:
        return None
    with desk.connection() as connection:
        marks = drawing.case_marks(connection, case, process)
    if marks == Marks():
        return None
    drawn, words = desk.picture(version_id, marks, ANCHOR)
    svg = Markup(drawn)  # noqa: S704 (made by us, every name in it escaped)
    return Drawn("In the drawing", svg, words, ANCHOR if f'id="{ANCHOR}"' in svg else "")


def queue_drawings(pictures: Mapping[str, Diagram], heaps: Sequence[Heap], now: datetime) -> list[Drawn]:
    """What waits at the steps of each workflow, of these heaps, since when the oldest and how many past due."""
    drawn = []
    for workflow in sorted({heap.workflow for heap in heaps} & set(pictures)):
        ours = [heap for heap in heaps if heap.workflow == workflow]
        marks = Marks(waiting={step: _waiting([h for h in ours if h.element == step], now) for step in _steps(ours)})
        svg = Markup(picture.svg(pictures[workflow], marks))  # noqa: S704 (as above)
        drawn.append(Drawn(f"What waits where: {workflow}", svg, picture.told(pictures[workflow], marks), ""))
    return drawn


def _steps(heaps: Sequence[Heap]) -> list[str]:
    return sorted({heap.element for heap in heaps})


def _waiting(heaps: Sequence[Heap], now: datetime) -> Waiting:
    whole = summed(heaps)
    oldest = None if whole.oldest is None else max(now - whole.oldest, timedelta())
    return Waiting(whole.depth, oldest, whole.past_due)
