"""A decision before it is made: each field's own error, the difference, and what the table would say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.intake import BadRow, Field
from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.edits import typed, undeclared
from orchestration_pipelines.engine.preview import Change, Preview, differences, preview
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, SETTINGS, task_of
from orchestration_pipelines_tests.engine.flow import Flow

_values = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.decimals(-1000, 1000, places=2), st.text(max_size=20)
)


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Case A of 50 waits; the grid says that this is much."""
    flow = draw(*DECIDING, settings=SETTINGS, grid=GRID)
    flow.submit("A")
    flow.sweep()
    return flow


def look(flow: Flow, **written: str) -> Preview:
    task = task_of(flow)
    with flow.engine.connect() as connection:
        return preview(connection, flow.engine.workflow.process, flow.engine.version, task, written)


def test_every_slip_is_told_by_its_field(flow: Flow) -> None:
    """All at once, beside what is right; the plain verb says them in one sentence."""
    found = look(flow, amount="a lot", note="x" * 65_537, paid="perhaps", review="1")
    assert set(found.edits.problems) == {"amount", "note", "paid", "review"}
    assert "not a number" in found.edits.problems["amount"]
    assert found.edits.problems["review"].startswith("review cannot be edited in task")
    assert (found.edits.values, found.changes, found.rulings) == ({}, [], [])
    with flow.engine.connect() as connection, pytest.raises(Refused, match=r"amount.*not a number; .*paid"):
        reviews.typed(connection, task_of(flow), {"amount": "a lot", "paid": "perhaps"})


def test_only_what_says_something_else_is_an_edit(flow: Flow) -> None:
    """50 and 50.0 are one number; what is empty and was empty stays; what is emptied must be optional."""
    found = look(flow, amount="50.0", note=" ", paid="")
    assert (found.edits.values, found.edits.problems) == ({}, {})
    assert look(flow, amount=" ").edits.problems == {"amount": "field 'amount' must not be empty"}
    found = look(flow, amount="30.5", paid="yes")
    assert set(found.changes) == {Change("amount", 50, Decimal("30.5")), Change("paid", None, True)}


def test_the_table_in_force_is_asked_about_the_edited_facts(flow: Flow) -> None:
    """Nothing is written by it, and a table that reads nothing of the edit is not asked."""
    (ruling,) = look(flow, amount="30").rulings
    assert (ruling.step, ruling.before, ruling.after, ruling.is_another) == ("grid", "much", "little", True)
    assert ruling.rules == ("Amount is below 45: little",)
    assert not look(flow, amount="60").rulings[0].is_another
    assert look(flow, note="why not").rulings == []
    assert flow.one("SELECT variables -> 'amount' FROM cases") == b"50"


@given(st.dictionaries(st.sampled_from("abcd"), _values), st.dictionaries(st.sampled_from("abcd"), _values))
def test_differences_are_what_makes_one_state_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Laid over the first they give the second; and there are none between a state and itself."""
    changes = differences(before, after)
    assert {**{name: after.get(name) for name in before}, **{c.field: c.after for c in changes}} == {
        name: after.get(name) for name in {**before, **{c.field: 0 for c in changes}}
    }
    assert all(after.get(name) == before.get(name) for name in {*before, *after} - {c.field for c in changes})
    assert differences(before, before) == []


@given(_values)
def test_what_is_shown_and_typed_again_is_what_it_was(value: Any) -> None:
    """A field's value as text, read as its own type, is that value: leaving a form alone edits nothing."""
    field = undeclared("x", value)
    text = "" if value is None else str(value)
    try:
        again = typed(field, text)
    except BadRow:
        assert isinstance(value, str), "only a text can hold what no field may"
        return
    assert again == value or (isinstance(value, str) and not value.strip() and again is None)


@given(st.sampled_from(["number", "flag", "date", "text"]), st.text(max_size=30), st.booleans())
def test_whatever_is_typed_is_a_value_or_a_told_slip(kind: str, text: str, optional: bool) -> None:
    """And never another error; what is empty is nothing, or refused."""
    try:
        value = typed(Field("x", kind, optional), text)
    except BadRow as slip:
        assert "'x'" in str(slip)
    else:
        assert value is not None or optional
