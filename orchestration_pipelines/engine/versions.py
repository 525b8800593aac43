"""Versions of a workflow in the database: a case finishes on the one it started on."""

from __future__ import annotations

from datetime import datetime

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.facts import to_json
from orchestration_pipelines.engine import people, policy, releases
from orchestration_pipelines.engine.releases import Person
from orchestration_pipelines.engine.tables import ActiveTables, asked_by, in_force
from orchestration_pipelines.engine.workflow import Workflow, WorkflowRefused
from orchestration_pipelines.model import bpmn
from orchestration_pipelines.model.process import Element, Kind, Process
from orchestration_pipelines.store import releases as store
from orchestration_pipelines.store import versions as table
from orchestration_pipelines.store.casework import note


def release(connection: psycopg.Connection, workflow: Workflow, by: str, now: datetime) -> int:
    """Make sure that this drawing is a version in the database; returns its id. Safe to repeat.

    Refused while a case in flight stands on an earlier version that needs a worker nothing binds any more.
    """
    with connection.transaction():
        record = table.lock_workflow(connection, workflow.name, workflow.owner)
        queues = [(queue.name, queue.owner, queue.role) for queue in workflow.queues.values()]
        table.put_queues(connection, workflow.name, queues)
        fields = [(field.name, field.type, field.optional) for field in workflow.intake.fields]
        table.put_fields(connection, workflow.name, fields)
        table.put_fact_sheet(connection, workflow.name, to_json(workflow.sheet))
        policy.install(connection, workflow, by=by, at=now)
        people.add_missing(connection, workflow)
        releases.install(connection, workflow, Person(by), now)
        active = ActiveTables(workflow.name)
        active.refresh(connection)
        _refuse_undecided(workflow, active)
        _refuse_unbound(connection, workflow)
        _refuse_approval_by_timeout(connection, workflow)
        known = table.find(connection, workflow.name, workflow.process.digest)
        if known is not None:
            return known
        made = table.add(connection, workflow.name, workflow.process.digest, workflow.bpmn, by=by, now=now)
        pinned = [d for e in workflow.process.elements.values() if (d := pinned_decision(e)) is not None]
        store.pin(connection, made, [(decision, active[decision].model.digest) for decision in pinned])
        note(
            connection,
            record,
            actor=by,
            role="owner",
            act="released",
            record=f"version:{made}",
            at=now,
            detail=encode({"digest": workflow.process.digest}),
        )
        return made


def earlier(
    connection: psycopg.Connection, workflow: Workflow, current: int, active: ActiveTables
) -> list[tuple[int, Workflow]]:
    """The earlier versions on which cases are still in flight, each as a workflow that can be swept."""
    found = table.drawings(connection, table.ready_ids(connection, workflow.name, current))
    return [
        (drawn.id, in_force(connection, workflow.on(_read(workflow, drawn), drawn.bpmn), drawn.id, active))
        for drawn in found
    ]


def pinned_decision(element: Element) -> str | None:
    """The decision that a business rule task binds when its drawing is released."""
    pinned = element.kind is Kind.RULE and element.extra.get("binding") == "pinned"
    return element.calls or element.id if pinned else None


def _read(workflow: Workflow, drawn: table.Drawing) -> Process:
    return bpmn.loads(drawn.bpmn, f"{workflow.name} version {drawn.version}")


def _refuse_undecided(workflow: Workflow, active: ActiveTables) -> None:
    """What is in the folder does not count before it is released."""
    problems = [
        f"{element.id} ({element.name}) asks for the decision {decision!r}, which no released table has: release "
        f"{workflow.tables[decision].file_name} with orchestrate model release"
        for element in workflow.process.elements.values()
        if (decision := asked_by(element)) is not None and decision not in active
    ]
    problems += [
        f"{element.id} ({element.name}) is pinned to the decision {decision!r}, whose file imports others: put all "
        "of it into one file, or bind it active"
        for element in workflow.process.elements.values()
        if (decision := pinned_decision(element)) is not None and decision in active and active[decision].model.imports
    ]
    if problems:
        raise WorkflowRefused(workflow.name, problems)


def _refuse_approval_by_timeout(connection: psycopg.Connection, workflow: Workflow) -> None:
    if workflow.process.extra.get("timeoutMayApprove") == "true" and not releases.approved_by_two(connection, workflow):
        raise WorkflowRefused(
            workflow.name,
            [
                "orch:timeoutMayApprove lets running out of time approve: that takes two people's release of this very "
                "drawing: orchestrate model release FILE.bpmn, then orchestrate model approve by somebody else; or "
                "lead the timer to where a person or a rule decides"
            ],
        )


def _refuse_unbound(connection: psycopg.Connection, workflow: Workflow) -> None:
    problems: list[str] = []
    for drawn in table.in_flight(connection, workflow.name, but=workflow.process.digest):
        process = _read(workflow, drawn)
        stays = f"cases are in flight on version {drawn.version}, which needs"
        problems.extend(
            f"{stays} the worker {(process.elements[element].calls or element)!r}: keep it in workers.py until they "
            "have ended"
            for element in workflow.on(process, drawn.bpmn).missing_workers()
        )
        problems.extend(
            f"{stays} the queue {queue!r}: keep it in workflow.yaml until they have ended"
            for element in process.elements.values()
            if element.kind is Kind.USER
            and (queue := element.extra.get("queue", ""))[:1] not in ("", "=")
            and queue not in workflow.queues
        )
    if problems:
        raise WorkflowRefused(workflow.name, problems)
