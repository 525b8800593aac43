"""``orchestrate reviews ask``, ``inquiries``, ``reply``: asking a colleague about a task in hand."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from orchestration_pipelines.cli.output import as_json, print_json, print_rows
from orchestration_pipelines.cli.session import NUMBER, acting, as_person, connected
from orchestration_pipelines.engine import inquiries as table


@click.command()
@click.argument("task", type=NUMBER)
@as_person
@click.option("--of", required=True, metavar="PERSON", help="Who is asked: somebody who may not sign the same case.")
@click.option("--text", required=True, help="The question.")
def ask(task: int, as_person: str | None, of: str, text: str) -> None:
    """Ask a colleague about a task that you have in hand. It stays yours; they see the case as long as it is open."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        number = table.ask(connection, task, by=person, of=of, text=text, at=datetime.now(UTC), asserted_by=asserted_by)
    click.echo(f"Inquiry {number}: {of} is told, and answers with: orchestrate reviews reply {number} --text TEXT")


@click.command()
@as_person
@as_json
def inquiries(as_person: str | None, wants_json: bool) -> None:
    """List what you are asked and have not answered."""
    person, _ = acting(as_person)
    with connected() as connection:
        found = table.waiting_for(connection, person)
    if wants_json:
        print_json([each._asdict() for each in found])
        return
    rows = [[each.id, each.case_key, each.task, each.asked_by, each.asked_at, each.text] for each in found]
    print_rows("questions to you", ["inquiry", "case", "task", "asked by", "asked at", "question"], rows, False)


@click.command()
@click.argument("inquiry", type=NUMBER)
@as_person
@click.option("--text", required=True, help="The answer.")
def reply(inquiry: int, as_person: str | None, text: str) -> None:
    """Answer what a colleague asked you. Nothing moves by it."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        table.answer(connection, inquiry, by=person, text=text, at=datetime.now(UTC), asserted_by=asserted_by)
    click.echo(f"Inquiry {inquiry} is answered.")


VERBS = (ask, inquiries, reply)
