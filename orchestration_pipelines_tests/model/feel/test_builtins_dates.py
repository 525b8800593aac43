"""Functions on dates, ``is``, ``now`` and ``today`` (clauses 10.3.4.6 to 10.3.4.11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines_tests.model.feel.evaluating import agree, told, value
from orchestration_pipelines_tests.model.feel.test_values import anything


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("day of year(date(2019, 9, 17))", "260"),
        ('day of week(date(2019, 9, 17))', '"Tuesday"'),
        ('month of year(date(2019, 9, 17))', '"September"'),
        ("week of year(date(2019, 9, 17))", "38"),
        ("week of year(date(2003, 12, 29))", "1"),
        ("week of year(date(2004, 1, 4))", "1"),
        ("week of year(date(2005, 1, 1))", "53"),
        ("week of year(date(2005, 1, 3))", "1"),
        ("week of year(date(2005, 1, 9))", "1"),
        ('day of year(@"2020-12-31T23:00:00Z")', "366"),
        ('day of week(date: @"-0001-01-01")', '"Friday"'),
        ('week of year(@"12019-09-17")', "38"),
        ('is(date("2012-12-25"), time("23:00:50"))', "false"),
        ('is(date("2012-12-25"), date("2012-12-25"))', "true"),
        ('is(time("23:00:50z"), time("23:00:50"))', "false"),
        ('is(time("23:00:50z"), time("23:00:50+00:00"))', "true"),
        ('is(time("23:00:50z"), time("00:00:50+01:00"))', "false"),
        ("is(null, null)", "true"),
        ("is(1, 1.0)", "true"),
        ('is(value1: 1, value2: "1")', "false"),
        ("is([1], [1])", "true"),
        ("not(true)", "false"),
        ("not(null)", "null"),
        ("not(negand: false)", "true"),
    ],
)  # fmt: skip
def test_the_examples_of_the_standard(left: str, right: str) -> None:
    """Tables 73, 77 and 79."""
    assert agree(left, right)


@pytest.mark.parametrize(
    "text", ['day of year("2019-09-17")', 'day of week(@"10:00:00")', "not(1)", "now(1)", "today(1)", "is(1)"]
)
def test_what_is_not_in_the_domain_is_null_and_told(text: str) -> None:
    """Once."""
    found, why = told(text)
    assert found is None and len(why) == 1


@given(st.dates())
def test_days_and_weeks_are_python_s(day: date) -> None:
    """Where Python has them; and 400 years earlier or later they are the same."""
    found = value("[day of year(d), week of year(d), d.weekday]", d=day)
    assert found == [day.timetuple().tm_yday, day.isocalendar().week, day.isoweekday()]
    assert (
        value('[day of year(d + @"P4000000Y"), week of year(d - @"P40000Y"), (d - @"P4000Y").weekday]', d=day) == found
    )


@given(anything)
def test_everything_is_itself(one: object) -> None:
    """Null too."""
    assert value("is(x, x)", x=one) is True


def test_the_present_is_the_evaluation_s() -> None:
    """One instant in all of an evaluation, from its clock."""
    ticks = iter(datetime(2020, 2, 29, 23, 59, tzinfo=UTC) + timedelta(minutes=n) for n in range(9))
    evaluation = Evaluation(clock=lambda: next(ticks))
    expression = feel.compile("[now(), today(), now()]")
    first = datetime(2020, 2, 29, 23, 59, tzinfo=UTC)
    assert expression.evaluate({}, evaluation) == [first, date(2020, 2, 29), first]
