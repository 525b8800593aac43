"""Promises kept and broken as a picture: what is drawn adds up, and says so in words."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.engine.promises import KeptDay
from orchestration_pipelines.engine.report.kept import kept_by_day

_COUNTS = st.integers(0, 500).flatmap(lambda promises: st.tuples(st.just(promises), st.integers(0, promises)))


def _days(counts: list[tuple[int, int]]) -> list[KeptDay]:
    return [KeptDay(date(2026, 3, 1) + timedelta(days=number), *each) for number, each in enumerate(counts)]


@given(st.lists(_COUNTS, max_size=30))
def test_every_day_has_its_bars_and_the_words_their_sum(counts: list[tuple[int, int]]) -> None:
    """One bar of what was kept and one of what was broken, where there is any; the tallest fills the picture."""
    picture, words = kept_by_day(_days(counts))
    assert picture.count('class="m"') == sum(promises > broken for promises, broken in counts)
    bars = re.findall(r'class="[mb]" d="M[\d.]+ ([\d.]+)h[\d.]+V([\d.]+)', picture)
    assert len(bars) == sum((promises > broken) + (broken > 0) for promises, broken in counts)
    assert f"{sum(promises for promises, _ in counts):,} in {len(counts)} days" in words
    heights = sum(float(low) - float(top) for top, low in bars)
    most, whole = max((promises for promises, _ in counts), default=0), sum(promises for promises, _ in counts)
    assert heights == pytest.approx(164 * whole / most if most else 0, abs=0.1 * len(bars) + 1e-9)


def test_a_picture_of_nothing_says_that_none_ended() -> None:
    """An empty board is a picture, too."""
    assert kept_by_day(_days([(0, 0)]))[1].endswith("0 in 1 days, none ended")
    assert kept_by_day(_days([(8, 2)]))[1].endswith("8 in 1 days, 75.0% kept")
