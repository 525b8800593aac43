"""Which cells of a column hold for a value, as a bit mask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.boxed.logic import Scope
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.nodes import INPUT

_CLOCK = re.compile(r"\b(now|today)\b")


def mask_of(
    cells: Sequence[feel.Expression], scope: Scope, value: Any, evaluation: Evaluation | None = None, among: int = -1
) -> int:
    """The cells that hold, of those that are ``among`` them."""
    told = evaluation or Evaluation()
    told.spend(len(cells))
    names = {**scope, INPUT: value}
    mask = 0
    for index, cell in enumerate(cells):
        if among >> index & 1 and cell.evaluate(names, told) is True:
            mask |= 1 << index
    return mask


def constant(expression: feel.Expression) -> bool:
    """Whether an expression reads nothing but the value that it tests: no name, and no clock."""
    return not expression.names - {INPUT} and _CLOCK.search(expression.text) is None
