"""Both durations: their lexical forms, their normal forms, and the arithmetic of tables 57 to 59."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.feel import durations
from orchestration_pipelines.model.feel.arithmetic import arithmetic
from orchestration_pipelines.model.feel.durations import LongDuration, YearsMonths
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines_tests.model.feel.evaluating import agree, told, value
from orchestration_pipelines_tests.model.feel.test_values import months, spans


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("P1D", "P1D"),
        ("P0DT25H", "P1DT1H"),
        ("PT3600S", "PT1H"),
        ("PT0.5S", "PT0.5S"),
        ("PT0.000000001S", "PT0.000000001S"),
        ("PT1.10S", "PT1.1S"),
        ("-P1DT2H3M4S", "-P1DT2H3M4S"),
        ("PT0S", "PT0S"),
        ("-P0D", "PT0S"),
        ("PT36000000H", "P1500000D"),
        ("P1000000000D", "P1000000000D"),
        ("P1Y2M", "P1Y2M"),
        ("P26M", "P2Y2M"),
        ("P0Y", "P0M"),
        ("-P13M", "-P1Y1M"),
        ("P999999999Y", "P999999999Y"),
    ],
)
def test_a_duration_has_one_normal_form(text: str, normal: str) -> None:
    """Clauses 10.3.2.3.7 and 10.3.2.3.8."""
    assert value("string(duration(x))", x=text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "P", "PT", "P1DT", "1D", "P1", "P1H", "PT1D", "P1Y1D", "P1M1DT1H", "P-1D", "--P1D", "+P1D", "P1.5D", "PT1.S",
        "PT.5S", "P1W", "PT1M1H", "P1M1Y", "p1d", "P1D ", "P٣D", "", "P" + "9" * 5_000 + "D", "PT0.0000000001S",
    ],
)  # fmt: skip
def test_a_duration_that_is_none(text: str) -> None:
    """Null, and said."""
    found, why = told("duration(x)", x=text)
    assert found is None and "is no duration" in why[0]


def test_python_s_own_duration_where_it_holds() -> None:
    """And only beyond it, our own."""
    assert value('duration("P999999999D")') == timedelta(days=999_999_999)
    assert value('duration("PT0.0000005S")') == LongDuration(500)
    assert value('duration("P1Y")') == YearsMonths(12)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('@"P1D" + @"PT1H"', '@"P1DT1H"'),
        ('@"P1D" - @"P2D"', '@"-P1D"'),
        ('@"P1Y" + @"P2M"', '@"P1Y2M"'),
        ('@"P1Y" - @"P13M"', '@"-P1M"'),
        ('@"P1Y" + @"P1D"', "null"),
        ('@"P1D" * 2', '@"P2D"'),
        ('1.5 * @"P1D"', '@"P1DT12H"'),
        ('@"PT1S" * 0.1', '@"PT0.1S"'),
        ('@"P1D" * -1', '@"-P1D"'),
        ('@"P1D" / 3', '@"PT8H"'),
        ('@"PT1S" / 3', '@"PT0.333333333S"'),
        ('@"-PT1S" / 3', '@"-PT0.333333333S"'),
        ('@"P1D" / 0', "null"),
        ('@"P1D" / @"PT1H"', "24"),
        ('@"PT1S" / @"PT3S"', "1/3"),
        ('@"P1D" / @"PT0S"', "null"),
        ('@"P1Y" * 1.5', '@"P18M"'),
        ('2 * @"P1M"', '@"P2M"'),
        ('@"P1Y" / 5', '@"P2M"'),
        ('@"P1Y" * 0.99', '@"P11M"'),
        ('@"PT0.000000001S" * 0.9', '@"PT0S"'),
        ('@"-P1Y" / 5', '@"-P2M"'),
        ('@"P1Y" / @"P1M"', "12"),
        ('@"P1Y" / @"P0M"', "null"),
        ('@"P1Y" / @"P1D"', "null"),
        ('@"P1D" * @"P1D"', "null"),
        ('2 / @"P1D"', "null"),
        ('@"P1D" + 1', "null"),
        ('@"P1D" ** 2', "null"),
        ('@"P1D" * (10 ** 6000)', "null"),
        ('abs(@"-PT5H")', '@"PT5H"'),
        ('abs(@"-P1Y")', '@"P1Y"'),
    ],
)
def test_the_tables_of_arithmetic(left: str, right: str) -> None:
    """Worked out by hand; what is left of a division is cut to nanoseconds or months."""
    assert agree(left, right)


def test_a_result_that_is_none_says_why() -> None:
    """With both sides."""
    assert told('@"P1D" + 1')[1] == ["P1D (days and time duration) + 1 (number) has no meaning"]


@given(st.one_of(spans, months), st.integers(-(10**6), 10**6).filter(bool))
def test_division_undoes_multiplication(span: Any, factor: int) -> None:
    """By whole numbers."""
    larger = arithmetic(Evaluation(), "*", span, Decimal(factor))
    assert arithmetic(Evaluation(), "/", larger, Decimal(factor)) == span
    if span not in (timedelta(0), YearsMonths(0)):
        assert arithmetic(Evaluation(), "/", larger, span) == factor


@given(spans, spans)
def test_durations_add_as_their_seconds_do(one: Any, other: Any) -> None:
    """One value for one length, however it was made."""
    total = arithmetic(Evaluation(), "+", one, other)
    assert durations.nanoseconds(total) == durations.nanoseconds(one) + durations.nanoseconds(other)
    assert arithmetic(Evaluation(), "-", total, other) == one
