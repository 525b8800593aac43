"""Contexts, lists and relations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.model.dmn.boxed.logic import Logic, Scope
from orchestration_pipelines.model.dmn.explanation import Run


@dataclass(frozen=True, slots=True)
class Entry:
    """A named expression of a context."""

    name: str
    logic: Logic


@dataclass(frozen=True, slots=True)
class Boxed:
    """A context: its entries in order, each seeing those above it, and a result if one is drawn (clause 7.3.5)."""

    entries: tuple[Entry, ...]
    result: Logic | None = None

    def value(self, scope: Scope, run: Run) -> Any:
        """The result entry's value, or the context of all entries."""
        seen = dict(scope)
        built: dict[str, Any] = {}
        for entry in self.entries:
            run.evaluation.spend()
            seen[entry.name] = built[entry.name] = entry.logic.value(seen, run)
        return built if self.result is None else self.result.value(seen, run)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of expressions (clause 7.3.7)."""

    items: tuple[Logic, ...]

    def value(self, scope: Scope, run: Run) -> Any:
        """A list of what they come to."""
        run.evaluation.spend(len(self.items))
        return [item.value(scope, run) for item in self.items]


@dataclass(frozen=True, slots=True)
class Related:
    """A relation: rows of expressions under named columns (clause 7.3.6)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Logic, ...], ...]

    def value(self, scope: Scope, run: Run) -> Any:
        """A context for each row."""
        run.evaluation.spend(len(self.rows) * len(self.columns))
        return [
            {name: cell.value(scope, run) for name, cell in zip(self.columns, row, strict=True)} for row in self.rows
        ]
