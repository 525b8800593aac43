"""Timers' texts: calendar months, zones, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.duration import due

JANUARY_31 = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("P1M", datetime(2026, 2, 28, 9, tzinfo=UTC)),
        ("P25M", datetime(2028, 2, 29, 9, tzinfo=UTC)),
        ("P1Y", datetime(2027, 1, 31, 9, tzinfo=UTC)),
        ("P1M1D", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("P1W", datetime(2026, 2, 7, 9, tzinfo=UTC)),
        ("PT36H0.5S", datetime(2026, 2, 1, 21, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-01T09:00:00+01:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ],
)
def test_due(text: str, then: datetime) -> None:
    """From the start instant, on the calendar."""
    assert due(text, JANUARY_31) == then


@pytest.mark.parametrize(
    "text", ["2026-03-01T09:00:00", "P", "PT", "P1H", "-P1D", "soon", "", "P9999Y", "P99999999999W"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """An instant without a zone means something else in each country."""
    with pytest.raises(ValueError, match=r"zone|neither|9999"):
        due(text, JANUARY_31)


@given(st.text(alphabet="PTYMWDHS0123456789.:-+Z "))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    """Never another exception."""
    try:
        assert due(text, JANUARY_31).tzinfo is not None
    except ValueError:
        assert due("P0D", JANUARY_31) - JANUARY_31 == timedelta(0)
