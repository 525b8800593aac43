"""Holding a workflow, or one element of it: from then on no machine works there. People still decide."""

from __future__ import annotations

from datetime import datetime

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.store import casework
from orchestration_pipelines.store import holds as table
from orchestration_pipelines.store.holds import Hold, LiftedHold, lifted, standing
from orchestration_pipelines.store.refusal import Refused

__all__ = ["Hold", "LiftedHold", "Refused", "hold", "lifted", "resume", "standing"]


def hold(
    connection: psycopg.Connection, workflow: str, element: str | None, *, by: str, reason: str, at: datetime
) -> None:
    """Stop the machines there at once: the next claim finds nothing."""
    _act(connection, "held", workflow, element, by, reason, at)


def resume(
    connection: psycopg.Connection, workflow: str, element: str | None, *, by: str, reason: str, at: datetime
) -> None:
    """Lift a hold."""
    _act(connection, "resumed", workflow, element, by, reason, at)


def _act(
    connection: psycopg.Connection, act: str, workflow: str, element: str | None, by: str, reason: str, at: datetime
) -> None:
    if not reason.strip():
        raise Refused("a reason is needed: whoever comes next must know why")
    with connection.transaction():
        record = table.record_number(connection, workflow)
        if record is None:
            raise Refused(f"no case was ever submitted to a workflow {workflow!r}: see orchestrate model describe")
        done = (table.add if act == "held" else table.lift)(connection, workflow, element, by=by, reason=reason, now=at)
        what = f"{workflow}/{element}" if element else workflow
        if not done:
            raise Refused(f"{what} is {'held already' if act == 'held' else 'not held'}: see orchestrate doctor")
        casework.note(
            connection,
            record,
            actor=by,
            role="operator",
            act=act,
            record=f"hold:{what}",
            at=at,
            detail=encode({"reason": reason}),
        )
