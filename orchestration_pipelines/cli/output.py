"""What the verbs print: a table for a person, JSON for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Problem(Exception):
    """Something that a user can mend; the message says how."""


as_json = click.option("--json", "wants_json", is_flag=True, help="Print JSON instead of a table.")


def tell(message: str) -> None:
    """A line of progress, beside the output."""
    click.echo(message, err=True)


def print_json(value: Any) -> None:
    """JSON on standard output; numbers stay exact."""
    click.echo(json.dumps(value, default=_plain, indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return json.loads(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def write_page(path: Path, page: str) -> None:
    """A page into the file that was asked for."""
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}") from None


def print_rows(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], wants_json: bool) -> None:
    """Rows as a table, or as a list of objects."""
    listed = [list(row) for row in rows]
    if wants_json:
        print_json([dict(zip(columns, row, strict=True)) for row in listed])
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "))
    for row in listed:
        table.add_row(*("" if cell is None else verbatim(cell) for cell in row))
    console().print(table if listed else f"{title}: none")


def verbatim(value: Any) -> Text:
    """What somebody wrote, as they wrote it: neither markup nor a terminal's commands are obeyed."""
    written = str(value)
    if written.isprintable():
        return Text(written)
    return Text("".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in written))


def console() -> Console:
    """The terminal; wide where the output goes into a file, so that nothing is cut."""
    return Console(width=None if sys.stdout.isatty() else 140)
