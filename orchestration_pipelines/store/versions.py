"""What was released of a workflow: its drawings, its tables, its queues, its columns, its reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg


class Drawing(NamedTuple):
    """A released version of a drawing."""

    id: int
    version: int
    bpmn: bytes


def lock_workflow(connection: psycopg.Connection, name: str, owner: str) -> int:
    """The workflow's own row, made or brought up to date, and locked; returns the number of its record."""
    connection.execute(
        "INSERT INTO workflow (name, owner) VALUES (%s, %s) "
        "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner WHERE workflow.owner <> excluded.owner",
        (name, owner),
    )
    row = connection.execute("SELECT -id FROM workflow WHERE name = %s FOR UPDATE", (name,)).fetchone()
    if row is None:
        raise RuntimeError(f"the workflow {name} was not stored")
    return int(row[0])


def put_queues(connection: psycopg.Connection, workflow: str, queues: Sequence[tuple[str, str, str]]) -> None:
    """The queues (name, owner, role)."""
    connection.cursor().executemany(
        "INSERT INTO queue VALUES (%s, %s, %s, %s) ON CONFLICT (workflow, name) DO UPDATE "
        "SET owner = excluded.owner, role = excluded.role "
        "WHERE (queue.owner, queue.role) <> (excluded.owner, excluded.role)",
        [(workflow, *queue) for queue in queues],
    )


def put_fields(connection: psycopg.Connection, workflow: str, fields: Sequence[tuple[str, str, bool]]) -> None:
    """The typed columns (name, type, whether it may be empty)."""
    connection.cursor().executemany(
        "INSERT INTO field VALUES (%s, %s, %s, %s) ON CONFLICT (workflow, name) DO UPDATE "
        "SET type = excluded.type, optional = excluded.optional "
        "WHERE (field.type, field.optional) <> (excluded.type, excluded.optional)",
        [(workflow, *field) for field in fields],
    )


def put_fact_sheet(connection: psycopg.Connection, workflow: str, sheet: bytes) -> None:
    """How the cases are shown, as JSON."""
    connection.execute(
        "INSERT INTO fact_sheet VALUES (%s, %s::jsonb) ON CONFLICT (workflow) DO UPDATE SET sheet = excluded.sheet "
        "WHERE fact_sheet.sheet <> excluded.sheet",
        (workflow, sheet.decode()),
    )


def fact_sheet(connection: psycopg.Connection, workflow: str) -> bytes | None:
    """How the cases of a workflow are shown, as JSON; None where it was never released."""
    row = connection.execute("SELECT sheet FROM fact_sheet WHERE workflow = %s", (workflow,)).fetchone()
    return None if row is None else bytes(row[0])


def record_of(connection: psycopg.Connection, workflow: str) -> int:
    """The number of a workflow's record."""
    row = connection.execute("SELECT -id FROM workflow WHERE name = %s", (workflow,)).fetchone()
    if row is None:
        raise LookupError(f"there is no workflow {workflow}")
    return int(row[0])


def find(connection: psycopg.Connection, workflow: str, digest: str) -> int | None:
    """The version with this drawing."""
    row = connection.execute(
        "SELECT id FROM workflow_version WHERE workflow = %s AND digest = %s", (workflow, digest)
    ).fetchone()
    return None if row is None else int(row[0])


def add(connection: psycopg.Connection, workflow: str, digest: str, bpmn: bytes, *, by: str, now: datetime) -> int:
    """Add the next version; returns its id."""
    row = connection.execute(
        "INSERT INTO workflow_version (workflow, version, digest, bpmn, released_at, released_by) "
        "SELECT %(name)s, coalesce(max(version), 0) + 1, %(digest)s, %(bpmn)s, %(now)s, %(by)s "
        "FROM workflow_version WHERE workflow = %(name)s RETURNING id",
        {"name": workflow, "digest": digest, "bpmn": bpmn, "now": now, "by": by},
    ).fetchone()
    if row is None:
        raise RuntimeError("the version was not stored")
    return int(row[0])


