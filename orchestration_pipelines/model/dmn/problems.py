"""What is wrong with a DMN file: reasons to refuse it, and problems that leave the rest of it usable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class DmnRefused(ValueError):
    """A DMN file that is not opened; the message lists every reason."""

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{name} is refused:\n" + "\n".join(f"  - {problem}" for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Problem:
    """An element that cannot be evaluated: it is null, and says why. The engine takes no model with a problem."""

    id: str  #: of the element, or of the nearest one around it that has an id
    name: str  #: of the decision or function that it belongs to
    position: str  #: where in it: a rule and its cell, an entry
    reason: str

    def __str__(self) -> str:
        where = f"{self.id} ({self.name})" if self.name else self.id
        return f"{where} {self.position}: {self.reason}" if self.position else f"{where}: {self.reason}"
