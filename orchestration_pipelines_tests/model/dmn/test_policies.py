"""Hit policies: which rules count, what they come to, and that the order of the rules does not show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import dmn
from orchestration_pipelines_tests.model.dmn.drawing import data, decision, model, output, table

OVERLAPPING = (("< 10", '"low"'), ("< 5", '"lower"'), ("> 20", '"high"'))
RANKED = output(allowed='"high", "lower", "low"')


def graded(policy: str, rules: tuple[tuple[str, ...], ...] = OVERLAPPING, *outputs: str, sum_as: str = "") -> dmn.Model:
    """A decision of one table over one input ``x``."""
    return model(data("x"), decision("grade", table(["x"], outputs or [""], rules, policy, sum_as), "x"))


@pytest.mark.parametrize(
    ("policy", "x", "value", "rules"),
    [
        ("UNIQUE", 30, "high", ("r3",)),
        ("UNIQUE", 1, None, ("r1", "r2")),
        ("UNIQUE", 15, None, ()),
        ("UNIQUE", None, None, ()),
        ("UNIQUE", "text", None, ()),
        ("FIRST", 1, "low", ("r1",)),
        ("FIRST", 15, None, ()),
        ("ANY", 1, None, ("r1", "r2")),
        ("ANY", 30, "high", ("r3",)),
        ("PRIORITY", 1, "lower", ("r2",)),
        ("RULE ORDER", 1, ["low", "lower"], ("r1", "r2")),
        ("OUTPUT ORDER", 1, ["lower", "low"], ("r2", "r1")),
        ("COLLECT", 1, ["low", "lower"], ("r1", "r2")),
        ("COLLECT", 15, [], ()),
    ],
)
def test_the_policies(policy: str, x: Any, value: Any, rules: tuple[str, ...]) -> None:
    """A table that is hit twice where it may not be has no value, and says which rules it was; no rule is said too."""
    read = graded(policy, OVERLAPPING, RANKED)
    answer = read.explain("grade", {"x": x})
    assert (answer.value, answer.rules, answer.digest, answer.name) == (value, rules, read.digest, "grade")
    assert answer.inputs == {"x": x}
    if not value:
        assert ("r1, r2" if rules else "no rule matches") in answer.diagnostics[-1]


@pytest.mark.parametrize(
    ("aggregation", "x", "value"),
    [("SUM", 1, 6), ("COUNT", 1, 3), ("MIN", 1, 1), ("MAX", 1, 3), ("SUM", 9, None), ("COUNT", 9, 0), ("MIN", 9, None)],
)
def test_the_aggregations(aggregation: str, x: int, value: int | None) -> None:
    """Of the outputs of all rules that match; none is no number, and the count of none is 0."""
    rules = (("< 5", "3"), ("< 4", "1"), ("< 3", "2"))
    assert graded("COLLECT", rules, sum_as=aggregation).evaluate("grade", {"x": x}) == value


def test_first_asks_the_first_alone() -> None:
    """What the others would say, and what is wrong with it, is nobody's concern."""
    answer = graded("FIRST", (("-", "1"), ("-", '1 + "a"'))).explain("grade", {"x": 1})
    assert (answer.value, answer.diagnostics) == (1, ())


def test_any_takes_rules_that_say_the_same() -> None:
    """And counts them all."""
    answer = graded("ANY", (("< 10", "1"), ("< 5", "1.0"))).explain("grade", {"x": 1})
    assert (answer.value, answer.rules) == (1, ("r1", "r2"))


def test_any_tells_values_of_different_kinds_apart() -> None:
    """To Python true is 1; to FEEL it is not."""
    assert graded("ANY", (("-", "true"), ("-", "1"))).evaluate("grade", {"x": 1}) is None


