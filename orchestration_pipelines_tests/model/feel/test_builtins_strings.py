"""String functions (clause 10.3.4.3) and conversions (10.3.4.1): the standard's examples, and the edges of each."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines_tests.model.feel.evaluating import agree, told, value
from orchestration_pipelines_tests.model.feel.test_values import anything, numbers

words = st.text(alphabet="abé🐎 ", max_size=8)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('substring("foobar", 3)', '"obar"'),
        ('substring("foobar", 3, 3)', '"oba"'),
        ('substring("foobar", -2, 1)', '"a"'),
        ('substring("🐎ab", 2)', '"ab"'),
        ('substring(string: "foobar", start position: 3)', '"obar"'),
        ('substring(length: 1, string: "foobar", start position: 3)', '"o"'),
        ('substring(["foobar"], 3)', '"obar"'),
        ('string length("foo")', "3"),
        ('string length("🐎ab")', "3"),
        ('upper case("aBc4")', '"ABC4"'),
        ('lower case("aBc4")', '"abc4"'),
        ('substring before("foobar", "bar")', '"foo"'),
        ('substring before("foobar", "xyz")', '""'),
        ('substring before("foobar", "")', '""'),
        ('substring after("foobar", "ob")', '"ar"'),
        ('substring after("", "a")', '""'),
        ('substring after("foobar", "")', '"foobar"'),
        ('replace("banana", "a", "o")', '"bonono"'),
        ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', '"[1=ab][2=]cd"'),
        ('replace(input: "abc", pattern: "[A-Z]", replacement: "#", flags: "i")', '"###"'),
        ('contains("foobar", "of")', "false"),
        ('contains(["foobar"], "of")', "false"),
        ('starts with("foobar", "fo")', "true"),
        ('ends with("foobar", "r")', "true"),
        ('matches("foobar", "^fo*b")', "true"),
        ('split("John Doe", "\\\\s")', '["John", "Doe"]'),
        ('split("a;b;c;;", ";")', '["a", "b", "c", "", ""]'),
        ('string join(["a", "b", "c"], "_and_")', '"a_and_b_and_c"'),
        ('string join(["a", "b", "c"], "")', '"abc"'),
        ('string join(["a", "b", "c"], null)', '"abc"'),
        ('string join(["a"], "X")', '"a"'),
        ('string join(["a", null, "c"], "X")', '"aXc"'),
        ('string join([], "X")', '""'),
        ('string join(["a", null, "c"])', '"ac"'),
        ('string join("a")', '"a"'),
        ('"a" + "b"', '"ab"'),
    ],
)
def test_the_examples_of_the_standard(left: str, right: str) -> None:
    """Table 74."""
    assert agree(left, right)


@pytest.mark.parametrize(
    "text",
    [
        'substring("foobar", 0)', 'substring("foobar", 7)', 'substring("foobar", -7)',
        'substring("foobar", 3, 0)', 'substring("foobar", "3")', 'substring("", 1)',
        'substring("foobar")', 'substring("foobar", 1, 1, 1)', 'substring(text: "foobar", start position: 1)',
        "string length(1)", 'contains("a")', 'string join(["a", 1])', 'matches("a", "(")', 'replace("a", "", "b")',
        '"a" - "b"', '"a" + 1', 'starts with(["a", "b"], "a")', 'upper case({a: 1})',
    ],
)  # fmt: skip
def test_what_is_not_in_the_domain_is_null_and_told(text: str) -> None:
    """Once."""
    found, why = told(text)
    assert found is None and len(why) == 1


@pytest.mark.parametrize(
    "text", ["string length(null)", 'substring(null, 1)', 'contains("a", null)', 'replace(null, "a", "b")',
             'split(null, ";")']
)  # fmt: skip
def test_null_in_null_out(text: str) -> None:
    """Without a word."""
    assert told(text) == (None, [])


@given(words, st.integers(-10, 10), st.none() | st.integers(-1, 10))
def test_substring_counts_characters(text: str, start: int, length: int | None) -> None:
    """From 1, or from -1 at the end, as far as the text goes; a position that is not there is null."""
    first = start - 1 if start > 0 else len(text) + start
    expected: str | None = text[first:] if length is None else text[first : first + length]
    if not start or not 0 <= first < len(text) or (length is not None and length < 1):
        expected = None
    found = value("substring(t, s)" if length is None else "substring(t, s, l)", t=text, s=start, l=length)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('substring("foobar", 3.8)', "obar"),
        ('substring("foobar", 3, 2.9)', "ob"),
        ('substring("foobar", 0.9)', None),
        ('substring("foobar", 1, 1e30)', "foobar"),
        ("sublist([1, 2, 3], 2.5)[1]", 2),
        ("remove([1, 2], -1.5)[1]", 1),
    ],
)
def test_a_position_is_cut_to_a_whole_number(text: str, expected: str | int | None) -> None:
    """Towards zero, as a length is."""
    assert value(text) == expected


@given(words, words)
def test_before_match_and_after_are_the_whole(text: str, match: str) -> None:
    """Wherever the match is there."""
    if value("contains(t, m)", t=text, m=match):
        assert value("substring before(t, m) + m + substring after(t, m)", t=text, m=match) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.1", "1.1"),
        ("10 ** 20", "100000000000000000000"),
        ("1 / 10 ** 10", "0.0000000001"),
        ("-0.0", "0.0"),
        ("true", "true"),
        ('"a\\"b"', 'a"b'),
        ('date("2012-12-25")', "2012-12-25"),
        ('@"P1DT1H"', "P1DT1H"),
        ('[1, "a", null, true, @"2020-01-01"]', '[1, "a", null, true, 2020-01-01]'),
        ('{a: 1, b c: "x", "1d": [{}]}', '{a: 1, b c: "x", "1d": [{}]}'),
        ("[1..10)", "[1..10)"),
        ('range("(..5]")', "(..5]"),
        ('["a\\"b"]', '["a\\"b"]'),
    ],
)
def test_the_text_of_a_value(text: str, written: str) -> None:
    """Of each kind."""
    assert value(f"string({text})") == written


def test_the_text_of_null_is_null() -> None:
    """As the standard's example has it."""
    assert told("string(null)") == (None, [])


