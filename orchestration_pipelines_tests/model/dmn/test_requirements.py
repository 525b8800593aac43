"""Requirement graphs: what a decision sees, and that each is evaluated once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from orchestration_pipelines.model import dmn
from orchestration_pipelines_tests.model.dmn.drawing import (
    context,
    data,
    decision,
    knowledge,
    literal,
    model,
    table,
)


def test_a_decision_sees_what_it_requires() -> None:
    """By the names of their variables, which may be others than their own."""
    read = model(
        data("the rate"),
        decision("Net Price", literal("the rate * 2"), "the rate", seen_as="net"),
        decision("Total", literal("net + 1"), "decision:Net Price"),
    )
    assert read.evaluate("Total", {"the rate": 4}) == 9
    assert read.evaluate("Net  Price", {"the rate": 4}) == 8


def test_what_it_does_not_require_it_does_not_see() -> None:
    """Even if it is given; but a name that the file declares nowhere is read from what is given."""
    read = model(data("x"), decision("d", literal("x")), decision("e", literal("y")))
    assert read.evaluate("d", {"x": 1}) is None
    assert read.evaluate("e", {"y": 1}) == 1
    assert read.decisions["e"].undeclared == {"y"}


def test_an_input_that_is_missing_is_null() -> None:
    """As the standard has it."""
    assert model(data("x"), decision("d", literal("x = null"), "x")).evaluate("d", {}) is True


def test_what_is_given_under_the_name_of_a_decision_is_not_its_value() -> None:
    """A case's variables may hold what a table said the last time."""
    read = model(decision("a", literal("1")), decision("b", literal("a + 1"), "decision:a"))
    assert read.evaluate("b", {"a": 100, "b": 100}) == 2


def test_each_decision_is_evaluated_once_and_only_if_it_is_required() -> None:
    """A diamond of forty floors would take a million million evaluations."""
    floors = [decision("d0", literal("1"))]
    for floor in range(1, 41):
        below = f"d{floor - 1}"
        floors += [
            decision(f"a{floor}", literal(below), f"decision:{below}"),
            decision(f"b{floor}", literal(below), f"decision:{below}"),
            decision(f"d{floor}", literal(f"a{floor} + b{floor}"), f"decision:a{floor}", f"decision:b{floor}"),
        ]
    read = model(*floors, decision("unasked", literal("1 + null"), "decision:d3"))
    answer = read.explain("d40", {})
    assert answer.value == 2**40
    assert len(answer.requires) == 120
    assert not answer.diagnostics


def test_a_chain_of_thousands_needs_no_stack() -> None:
    """Decisions are evaluated one after the other, not one within the other."""
    chain = [decision("d0", literal("0"))]
    chain += [decision(f"d{n}", literal(f"d{n - 1} + 1"), f"decision:d{n - 1}") for n in range(1, 3_001)]
    assert model(*chain).evaluate("d3000", {}) == 3_000


def test_the_record_names_every_decision_and_table_on_the_way() -> None:
    """With its rules, its inputs and its own diagnostics; the decision's own come with all of them."""
    graded = knowledge("grade", [("n", "")], table(["n"], [""], [("> 3", '"big"'), ("<= 3", '"small"')]))
    read = model(
        graded,
        data("x"),
        decision("twice", literal("x * 2"), "x"),
        decision("size", literal("grade(twice)"), "decision:twice", "knowledge:grade"),
        decision("route", table(["size"], [""], [('"big"', '"far"')]), "decision:size"),
    )
    answer = read.explain("route", {"x": 2})
    assert (answer.value, answer.rules, answer.inputs, answer.name) == ("far", ("r1",), {"size": "big"}, "route")
    assert [(asked.name, asked.value, asked.rules, dict(asked.inputs)) for asked in answer.requires] == [
        ("twice", 4, (), {"x": 2}),
        ("grade", "big", ("r1",), {"n": 4}),
        ("size", "big", (), {"twice": 4}),
    ]
    answer = read.explain("route", {"x": "two"})
    assert (answer.value, [bool(asked.diagnostics) for asked in answer.requires]) == (None, [True, True, True])
    assert {told for asked in answer.requires for told in asked.diagnostics} <= set(answer.diagnostics)


