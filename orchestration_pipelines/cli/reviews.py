"""``orchestrate reviews`` and ``orchestrate answer``: the reviewer table from the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from orchestration_pipelines.cli import decide_many, hands, inquiries
from orchestration_pipelines.cli.output import Problem, as_json, console, print_json, print_rows, verbatim
from orchestration_pipelines.cli.session import (
    NUMBER,
    acting,
    as_person,
    connected,
    limit_option,
    set_option,
    workflow_option,
)
from orchestration_pipelines.domain.review import Outcome
from orchestration_pipelines.engine import history as what_happened
from orchestration_pipelines.engine import reviews as table
from orchestration_pipelines.engine import why as explanation
from orchestration_pipelines.store.versions import names


@click.group()
def reviews() -> None:
    """What waits for people: list, show, take, decide."""


for verb in (*hands.VERBS, *inquiries.VERBS, *decide_many.VERBS):
    reviews.add_command(verb)


@reviews.command("list")
@workflow_option
@click.option("--queue", metavar="NAME", help="Only this queue's.")
@click.option("--at", "element", metavar="ELEMENT", help="Only the tasks of this step.")
@limit_option
@as_json
def list_(workflow: str | None, queue: str | None, element: str | None, limit: int, wants_json: bool) -> None:
    """List the open tasks, oldest first."""
    with connected() as connection:
        tasks = table.open_tasks(connection, workflow, element=element, queue=queue, limit=limit)
    if wants_json:
        print_json([_shown(task) for task in tasks])
        return
    rows = [
        [t.task, t.case_key, t.element, t.queue, t.role, t.signature, _age(t.opened_at), _due(t.due_at)] for t in tasks
    ]
    columns = ["task", "case", "step", "queue", "who may decide", "signature", "age", "due in"]
    print_rows("open tasks", columns, rows, False)
    if tasks:
        click.echo(f"See one with: orchestrate reviews show {tasks[0].task}")


@reviews.command()
@click.argument("task", type=NUMBER)
@as_json
def show(task: int, wants_json: bool) -> None:
    """Show one open task: the question, the facts, the suggestion, and the digest that a decision names."""
    with connected() as connection:
        found = table.open_task(connection, task)
        offered = table.offered_reasons(connection, found.workflow, found.element)
    if wants_json:
        print_json({**_shown(found), "offered_reasons": [reason._asdict() for reason in offered]})
        return
    console().print(f"[bold]Task {found.task}[/bold] · case", verbatim(found.case_key), "·", verbatim(found.question))
    click.echo(
        f"queue {found.queue} (role {found.role}), signature {found.signature}, requested by {found.requested_by}"
    )
    print_rows("facts", ["fact", "value"], [[name, _plain(value)] for name, value in found.facts.items()], False)
    if found.kind == "quality":
        click.echo("A quality review: what the machine chose is not shown, and what you decide moves nothing.")
    for reason in found.reasons:
        console().print("Because", verbatim(reason))
    if found.editable:
        click.echo(f"May be edited: {', '.join(found.editable)}")
    if offered:
        rows = [[r.code, r.words, ", ".join(r.outcomes), "yes" if r.needs_text else ""] for r in offered]
        print_rows("reasons", ["code", "reason", "to", "with a rationale"], rows, False)
    click.echo(f"Digest of what is shown: {found.digest}")
    click.echo(
        f"Decide with: orchestrate reviews decide {found.task} --as PERSON --seen {found.digest} "
        f"--outcome {'|'.join(['approve', 'reject'] if found.kind == 'quality' else Outcome)} --rationale TEXT"
    )


@reviews.command()
@click.argument("task", type=NUMBER)
@as_json
def why(task: int, wants_json: bool) -> None:
    """Why me, why not her: everybody's place for a task as of now, and what was kept when it was given."""
    with connected() as connection:
        told = explanation.why(connection, task, datetime.now(UTC))
    if wants_json:
        print_json(
            {
                "strategy": told.strategy,
                "places": [place._asdict() for place in told.places],
                "recorded": [each._asdict() for each in told.recorded],
            }
        )
        return
    print_rows(
        f"task {task}, {told.strategy}",
        ["place", "person", "why"],
        [[p.place, p.person, p.why] for p in told.places],
        False,
    )
    rows = [
        [
            each.at.isoformat(timespec="seconds"),
            each.person or "back to the queue",
            each.cause,
            each.by,
            ", ".join(str(candidate["person"]) for candidate in each.candidates),
            ", ".join(f"{count} {reason}" for reason, count in each.excluded.items()),
        ]
        for each in told.recorded
    ]
    print_rows("as recorded", ["when", "who", "cause", "by", "the best", "the rest"], rows, False)


