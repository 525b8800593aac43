"""The expectations of the offered applications."""

from __future__ import annotations

import pytest

from orchestration_pipelines.workflows.mortgage_underwriting import applications, expectations

pytestmark = pytest.mark.xdist_group("great expectations")


def test_the_record_is_as_expected() -> None:
    """With its real dirt: some values are out of bounds, and say whose without saying what."""
    found = expectations.check(applications.applications())
    assert [expected for expected in found if not expected.passed] == []
    [liquid] = [e for e in found if (e.expectation, e.column) == ("values_to_be_between", "liq")]
    assert liquid.unexpected == 5
    assert all(example.startswith("LA-") for example in liquid.examples)


def test_another_market_is_not_as_expected() -> None:
    """Loans ten times as large, keys twice, a flag that is none, a column half empty: each is named."""
    rows = [dict(row, loanamt=row["loanamt"] * 10) for row in applications.applications()]
    rows[1]["case_key"] = rows[0]["case_key"]
    rows[2]["self"] = 2
    for row in rows[::2]:
        row["price"] = None
    failed = {(e.expectation, e.column): e for e in expectations.check(rows) if not e.passed}
    assert {
        ("values_to_be_unique", "case_key"),
        ("values_to_be_in_set", "self"),
        ("values_to_not_be_null", "price"),
        ("median_to_be_between", "loanamt"),
    } <= set(failed)
    assert failed["values_to_not_be_null", "price"].unexpected == 500
    assert failed["values_to_be_in_set", "self"].examples == (rows[2]["case_key"],)
