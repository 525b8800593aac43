"""``orchestrate model release`` and what follows it: a table changes by an act of people, not by an edit of a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows
from orchestration_pipelines.cli.session import (
    acting,
    as_person,
    connected,
    find_workflow,
    limit_option,
    reason_option,
    workflow_option,
)
from orchestration_pipelines.domain.release import State
from orchestration_pipelines.engine import proposing
from orchestration_pipelines.engine import releases as table
from orchestration_pipelines.engine.proposing import Proposed
from orchestration_pipelines.engine.releases import Person
from orchestration_pipelines.store.releases import Release

_LARGEST = 10_000_000

of_workflow = click.option(
    "--workflow", metavar="NAME", help="The workflow, by name or folder; by default the folder that FILE is in."
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_person
@reason_option
@of_workflow
@as_json
def release(file: Path, as_person: str | None, reason: str, workflow: str | None, wants_json: bool) -> None:
    """Propose FILE, a .dmn or .bpmn, for a workflow: shows what it changes. Tightening is active at once."""
    content = _read(file)
    meant = find_workflow(workflow or str(file.resolve().parent))
    with connected() as connection:
        proposed = proposing.propose(
            connection, meant, file.name, content, by=_acting(as_person), reason=reason, now=datetime.now(UTC)
        )
    _tell_proposed(proposed, wants_json)


@click.command()
@click.argument("digest")
@as_person
@workflow_option
@as_json
def approve(digest: str, as_person: str | None, workflow: str | None, wants_json: bool) -> None:
    """Agree to the proposal DIGEST (its beginning is enough) as a second person: it is active from now on."""
    with connected() as connection:
        done = table.approve(connection, digest, workflow, by=_acting(as_person), now=datetime.now(UTC))
    _tell(done, wants_json)


@click.command()
@click.argument("digest")
@as_person
@reason_option
@workflow_option
@as_json
def reject(digest: str, as_person: str | None, reason: str, workflow: str | None, wants_json: bool) -> None:
    """Turn the proposal DIGEST down; who made it withdraws it by this."""
    with connected() as connection:
        done = table.reject(connection, digest, workflow, by=_acting(as_person), reason=reason, now=datetime.now(UTC))
    _tell(done, wants_json)


@click.command()
@click.argument("digest")
@as_person
@reason_option
@click.option("--workflow", metavar="NAME", required=True, help="The workflow, by name or folder.")
@as_json
def rollback(digest: str, as_person: str | None, reason: str, workflow: str, wants_json: bool) -> None:
    """Propose the content DIGEST again, which was released before: the same path, by the same rules."""
    meant = find_workflow(workflow)
    with connected() as connection:
        proposed = proposing.roll_back(
            connection, meant, digest, by=_acting(as_person), reason=reason, now=datetime.now(UTC)
        )
    _tell_proposed(proposed, wants_json)


@click.command()
@workflow_option
@limit_option
@as_json
def releases(workflow: str | None, limit: int, wants_json: bool) -> None:
    """List the releases, newest first: who asked, who agreed, what is active."""
    with connected() as connection:
        found = table.listed(connection, workflow, limit)
    if wants_json:
        print_json([one._asdict() for one in found])
        return
    columns = ["no", "workflow", "file", "digest", "state", "meaning", "asked by", "made active by", "since", "reason"]
    rows = [
        [
            one.id,
            one.workflow,
            one.file_name,
            one.digest[:12],
            one.state,
            one.meaning,
            one.requested_by,
            one.approved_by,
            f"{one.active_since:%Y-%m-%d %H:%M}" if one.active_since else None,
            one.ended_reason if one.state in (State.REJECTED, State.WITHDRAWN) else one.reason,
        ]
        for one in found
    ]
    print_rows("releases", columns, rows, False)


def _acting(named: str | None) -> Person:
    return Person(*acting(named))


def _read(file: Path) -> bytes:
    if file.suffix not in (".dmn", ".bpmn"):
        raise Problem(f"{file.name} is neither a table (.dmn) nor a drawing (.bpmn)")
    try:
        if file.stat().st_size > _LARGEST:
            raise Problem(f"{file} has more than {_LARGEST:,} bytes: no table that people can read is so large")
        return file.read_bytes()
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}") from error


def _tell_proposed(proposed: Proposed, wants_json: bool) -> None:
    if wants_json:
        told = {"why": proposed.why, "differences": proposed.differences, "findings": proposed.findings}
        print_json({**_shown(proposed.release), **told})
        return
    for difference in proposed.differences:
        click.echo("  " + difference.replace(" → ", "\n    → "))
    for finding in proposed.findings:
        click.echo(f"  to look at: {finding}")
    click.echo(f"It is {proposed.release.meaning}: {proposed.why}.")
    _tell(proposed.release, False)


def _tell(done: Release, wants_json: bool) -> None:
    if wants_json:
        print_json(_shown(done))
        return
    what = f"{done.file_name} of {done.workflow}, {done.digest[:12]}"
    if done.state == State.ACTIVE:
        click.echo(f"{what}, is active. Sweeps at work take it from their next chunk on.")
    elif done.state == State.PROPOSED:
        click.echo(
            f"{what}, is proposed by {done.requested_by}. A second person makes it active: "
            f"orchestrate model approve {done.digest[:12]} --as PERSON"
        )
    else:
        click.echo(f"{what}, is {done.state}: {done.ended_reason}")


def _shown(done: Release) -> dict[str, Any]:
    return done._asdict()