@pytest.mark.parametrize("through", [1, 2, 500])
def test_decisions_that_require_each_other_are_refused(through: int) -> None:
    """By name, at once, however long the circle is."""
    circle = [decision(f"d{n}", literal("1"), f"decision:d{(n + 1) % through}") for n in range(through)]
    began = time.process_time()
    with pytest.raises(dmn.DmnRefused, match="circle") as refused:
        model(*circle)
    assert len(refused.value.problems) == 1
    assert time.process_time() - began < 2


def test_a_decision_without_logic_is_null() -> None:
    """And says so."""
    answer = model(decision("d", "")).explain("d", {})
    assert (answer.value, answer.diagnostics) == (None, ("d has no logic",))


@pytest.mark.parametrize("ask", ["evaluate", "explain", "invoke"])
def test_a_name_that_is_not_there(ask: str) -> None:
    """KeyError, with the names that are."""
    read = model(decision("d", literal("1")), knowledge("f", [], literal("1")))
    with pytest.raises(KeyError, match="it has"):
        getattr(read, ask)("nobody", {})


def test_the_result_is_held_against_the_type_of_the_variable() -> None:
    """A list of one is its item; what does not fit is null, and told with the decision's name."""
    assert model(decision("d", literal("[1]"), type_ref="number")).evaluate("d", {}) == 1
    answer = model(decision("d", literal('"a"'), type_ref="number")).explain("d", {})
    assert answer.value is None
    assert answer.diagnostics[0].startswith("d is no number")


@pytest.mark.parametrize("inputs", [{"x": 1}, {"x": "1"}, {}])
def test_inputs_are_held_against_their_types(inputs: dict[str, Any]) -> None:
    """A wrong one is null for all that follows."""
    answer = model(data("x", "number"), decision("d", context(("a", literal("x"))), "x")).explain("d", inputs)
    wrong = inputs.get("x") == "1"
    assert answer.value == {"a": None if wrong or not inputs else 1}
    assert any("the input x is no number" in told for told in answer.diagnostics) is wrong


def test_a_name_that_is_there_and_not_required_is_a_problem() -> None:
    """It would be null in silence: for a decision, and for a function, which sees its parameters alone."""
    read = model(
        data("x"),
        knowledge("f", [("n", "")], literal("n + x")),
        decision("d", literal("x + f(1)"), "knowledge:f"),
        decision("e", literal("[{x: 1}][x = 1]")),
    )
    assert [str(problem) for problem in read.problems if problem.id != "e"] == [
        "f (f): it reads 'x', which it does not require: it is null there",
        "d (d): it reads 'x', which it does not require: it is null there",
    ]


def test_a_function_that_nobody_defines_is_a_problem() -> None:
    """Told when the file is read, and null when it is called."""
    read = model(decision("d", literal("nobody(1)")), decision("e", literal("1")))
    assert [str(problem) for problem in read.problems] == [
        "d (d): there is no function 'nobody': define it, or require the one that is"
    ]
    answer = read.explain("d", {})
    assert (answer.value, bool(answer.diagnostics), read.evaluate("e", {})) == (None, True, 1)


@pytest.mark.parametrize("name", ["my input", " my input ", "my  input", "my\n input"])
def test_a_name_that_is_given_has_one_space_for_any(name: str) -> None:
    """In a decision, in a table that is looked up, and in a function; as names in the file are read."""
    grid = table(["my input"], [""], [("1", '"one"'), ("-", '"other"')], "FIRST")
    called = knowledge("f", [("my input", "number")], literal("my input + 1"))
    read = model(
        data("my input"), decision("d", literal("my input + 1"), "my input"), decision("t", grid, "my input"), called
    )
    assert (read.evaluate("d", {name: 1}), read.evaluate("t", {name: 1}), read.invoke("f", {name: 1})) == (2, "one", 2)
    assert read.evaluate_many("t", [{"my input": 1}, {name: 1}, {}]) == ["one", "one", "other"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_float_is_not_let_in(declared: bool) -> None:
    """It is told what to give instead; a tuple is none of FEEL either."""
    drawn = data("x") if declared else ""
    read = model(drawn, decision("d", literal("x"), *(["x"] if declared else [])))
    assert read.explain("d", {"x": 0.1}).diagnostics == ("the input x is a float of Python: give a Decimal or an int",)
    assert read.explain("d", {"x": (1,)}).value is None
    assert read.explain("d", {"x": 1}).value == 1
