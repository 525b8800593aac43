"""Compensation: what a case completed is undone, one entry of its saga log after the other, the latest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from orchestration_pipelines.engine.calling import Toolbox
from orchestration_pipelines.engine.doubt import void_doubts
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.verdict import Cancelled, Done, Failed, GivenBack, Undo, Verdict, variables_of
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.store.records import armed_compensations
from orchestration_pipelines.store.tokens import Claimed


def undo(station: Station, connection: psycopg.Connection, chunk: Sequence[Claimed], toolbox: Toolbox) -> list[Verdict]:
    """The next entry of each case's saga log, latest first; when none is left, the way goes on.

    A cancelled case may have been in the middle of a step: what that may have done outside is undone before the rest.
    """
    latest: dict[int, tuple[int, str]] = {}
    wanted = station.element.compensates
    for case_id, no, activity, handler in armed_compensations(connection, [token.case_id for token in chunk]):
        if (wanted is None or wanted == activity) and no > latest.get(case_id, (0, ""))[0]:
            latest[case_id] = (no, handler)
    voided = void_doubts(station, connection, chunk, toolbox) if station.id == CANCELLATION else {}
    return [_next_undo(station, token, latest.get(token.case_id), voided.get(token.case_id, ())) for token in chunk]


def _next_undo(
    station: Station, token: Claimed, entry: tuple[int, str] | None, voided: tuple[int, ...] | Failed | GivenBack
) -> Verdict:
    if not isinstance(voided, tuple):
        return voided
    if entry is not None:
        no, handler = entry
        return Done(way=Undo(handler, no), voided=voided)
    if station.id == CANCELLATION:
        return Done(way=Cancelled(), voids_approval=True, voided=voided)
    variables: Mapping[str, Any] = variables_of(token) if station.reads else {}
    return Done(way=station.workflow.router.leave(station.id, variables), voids_approval=True)
