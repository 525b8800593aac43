"""Asking people: a case arrived at a user task, so its review tasks are opened and its deadline is armed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.store import reviews, timers


class Arrival(NamedTuple):
    """A token that came to a user task."""

    case_id: int
    token_no: int
    visit: int
    variables: Mapping[str, Any]


def ask(connection: psycopg.Connection, station: Station, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Open the tasks and arm the timers of cases that arrived at a user task; their rows hold the variables already."""
    asked: list[reviews.NewTask] = []
    armed: list[tuple[int, int, str, int, datetime]] = []
    for arrival in arrivals:
        asked.append(station.task(arrival.case_id, arrival.visit, arrival.variables, now))
        armed.extend(
            (arrival.case_id, arrival.visit, boundary, arrival.token_no, due_at)
            for boundary, due_at in station.timers(arrival.variables, now)
        )
    reviews.open_tasks(connection, station.workflow.name, station.id, station.question, station.editable, asked, now)
    timers.arm(connection, armed)
