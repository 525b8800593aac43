"""Dates, times, and dates and times: their lexical forms, and the arithmetic of tables 56 and 57."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.feel import durations, lexical, temporal
from orchestration_pipelines.model.feel.arithmetic import arithmetic
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.types import kind
from orchestration_pipelines_tests.model.feel.evaluating import agree, told, value
from orchestration_pipelines_tests.model.feel.test_values import dates, moments, months, spans, times


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2020-02-29", 2020),
        ("0000-01-01", 0),
        ("-0044-03-15", -44),
        ("9999-12-31", 9999),
        ("10000-01-01", 10_000),
        ("-999999999-01-01", -999_999_999),
        ("999999999-12-31", 999_999_999),
        ("2020-02-29Z", 2020),
        ("2020-02-29+05:00", 2020),
    ],
)
def test_a_date_that_is_one(text: str, year: int) -> None:
    """Years of four to nine digits, before and after Christ; a zone is let in by XSD."""
    found = lexical.read_date(text)
    assert found is not None and found.year == year


@pytest.mark.parametrize(
    "text",
    [
        "2019-02-29", "2100-02-29", "2020-13-01", "2020-00-01", "2020-01-00", "2020-1-1", "20-01-01", "02020-01-01",
        "+2020-01-01", "1000000000-01-01", "2020-01-01T", "2020-01-01T00:00:00", " 2020-01-01", "2020-01-01 ",
        "2020/01/01", "٢٠٢٠-01-01", "2020-01-01+15:00", "2020-W01-1", "",
    ],
)  # fmt: skip
def test_a_date_that_is_none(text: str) -> None:
    """Null, and said."""
    found, why = told("date(x)", x=text)
    assert found is None and "is no date" in why[0]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("23:59:00", "23:59:00"),
        ("00:00:00.100", "00:00:00.1"),
        ("11:22:33.123456789", "11:22:33.123456789"),
        ("24:00:00", "00:00:00"),
        ("10:00:00Z", "10:00:00Z"),
        ("10:00:00z", "10:00:00Z"),
        ("10:00:00+00:00", "10:00:00Z"),
        ("10:00:00-14:00", "10:00:00-14:00"),
        ("10:00:00+05:30:15", "10:00:00+05:30:15"),
        ("10:00:00@Europe/Paris", "10:00:00@Europe/Paris"),
        ("10:00:00@Etc/GMT+5", "10:00:00@Etc/GMT+5"),
    ],
)
def test_a_time_that_is_one(text: str, normal: str) -> None:
    """And how it is written again."""
    assert value("string(time(x))", x=text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "25:00:00", "24:00:01", "10:60:00", "10:00:60", "10:00", "10", "1:00:00", "T10:00:00", "10:00:00.",
        "10:00:00+14:01", "10:00:00+1:00", "10:00:00+01:60", "10:00:00@Paris/France", "10:00:00@../../etc/passwd",
        "10:00:00Z@Europe/Paris", "10:00:00@", "10:00:00 Z", "2020-01-01T10:00:00", "10:00:00.1234567891", "",
    ],
)  # fmt: skip
def test_a_time_that_is_none(text: str) -> None:
    """Null, and said."""
    found, why = told("time(x)", x=text)
    assert found is None and "is no time" in why[0]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("2012-12-24", "2012-12-24T00:00:00"),
        ("2012-03-07Z", "2012-03-07T00:00:00Z"),
        ("2012-12-31T24:00:00", "2013-01-01T00:00:00"),
        ("2012-12-24T23:59:00.000001", "2012-12-24T23:59:00.000001"),
        ("2012-12-24T23:59:00.0000001+01:00", "2012-12-24T23:59:00.0000001+01:00"),
        ("99999-12-31T11:22:33.987@Australia/Sydney", "99999-12-31T11:22:33.987@Australia/Sydney"),
        ("-0001-01-01T00:00:00", "-0001-01-01T00:00:00"),
    ],
)
def test_a_moment_that_is_one(text: str, normal: str) -> None:
    """And how it is written again."""
    assert value("string(date and time(x))", x=text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "2012-12-24T", "2012-12-24 10:00:00", "2012-12-24t10:00:00", "2012-13-24T10:00:00", "2012-12-24T25:00:00",
        "2012-12-24T10:00:00@Nowhere", "10:00:00", "999999999-12-31T24:00:00", "2012-12-24T10:00:00+01:00@Europe/Paris",
    ],
)  # fmt: skip
def test_a_moment_that_is_none(text: str) -> None:
    """Null, and said."""
    found, why = told("date and time(x)", x=text)
    assert found is None and "is no date and time" in why[0]


@given(st.one_of(dates, times, moments, spans, months))
def test_what_is_written_is_read_as_it_was(one: Any) -> None:
    """``string`` and ``@`` are inverse."""
    assert lexical.read(value("string(x)", x=one)) == one


def test_a_time_without_a_date_has_the_standard_offset_of_its_zone() -> None:
    """In Sydney clocks are ahead in January, in Paris in July; a time of day knows neither."""
    assert value('time("10:00:00@Australia/Sydney").time offset = duration("PT10H")') is True
    assert agree('@"10:00:00@Europe/Paris" - @"10:00:00Z"', '@"-PT1H"')
    assert agree('@"2020-01-15T10:00:00@Australia/Sydney" - @"2020-01-15T10:00:00Z"', '@"-PT11H"')


def test_python_s_own_types_where_there_are_any() -> None:
    """And only where there are none, our own."""
    assert type(value('date("2020-01-01")')) is date and type(value('time("10:00:00")')) is time
    assert type(value('date and time("2020-01-01T10:00:00@Europe/Paris")')) is datetime
    assert isinstance(value('date("10000-01-01")'), temporal.FarDate)
    assert isinstance(value('time("10:00:00.0000001")'), temporal.FineTime)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        # date and time
        ('@"2012-12-24T23:59:00" + @"PT1M"', '@"2012-12-25T00:00:00"'),
        ('@"PT1M" + @"2012-12-24T23:59:00"', '@"2012-12-25T00:00:00"'),
        ('@"2012-12-24T23:59:00" - @"2012-12-22T03:45:00"', '@"P2DT20H14M"'),
        ('@"2020-01-31T10:00:00Z" + @"P1M"', '@"2020-02-29T10:00:00Z"'),
        ('@"2020-03-31T10:00:00Z" - @"P1M"', '@"2020-02-29T10:00:00Z"'),
        ('@"2020-12-31T10:00:00" + @"P1Y2M"', '@"2022-02-28T10:00:00"'),
        ('@"2020-01-01T00:00:00Z" - @"2020-01-01T00:00:00+02:00"', '@"PT2H"'),
        ('@"2020-01-01T00:00:00Z" - @"2020-01-01T00:00:00"', "null"),
        ('@"2020-01-01T00:00:00Z" - @"2019-12-31"', '@"P1D"'),
        ('@"2020-01-02" - @"2020-01-01T12:00:00Z"', '@"PT12H"'),
        ('@"2020-01-01T00:00:00" - @"2019-12-31"', "null"),
        ('@"2020-01-01T00:00:00" + @"2019-12-31T00:00:00"', "null"),
        ('@"9999-12-31T23:59:59" + @"PT1S"', '@"10000-01-01T00:00:00"'),
        ('@"0001-01-01T00:00:00" - @"PT0.001S"', '@"0000-12-31T23:59:59.999"'),
        ('@"999999999-12-31T23:59:59" + @"PT1S"', "null"),
        # on the line of time: the clock goes forward at 02:00 and back at 03:00
        ('@"2021-03-28T01:59:00@Europe/Paris" + @"PT1M"', '@"2021-03-28T03:00:00@Europe/Paris"'),
        ('@"2021-03-28T12:00:00@Europe/Paris" - @"2021-03-27T12:00:00@Europe/Paris"', '@"PT23H"'),
        ('@"2021-10-31T12:00:00@Europe/Paris" - @"2021-10-30T12:00:00@Europe/Paris"', '@"PT25H"'),
        ('(@"2021-10-31T02:30:00@Europe/Paris" + @"PT1H") - @"2021-10-31T00:30:00Z"', '@"PT1H"'),
        ('@"2021-03-27T12:00:00@Europe/Paris" + @"P1M"', '@"2021-04-27T12:00:00@Europe/Paris"'),
        # date
        ('@"2012-12-25" - @"2012-12-24"', '@"P1D"'),
        ('@"2020-01-31" + @"P1M"', '@"2020-02-29"'),
        ('@"P1M" + @"2021-01-31"', '@"2021-02-28"'),
        ('@"2021-03-31" - @"P13M"', '@"2020-02-29"'),
        ('@"2020-01-01" + @"PT23H59M"', '@"2020-01-01"'),
        ('@"2020-01-01" - @"PT1S"', '@"2019-12-31"'),
        ('@"2020-01-01" + @"P366D"', '@"2021-01-01"'),
        ('@"0001-01-01" - @"P1D"', '@"0000-12-31"'),
        ('@"P1D" - @"2020-01-01"', "null"),
        ('@"2020-01-01" + 1', "null"),
        ('@"999999999-12-01" + @"P1M"', "null"),
        # time
        ('@"23:59:00Z" + @"PT2M"', '@"00:01:00Z"'),
        ('@"00:01:00" - @"PT2M"', '@"23:59:00"'),
        ('@"10:00:00" + @"P3DT1H"', '@"11:00:00"'),
        ('@"PT1H" + @"10:00:00@Asia/Tokyo"', '@"11:00:00@Asia/Tokyo"'),
        ('@"10:00:00" - @"11:00:00"', '@"-PT1H"'),
        ('@"10:00:00Z" - @"10:00:00+01:00"', '@"PT1H"'),
        ('@"10:00:00" - @"10:00:00Z"', "null"),
        ('@"10:00:00" + @"P1M"', "null"),
        ('@"10:00:00" + @"11:00:00"', "null"),
        ('@"10:00:00" * 2', "null"),
    ],
)
def test_the_tables_of_addition_and_subtraction(left: str, right: str) -> None:
    """Worked out by hand from table 57; days that a month does not have are its last."""
    assert agree(left, right)


@given(st.one_of(dates, times, moments), spans)
def test_subtraction_undoes_addition(one: Any, by: Any) -> None:
    """Of whole days from a date, and of anything from a time or a moment; unless the years end."""
    if kind(one) == "date":
        by = durations.of_nanoseconds(durations.nanoseconds(by) // durations.DAY * durations.DAY)
    there = arithmetic(Evaluation(), "+", one, by)
    if there is not None:
        assert arithmetic(Evaluation(), "-", there, by) == one


@given(st.one_of(dates, moments), st.one_of(dates, moments))
def test_what_lies_between_leads_from_one_to_the_other(one: Any, other: Any) -> None:
    """``a + (b - a)`` is b, where there is a difference and they are of a kind."""
    between = arithmetic(Evaluation(), "-", other, one)
    if between is not None and type(one) is type(other):
        assert arithmetic(Evaluation(), "+", one, between) == other


@given(st.integers(-365_000_000_000, 365_000_000_000))
def test_a_day_has_one_number(number: int) -> None:
    """The calendar goes back and forth, and agrees with Python's where that goes."""
    found = temporal.date_of(number)
    if found is not None:
        assert temporal.day_number(found) == number
        assert temporal.like_day(found).weekday() == (number - 1) % 7
    if isinstance(found, date):
        assert found.toordinal() == number
