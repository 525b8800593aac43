"""Evaluating a text, together with what it tells."""

from __future__ import annotations

from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.evaluation import Evaluation


def value(text: str, **context: Any) -> Any:
    """The value of a text over a context."""
    return feel.compile(text, frozenset(context)).evaluate(context)


def told(text: str, **context: Any) -> tuple[Any, list[str]]:
    """The value of a text, and the diagnostics."""
    evaluation = Evaluation()
    return feel.compile(text, frozenset(context)).evaluate(context, evaluation), evaluation.diagnostics


def agree(left: str, right: str) -> bool:
    """Whether two texts have one value: for Python and for FEEL, and neither of them null by accident."""
    one, other = value(left), value(right)
    same = one == other and type(one) is type(other) and value("a = b", a=one, b=other) is True
    return same and ((one is None) == (right == "null"))
