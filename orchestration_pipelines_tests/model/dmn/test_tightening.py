"""Tightening is proved, never guessed: compared with what evaluating both tables on many inputs says."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.dmn.tightening import Care, Change, Comparison, Weight, at_least, compared
from orchestration_pipelines_tests.tables import table

_AMOUNTS = [None, "x", True, *(Decimal(half) / 2 for half in range(-3, 14))]
_GRADES = [None, "a", "b", "c", "", Decimal(1)]
_ROUTES = ("auto", "block", "review")


def weigh(answer: Any) -> Weight:
    """People before machines; then how many sign."""
    return (answer["route"] != "auto", answer["route"] != "block", answer["signatures"])


CARE = Care(weigh, (True, True, Decimal(2)))


def model(xml: str) -> dmn.Model:
    read = dmn.loads(xml.encode(), "grid.dmn")
    assert not read.problems
    return read


def change(before: str, after: str, care: Care | None = CARE) -> Comparison:
    return compared(model(before).tables["grid"], model(after).tables["grid"], care)


_NUMBER = st.integers(0, 5).map(str)
_AMOUNT = st.one_of(
    st.just("-"),
    st.tuples(st.sampled_from(["< ", "<= ", "> ", ">= ", ""]), _NUMBER).map("".join),
    st.tuples(st.sampled_from("[("), st.integers(0, 3), st.integers(0, 3), st.sampled_from(")]")).map(
        lambda it: f"{it[0]}{it[1]}..{it[1] + it[2]}{it[3]}"
    ),
    st.tuples(_NUMBER, _NUMBER).map(", ".join),
    _NUMBER.map("not({})".format),
    st.just("null"),
)
_GRADE = st.sampled_from(["-", '"a"', '"b"', '"a", "b"', 'not("a")', "null", "not(null)"])
_RULE = st.tuples(_AMOUNT, _GRADE, st.sampled_from([f'"{route}"' for route in _ROUTES]), st.sampled_from(["1", "2"]))
_TABLE = st.tuples(st.lists(_RULE, min_size=1, max_size=5), st.sampled_from(["UNIQUE", "FIRST", "ANY"])).map(
    lambda drawn: table(*drawn[0], inputs=("amount", "grade"), policy=drawn[1])
)


@settings(max_examples=60, deadline=None)
@given(_TABLE, st.one_of(st.none(), _TABLE), st.data())
def test_it_says_what_evaluating_everywhere_says(before: str, other: str | None, data: st.DataObject) -> None:
    """Neutral where every answer is the same, tightening where none means less: exactly that, on random tables."""
    after = other or before.replace(*data.draw(st.sampled_from([('"auto"', '"review"'), (">1<", ">2<"), ("5", "4")])))
    rows = [{"amount": amount, "grade": grade} for amount, grade in product(_AMOUNTS, _GRADES)]
    answers = [model(xml).evaluate_many("grid", rows) for xml in (before, after)]
    weights = [[CARE.no_answer if each is None else weigh(each) for each in side] for side in answers]
    if answers[0] == answers[1]:
        wanted = Change.NEUTRAL
    elif all(at_least(new, old) for old, new in zip(*weights, strict=True)):
        wanted = Change.TIGHTENING
    else:
        wanted = Change.LOOSENING
    told = change(before, after)
    assert told.change == wanted, told.why


STRICT = (("< 100", '"auto"', "1"), (">= 100", '"review"', "1"))


@pytest.mark.parametrize(
    ("after", "wanted", "why"),
    [
        (STRICT, Change.NEUTRAL, "the same"),
        ((("< 50", '"auto"', "1"), (">= 50", '"review"', "1")), Change.TIGHTENING, "nowhere"),
        ((("< 50", '"auto"', "1"), ("> 50", '"review"', "1")), Change.TIGHTENING, "nowhere"),
        ((("< 100", '"auto"', "1"), (">= 100", '"review"', "2")), Change.TIGHTENING, "nowhere"),
        ((("< 101", '"auto"', "1"), (">= 101", '"review"', "1")), Change.LOOSENING, "Amount = 100, it is route"),
        ((("< 100", '"block"', "1"), (">= 100", '"review"', "1")), Change.LOOSENING, "was route"),
        ((("< 100", '"auto"', "1"), (">= 100", '"review"', "null")), Change.LOOSENING, "an output is null"),
        ((("< 100", '"auto"', "1"), (">= 100", '"review"', "amount")), Change.LOOSENING, "depends on more"),
        ((("< limit", '"auto"', "1"), (">= limit", '"review"', "1")), Change.LOOSENING, "cannot be cut"),
    ],
)
def test_what_is_tightening(after: tuple[tuple[str, ...], ...], wanted: Change, why: str) -> None:
    """The machine's part grows nowhere, at the border neither; a machine's no is no tighter than a machine's yes."""
    told = change(table(*STRICT), table(*after))
    assert (told.change, why in told.why) == (wanted, True), told.why


