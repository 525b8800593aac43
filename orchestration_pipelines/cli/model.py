"""``orchestrate model describe``: what a workflow is, on one page."""

from __future__ import annotations

from typing import Any

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.session import find_workflow
from orchestration_pipelines.engine.order import handoffs, sweeping_order
from orchestration_pipelines.engine.workflow import CANCELLATION, Workflow
from orchestration_pipelines.model.process import Element, Kind


@click.group()
def model() -> None:
    """The drawn model of a workflow."""


@model.command()
@click.argument("workflow")
@as_json
def describe(workflow: str, wants_json: bool) -> None:
    """What WORKFLOW (name or folder) is: steps, owners, approvals, deadlines, compensations, keys, workers, tables."""
    page = description(find_workflow(workflow))
    if wants_json:
        print_json(page)
        return
    click.echo(f"{page['workflow']}, owned by {page['owner']}, drawing {page['digest'][:12]}\n")
    for title, found in page.items():
        if isinstance(found, list):
            columns = list(found[0]) if found else []
            print_rows(title, columns, [[_shown(cell) for cell in row.values()] for row in found], False)


def _shown(cell: Any) -> Any:
    if isinstance(cell, list):
        return ", ".join(map(str, cell))
    return {True: "yes", False: ""}[cell] if isinstance(cell, bool) else cell


def description(workflow: Workflow) -> dict[str, Any]:
    """The page as plain values: lists of rows of the same columns."""
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
            {"decision": decision, "file": table.file_name, "digest": table.model.digest}
            for decision, table in workflow.tables.items()
        ],
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
    return sorted(person for person, roles in workflow.reviewers.items() if role in roles)


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
