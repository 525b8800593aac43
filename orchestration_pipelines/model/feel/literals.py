"""At-literals: ``@"2026-01-31"``, and times, dates and times, and durations (DMN 1.5, rule 65)."""

from __future__ import annotations

from typing import Any

from orchestration_pipelines.model.feel.builtins import BUILTINS
from orchestration_pipelines.model.feel.evaluation import Evaluation

_READERS = ("date", "time", "date and time", "duration")


def at_literal(text: str) -> Any:
    """What the text stands for; None if it is no date, no time and no duration."""
    found = (BUILTINS[name].call(Evaluation(), [text]) for name in _READERS)
    return next((value for value in found if value is not None), None)
