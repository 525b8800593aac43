"""The outbox: what somebody is to be told, written in the transaction of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import texts


class Notice(NamedTuple):
    """What one person is to be told once."""

    key: str  #: of what happened: a second notice of the same key is not sent
    workflow: str
    person: str  #: a reviewer, or an owner
    kind: str  #: reminded, reassigned, escalated …
    text: str  #: opaque ids and times, no personal data
    case_id: int | None = None
    task_id: int | None = None


def tell(connection: psycopg.Connection, notices: Sequence[Notice], now: datetime) -> int:
    """Put notices into the outbox; returns how many are new. Delivering them is another process's work."""
    if not notices:
        return 0
    key, workflow, person, kind, text, case_id, task_id = zip(*notices, strict=True)
    return connection.execute(
        "INSERT INTO notification (key, workflow, person, kind, text, case_id, task_id, made_at, next_at) "
        "SELECT n.key, n.workflow, n.person, n.kind, n.text, n.case_id, n.task_id, %(now)s, %(now)s "
        "FROM unnest(%(key)s::text[], %(workflow)s::text[], %(person)s::text[], %(kind)s::text[], %(text)s::text[], "
        "  %(case)s::bigint[], %(task)s::bigint[]) AS n (key, workflow, person, kind, text, case_id, task_id) "
        "ON CONFLICT (key) DO NOTHING",
        {
            "now": now,
            "key": texts(key),
            "workflow": texts(workflow),
            "person": texts(person),
            "kind": texts(kind),
            "text": texts(text),
            "case": list(case_id),
            "task": list(task_id),
        },
    ).rowcount