def test_priority_goes_from_output_to_output() -> None:
    """Outputs without a list of values have none; a tie that says two things is no answer."""
    outputs = (output("a", allowed='"x", "y"'), output("b", allowed="1, 2"), output("c"))
    rules = (("-", '"y"', "1", "0"), ("-", '"x"', "2", "0"), ("< 5", '"x"', "1", "0"), ("< 2", '"x"', "1", "7"))
    read = graded("PRIORITY", rules, *outputs)
    assert read.evaluate("grade", {"x": 9}) == {"a": "x", "b": 2, "c": 0}
    assert read.evaluate("grade", {"x": 4}) == {"a": "x", "b": 1, "c": 0}
    tie = read.explain("grade", {"x": 1})
    assert (tie.value, tie.rules) == (None, ("r3", "r4"))
    assert "same priority" in tie.diagnostics[0]


def test_several_outputs_are_a_context() -> None:
    """For each policy: one, or a list of them."""
    rules = (("-", "1", '"a"'), ("< 5", "2", '"b"'))
    assert graded("FIRST", rules, "n", "a name").evaluate("grade", {"x": 1}) == {"n": 1, "a name": "a"}
    both = [{"n": 1, "a name": "a"}, {"n": 2, "a name": "b"}]
    for policy in ("COLLECT", "RULE ORDER"):
        assert graded(policy, rules, "n", "a name").evaluate("grade", {"x": 1}) == both


def test_an_aggregation_over_several_outputs_is_a_problem() -> None:
    """The standard gives it no meaning; the rest of the file can be used."""
    read = graded("COLLECT", (("-", "1", "2"),), "a", "b", sum_as="SUM")
    assert ["2 outputs" in str(problem) for problem in read.problems] == [True]
    assert read.evaluate("grade", {"x": 1}) is None


@pytest.mark.parametrize("policy", ["UNIQUE", "COLLECT", "FIRST"])
def test_where_no_rule_matches_the_default_holds(policy: str) -> None:
    """Of each output that has one; the others are null."""
    outputs = (output("a", default='"none"'), output("b"))
    answer = graded(policy, (("< 5", '"x"', "1"),), *outputs).explain("grade", {"x": 9})
    assert (answer.value, answer.rules, answer.diagnostics) == ({"a": "none", "b": None}, (), ())


_NUMBERS = st.integers(0, 9).map(str)
_CELLS = st.one_of(
    st.just("-"),
    st.tuples(st.sampled_from(["<", ">", "<=", ">="]), _NUMBERS).map(" ".join),
    st.tuples(_NUMBERS, _NUMBERS).map(lambda ends: f"[{min(ends)}..{max(ends)}]"),
)
_AMOUNTS = st.decimals(min_value=-(10**30), max_value=10**30, places=12).map(lambda number: format(number, "f"))


@pytest.mark.parametrize("policy", ["UNIQUE", "ANY", "PRIORITY", "SUM", "COUNT", "MIN", "MAX"])
@given(data=st.data())
def test_the_order_of_the_rules_does_not_show(policy: str, data: st.DataObject) -> None:
    """For the policies that do not speak of order, down to the last digit of a sum."""
    aggregated = policy in ("SUM", "COUNT", "MIN", "MAX")
    says = _AMOUNTS if aggregated else st.sampled_from(["1", "2", "3"])
    rules = data.draw(st.lists(st.tuples(_CELLS, says), min_size=1, max_size=6))
    shuffled = data.draw(st.permutations(rules))
    ranked = [] if aggregated else [output(allowed="3, 1, 2")]
    read = [
        graded("COLLECT" if aggregated else policy, tuple(order), *ranked, sum_as=policy if aggregated else "")
        for order in (rules, shuffled)
    ]
    for x in range(10):
        assert read[0].evaluate("grade", {"x": x}) == read[1].evaluate("grade", {"x": x})


def test_a_sum_is_exact() -> None:
    """No float on the way: 0.1 + 0.2 is 0.3."""
    value = graded("COLLECT", (("-", "0.1"), ("-", "0.2")), sum_as="SUM").evaluate("grade", {"x": 1})
    assert (value, type(value)) == (Decimal("0.3"), Decimal)
