"""What becomes of an offered row: typed exactly, or refused by field and reason."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.canonical import decode, encode
from orchestration_pipelines.domain.intake import BadColumns, BadRow, Field, Intake, Offer

INTAKE = Intake(
    key="case_key",
    fields=(
        Field("n", "number", True),
        Field("t", "text", True),
        Field("f", "flag", True),
        Field("d", "date", True),
        Field("must", "number", False),
    ),
    withheld={"protected": ("sex",)},
    ignored=frozenset({"row"}),
)


def offer(**columns: Any) -> Offer:
    return INTAKE.offer({"case_key": "A", "must": 1, **columns})


@pytest.mark.parametrize(
    ("column", "written", "kept"),
    [
        ("n", "2.50", Decimal("2.5")),
        ("n", 2.0, 2),
        ("n", " 1e3 ", 1000),
        ("n", "-0", 0),
        ("n", "0.1234567890123456789012345678901234", Decimal("0.1234567890123456789012345678901234")),
        ("n", 0.1, Decimal("0.1")),
        ("n", "  ", None),
        ("t", "é\n", "é\n"),
        ("t", "", None),
        ("f", "Yes", True),
        ("f", 0.0, False),
        ("d", "2026-03-01", "2026-03-01"),
        ("d", date(2026, 3, 1), "2026-03-01"),
    ],
)
def test_each_type_in_one_form(column: str, written: Any, kept: Any) -> None:
    """Exactly as written, empty where it was left empty."""
    value = offer(**{column: written}).variables[column]
    assert (value, type(value)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("column", "written", "reason"),
    [
        ("n", float("nan"), "not a number"),
        ("n", float("inf"), "not a number"),
        ("n", "-Infinity", "not a number"),
        ("n", "NaN", "not a number"),
        ("n", "12 apples", "not a number"),
        ("n", True, "not a number"),
        ("n", [1], "not a number"),
        ("n", "1" * 35, "34 digits"),
        ("n", "1e99", "34 digits"),
        ("n", 10**5000, "34 digits"),
        ("t", "x" * 10_000_000, "10,000,000 characters"),
        ("n", "x" * 10_000_000, "10,000,000 characters"),
        ("t", "a\0b", "NUL"),
        ("t", "a\ud800", "not valid Unicode"),
        ("t", 5, "not text"),
        ("f", "maybe", "not true or false"),
        ("d", "31.12.2026", "not a date"),
        ("d", datetime(2026, 1, 1), "not a date"),  # noqa: DTZ001 - what a file holds
        ("must", "", "is empty and must not be"),
        ("sex", "a\0b", "NUL"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_bad_value_names_its_field(column: str, written: Any, reason: str) -> None:
    """And the reason, shortened."""
    with pytest.raises(BadRow, match=reason) as error:
        offer(**{column: written})
    assert f"field {column!r}" in str(error.value) and len(str(error.value)) < 200


@pytest.mark.parametrize(
    "key",
    [None, "", " ", "a:b", "a\nb", " a", "a\0", "a\ud800", "k" * 201, 1.0, True, b"a", ["a"], 10**5000],
    ids=lambda key: type(key).__name__,
)
def test_a_case_key_that_cannot_be_written_anywhere_is_refused(key: Any) -> None:
    """In a list, a link or a lock."""
    with pytest.raises(BadRow, match="case key"):
        INTAKE.offer({"case_key": key, "must": 1})


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_one_number_has_one_digest(number: Decimal) -> None:
    """However a file wrote it: 2, 2.0 and "2.00" are the same case."""
    spellings: list[Any] = [number, str(number), f"{number}00", f" {number:f} ", float(number), number.normalize()]
    if number == number.to_integral_value():
        spellings.append(int(number))
    assert len({offer(n=written).digest for written in spellings}) == 1
    assert offer(n=number).digest != offer(n=number + 1).digest


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda n: len(n.as_tuple().digits) <= 34))
def test_a_number_is_kept_to_its_last_digit(number: Decimal) -> None:
    """Through intake and the database's JSON, or refused."""
    try:
        kept = offer(n=number).variables["n"]
    except BadRow:
        return
    assert kept == number and Decimal(decode(encode(kept))) == number


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (["case_key", "n", "t", "f", "d"], "missing column 'must'"),
        (["case_key", "n", "t", "f", "d", "must", "x"], "unknown column 'x'"),
        (["case_key", "n", "n", "t", "f", "d", "must"], "'n' appears twice"),
    ],
)
def test_columns_are_those_declared(columns: list[str], reason: str) -> None:
    """Nothing of a file with other columns is taken; withheld and ignored ones are known."""
    INTAKE.check_columns(["case_key", "n", "t", "f", "d", "must", "sex", "row"])
    with pytest.raises(BadColumns, match=reason):
        INTAKE.check_columns(columns)


def test_what_is_withheld_is_no_variable() -> None:
    """It is split off, and part of the digest."""
    made = offer(sex="f")
    assert made.withheld == {"protected": {"sex": "f"}} and "sex" not in made.variables
    assert made.digest != offer(sex="m").digest