def latest(connection: psycopg.Connection, workflow: str) -> Drawing | None:
    """The version of a workflow that was released last."""
    cursor = connection.cursor(row_factory=lambda _: Drawing._make)
    return cursor.execute(
        "SELECT id, version, bpmn FROM workflow_version WHERE workflow = %s ORDER BY version DESC LIMIT 1", (workflow,)
    ).fetchone()


def newest_ids(connection: psycopg.Connection) -> dict[str, int]:
    """Every workflow, with the id of its version that was released last."""
    return dict(
        connection.execute(
            "SELECT DISTINCT ON (workflow) workflow, id FROM workflow_version ORDER BY workflow, version DESC"
        ).fetchall()
    )


def queues(connection: psycopg.Connection, workflow: str) -> list[tuple[str, str, str]]:
    """The queues of a workflow (name, owner, role)."""
    return connection.execute(
        "SELECT name, owner, role FROM queue WHERE workflow = %s ORDER BY name", (workflow,)
    ).fetchall()


def in_flight(connection: psycopg.Connection, workflow: str, but: str) -> list[Drawing]:
    """The versions on which cases are under way, without the drawing with the digest ``but``."""
    cursor = connection.cursor(row_factory=lambda _: Drawing._make)
    return cursor.execute(
        "SELECT v.id, v.version, v.bpmn FROM workflow_version v WHERE v.workflow = %s AND v.digest <> %s "
        "AND EXISTS (SELECT FROM token t WHERE t.version_id = v.id) ORDER BY v.version",
        (workflow, but),
    ).fetchall()


def ready_ids(connection: psycopg.Connection, workflow: str, current: int) -> list[int]:
    """The other versions on which a token is ready; none while the whole workflow is held."""
    rows = connection.execute(
        "SELECT v.id FROM workflow_version v WHERE v.workflow = %s AND v.id <> %s "
        "AND EXISTS (SELECT FROM token t WHERE t.version_id = v.id AND t.status = 'ready') "
        "AND NOT EXISTS (SELECT FROM hold h WHERE h.workflow = v.workflow AND h.element IS NULL "
        "AND h.lifted_at IS NULL) ORDER BY v.id",
        (workflow, current),
    )
    return [row[0] for row in rows]


def drawings(connection: psycopg.Connection, ids: Sequence[int]) -> list[Drawing]:
    """Versions by their ids."""
    cursor = connection.cursor(row_factory=lambda _: Drawing._make)
    return cursor.execute(
        "SELECT id, version, bpmn FROM workflow_version WHERE id = ANY(%s) ORDER BY id", (list(ids),)
    ).fetchall()


def count_dispatch(connection: psycopg.Connection, workflow: str) -> int:
    """Count one more dispatch of a workflow; returns its number."""
    row = connection.execute(
        "UPDATE workflow SET dispatches = dispatches + 1 WHERE name = %s RETURNING dispatches", (workflow,)
    ).fetchone()
    if row is None:
        raise RuntimeError(f"the workflow {workflow} was never released")
    return int(row[0])


def dispatches(connection: psycopg.Connection, workflow: str) -> int:
    """The number of the last dispatch."""
    row = connection.execute("SELECT dispatches FROM workflow WHERE name = %s", (workflow,)).fetchone()
    return 0 if row is None else int(row[0])


def names(connection: psycopg.Connection) -> list[str]:
    """The workflows that were ever released here."""
    return [row[0] for row in connection.execute("SELECT name FROM workflow ORDER BY name").fetchall()]


def all_of(connection: psycopg.Connection, workflow: str) -> list[Drawing]:
    """Every version of a workflow that was released, the oldest first."""
    cursor = connection.cursor(row_factory=lambda _: Drawing._make)
    return cursor.execute(
        "SELECT id, version, bpmn FROM workflow_version WHERE workflow = %s ORDER BY version", (workflow,)
    ).fetchall()


def owner_of(connection: psycopg.Connection, workflow: str) -> str:
    """Who owns a workflow; "" where nobody knows it."""
    row = connection.execute("SELECT owner FROM workflow WHERE name = %s", (workflow,)).fetchone()
    return "" if row is None else str(row[0])
