"""The history of tasks, as far as blindness allows: who had them, gave them back, worked on them, decided them."""

from __future__ import annotations

import psycopg

from orchestration_pipelines.engine.casework import find
from orchestration_pipelines.store import history as table
from orchestration_pipelines.store.history import Happened
from orchestration_pipelines.store.refusal import GONE, Refused

__all__ = ["Happened", "Refused", "of_case", "of_task"]


def of_task(connection: psycopg.Connection, task: int) -> list[Happened]:
    """What happened to one task. What its visit's signers chose stays unsaid until all have signed."""
    found = table.history(connection, task=task)
    if not found:
        raise Refused(f"there is no task {task}, or a quality review of its case is not in yet", GONE)
    return found


def of_case(connection: psycopg.Connection, key: str, workflow: str | None = None) -> list[Happened]:
    """What happened to all tasks of a case."""
    return table.history(connection, case_id=find(connection, key, workflow).case_id)
