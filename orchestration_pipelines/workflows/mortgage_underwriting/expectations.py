"""What the offered applications are expected to look like: a great-expectations suite, and its result in plain words.

It says nothing about single cases, which ``screen`` does; it says whether the whole is what the scorer was made for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestration_pipelines.domain.expectation import Expected
from orchestration_pipelines.workflows.mortgage_underwriting.screening import BOUNDS, NEEDED

#: a column may be out of its bounds, or empty, in this share of the applications: they are asked for, not refused
MOSTLY = 0.98
_FLAGS = ("self", "pubrec", "chist", "unver", "fixadj", "gift", "cosign", "inss", "suffolk")
_EXAMPLES = 3


def check(applications: Sequence[Mapping[str, Any]]) -> list[Expected]:
    """Hold the offered applications against the suite."""
    import great_expectations as gx  # three to ten seconds, and 220 MB: only for those who check
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("offered")
        .add_dataframe_asset("applications")
        .add_batch_definition_whole_dataframe("all")
    )
    suite = context.suites.add(gx.ExpectationSuite(name="applications", expectations=list(_suite(gx.expectations))))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="offered", data=batch, suite=suite))
    outcome = definition.run(
        batch_parameters={"dataframe": pd.DataFrame([dict(row) for row in applications])},
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["case_key"]},
    )
    return [_plain(result) for result in outcome.results]


def _suite(expectations: Any) -> Iterator[Any]:
    yield expectations.ExpectColumnValuesToBeUnique(column="case_key")
    yield expectations.ExpectColumnValuesToNotBeNull(column="case_key")
    for column in NEEDED:
        yield expectations.ExpectColumnValuesToNotBeNull(column=column, mostly=MOSTLY)
    for column, (low, high) in BOUNDS.items():
        yield expectations.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, mostly=MOSTLY)
    for column in _FLAGS:
        yield expectations.ExpectColumnValuesToBeInSet(column=column, value_set=[0, 1])
    # Another market than the one that the scorer was fitted on shows here first.
    yield expectations.ExpectColumnMedianToBeBetween(column="loanamt", min_value=100, max_value=160)
    yield expectations.ExpectColumnMedianToBeBetween(column="obrat", min_value=28, max_value=38)


def _plain(result: Any) -> Expected:
    asked, found = result.expectation_config, result.result
    keys = [str(row["case_key"]) for row in found.get("unexpected_index_list") or []]
    return Expected(
        expectation=asked.type.removeprefix("expect_column_"),
        column=str(asked.kwargs["column"]),
        passed=bool(result.success),
        unexpected=int(found.get("unexpected_count") or 0),
        examples=tuple(dict.fromkeys(keys))[:_EXAMPLES],
    )
