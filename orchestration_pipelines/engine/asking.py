"""Asking people: a case arrived at a user task, so its review tasks are opened and its deadline is armed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.domain.people import asked_of
from orchestration_pipelines.engine import clocks
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.store import faults, reviews, timers


class Arrival(NamedTuple):
    """A token that came to a user task."""

    case_id: int
    token_no: int
    visit: int
    variables: Mapping[str, Any]


def ask(connection: psycopg.Connection, station: Station, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Open the tasks of cases that arrived at a user task, and start what measures the wait: its timers, its clock.

    The cases' rows hold the variables already.
    """
    if not arrivals:
        return
    visits = [(arrival.case_id, arrival.visit) for arrival in arrivals]
    promised = clocks.start(connection, station.workflow.name, station.id, visits, now)
    asked: list[reviews.NewTask] = []
    armed: list[tuple[int, int, str, int, datetime]] = []
    for arrival in arrivals:
        timed = station.timers(arrival.variables, now)
        task = station.task(arrival.case_id, arrival.visit, arrival.variables, now)
        if promised is not None:
            task = task._replace(due_at=promised)
        elif task.due_at is None and timed:
            task = task._replace(due_at=min(due_at for _, due_at in timed))
        asked.append(task)
        armed.extend((arrival.case_id, arrival.visit, boundary, arrival.token_no, due_at) for boundary, due_at in timed)
    reviews.open_tasks(connection, station.workflow.name, station.id, station.question, station.editable, asked, now)
    timers.arm(connection, armed)
    clocks.pause(connection, station.workflow.name, station.id, [case_id for case_id, _ in visits], now)
    _alarm(connection, station, visits, now)


def _alarm(connection: psycopg.Connection, station: Station, visits: Sequence[tuple[int, int]], now: datetime) -> None:
    """A task that too few people may decide is an incident, and goes to the fallback queue where there is one.

    The drawing's comes before the policy's.
    """
    incidents: list[faults.NewIncident] = []
    for orphaned in reviews.orphans(connection, visits):
        wanted = asked_of(orphaned.role, orphaned.skill, orphaned.region, orphaned.level)
        fallback = station.element.extra.get("fallbackQueue") or orphaned.fallback
        reason = (
            f"{orphaned.tasks} tasks in the queue {orphaned.queue} need {orphaned.signatures} people and "
            f"{orphaned.able} may decide them (submitted by {orphaned.requested_by}): give somebody {wanted}"
        )
        if fallback and fallback != orphaned.queue:
            reviews.send_to(connection, visits, orphaned, fallback)
            reason += f"; they are in {fallback} now"
        owner = station.workflow.owner_of(station.id)
        incidents.append(faults.NewIncident(orphaned.case_id, station.id, "nobody may decide", reason, owner))
    faults.open_incidents(connection, station.workflow.name, incidents, now)
