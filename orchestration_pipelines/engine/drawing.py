"""A workflow's drawing as a picture, with the marks of one case, or of everything that stands at its stations."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg

from orchestration_pipelines.model import picture
from orchestration_pipelines.model.picture import Diagram, DiagramRefused, Marks, Waiting
from orchestration_pipelines.model.process import Process
from orchestration_pipelines.model.trail import Stop, trail
from orchestration_pipelines.store import positions, versions

_FAILED = frozenset({"dead", "stuck"})


def diagram_of(bpmn: bytes, name: str) -> Diagram | None:
    """The picture of a released drawing; laid out anew where what it brings along makes no sense.

    None if it is too large for either.
    """
    for own_layout in (False, True):
        try:
            return picture.loads(bpmn, name, own_layout=own_layout)
        except DiagramRefused:
            continue
    return None


def drawn_of(connection: psycopg.Connection, case: int) -> bytes:
    """The drawing that a case runs on. LookupError if there is no such case."""
    standing = positions.standing(connection, case)
    if standing is None:
        raise LookupError(f"there is no case {case}")
    return versions.drawings(connection, [standing.version_id])[0].bpmn


def case_marks(connection: psycopg.Connection, case: int, process: Process) -> Marks:
    """Where a case stands, and its way there, on the drawing of its version. LookupError if there is no such case.

    While a quality review of it is open there are none: nobody is shown what became of it.
    """
    standing = positions.standing(connection, case)
    if standing is None:
        raise LookupError(f"there is no case {case}")
    if standing.is_blind:
        return Marks()
    stops = [Stop(element, outcome) for element, outcome in positions.visits(connection, case)]
    at = {element for element, _ in standing.at}
    to = next(iter(at)) if len(at) == 1 else standing.outcome
    gone = trail(process, stops, to)
    return Marks(
        path=gone.elements,
        flows=gone.flows,
        here=frozenset(at),
        failed=frozenset(element for element, status in standing.at if status in _FAILED),
        ended=standing.outcome if standing.outcome in process.elements else None,
    )


def station_marks(connection: psycopg.Connection, workflow: str, now: datetime) -> Marks:
    """How many cases stand at each station, and since when the oldest, whatever version they began on."""
    return Marks(
        waiting={
            station.element: Waiting(station.cases, max(now - station.since, timedelta()), station.late, station.failed)
            for station in positions.stations(connection, workflow, now)
        }
    )
