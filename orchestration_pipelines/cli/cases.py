"""``orchestrate cases`` and ``orchestrate case``: what became of what was submitted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.session import (
    as_person,
    connected,
    limit_option,
    operator,
    reason_option,
    workflow_option,
)
from orchestration_pipelines.engine import casework

#: parts of an entry that stand in columns of their own
_IN_COLUMNS = {"act", "actor", "role", "record", "at", "seq", "case", "element", "to", "version", "sweeper"}


@click.group()
def cases() -> None:
    """Cases: list them, cancel one."""


@cases.command("list")
@workflow_option
@click.option("--state", type=click.Choice(["open", "closed", "cancelled"]))
@click.option("--at", metavar="ELEMENT", help="Only those whose token stands at this step.")
@limit_option
@as_json
def list_(workflow: str | None, state: str | None, at: str | None, limit: int, wants_json: bool) -> None:
    """List cases in the order of their submission."""
    with connected() as connection:
        found = casework.listed(connection, workflow, state=state, at=at, limit=limit)
    columns = ["workflow", "key", "state", "outcome", "stands_at", "status", "requested_by", "submitted_at"]
    rows = [[getattr(case, column) for column in columns] for case in found]
    print_rows("cases", columns, rows, wants_json)


@cases.command()
@click.argument("key")
@reason_option
@as_person
@workflow_option
def cancel(key: str, reason: str, as_person: str | None, workflow: str | None) -> None:
    """Cancel an open case: what it has completed is undone first."""
    with connected() as connection:
        moved = casework.cancel(
            connection, key, by=operator(as_person), reason=reason, at=datetime.now(UTC), workflow=workflow
        )
    when = "the next sweep undoes what it has done" if moved else "it is undone when the work under way has ended"
    click.echo(f"Case {key} is cancelled; {when}.")


@click.command()
@click.argument("key")
@workflow_option
@as_json
def case(key: str, workflow: str | None, wants_json: bool) -> None:
    """Show everything that happened to the case KEY, in order."""
    with connected() as connection:
        found = casework.history(connection, key, workflow)
    history = [{**_entry(entry), "rules_in_words": found.rules_of(entry)} for entry in found.entries]
    model = {"version": found.case.version, "digest": found.case.drawing}
    if wants_json:
        print_json(
            {
                "key": found.case.key,
                "workflow": found.case.workflow,
                "state": found.case.state,
                "outcome": found.case.outcome,
                "requested_by": found.case.requested_by,
                "model": model,
                "history": history,
            }
        )
        return
    outcome = f", {found.case.outcome}" if found.case.outcome else ""
    click.echo(
        f"Case {found.case.key} of {found.case.workflow} is {found.case.state}{outcome}. "
        f"Model version {model['version']} ({found.case.drawing[:12]})."
    )
    rows = [
        [
            e["seq"],
            e["at"][:19].replace("T", " "),
            e["who"],
            e["did"],
            e["at_step"],
            e["then_to"],
            "\n".join(filter(None, [*e["rules_in_words"], _said(e["detail"])])),
        ]
        for e in history
    ]
    print_rows("history", ["no", "when", "who", "did", "at", "then to", "what else"], rows, False)


def _entry(entry: casework.Recorded) -> dict[str, Any]:
    body = entry.body
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "who": f"{entry.actor} ({entry.role})",
        "did": entry.act,
        "record": entry.record,
        "at_step": body.get("element", ""),
        "then_to": body.get("to", ""),
        "detail": {name: value for name, value in body.items() if name not in _IN_COLUMNS},
    }


def _said(detail: dict[str, Any]) -> str:
    words = {"outcome", "effect", "rationale", "reason", "error", "edits", "diagnostics"}
    told = {**detail, **(detail.get("detail") or {})} if isinstance(detail.get("detail"), dict) else detail
    return "; ".join(f"{name}: {value}" for name, value in told.items() if name in words and value not in ("", {}, []))