@reviews.command()
@click.argument("task", type=NUMBER)
@as_person
@click.option("--seen", required=True, metavar="DIGEST", help="The digest that `reviews show` printed.")
@click.option("--outcome", required=True, type=click.Choice([outcome.value for outcome in Outcome]))
@click.option("--rationale", default="", help="Why, in words; without a reason, needed for all but a plain approval.")
@click.option("--reason-code", "reasons", multiple=True, metavar="CODE", help="A reason that `reviews show` lists.")
@set_option("Edit a field; earlier signatures are void.")
@as_json
def decide(
    task: int,
    as_person: str | None,
    seen: str,
    outcome: str,
    rationale: str,
    reasons: tuple[str, ...],
    changes: dict[str, str],
    wants_json: bool,
) -> None:
    """Decide a task. The database refuses what breaks a rule, and says which."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        edits = table.typed(connection, table.open_task(connection, task), changes) if changes else {}
        number = table.decide(
            connection,
            task,
            person=person,
            seen=seen,
            outcome=outcome,
            rationale=rationale,
            reasons=reasons,
            edits=edits,
            asserted_by=asserted_by,
        )
    _told(number, task, person, outcome, wants_json)


@click.command()
@click.argument("task", type=NUMBER)
@as_person
@set_option("Supply a field that was asked for.")
@click.option("--decline", is_flag=True, help="Say no to what is offered or asked.")
@click.option("--rationale", default="", help="Anything to add.")
@as_json
def answer(
    task: int, as_person: str | None, changes: dict[str, str], decline: bool, rationale: str, wants_json: bool
) -> None:
    """Answer what the requester of a case was asked."""
    person, asserted_by = acting(as_person)
    with connected() as connection:
        edits = table.typed(connection, table.open_task(connection, task), changes) if changes else {}
        number = table.answer(
            connection,
            task,
            person=person,
            edits=edits,
            rationale=rationale,
            declines=decline,
            asserted_by=asserted_by,
        )
    _told(number, task, person, "declined" if decline else "answered", wants_json)


@reviews.command()
@click.argument("task", type=NUMBER, required=False)
@click.option("--case", "case_key", metavar="KEY", help="All tasks of this case.")
@workflow_option
@as_json
def history(task: int | None, case_key: str | None, workflow: str | None, wants_json: bool) -> None:
    """Who had a task, gave it back, worked on it, asked about it, decided it; until all have signed, not how."""
    if (task is None) == (case_key is None):
        raise Problem("name a TASK, or a case with --case KEY")
    with connected() as connection:
        if task is not None:
            found = what_happened.of_task(connection, task)
        else:
            found = what_happened.of_case(connection, case_key or "", workflow)
    if wants_json:
        print_json([each._asdict() for each in found])
        return
    rows = [[each.task, each.element, _stretch(each), each.what, each.person, each.by, each.detail] for each in found]
    print_rows("history", ["task", "step", "when", "what", "who", "by", "more"], rows, False)


def _stretch(each: what_happened.Happened) -> str:
    begun = each.at.isoformat(timespec="seconds")
    return begun if each.until is None else f"{begun}, for {_duration((each.until - each.at).total_seconds())}"


@reviews.command()
@workflow_option
@click.option("--days", type=click.IntRange(1, 3_660), default=90, show_default=True, help="How far back.")
@as_json
def reasons(workflow: str | None, days: int, wants_json: bool) -> None:
    """Count decisions by step, the rule that sent them there, outcome and reason: which rule causes the most work."""
    now = datetime.now(UTC)
    with connected() as connection:
        asked = [workflow] if workflow else names(connection)
        counted = [
            (name, each)
            for name in asked
            for each in table.counted_reasons(connection, name, now - timedelta(days=days), now)
        ]
    if wants_json:
        print_json([{"workflow": name, **each._asdict()} for name, each in counted])
        return
    rows = [
        [each.element, each.rule, each.outcome, each.meaning or each.reason, each.decisions, _duration(each.touch_s)]
        for _, each in counted
    ]
    print_rows("decisions by reason", ["step", "sent by rule", "outcome", "reason", "decisions", "worked"], rows, False)


def _told(number: int, task: int, person: str, what: str, wants_json: bool) -> None:
    if wants_json:
        print_json({"decision": number, "task": task, "by": person, "outcome": what})
    else:
        click.echo(f"Decision {number} on task {task} by {person}: {what}. The next sweep takes it on.")


def _shown(task: table.OpenTask) -> dict[str, Any]:
    return task._asdict()


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_plain(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "\n".join(_plain(item) for item in value)
    return "" if value is None else str(value)


def _age(since: datetime) -> str:
    return _duration((datetime.now(UTC) - since).total_seconds())


def _due(at: datetime | None) -> str:
    if at is None:
        return ""
    left = (at - datetime.now(UTC)).total_seconds()
    return _duration(left) if left >= 0 else f"past by {_duration(-left)}"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
