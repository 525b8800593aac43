"""The pictures: whole XML, small, honest about what they show, and told in words as well."""

from __future__ import annotations

from datetime import date, timedelta
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.engine.report.charts import ageing, control_chart, cumulative_flow, histogram, limits
from orchestration_pipelines.engine.report.svg import round_steps

_DAYS = [date(2026, 1, 1) + timedelta(days) for days in range(300)]
#: inline in a page, and three times in Dagster's storage
_SMALL = 6_000


def _said(picture: str) -> str:
    """What a screen reader says; the picture is well-formed and small."""
    assert len(picture) < _SMALL
    return ET.fromstring(picture).attrib["aria-label"]  # noqa: S314 - our own text


@given(st.lists(st.floats(0, 1e6), max_size=50))
def test_a_histogram_of_anything_is_a_small_picture(values: list[float]) -> None:
    """Nothing, all alike, or far apart: it is drawn."""
    _said(histogram("Lead time", np.array(values), "hours"))


def test_a_histogram_says_its_percentiles() -> None:
    """0 to 100 in equal parts: half within 50, 85 % within 85."""
    assert "half within 50 hours, 85 % within 85, 95 % within 95" in _said(
        histogram("Lead time", np.linspace(0, 100, 101), "hours")
    )


def test_natural_process_limits_are_worked_out_by_hand() -> None:
    """10, 12, 11, 13: mean 11.5, the moving ranges 2, 1, 2 are 5/3 on average, and 2.66 of that lie either side."""
    assert limits([10, 12, 11, 13]) == pytest.approx((11.5, 11.5 - 2.66 * 5 / 3, 11.5 + 2.66 * 5 / 3))
    assert limits([5.0]) == (5.0, 5.0, 5.0)
    assert limits([1.0, 9.0])[1] == 0.0


def test_a_day_beyond_the_limits_is_marked_and_said() -> None:
    """One day of thirty stands out."""
    values = [20.0 + index % 3 for index in range(30)]
    values[17] = 60.0
    assert "1 of 30 days beyond" in _said(control_chart("Lead time", _DAYS[:30], values, "hours"))


def test_a_cumulative_flow_says_what_is_under_way() -> None:
    """Three a day arrive, two a day leave: after 300 days 300 are under way."""
    arrived = [3 * (day + 1) for day in range(300)]
    left = [2 * (day + 1) for day in range(300)]
    assert "900 arrived, 600 done, 300 under way on 2026-10-27" in _said(cumulative_flow("Flow", _DAYS, arrived, left))


def test_ageing_shows_each_station_and_the_oldest() -> None:
    """10,000 cases at one station and one at another: few dots, and the oldest is said."""
    picture = ageing("Ages", {"review": np.linspace(0, 10, 10_000), "senior <review>": np.array([400.0])}, "hours")
    assert "10,001 under way" in _said(picture) and "the oldest 400 hours" in _said(picture)


def test_without_anything_to_show_the_picture_says_so() -> None:
    """An empty picture is no broken one."""
    for picture in (ageing("Ages", {}, "h"), cumulative_flow("F", [], [], []), control_chart("C", [], [], "h")):
        assert "nothing to show yet" in _said(picture)


@given(st.floats(-1e6, 1e6), st.floats(1e-2, 1e9))
def test_grid_lines_are_few_round_and_inside(low: float, span: float) -> None:
    """At most six, all between the ends."""
    steps = round_steps(low, low + span)
    assert len(steps) <= 6 and all(low - 1e-6 * span <= step <= low + span + 1e-6 * span for step in steps)
