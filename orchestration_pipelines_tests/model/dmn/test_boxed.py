"""Boxed expressions: contexts, lists, relations, functions, invocations, and those of DMN 1.4."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orchestration_pipelines_tests.model.dmn.drawing import (
    context,
    data,
    decision,
    item,
    knowledge,
    literal,
    model,
    table,
)


def value(logic: str, *elements: str, **inputs: Any) -> Any:
    """What an expression comes to over these inputs."""
    drawn = [data(name) for name in inputs]
    read = model(*elements, *drawn, decision("d", logic, *inputs))
    assert not read.problems, read.problems
    return read.evaluate("d", inputs)


def part(kind: str, logic: str) -> str:
    """A named part of an expression."""
    return f"<{kind}>{logic}</{kind}>"


def test_entries_see_those_above_them() -> None:
    """By names that may have spaces; the context is the value."""
    drawn = context(("net price", literal("x * 2")), ("gross", literal("net price + 1")))
    assert value(drawn, x=4) == {"net price": 8, "gross": 9}


def test_a_result_entry_is_the_value() -> None:
    """The entry without a name."""
    assert value(context(("a", literal("x")), ("", literal("a + 1"))), x=1) == 2


def test_contexts_nest() -> None:
    """An inner one sees what is around it, and hides nothing behind it."""
    inner = context(("b", literal("a + 1")), ("a", literal("10")))
    drawn = context(("a", literal("1")), ("inner", inner), ("after", literal("a + inner.a")))
    assert value(drawn) == {"a": 1, "inner": {"b": 2, "a": 10}, "after": 11}


def test_lists_and_relations() -> None:
    """Of expressions, in order."""
    assert value(f"<list>{literal('x')}{literal('x + 1')}{context(('a', literal('x')))}</list>", x=1) == [
        1,
        2,
        {"a": 1},
    ]
    drawn = (
        '<relation><column name="name"/><column name="the age"/>'
        f"<row>{literal(chr(34) + 'Ann' + chr(34))}{literal('x')}</row>"
        f"<row>{literal(chr(34) + 'Bob' + chr(34))}{literal('x + 1')}</row></relation>"
    )
    assert value(drawn, x=30) == [{"name": "Ann", "the age": 30}, {"name": "Bob", "the age": 31}]


def test_a_function_in_a_context_is_called() -> None:
    """It sees the names around it, and its parameters hide them."""
    function = (
        '<functionDefinition><formalParameter name="y" typeRef="number"/>'
        + literal("x * y + k")
        + "</functionDefinition>"
    )
    drawn = context(("k", literal("100")), ("scaled", function), ("", literal("scaled(3) + scaled(y: 1)")))
    assert value(drawn, x=2) == 208


def test_a_function_of_another_kind_is_a_problem() -> None:
    """Java and PMML are not run: null, and told."""
    function = (
        '<functionDefinition kind="Java"><formalParameter name="y"/>' + literal("{class: 1}") + "</functionDefinition>"
    )
    read = model(decision("d", context(("f", function), ("", literal("f(1)")))))
    assert "kind Java" in read.problems[0].reason
    answer = read.explain("d", {})
    assert answer.value is None
    assert "kind Java" in answer.diagnostics[0]


def test_an_invocation_binds_parameters_by_name() -> None:
    """In any order; of a built-in function as well."""
    share = knowledge("a share", [("part", "number"), ("whole", "number")], literal("part / whole"))
    drawn = (
        f"<invocation>{literal('a share')}"
        f'<binding><parameter name="whole"/>{literal("x * 2")}</binding>'
        f'<binding><parameter name="part"/>{literal("x")}</binding></invocation>'
    )
    assert model(share, data("x"), decision("d", drawn, "x", "knowledge:a share")).evaluate("d", {"x": 4}) == Decimal(
        "0.5"
    )
    built_in = f'<invocation>{literal("abs")}<binding><parameter name="n"/>{literal("-3")}</binding></invocation>'
    assert value(built_in) == 3


@pytest.mark.parametrize("callee", ["nobody", "x"])
def test_an_invocation_of_what_is_no_function_is_null(callee: str) -> None:
    """And told."""
    drawn = f'<invocation>{literal(callee)}<binding><parameter name="a"/>{literal("1")}</binding></invocation>'
    answer = model(data("x"), decision("d", drawn, "x")).explain("d", {"x": 1})
    assert answer.value is None
    assert answer.diagnostics


@pytest.mark.parametrize(("x", "way"), [(5, "big"), (1, "small"), (None, "small"), ("text", "small")])
def test_a_conditional_goes_one_way(x: Any, way: str) -> None:
    """What does not come to true goes the other."""
    drawn = "".join(
        part(kind, literal(text)) for kind, text in (("if", "x > 3"), ("then", '"big"'), ("else", '"small"'))
    )
    assert value(f"<conditional>{drawn}</conditional>", x=x) == way


def test_a_filter() -> None:
    """By what each item is, or has; what is no list is a list of one."""
    above = part("in", literal("x")) + part("match", literal("item > 1"))
    assert value(f"<filter>{above}</filter>", x=[1, 2, 3]) == [2, 3]
    assert value(f"<filter>{above}</filter>", x=2) == [2]
    named = part("in", literal("x")) + part("match", literal("the age > 1 and item.the age < 3"))
    ages = item("tAges", "", '<itemComponent name="the age"><typeRef>number</typeRef></itemComponent>')
    people = [{"the age": age} for age in (1, 2, 3)]
    assert value(f"<filter>{named}</filter>", ages, x=people) == [{"the age": 2}]


def test_a_filter_takes_conditions() -> None:
    """Of null it is null, and with a match that is none it is null, and told."""
    number = f"<filter>{part('in', literal('x'))}{part('match', literal('item'))}</filter>"
    assert value(number, x=None) is None
    answer = model(data("x"), decision("d", number, "x")).explain("d", {"x": [1]})
    assert (answer.value, answer.diagnostics) == (None, ("a filter takes a condition, found 1 (number)",))


def test_what_a_for_keeps_of_its_results_does_not_grow() -> None:
    """``partial`` is what was found before, for good."""
    drawn = part("in", literal("[1, 2, 3]")) + part("return", literal("partial"))
    assert value(f'<for iteratorVariable="n">{drawn}</for>') == [[], [[]], [[], [[]]]]


def test_a_for_sees_what_it_has_found() -> None:
    """As ``partial``; the variable is the item."""
    drawn = part("in", literal("x")) + part("return", literal("n + count(partial)"))
    assert value(f'<for iteratorVariable="n">{drawn}</for>', x=[10, 20, 30]) == [10, 21, 32]
    assert value(
        f'<for iteratorVariable="n">{part("in", literal("[1..3]"))}{part("return", literal("n * n"))}</for>'
    ) == [1, 4, 9]


@pytest.mark.parametrize(
    ("kind", "x", "answer"),
    [
        ("some", [1, 5], True),
        ("some", [1, 2], False),
        ("some", [1, None], None),
        ("some", [None, 5], True),
        ("some", [], False),
        ("every", [5, 6], True),
        ("every", [5, 1], False),
        ("every", [5, None], None),
        ("every", [None, 1], False),
        ("every", [], True),
    ],
)
def test_some_and_every(kind: str, x: list[Any], answer: bool | None) -> None:
    """Three-valued: a null leaves it open unless another item settles it."""
    drawn = part("in", literal("x")) + part("satisfies", literal("n > 3"))
    assert value(f'<{kind} iteratorVariable="n">{drawn}</{kind}>', x=x) is answer


def test_a_table_within_a_context_leaves_its_record() -> None:
    """Which rule of which table, by the name of the entry."""
    drawn = context(("grade", table(["x"], [""], [("> 3", '"big"'), ("<= 3", '"small"')])), ("", literal("grade")))
    answer = model(data("x"), decision("d", drawn, "x")).explain("d", {"x": 5})
    assert (answer.value, answer.rules) == ("big", ())
    assert [(asked.name, asked.rules, asked.value) for asked in answer.requires] == [("d, grade", ("r1",), "big")]


def test_an_expression_is_held_against_the_type_that_it_names() -> None:
    """A literal, an entry, a column: what does not fit is null, and told with its name."""
    drawn = (
        '<context><contextEntry><variable name="a" typeRef="number"/>' + literal('"text"') + "</contextEntry></context>"
    )
    answer = model(decision("d", drawn)).explain("d", {})
    assert answer.value == {"a": None}
    assert answer.diagnostics[0].startswith("d, a is no number")
    assert value(literal("[1]", "number")) == 1


def test_a_context_entry_that_is_no_feel_is_null_alone() -> None:
    """The other entries have their values; the problem says where it is."""
    read = model(decision("d", context(("a", literal("1 +")), ("b", literal("2")))))
    assert (read.evaluate("d", {}), str(read.problems[0]).partition(":")[0]) == ({"a": None, "b": 2}, "d (d) a")
