"""``orchestrate incidents``, ``dead-letters`` and ``quarantine``: what a person must mend."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.session import (
    NUMBER,
    acting,
    as_person,
    connected,
    engine_of,
    limit_option,
    operator,
    reason_option,
    set_option,
    workflow_option,
)
from orchestration_pipelines.engine import dead_letters as letters
from orchestration_pipelines.engine import incidents as faults
from orchestration_pipelines.engine import quarantine as rows

ended_option = click.option("--all", "ended", is_flag=True, help="Also those that are settled.")


@click.group()
def incidents() -> None:
    """What is stuck until a person acts: list, resolve."""


@incidents.command("list")
@workflow_option
@ended_option
@limit_option
@as_json
def list_incidents(workflow: str | None, ended: bool, limit: int, wants_json: bool) -> None:
    """List the open incidents, oldest first."""
    with connected() as connection:
        found = faults.listed(connection, workflow, ended=ended, limit=limit)
    columns = ["id", "workflow", "case_key", "element", "kind", "reason", "owner", "opened_at"]
    if ended:
        columns += ["resolved_by", "resolution"]
    print_rows("incidents", columns, [[getattr(i, column) for column in columns] for i in found], wants_json)


@incidents.command()
@click.argument("incident", type=NUMBER)
@reason_option
@as_person
def resolve(incident: int, reason: str, as_person: str | None) -> None:
    """Say how an incident was mended; a stuck case is tried again at its step."""
    with connected() as connection:
        again = faults.resolve(connection, incident, by=operator(as_person), reason=reason, at=datetime.now(UTC))
    click.echo(f"Incident {incident} is resolved." + (" The next sweep tries its case again." if again else ""))


@click.group("dead-letters")
def dead_letters() -> None:
    """Visits that no further attempt will finish: list, replay, abandon."""


@dead_letters.command("list")
@workflow_option
@ended_option
@limit_option
@as_json
def list_letters(workflow: str | None, ended: bool, limit: int, wants_json: bool) -> None:
    """List the dead letters, oldest first; --json has the tracebacks."""
    with connected() as connection:
        found = letters.listed(connection, workflow, ended=ended, limit=limit)
    if wants_json:
        print_json([letter._asdict() for letter in found])
        return
    columns = ["id", "case_key", "element", "attempts", "error", "dead_at", "status"]
    print_rows("dead letters", columns, [[getattr(d, column) for column in columns] for d in found], False)


@dead_letters.command()
@click.argument("letter", type=NUMBER, nargs=-1, required=True)
@reason_option
@as_person
def replay(letter: tuple[int, ...], reason: str, as_person: str | None) -> None:
    """Try the same visits again, under the same idempotency keys."""
    with connected() as connection:
        for each in letter:
            letters.replay(connection, each, by=operator(as_person), reason=reason, at=datetime.now(UTC))
            click.echo(f"Dead letter {each} is replayed by the next sweep.")


@dead_letters.command()
@click.argument("letter", type=NUMBER, nargs=-1, required=True)
@reason_option
@as_person
def abandon(letter: tuple[int, ...], reason: str, as_person: str | None) -> None:
    """Give visits up: their cases are undone and end as cancelled."""
    with connected() as connection:
        for each in letter:
            letters.abandon(connection, each, by=operator(as_person), reason=reason, at=datetime.now(UTC))
            click.echo(f"Dead letter {each} is abandoned; the next sweep undoes what its case has done.")


@click.group()
def quarantine() -> None:
    """Rows that made no case: list, mend and offer again."""


@quarantine.command("list")
@workflow_option
@ended_option
@limit_option
@as_json
def list_rows(workflow: str | None, ended: bool, limit: int, wants_json: bool) -> None:
    """List the quarantined rows, oldest first; --json has their columns."""
    with connected() as connection:
        found = rows.listed(connection, workflow, ended=ended, limit=limit)
    if wants_json:
        print_json([row._asdict() for row in found])
        return
    columns = ["id", "workflow", "source", "row_no", "case_key", "reason", "at"]
    print_rows("quarantine", columns, [[getattr(row, column) for column in columns] for row in found], False)


@quarantine.command()
@click.argument("row", type=NUMBER)
@click.argument("workflow")
@set_option("Put a column right.")
@as_person
def resubmit(row: int, workflow: str, changes: dict[str, str], as_person: str | None) -> None:
    """Offer quarantined ROW to WORKFLOW again, with columns put right."""
    person, _ = acting(as_person)
    key = rows.resubmit(engine_of(workflow), row, changes=changes, by=person)
    click.echo(f"Row {row} is now case {key}.")
