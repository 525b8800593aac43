"""``orchestrate documents``: the files of a case."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, print_rows
from orchestration_pipelines.cli.session import NUMBER, acting, as_person, connected, workflow_option
from orchestration_pipelines.domain.upload import MOST_BYTES
from orchestration_pipelines.engine import casework
from orchestration_pipelines.engine import documents as files

_COLUMNS = ("id", "name", "type", "size", "about", "added_by", "role", "added_at", "digest")


@click.group()
def documents() -> None:
    """Documents of a case: list them, add one, get one."""


@documents.command("list")
@click.argument("key")
@workflow_option
@as_json
def list_(key: str, workflow: str | None, wants_json: bool) -> None:
    """List the documents of the case KEY, in order."""
    with connected() as connection:
        found = files.of_case(connection, casework.find(connection, key, workflow).case_id)
    rows = [[getattr(document, column) for column in _COLUMNS] for document in found]
    print_rows("documents", list(_COLUMNS), rows, wants_json)


@documents.command()
@click.argument("key")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--about", metavar="FACT", help="The fact that it shows, by its name in workflow.yaml.")
@as_person
@workflow_option
@as_json
def add(key: str, file: Path, about: str | None, as_person: str | None, workflow: str | None, wants_json: bool) -> None:
    """Add FILE to the case KEY; it stays with it for good."""
    person, asserted_by = acting(as_person)
    if file.stat().st_size > MOST_BYTES:
        raise Problem(f"{file} has {file.stat().st_size:,} bytes; {MOST_BYTES:,} are taken")
    with connected() as connection:
        added = files.add(
            connection,
            casework.find(connection, key, workflow).case_id,
            name=file.name,
            content=file.read_bytes(),
            by=person,
            asserted_by=asserted_by,
            about=about,
            at=datetime.now(UTC),
        )
    if wants_json:
        print_json(added._asdict())
    else:
        click.echo(f"Document {added.id}, {added.name} ({added.type}), is with case {key}.")


@documents.command()
@click.argument("document", type=NUMBER)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@as_person
def get(document: int, file: Path | None, as_person: str | None) -> None:
    """Write a document to FILE (by default under its name, here); nothing is overwritten."""
    person, _ = acting(as_person)
    with connected() as connection:
        found = files.find(connection, document, person)
    if found is None:
        raise Problem(f"there is no document {document} that {person} sees: see orchestrate documents list KEY")
    known, content = found
    to = file or Path(known.name)
    try:
        with to.open("xb") as written:
            written.write(content)
    except FileExistsError:
        raise Problem(f"{to} is there already: name another FILE") from None
    click.echo(f"{to}: {known.size:,} bytes, SHA-256 {known.digest}")
