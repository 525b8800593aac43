"""Equality, order and three-valued logic on every kind of value (clause 10.3.2.15, tables 52 to 54)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.feel import values
from orchestration_pipelines.model.feel.durations import YearsMonths, of_nanoseconds
from orchestration_pipelines.model.feel.evaluation import Evaluation
from orchestration_pipelines.model.feel.ranges import Range
from orchestration_pipelines.model.feel.temporal import FarDate, date_of, moment_of, time_of
from orchestration_pipelines_tests.model.feel.evaluating import told, value

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**34), max_value=10**34)
zones = st.none() | st.sampled_from([UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-9, minutes=-30))])
dates = st.integers(-(10**8), 10**8).map(date_of)
clocks = st.integers(0, 86_400 * 10**9 - 1) | st.integers(0, 86_399).map(lambda second: second * 10**9)
times = st.builds(time_of, clocks, zones)
moments = st.builds(moment_of, st.integers(-(10**8), 10**8) | st.integers(1, 3_000_000), clocks, zones)
spans = st.integers(-(10**25), 10**25).map(of_nanoseconds)
months = st.integers(-(10**6), 10**6).map(YearsMonths)
ordered = st.sampled_from([numbers, st.text(max_size=4), dates, times, moments, spans, months])
plain = st.one_of(numbers, st.text(max_size=3), st.booleans(), st.none(), dates, times, moments, spans, months)
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


def equal(left: Any, right: Any) -> bool | None:
    return values.equal(Evaluation(), left, right)


def compare(operator: str, left: Any, right: Any) -> bool | None:
    return values.compare(Evaluation(), operator, left, right)


@given(anything, anything)
def test_equality_is_symmetric_and_agrees_with_python(left: Any, right: Any) -> None:
    """What is equal in FEEL is equal by ``==``, and has one hash where it has any."""
    assert equal(left, right) is equal(right, left)
    if equal(left, right) is True:
        assert left == right
        if not isinstance(left, list | dict):
            assert hash(left) == hash(right)
    elif equal(left, right) is False:
        assert left != right


@given(anything)
def test_everything_equals_itself(one: Any) -> None:
    """Null too."""
    assert equal(one, one) is True


@given(st.data(), ordered)
def test_two_values_of_a_kind_have_one_order(data: st.DataObject, kind: Any) -> None:
    """Less, equal or greater, and only one of them; unless one is local and the other is not."""
    left, right = data.draw(kind), data.draw(kind)
    found = [compare("<", left, right), equal(left, right), compare(">", left, right)]
    if isinstance(left, str | Decimal | YearsMonths | timedelta | FarDate) or type(left) is date:
        assert found.count(True) == 1 and found.count(False) == 2
    assert compare("<", left, right) is compare(">", right, left)
    assert compare("<=", left, right) is (found[0] or found[1])
    assert compare(">=", left, right) is (found[2] or found[1])


@given(anything, anything)
def test_different_kinds_have_no_order(left: Any, right: Any) -> None:
    """A null, with a word about it unless a null went in."""
    evaluation = Evaluation()
    answer = values.compare(evaluation, "<", left, right)
    assert (answer is None) == (left is None or right is None or bool(evaluation.diagnostics))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1 = 1.0", True),
        ("1 = true", None),
        ('"1" = 1', None),
        ("null = null", True),
        ("null = 1", False),
        ("null != 1", True),
        ('"" = null', False),
        ("[1, 2] = [1, 2.0]", True),
        ("[1, 2] = [2, 1]", False),
        ("[1] = [1, 2]", False),
        ('[1] = ["1"]', False),
        ("[[]] = [[null]]", False),
        ("{a: 1, b: 2} = {b: 2, a: 1}", True),
        ("{a: 1} = {a: 1, b: null}", False),
        ("[1..2] = [1..2]", True),
        ("[1..2] = [1..2)", False),
        ("[1..2] = [1.0..2.00]", True),
        ("1 < null", None),
        ("true < false", None),
        ("[1] < [2]", None),
        ('"a" < "b"', True),
        ('"a" < "ab"', True),
        ('"Z" < "a"', True),
        ('@"2020-01-01" = @"2020-01-01T00:00:00Z"', None),
        ('@"2020-01-01" < @"2020-01-02"', True),
        ('@"-0001-12-31" < @"0001-01-01"', True),
        ('@"9999-12-31" < @"10000-01-01"', True),
        ('@"10:00:00Z" = @"11:00:00+01:00"', True),
        ('@"10:00:00" = @"10:00:00Z"', False),
        ('@"10:00:00" < @"10:00:01Z"', True),
        ('@"10:00:00" < @"10:00:00+05:00"', False),
        ('@"10:00:00@Etc/UTC" = @"10:00:00Z"', True),
        ('@"2020-06-01T12:00:00@Europe/Paris" = @"2020-06-01T10:00:00Z"', True),
        ('@"2020-01-01T12:00:00@Europe/Paris" = @"2020-01-01T11:00:00Z"', True),
        ('@"2020-01-01T12:00:00" = @"2020-01-01T12:00:00Z"', False),
        ('@"2020-01-01T12:00:00" < @"2020-01-01T12:00:01-03:00"', True),
        ('@"P1D" = @"PT24H"', True),
        ('@"P1Y" = @"P12M"', True),
        ('@"P1Y" = @"P365D"', None),
        ('@"PT0S" = @"P0M"', None),
        ('@"P1M" < @"P1Y"', True),
        ('@"-PT1S" < @"PT0S"', True),
    ],
)
def test_the_tables_of_equality_and_order(text: str, answer: bool | None) -> None:
    """Worked out by hand from tables 52 to 54."""
    assert value(text) is answer


def test_a_comparison_that_has_no_meaning_says_so() -> None:
    """With both values, and their types."""
    assert told('1 < "a"') == (None, ['1 (number) < "a" (string) cannot be compared'])
    assert told('1 = "a"')[1] == ['1 (number) and "a" (string) cannot be equal or not: of different types']


def test_nested_equality_is_bounded() -> None:
    """A list within a list within a list, deeper than Python's stack."""
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    other: list[Any] = []
    for _ in range(5_000):
        other = [other]
    with pytest.raises(RuntimeError, match="nest too deeply"):
        equal(deep, other)


