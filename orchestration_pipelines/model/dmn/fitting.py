"""Holding values against types, with the conversions of the standard (DMN 1.5, clause 10.3.2.9.4)."""

from __future__ import annotations

from typing import Any

from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.dmn.items import Restricted
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.types import ANY, Type, coerced, described


def fitting(value: Any, item: Type, name: str, run: Run) -> Any:
    """The value as a type has it; null, told with the name of what should have it, where it has none."""
    if value is None or item is ANY:
        return value
    told = run.evaluation.diagnostics
    before = len(told)
    fits = _as(value, item, run.evaluation)
    if fits is None:
        told[before:] = [f"{name} is no {item}: {'; '.join(told[before:])}"]
    return fits


def _as(value: Any, item: Type, evaluation: Evaluation) -> Any:
    if not isinstance(item, Restricted):
        return coerced(value, item, evaluation)
    fits = _as(value, item.base, evaluation)
    if fits is None or item.allows(fits, evaluation):
        return fits
    return evaluation.fault(f"{described(fits)} is none of the values that are allowed")
