"""Item definitions: what fits a type, and what is made of what nearly does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from orchestration_pipelines.model import dmn
from orchestration_pipelines_tests.model.dmn.drawing import V13, data, decision, item, literal, model

COMPONENTS = (
    '<itemComponent name="amount"><typeRef>number</typeRef></itemComponent>'
    '<itemComponent name="the terms" isCollection="true"><typeRef>tTerm</typeRef></itemComponent>'
)
ALLOWED = '<allowedValues><text>"short", "long"</text></allowedValues>'
TYPES = (
    item("tTerm", "string", ALLOWED),
    item("tLoan", inside=COMPONENTS),
    item("tLoans", "tLoan", collection=True),
    item("tNumbers", "number", '<allowedValues><text>[0..10]</text></allowedValues>'
         '<typeConstraint><text>count(?) &lt; 3</text></typeConstraint>', collection=True),
    item("tMoment", "date and time"),
    item("tTree", inside='<itemComponent name="value"><typeRef>number</typeRef></itemComponent>'
         '<itemComponent name="branches" isCollection="true"><typeRef>tTree</typeRef></itemComponent>'),
    item("tAnything"),
)  # fmt: skip
LOAN = {"amount": Decimal(1), "the terms": ["short", "long"]}
LEAF: dict[str, Any] = {"value": 1, "branches": []}


def as_type(value: Any, name: str) -> Any:
    """The value as an input of this type."""
    return model(*TYPES, data("x", name), decision("d", literal("x"), "x")).evaluate("d", {"x": value})


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("tTerm", "short", True),
        ("tTerm", "middle", False),
        ("tLoan", LOAN, True),
        ("tLoan", {**LOAN, "more": 1}, True),
        ("tLoan", {"amount": 1}, False),
        ("tLoan", {**LOAN, "amount": "1"}, False),
        ("tLoan", {**LOAN, "amount": None}, True),
        ("tLoan", {**LOAN, "the terms": ["middle"]}, False),
        ("tLoan", {**LOAN, "the terms": "short"}, False),
        ("tLoans", [LOAN, LOAN], True),
        ("tLoans", [LOAN, 1], False),
        ("tNumbers", [1, 2], True),
        ("tNumbers", [1, 2, 3], False),
        ("tNumbers", [1, 11], False),
        ("tTree", {"value": 1, "branches": [LEAF, LEAF]}, True),
        ("tTree", {"value": 1, "branches": [{**LEAF, "value": "a"}]}, False),
        ("tAnything", [1, "a"], True),
        ("feel:number", 1, True),
        ("number", True, False),
        ("string", 1, False),
        ("boolean", True, True),
        ("date", date(2026, 1, 1), True),
        ("date", datetime(2026, 1, 1, tzinfo=UTC), False),
    ],
)
def test_what_fits_a_type(name: str, value: Any, fits: bool) -> None:
    """Further entries of a context are let in, missing ones are not; null is of every type."""
    assert as_type(value, name) == (value if fits else None)


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("tTerm", ["short"], "short"),
        ("tTerm", ["middle"], None),
        ("tLoans", LOAN, [LOAN]),
        ("tNumbers", 7, [7]),
        ("tNumbers", 11, None),
        ("number", [1], 1),
        ("number", [1, 2], None),
        ("tMoment", date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_conversions_of_the_standard(name: str, value: Any, made: Any) -> None:
    """A list of one and its item, a date and its midnight in UTC."""
    assert as_type(value, name) == made


def test_feel_knows_the_types_and_their_names() -> None:
    """In ``instance of``, and behind a dot: names with spaces too."""
    read = model(*TYPES, data("x", "tLoan"), decision("d", literal("x.the terms[1]"), "x"),
                 decision("e", literal("x instance of tLoan"), "x"))  # fmt: skip
    assert not read.problems
    assert read.evaluate("d", {"x": LOAN}) == "short"
    assert [read.evaluate("e", {"x": x}) for x in (LOAN, 1)] == [True, False]


def test_a_type_that_nobody_defines_is_a_problem() -> None:
    """And holds anything: the rest can be tried."""
    read = model(data("x", "tNobody"), decision("d", literal("x + 1"), "x"))
    assert "tNobody" in str(read.problems[0])
    assert read.evaluate("d", {"x": 1}) == 2


def test_allowed_values_that_are_no_feel_are_a_problem() -> None:
    """With the name of the type."""
    read = model(
        item("tBad", "number", "<allowedValues><text>&lt; &lt;</text></allowedValues>"), decision("d", literal("1"))
    )
    assert str(read.problems[0]).startswith("tBad (tBad): FEEL")


@pytest.mark.parametrize(
    "types",
    [[item("tA", "tA")], [item("tA", "tB"), item("tB", "tA")]],
)
def test_a_type_that_is_nothing_but_itself_is_refused(types: list[str]) -> None:
    """By name."""
    with pytest.raises(dmn.DmnRefused, match="defined by itself"):
        model(*types, decision("d", literal("1")))


def test_types_of_the_first_version_that_is_read() -> None:
    """DMN 1.3 has them as well."""
    assert not model(*TYPES, decision("d", literal("1")), version=V13).problems