def test_a_float_is_not_let_in() -> None:
    """It would bring what no decimal says."""
    assert told("x + 1", x=0.1)[0] is None
    assert told("x = 0.1", x=0.1)[0] is None
    assert told("x < 1", x=Decimal("NaN"))[0] is None


@given(numbers, numbers, numbers)
def test_a_range_holds_what_lies_between(low: Decimal, high: Decimal, one: Decimal) -> None:
    """By its ends, and whether they are in it."""
    for closed in (True, False):
        within = Range(low, closed, high, closed).holds(Evaluation(), one)
        assert within is ((low <= one <= high) if closed else (low < one < high))
    assert Range(None, False, high, True).holds(Evaluation(), one) is (one <= high)


@pytest.mark.parametrize("zone", ["", "Z", "+02:00", "@Asia/Tokyo"])
def test_the_properties_of_a_moment(zone: str) -> None:
    """Tables 65 and 66; the offset is that of the zone on that day."""
    at = f'@"2020-02-29T23:58:59.5{zone}"'
    names = ("year", "month", "day", "weekday", "hour", "minute", "second")
    assert [value(f"{at}.{name}") for name in names] == [2020, 2, 29, 6, 23, 58, Decimal("59.5")]
    offsets = {"": None, "Z": timedelta(0), "+02:00": timedelta(hours=2), "@Asia/Tokyo": timedelta(hours=9)}
    assert value(f"{at}.time offset") == offsets[zone]
    assert value(f"{at}.timezone") == (zone[1:] if zone.startswith("@") else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('@"-P1DT2H3M4.5S".seconds', Decimal("-4.5")),
        ('@"P400D".days', Decimal(400)),
        ('@"PT90M".hours', Decimal(1)),
        ('@"PT90M".minutes', Decimal(30)),
        ('@"P26M".years', Decimal(2)),
        ('@"P26M".months', Decimal(2)),
        ('@"-P26M".months', Decimal(-2)),
        ('@"P26M".days', None),
        ("[1..2).end included", False),
        ("[1..2).start", Decimal(1)),
        ('@"999999999-12-31".year', Decimal(999_999_999)),
        ('@"10:00:00".year', None),
    ],
)
def test_the_properties_of_durations_and_ranges(text: str, expected: Any) -> None:
    """Tables 66 and 67."""
    assert value(text) == expected


def test_values_of_python_are_values_of_feel() -> None:
    """What a caller hands in is as good as what FEEL makes."""
    given = {
        "d": date(2020, 1, 1),
        "t": time(10, tzinfo=UTC),
        "m": datetime(2020, 1, 1, tzinfo=UTC),
        "s": timedelta(days=1),
        "n": 7,
    }
    assert value('[d, t, m, s, n] = [@"2020-01-01", @"10:00:00Z", @"2020-01-01T00:00:00Z", @"P1D", 7]', **given) is True