def test_an_output_that_reads_more_must_stay_as_it_is_written() -> None:
    """It is not weighed; where it may fail, it does so before and after."""
    rules = [(*rule, 'if grade = "a" then 1 else 2') for rule in STRICT]
    tighter = [(">= 0", *rules[1][1:]), ("< 0", *rules[0][1:])]
    outputs = ("route", "signatures", "days")
    assert change(table(*rules, outputs=outputs), table(*tighter, outputs=outputs)).change is Change.TIGHTENING
    other = [(*rule[:-1], 'if grade = "b" then 1 else 2') for rule in tighter]
    assert change(table(*rules, outputs=outputs), table(*other, outputs=outputs)).change is Change.LOOSENING


def test_a_column_more_is_compared_too() -> None:
    """A new condition for the machine tightens, and taking it out loosens."""
    wide = table(
        ("< 100", '"a"', '"auto"', "1"), ("< 100", 'not("a")', '"review"', "1"), (">= 100", "-", '"review"', "1"),
        inputs=("amount", "grade"),
    )  # fmt: skip
    assert change(table(*STRICT), wide).change is Change.TIGHTENING
    assert change(wide, table(*STRICT)).change is Change.LOOSENING


def test_values_that_no_cell_names_count() -> None:
    """Only a missing amount is looked at: any other value, of whatever kind, is the machine's now."""
    missing = table(("null", '"review"', "1"), ("-", '"auto"', "1"), policy="FIRST")
    told = change(table(("-", '"review"', "1")), missing)
    assert told.change is Change.LOOSENING, told.why
    typed = missing.replace("<inputExpression>", '<inputExpression typeRef="years and months duration">')
    assert change(table(("-", '"review"', "1")), typed).change is Change.LOOSENING


@pytest.mark.parametrize(
    ("one", "other"),
    [((True,), (1,)), ((1,), (True,)), ((1, 2), (1,)), (None, (1,)), ((1,), (None,)), (("b",), ("a",))],
)
def test_weights_of_different_kinds_are_not_compared(one: Weight, other: Weight) -> None:
    """A truth value is no number, a text is neither, and what is missing is no weight."""
    assert not at_least(one, other)


def test_without_an_order_only_neutrality_is_proved() -> None:
    """Nobody has said which answer means more human review."""
    assert change(table(*STRICT), table(*reversed(STRICT)), None).change is Change.NEUTRAL
    told = change(table(*STRICT), table(("-", '"review"', "1")), None)
    assert (told.change, "orch:review" in told.why) == (Change.LOOSENING, True)


def test_too_many_places_are_no_proof() -> None:
    """It gives up within moments, and says so."""
    inputs = tuple(f"x{n}" for n in range(12))
    rules = [(*[f"> {n * 7}"] * 12, '"auto"', "1") for n in range(4)]
    told = change(table(*rules, inputs=inputs, policy="FIRST"), table(*rules[:2], inputs=inputs, policy="FIRST"))
    assert (told.change, "too many" in told.why) == (Change.LOOSENING, True)
