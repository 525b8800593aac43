"""How one expectation about a data set came out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """An expectation, held against what was offered."""

    expectation: str
    column: str
    passed: bool
    unexpected: int  #: how many rows are not as expected
    examples: tuple[str, ...]  #: case keys of some of them; never what they hold
