"""The functions that FEEL brings with it (DMN 1.5, clause 10.3.4), by their names."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration_pipelines.model.feel.builtins.aggregates import AGGREGATES
from orchestration_pipelines.model.feel.builtins.booleans import BOOLEANS
from orchestration_pipelines.model.feel.builtins.contexts import CONTEXTS
from orchestration_pipelines.model.feel.builtins.conversions import CONVERSIONS
from orchestration_pipelines.model.feel.builtins.dates import DATES
from orchestration_pipelines.model.feel.builtins.intervals import INTERVALS
from orchestration_pipelines.model.feel.builtins.library import Builtin
from orchestration_pipelines.model.feel.builtins.lists import LISTS
from orchestration_pipelines.model.feel.builtins.numbers import NUMBERS
from orchestration_pipelines.model.feel.builtins.strings import STRINGS

__all__ = ["BUILTINS"]

BUILTINS: Mapping[str, Builtin] = {
    **CONVERSIONS,
    **BOOLEANS,
    **STRINGS,
    **LISTS,
    **AGGREGATES,
    **NUMBERS,
    **DATES,
    **INTERVALS,
    **CONTEXTS,
}
