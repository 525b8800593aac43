"""Rows held against a suite of great expectations, the result in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from orchestration_pipelines.domain.expectation import Expected

_EXAMPLES = 3


def held(rows: pd.DataFrame, suite: Callable[[Any], Iterable[Any]], key: str) -> list[Expected]:
    """Hold rows against a suite, made from the module of the expectations; ``key`` is the column that names a row."""
    import great_expectations as gx  # three to ten seconds, and 220 MB: only for those who check
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all")
    expected = context.suites.add(gx.ExpectationSuite(name="suite", expectations=list(suite(gx.expectations))))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="held", data=batch, suite=expected))
    outcome = definition.run(
        batch_parameters={"dataframe": rows},
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [key]},
    )
    return [_plain(result, key) for result in outcome.results]


def _plain(result: Any, key: str) -> Expected:
    asked, found = result.expectation_config, result.result
    keys = [str(row[key]) for row in found.get("unexpected_index_list") or []]
    columns = [asked.kwargs[name] for name in ("column", "column_A", "column_B") if name in asked.kwargs]
    return Expected(
        expectation=asked.type.removeprefix("expect_column_"),
        column=", ".join(columns),
        passed=bool(result.success),
        unexpected=int(found.get("unexpected_count") or 0),
        examples=tuple(dict.fromkeys(keys))[:_EXAMPLES],
    )
