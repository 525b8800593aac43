"""Boolean functions (DMN 1.5, clause 10.3.4.2)."""

from __future__ import annotations

from orchestration_pipelines.model.feel.builtins.library import Library
from orchestration_pipelines.model.feel.evaluation import Evaluation

BOOLEANS = Library()


@BOOLEANS.function("not", "negand: boolean")
def _not(_: Evaluation, negand: bool) -> bool:
    return not negand
