"""How a value came about: what an evaluation keeps, and the record that it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestration_pipelines.model.feel.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision's value and how it came about."""

    value: Any
    digest: str  #: of the file that holds the table
    inputs: Mapping[str, Any]  #: as used: input expression (or name of what is required) to value
    rules: tuple[str, ...]  #: ids of the rules that matched
    diagnostics: tuple[str, ...] = ()
    name: str = ""  #: of the decision, or of the function or entry that holds the table
    requires: tuple[Explanation, ...] = ()  #: the decisions and tables that were asked on the way, in that order


@dataclass(slots=True)
class Run:
    """One evaluation of a model: its budget and diagnostics, and what was asked on the way."""

    evaluation: Evaluation = field(default_factory=Evaluation)
    asked: list[Explanation] | None = None  #: None where nobody wants the record
