"""Incidents: what a person must mend. Resolving one tries the case again where it was stuck."""

from __future__ import annotations

from datetime import datetime

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.store import casework
from orchestration_pipelines.store import incidents as table
from orchestration_pipelines.store.incidents import Incident, listed
from orchestration_pipelines.store.refusal import Refused

__all__ = ["Incident", "Refused", "listed", "resolve"]


def resolve(connection: psycopg.Connection, incident_id: int, *, by: str, reason: str, at: datetime) -> bool:
    """Say how an incident was mended. True if a stuck case is tried again at its station."""
    if not reason.strip():
        raise Refused("say with --reason how it was mended: the next one who meets it will look here")
    found = listed(connection, incident=incident_id, ended=True)
    if not found:
        raise Refused(f"there is no incident {incident_id}: see orchestrate incidents list")
    incident = found[0]
    with connection.transaction():
        if incident.case_id is not None:
            casework.lock_open(connection, incident.case_id)
        if not table.resolve(connection, incident_id, by=by, resolution=reason, now=at):
            raise Refused(f"incident {incident_id} was resolved by {incident.resolved_by}: {incident.resolution}")
        if incident.case_id is None:
            return False
        casework.note(
            connection,
            incident.case_id,
            actor=by,
            role="operator",
            act="resolved",
            record=f"incident:{incident_id}",
            at=at,
            detail=encode({"reason": reason, "kind": incident.kind, "element": incident.element}),
        )
        return table.wake_stuck(connection, incident.case_id, at) > 0
