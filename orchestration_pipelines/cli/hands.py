"""``orchestrate reviews next``, ``claim``, ``release`` …: tasks into people's hands and out of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from orchestration_pipelines.cli.output import as_json, print_json
from orchestration_pipelines.cli.session import NUMBER, acting, as_person, connected, reason_option, workflow_option
from orchestration_pipelines.engine import hands
from orchestration_pipelines.engine.reviews import open_task

_tasks = click.argument("tasks", type=NUMBER, nargs=-1, required=True, metavar="TASK...")


@click.command("next")
@as_person
@workflow_option
@click.option("--queue", metavar="NAME", help="Only from this queue.")
@as_json
def next_(as_person: str | None, workflow: str | None, queue: str | None, wants_json: bool) -> None:
    """Take the next task that is yours to do: assigned to you already, or the first in order of your queues."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        number = hands.pull(
            connection, person, at=datetime.now(UTC), workflow=workflow, queue=queue, asserted_by=asserted_by
        )
        task = open_task(connection, number)
    if wants_json:
        print_json(task._asdict())
    else:
        click.echo(f"Task {number} is yours, {person}: case {task.case_key}, {task.question or task.element}")
        click.echo(f"See it with: orchestrate reviews show {number}")


@click.command()
@_tasks
@as_person
@as_json
def claim(tasks: Sequence[int], as_person: str | None, wants_json: bool) -> None:
    """Claim these tasks, open or assigned to you."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        _told(hands.claim(connection, tasks, person=person, at=datetime.now(UTC), asserted_by=asserted_by), wants_json)


@click.command()
@_tasks
@as_person
@as_json
def release(tasks: Sequence[int], as_person: str | None, wants_json: bool) -> None:
    """Give tasks back to their queues; they keep their place in the order."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        given = hands.release(connection, tasks, person=person, at=datetime.now(UTC), asserted_by=asserted_by)
        _told(given, wants_json)


@click.command()
@_tasks
@as_person
@reason_option
@as_json
def decline(tasks: Sequence[int], as_person: str | None, reason: str, wants_json: bool) -> None:
    """Say that these tasks are not for you: you are not offered them again, and nothing changes for anybody else."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        declined = hands.decline(
            connection, tasks, person=person, reason=reason, at=datetime.now(UTC), asserted_by=asserted_by
        )
        _told(declined, wants_json)


@click.command()
@_tasks
@as_person
@as_json
def pause(tasks: Sequence[int], as_person: str | None, wants_json: bool) -> None:
    """Stop work on claimed tasks for a while; they stay yours, and the time does not count as work."""
    person, _ = acting(as_person)
    with connected() as connection:
        _told(hands.pause(connection, tasks, person=person, at=datetime.now(UTC)), wants_json)


@click.command()
@_tasks
@as_person
@as_json
def resume(tasks: Sequence[int], as_person: str | None, wants_json: bool) -> None:
    """Go on with paused tasks."""
    person, _ = acting(as_person)
    with connected() as connection:
        _told(hands.resume(connection, tasks, person=person, at=datetime.now(UTC)), wants_json)


@click.command()
@_tasks
@as_person
@click.option("--to", metavar="PERSON", help="Who gets them; without it they go back to their queues.")
@reason_option
@as_json
def reassign(tasks: Sequence[int], as_person: str | None, to: str | None, reason: str, wants_json: bool) -> None:
    """As a manager, give tasks to somebody, or back to their queues."""
    manager, asserted_by = acting(as_person)
    with connected() as connection:
        moved = hands.reassign(
            connection, tasks, to=to, by=manager, reason=reason, at=datetime.now(UTC), asserted_by=asserted_by
        )
        _told(moved, wants_json)


def _told(handed: Sequence[hands.Handed], wants_json: bool) -> None:
    if wants_json:
        print_json([one._asdict() for one in handed])
        return
    for one in handed:
        now = "is back in its queue" if one.person is None else f"is in the hands of {one.person}"
        click.echo(f"Task {one.task} {now}." if one.moved else f"Task {one.task} is left as it was: {one.rule}.")


VERBS = (next_, claim, release, decline, pause, resume, reassign)
