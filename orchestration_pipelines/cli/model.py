"""``orchestrate model``: what a workflow is, on one page, what is wrong with it, and the releases of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from orchestration_pipelines.cli.check import check, found_in
from orchestration_pipelines.cli.draw import draw
from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.releases import approve, reject, release, releases, rollback
from orchestration_pipelines.cli.session import find_workflow, looking
from orchestration_pipelines.engine.order import handoffs, sweeping_order
from orchestration_pipelines.engine.releases import Differing, differing
from orchestration_pipelines.engine.workflow import CANCELLATION, Workflow
from orchestration_pipelines.model.process import Element, Kind


@click.group()
def model() -> None:
    """The drawn model of a workflow, its tables, and their releases."""


for verb in (approve, check, draw, reject, release, releases, rollback):
    model.add_command(verb)


@model.command()
@click.argument("workflow")
@as_json
def describe(workflow: str, wants_json: bool) -> None:
    """What WORKFLOW (name or folder) is: steps, owners, approvals, deadlines, compensations, keys, workers, tables."""
    meant = find_workflow(workflow)
    with looking() as connection:
        page = description(meant, differing(connection, meant) if connection is not None else ())
    if wants_json:
        print_json(page)
        return
    click.echo(f"{page['workflow']}, owned by {page['owner']}, drawing {page['digest'][:12]}\n")
    for told in page["not in force"]:
        click.echo(f"{told}\n")
    for title, found in page.items():
        if isinstance(found, list) and title != "not in force":
            columns = list(found[0]) if found else []
            print_rows(title, columns, [[_shown(cell) for cell in row.values()] for row in found], False)


def _shown(cell: Any) -> Any:
    if isinstance(cell, list):
        return ", ".join(map(str, cell))
    return {True: "yes", False: ""}[cell] if isinstance(cell, bool) else cell


def description(workflow: Workflow, differing: Sequence[Differing] = ()) -> dict[str, Any]:
    """The page as plain values: lists of rows of the same columns; and which files of the folder are not in force."""
    not_active = {each.file_name: each.active or "none" for each in differing}
    drawn = workflow.process.elements
    stations = [drawn[station] for station in sweeping_order(workflow) if station != CANCELLATION]
    forward = handoffs(workflow)
    return {
        "workflow": workflow.name,
        "owner": workflow.owner,
        "digest": workflow.process.digest,
        "steps": [
            {
                "step": step.id,
                "name": step.name,
                "kind": step.kind.value,
                "owner": workflow.owner_of(step.id),
                "hands to": list(forward[step.id]),
            }
            for step in stations
        ],
        "approvals": [row for step in stations for row in _approvals(step)],
        "deadlines": [
            {"step": step.id, "timer": timer.id, "due": timer.timer.text, "owner": workflow.owner_of(step.id)}
            for step in stations
            for timer in workflow.router.boundary_timers(step.id)
            if timer.timer is not None
        ],
        "compensations": [
            {"step": step.id, "undone by": handler}
            for step in stations
            if (handler := workflow.router.compensation_handler(step.id)) is not None
        ],
        "queues": [
            {"queue": queue.name, "owner": queue.owner, "role": queue.role, "people": _people(workflow, queue.role)}
            for queue in workflow.queues.values()
        ],
        "keys": _keys(workflow),
        "workers": [_worker(workflow, step) for step in stations if step.kind is Kind.SERVICE],
        "tables": [
            {
                "decision": decision,
                "file": table.file_name,
                "digest": table.model.digest,
                "in force": not_active.get(table.file_name, table.model.digest),
            }
            for decision, table in workflow.tables.items()
        ],
        "found in the tables": [
            {name: found[name] for name in ("level", "kind", "where", "reason")}
            for table in {table.file_name: table for table in workflow.tables.values()}.values()
            for found in found_in(table.model, table.file_name)
        ],
        "not in force": [str(each) for each in differing],
    }


def _approvals(step: Element) -> list[dict[str, Any]]:
    rows = []
    if step.extra.get("requiresApproval") == "true":
        rows.append({"step": step.id, "approval": "needs one", "when": ""})
    if step.extra.get("approves") == "true":
        signatures = step.extra.get("signatures", "1")
        rows.append({"step": step.id, "approval": "gives one", "when": f"outcome approve, signatures {signatures}"})
    if step.extra.get("approvedWhen"):
        rows.append({"step": step.id, "approval": "gives one", "when": step.extra["approvedWhen"]})
    return rows


def _people(workflow: Workflow, role: str) -> list[str]:
    if role == "requester":
        return ["whoever submitted the case"]
    return sorted(person.id for person in workflow.reviewers.values() if role in person.roles)


def _keys(workflow: Workflow) -> list[dict[str, Any]]:
    rows = [{"column": workflow.intake.key, "type": "case key", "may be empty": False, "withheld as": ""}]
    rows += [
        {"column": field.name, "type": field.type, "may be empty": field.optional, "withheld as": ""}
        for field in workflow.intake.fields
    ]
    return rows + [
        {"column": name, "type": "any", "may be empty": True, "withheld as": kind}
        for kind, names in workflow.intake.withheld.items()
        for name in names
    ]


def _worker(workflow: Workflow, step: Element) -> dict[str, Any]:
    worker = workflow.workers[step.calls or step.id]
    return {
        "step": step.id,
        "worker": worker.name,
        "inputs": list(worker.inputs),
        "outputs": list(worker.outputs),
        "tools": list(worker.tools),
        "external": worker.external,
        "attempts": worker.retry.attempts,
        "timeout s": worker.timeout_s,
    }
