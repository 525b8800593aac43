"""Business knowledge models and decision services: called from FEEL, and by their names."""

from __future__ import annotations

import time

import pytest

from orchestration_pipelines.model import feel
from orchestration_pipelines_tests.model.dmn.drawing import (
    data,
    decision,
    item,
    knowledge,
    literal,
    model,
    service,
    table,
)

SUM = knowledge("the sum", [("a", "number"), ("b", "number")], literal("a + b"))


def test_a_business_knowledge_model_is_a_function() -> None:
    """Called by position, by name, and from outside; it sees no input."""
    read = model(
        SUM, data("x"), decision("d", literal("the sum(x, 1) + the sum(b: x, a: 2)"), "x", "knowledge:the sum")
    )
    assert read.evaluate("d", {"x": 10}) == 23
    assert read.invoke("the sum", {"a": 1, "b": 2}) == 3
    blind = model(knowledge("f", [], literal("x")), data("x"), decision("d", literal("f()"), "x", "knowledge:f"))
    assert blind.evaluate("d", {"x": 1}) is None


def test_one_calls_another_that_it_requires() -> None:
    """And a table may be the body."""
    grade = knowledge("grade", [("n", "")], table(["n"], [""], [("> 3", '"big"')]), "knowledge:the sum")
    outer = knowledge("outer", [("n", "")], literal("grade(the sum(n, 1))"), "knowledge:the sum", "knowledge:grade")
    assert model(SUM, grade, outer).invoke("outer", {"n": 3}) == "big"


@pytest.mark.parametrize("arguments", ['1, "b"', "1", "1, 2, 3"])
def test_arguments_that_do_not_fit_make_it_null(arguments: str) -> None:
    """Of a wrong type, too few or too many; what is wrong is told."""
    read = model(SUM, decision("d", literal(f"the sum({arguments})"), "knowledge:the sum"))
    answer = read.explain("d", {})
    assert answer.value is None
    assert "the sum" in answer.diagnostics[0]


def test_arguments_and_results_are_converted() -> None:
    """A list of one to its item, an item to a list of one."""
    items = item("tNumbers", "number", collection=True)
    count = knowledge("how many", [("of", "tNumbers")], literal("count(of)"), type_ref="tNumbers")
    assert model(items, count).invoke("how many", {"of": 7}) == [1]
    assert model(SUM).invoke("the sum", {"a": [1], "b": 2}) == 3


def test_a_type_of_functions_says_what_is_given() -> None:
    """The variable of a business knowledge model has such a type, or that of its value."""
    signature = '<functionItem outputTypeRef="string"><parameters name="a" typeRef="number"/></functionItem>'
    read = model(
        item("tShown", inside=signature), knowledge("shown", [("a", "number")], literal("a"), type_ref="tShown")
    )
    assert read.invoke("shown", {"a": 1}) is None


def test_recursion_ends_in_a_value_or_in_a_clear_error() -> None:
    """A function may call itself; without an end it is stopped, soon."""
    factorial = knowledge("fact", [("n", "number")], literal("if n < 2 then 1 else n * fact(n - 1)"), "knowledge:fact")
    assert model(factorial).invoke("fact", {"n": 10}) == 3_628_800
    endless = model(knowledge("f", [("n", "")], literal("f(n + 1)"), "knowledge:f"))
    began = time.process_time()
    with pytest.raises(feel.FeelLimit):
        endless.invoke("f", {"n": 1})
    assert time.process_time() - began < 2


PRICING = (
    data("amount"),
    data("country"),
    decision("tax rate", literal('if country = "CH" then 10 else 20'), "country"),
    decision("tax", literal("amount * tax rate / 100"), "amount", "decision:tax rate"),
    decision("total", literal("amount + tax"), "amount", "decision:tax"),
)


def test_a_service_evaluates_what_it_encloses() -> None:
    """Its parameters are its input data, then its input decisions, whose logic is not asked."""
    within = {"outputDecision": ["total"], "encapsulatedDecision": ["tax"]}
    drawn = service("price", **within, inputDecision=["tax rate"], inputData=["amount"])
    read = model(*PRICING, drawn, decision("d", literal("price(200, 50)"), "knowledge:price"))
    assert read.invoke("price", {"amount": 100, "tax rate": 50}) == 150
    assert read.evaluate("d", {}) == 300
    assert read.invoke("price", {"amount": 100}) is None


def test_a_service_of_several_decisions_gives_them_by_name() -> None:
    """As a context."""
    drawn = service("both", outputDecision=["total", "tax"], inputData=["amount", "country"])
    read = model(*PRICING, drawn, decision("d", literal("both(100, country).tax"), "country", "knowledge:both"))
    assert read.invoke("both", {"amount": 100, "country": "CH"}) == {"total": 110, "tax": 10}
    assert read.evaluate("d", {"country": "FR"}) == 20


def test_a_service_does_not_see_the_inputs_around_it() -> None:
    """Nor what has been evaluated there: it is a function of its parameters alone."""
    drawn = service("taxed", outputDecision=["tax"], encapsulatedDecision=["tax rate"], inputData=["amount"])
    read = model(
        *PRICING, drawn, decision("d", literal("taxed(100)"), "country", "decision:tax rate", "knowledge:taxed")
    )
    assert read.evaluate("d", {"country": "CH", "amount": 7}) == 20


def test_a_service_within_itself_is_stopped() -> None:
    """Soon, and clearly."""
    read = model(decision("a", literal("s()"), "knowledge:s"), service("s", outputDecision=["a"]))
    began = time.process_time()
    with pytest.raises(feel.FeelLimit):
        read.evaluate("a", {})
    assert time.process_time() - began < 2


def test_the_record_holds_the_decisions_of_a_service() -> None:
    """With the rules that matched there."""
    read = model(
        data("n"),
        decision("grade", table(["n"], [""], [("> 3", '"big"')]), "n"),
        service("graded", outputDecision=["grade"], inputData=["n"]),
        decision("d", literal("graded(5)"), "knowledge:graded"),
    )
    assert [(asked.name, asked.rules) for asked in read.explain("d", {}).requires] == [("grade", ("r1",))]
