"""Long lists a page at a time: a page begins behind the last row of the one before, however the list has grown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Form, Query
from pydantic import Field

#: rows on a page
ROWS = 50
#: at most so many are acted on at once
MOST = 200
_Row = TypeVar("_Row")
#: the rows that somebody has ticked
Ticked = Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None, Form(max_length=MOST)]

#: the number of the last row of the page before
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
#: where the page before ended, as an address says it: an instant (or nothing) and a number
MARK = r"^([0-9T:.+-]*~[0-9]{1,18})?$"
Mark = Annotated[str, Query(max_length=80, pattern=MARK)]


@dataclass(frozen=True)
class Page(Generic[_Row]):
    """The rows of a page, and where the next one begins; None: there is none."""

    rows: Sequence[_Row]
    after: str | None


def page(found: Sequence[_Row], mark: Callable[[_Row], object]) -> Page[_Row]:
    """A page of what was found: one row more than it shows tells whether there is another."""
    rows = found[:ROWS]
    return Page(rows, str(mark(rows[-1])) if len(found) > ROWS else None)


def marked(at: datetime | None, number: int) -> str:
    """A row as where a page ended."""
    return f"{at.isoformat() if at else ''}~{number}"


def behind(mark: str) -> tuple[datetime | None, int] | None:
    """Where a page begins; None: at the beginning. A mark that nobody could have been given begins there, too."""
    at, _, number = mark.partition("~")
    try:
        return (datetime.fromisoformat(at) if at else None, int(number))
    except ValueError:
        return None
