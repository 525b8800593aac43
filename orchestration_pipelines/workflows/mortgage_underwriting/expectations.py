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


def check(applications: Sequence[Mapping[str, Any]]) -> list[Expected]:
    """Hold the offered applications against the suite."""
    import pandas as pd  # its weight is for those who check

    from orchestration_pipelines.engine.expectations import held

    return held(pd.DataFrame([dict(row) for row in applications]), _suite, "case_key")


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
