"""Versions of a workflow in the database: a case finishes on the one it started on."""

from __future__ import annotations

from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb

from orchestration_pipelines.engine.workflow import Workflow, WorkflowRefused
from orchestration_pipelines.model import bpmn
from orchestration_pipelines.model.process import Kind


def release(connection: psycopg.Connection, workflow: Workflow, by: str, now: datetime) -> int:
    """Make sure that this drawing is a version in the database; returns its id. Safe to repeat.

    Refused while a case in flight stands on an earlier version that needs a worker nothing binds any more.
    """
    with connection.transaction():
        connection.execute(
            "INSERT INTO workflow (name, owner) VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner WHERE workflow.owner <> excluded.owner",
            (workflow.name, workflow.owner),
        )
        connection.execute("SELECT FROM workflow WHERE name = %s FOR UPDATE", (workflow.name,))
        for queue in workflow.queues.values():
            connection.execute(
                "INSERT INTO queue VALUES (%s, %s, %s, %s) ON CONFLICT (workflow, name) DO UPDATE "
                "SET owner = excluded.owner, role = excluded.role "
                "WHERE (queue.owner, queue.role) <> (excluded.owner, excluded.role)",
                (workflow.name, queue.name, queue.owner, queue.role),
            )
        for field in workflow.intake.fields:
            connection.execute(
                "INSERT INTO field VALUES (%s, %s, %s, %s) ON CONFLICT (workflow, name) DO UPDATE "
                "SET type = excluded.type, optional = excluded.optional "
                "WHERE (field.type, field.optional) <> (excluded.type, excluded.optional)",
                (workflow.name, field.name, field.type, field.optional),
            )
        for person, roles in workflow.reviewers.items():
            connection.execute(
                "INSERT INTO reviewer (person, roles) VALUES (%s, %s) ON CONFLICT (person) DO NOTHING",
                (person, list(roles)),
            )
        for table in {id(table): table for table in workflow.tables.values()}.values():
            _release_table(connection, workflow.name, table.file_name, table.model.digest, table.content, by, now)
        known = connection.execute(
            "SELECT id FROM workflow_version WHERE workflow = %s AND digest = %s",
            (workflow.name, workflow.process.digest),
        ).fetchone()
        _refuse_unbound(connection, workflow)
        if workflow.process.extra.get("timeoutMayApprove") == "true":
            raise WorkflowRefused(
                workflow.name,
                [
                    "orch:timeoutMayApprove lets running out of time approve: that takes two people's release, which "
                    "is not there yet; lead the timer to where a person or a rule decides"
                ],
            )
        if known is not None:
            return int(known[0])
        made = connection.execute(
            "INSERT INTO workflow_version (workflow, version, digest, bpmn, released_at, released_by) "
            "SELECT %(name)s, coalesce(max(version), 0) + 1, %(digest)s, %(bpmn)s, %(now)s, %(by)s "
            "FROM workflow_version WHERE workflow = %(name)s RETURNING id",
            {
                "name": workflow.name,
                "digest": workflow.process.digest,
                "bpmn": workflow.bpmn,
                "now": now,
                "by": by,
            },
        ).fetchone()
        assert made is not None  # noqa: S101 - an INSERT … RETURNING returns
        connection.execute(
            "SELECT append_audit((SELECT -id FROM workflow WHERE name = %s), %s, 'owner', 'released', %s, %s, %s)",
            (
                workflow.name,
                by,
                f"version:{made[0]}",
                now,
                Jsonb({"digest": workflow.process.digest}),
            ),
        )
        return int(made[0])


def _release_table(
    connection: psycopg.Connection,
    workflow: str,
    file_name: str,
    digest: str,
    content: bytes,
    by: str,
    now: datetime,
) -> None:
    connection.execute(
        "UPDATE decision_table SET active = false WHERE workflow = %s AND file_name = %s AND digest <> %s AND active",
        (workflow, file_name, digest),
    )
    connection.execute(
        "INSERT INTO decision_table VALUES (%s, %s, %s, %s, true, %s, %s) "
        "ON CONFLICT (workflow, file_name, digest) DO UPDATE SET active = true WHERE NOT decision_table.active",
        (workflow, file_name, digest, content, now, by),
    )


def earlier_ids(connection: psycopg.Connection, workflow: str, current: int) -> list[int]:
    """The earlier versions on which a token is ready."""
    rows = connection.execute(
        "SELECT v.id FROM workflow_version v WHERE v.workflow = %s AND v.id <> %s "
        "AND EXISTS (SELECT FROM token t WHERE t.version_id = v.id AND t.status = 'ready') ORDER BY v.id",
        (workflow, current),
    )
    return [row[0] for row in rows]


def earlier(connection: psycopg.Connection, workflow: Workflow, current: int) -> list[tuple[int, Workflow]]:
    """The earlier versions on which cases are still in flight, each as a workflow that can be swept."""
    rows = connection.execute(
        "SELECT v.id, v.version, v.bpmn FROM workflow_version v WHERE v.id = ANY(%s) ORDER BY v.id",
        (earlier_ids(connection, workflow.name, current),),
    ).fetchall()
    return [(row[0], workflow.on(bpmn.loads(row[2], f"{workflow.name} version {row[1]}"), row[2])) for row in rows]


def _refuse_unbound(connection: psycopg.Connection, workflow: Workflow) -> None:
    rows = connection.execute(
        "SELECT v.version, v.bpmn FROM workflow_version v WHERE v.workflow = %s AND v.digest <> %s "
        "AND EXISTS (SELECT FROM token t WHERE t.version_id = v.id) ORDER BY v.version",
        (workflow.name, workflow.process.digest),
    ).fetchall()
    problems: list[str] = []
    for version, content in rows:
        process = bpmn.loads(content, f"{workflow.name} version {version}")
        stays = f"cases are in flight on version {version}, which needs"
        problems.extend(
            f"{stays} the worker {(process.elements[element].calls or element)!r}: keep it in workers.py until they "
            "have ended"
            for element in workflow.on(process, content).missing_workers()
        )
        problems.extend(
            f"{stays} the decision {decision!r}: keep its .dmn file until they have ended"
            for element in process.elements.values()
            if element.kind is Kind.RULE and (decision := element.calls or element.id) not in workflow.tables
        )
        problems.extend(
            f"{stays} the queue {queue!r}: keep it in workflow.yaml until they have ended"
            for element in process.elements.values()
            if element.kind is Kind.USER
            and not (queue := element.extra.get("queue", "")).startswith("=")
            and queue not in workflow.queues
        )
    if problems:
        raise WorkflowRefused(workflow.name, problems)