@given(numbers)
def test_the_text_of_a_number_is_read_as_it_was(one: Decimal) -> None:
    """With all its 34 digits, and no exponent."""
    written = value("string(x)", x=one)
    assert "E" not in written and value("number(t)", t=written) == value("x + 0", x=one)


@given(anything)
def test_everything_but_null_has_a_text(one: object) -> None:
    """A nested null is written."""
    assert (value("string(x)", x=one) is None) == (one is None)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('number("1 000,0", " ", ",")', '1000'),
        ('number("1,000.0", ",", ".")', "1000"),
        ('number("1.000.000,01", ".", ",")', "1000000.01"),
        ('number("-1.5")', "-1.5"),
        ('number(".5", null, null)', "0.5"),
        ('number("1,5", null, ",")', "1.5"),
        ('number(from: "1,000", grouping separator: ",")', "1000"),
        ('date(2012, 12, 25)', '@"2012-12-25"'),
        ('date(date and time("2012-12-25T11:00:00Z"))', '@"2012-12-25"'),
        ('date(@"2012-12-25")', '@"2012-12-25"'),
        ('date(year: 2012, month: 2, day: 29)', '@"2012-02-29"'),
        ('date and time(date("2012-12-24"), time("23:59:00"))', '@"2012-12-24T23:59:00"'),
        ('date and time(@"2012-12-24T01:02:03Z", time("23:59:00+01:00"))', '@"2012-12-24T23:59:00+01:00"'),
        ('time(date and time("2012-12-25T11:00:00Z"))', '@"11:00:00Z"'),
        ('time(@"2012-12-25")', '@"00:00:00Z"'),
        ('time(23, 59, 0, duration("PT0H"))', '@"23:59:00z"'),
        ('time(23, 59, 0.5, null)', '@"23:59:00.5"'),
        ('time(hour: 1, minute: 2, second: 3)', '@"01:02:03"'),
        ('time(1, 2, 3, @"-PT5H30M")', '@"01:02:03-05:30"'),
        ('duration("P2Y2M")', 'duration("P26M")'),
        ('years and months duration(date("2011-12-22"), date("2013-08-24"))', '@"P1Y8M"'),
        ('years and months duration(date("2013-08-24"), date("2011-12-25"))', '@"-P1Y7M"'),
        ('years and months duration(@"2020-01-31", @"2020-02-29")', '@"P0M"'),
        ('years and months duration(from: @"2020-01-01T10:00:00", to: @"2020-02-01T09:00:00")', '@"P0M"'),
        ('years and months duration(@"2020-01-01", @"2020-02-01T09:00:00Z")', '@"P1M"'),
        ('range("[18..21)")', "[18..21)"),
        ('range("[\\"a\\"..\\"b..c\\"]")', '["a".."b..c"]'),
        ('range("[@\\"P1D\\"..duration(\\"P2D\\")]")', '[@"P1D"..@"P2D"]'),
        ('range("[-2.5 .. -1]")', "[-2.5..-1]"),
        ('range("[date(\\"2020-01-01\\")..@\\"2020-02-01\\"]")', '[@"2020-01-01"..@"2020-02-01"]'),
        ('range("[2..)").end', "null"),
        ('range("(..2)").start included', "false"),
    ],
)  # fmt: skip
def test_the_conversions_of_the_standard(left: str, right: str) -> None:
    """Table 72."""
    assert agree(left, right)


@pytest.mark.parametrize(
    "text",
    [
        'number("1,000.0", ".", ".")', 'number("1;0", ";", ".")', 'number("1.0", ",", " ")', 'number("abc")',
        'number("")',
        'number("1.")', 'number("1 2")', 'number("+1")', 'number("Infinity")', 'number("NaN")', 'number("0x10")',
        'number("١")', 'number("1_000")', "number(1)", "date(2012, 13, 1)", "date(2012, 1.5, 1)",
        "date(1000000000, 1, 1)",
        "time(24, 0, 0)", "time(1, 2, 60)", 'time(1, 2, 3, @"PT15H")', 'date and time("2012-12-24", "23:59:00")',
        'duration(1)', 'range("[1..0]")', 'range("[..]")', 'range("[1..)..2]")', 'range("[1..\\"a\\"]")',
        'range("[..2)")',
        'range("")', 'range("[a..b]")', 'range("[date(2020)..@\\"2020-02-01\\"]")', "string()", 'date()',
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_null_and_told(text: str) -> None:
    """In one word or more."""
    found, why = told(text)
    assert found is None and why
