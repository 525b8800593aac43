"""``orchestrate reviews decide-many``: plain decisions from a file, each answered."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem, as_json, print_json, tell
from orchestration_pipelines.cli.session import acting, as_person, connected
from orchestration_pipelines.engine.reviews import PLAIN, Choice, Chosen, decide_many

_NEEDED = ("task", "seen", "outcome")
_KNOWN = (*_NEEDED, "rationale", "reasons")
_TELL_EVERY = 500
_MOST_TOLD = 20


@click.command("decide-many")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@as_person
@as_json
def many(file: Path, as_person: str | None, wants_json: bool) -> None:
    """Decide the tasks of FILE, a CSV with the columns task, seen, outcome and, where wanted, rationale and reasons.

    Each is decided on the digest that was `seen`, by the rules of any decision: only approve and reject, no edits. What
    is refused changes nothing for the rest and is told. A file with a slip in it decides nothing.
    """
    choices = read_choices(file)
    person, asserted_by = acting(as_person)
    answered: list[Chosen] = []
    with connected() as connection:
        decided = decide_many(connection, choices, person=person, at=datetime.now(UTC), asserted_by=asserted_by)
        for number, chosen in enumerate(decided, 1):
            answered.append(chosen)
            if number % _TELL_EVERY == 0:
                tell(f"{number:,} of {len(choices):,}")
    if wants_json:
        print_json([each._asdict() for each in answered])
        return
    refused = [each for each in answered if each.decision is None]
    for each in refused:
        click.echo(f"Task {each.task} is left as it was: {each.rule}.")
    click.echo(f"{len(answered) - len(refused):,} of {len(answered):,} are decided. The next sweep takes them on.")
    if answered and len(refused) == len(answered):
        raise Problem("nothing of the file could be decided")


def read_choices(file: Path) -> list[Choice]:
    """The rows of a file; a :class:`Problem` says everything that is wrong with it, by line."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            columns = reader.fieldnames or ()
            if missing := [name for name in _NEEDED if name not in columns]:
                raise Problem(f"{file.name} has no column {', '.join(missing)}: it needs {', '.join(_NEEDED)}")
            if unknown := [name for name in columns if name not in _KNOWN]:
                raise Problem(f"{file.name} has the column {unknown[0]!r}, which nobody reads: {', '.join(_KNOWN)}")
            rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Problem(f"{file.name} is no CSV in UTF-8: {error}") from None
    wrong = [f"line {line}: {told}" for line, row in rows for told in _slips(row)]
    if wrong:
        more = f"; and {len(wrong) - _MOST_TOLD:,} more" if len(wrong) > _MOST_TOLD else ""
        raise Problem(f"{file.name}: {'; '.join(wrong[:_MOST_TOLD])}{more}")
    return [
        Choice(
            int(row["task"]),
            row["seen"].strip(),
            row["outcome"].strip(),
            row.get("rationale") or "",
            tuple((row.get("reasons") or "").split()),
        )
        for _, row in rows
    ]


def _slips(row: dict[str, str]) -> Iterator[str]:
    if None in row or None in row.values():
        yield "it has not as many cells as the first line"
        return
    if not row["task"].strip().isdecimal() or not 0 < int(row["task"]) < 2**63:
        yield f"task is {row['task'][:40]!r}: write its number"
    if not row["seen"].strip():
        yield "seen is empty: write the digest that was shown (orchestrate reviews list --json)"
    if row["outcome"].strip() not in PLAIN:
        yield f"outcome is {row['outcome'][:40]!r}: only {' and '.join(PLAIN)} are decided in bulk"


VERBS = (many,)
