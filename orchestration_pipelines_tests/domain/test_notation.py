"""How values are written for a person: exact, in their unit, alike everywhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.notation import NOTHING, written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "$", NOTHING),
        ("", "", NOTHING),
        (128, "$1000", "$128,000"),
        (Decimal("128.5"), "$1000", "$128,500"),
        (Decimal("0.0005"), "$1000", "$0.50"),
        (Decimal("1.005"), "$", "$1.005"),
        (Decimal("-3.5"), "$", "−$3.50"),
        (12, "€1000000", "€12,000,000"),
        (7, "CHF", "CHF 7"),
        (7, "CHF 1000", "CHF 7,000"),
        (28, "%", "28 %"),
        (Decimal("0.8342"), "share", "83.42 %"),
        (Decimal("0.899999"), "share", "89.9999 %"),
        (1, "share", "100 %"),
        (360, "months", "360 months"),
        (1, "months", "1 month"),
        (1234567, "", "1,234,567"),
        (Decimal("1E+30"), "", "1E+30"),
        (0.1, "", "0.1"),
        (True, "", "yes"),
        (False, "", "no"),
        ("2026-03-02", "", "2026-03-02"),
        ([1, "a"], "", "1, a"),
        ({"a": None, "b": True}, "", f"a: {NOTHING}, b: yes"),
        ({}, "", NOTHING),
    ],
)
def test_a_value_is_written_in_its_unit(value: Any, unit: str, expected: str) -> None:
    """Money with its sign and all its cents, a share in per cent, numbers in groups of three."""
    assert written(value, unit) == expected


def test_a_code_is_written_as_what_it_means() -> None:
    """A number, a flag or a text that stands for something; one that stands for nothing as it is."""
    assert written(Decimal("2.0"), values={"2": "none late"}) == "none late"
    assert written(1000, values={"1000": "many"}) == "many"
    assert written(True, values={"true": "by the owner"}) == "by the owner"
    assert written("auto", values={"auto": "by a rule"}) == "by a rule"
    assert written(3, values={"2": "none late"}) == "3"


@given(VALUES, st.sampled_from(["", "$", "$1000", "EUR", "%", "share", "months"]))
def test_whatever_a_case_holds_can_be_written(value: Any, unit: str) -> None:
    """Nothing raises: not a NaN, not a huge exponent, not a nest of lists."""
    assert isinstance(written(value, unit), str)


@given(st.integers(-(10**19), 10**19))
def test_a_whole_number_loses_nothing(number: int) -> None:
    """Without its commas it is the same number."""
    assert int(written(number).replace(",", "").replace("−", "-")) == number
