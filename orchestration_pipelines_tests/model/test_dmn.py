"""Decision tables: policies, violations, the fast path, what is refused, and the cases of the DMN TCK."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import dmn, feel
from orchestration_pipelines.model.dmn.model import Steps
from orchestration_pipelines_tests.conftest import shared

_POLICIES_READ = {"UNIQUE", "FIRST", "COLLECT"}


def table(policy: str = "UNIQUE", rules: tuple[tuple[str, str], ...] = (), *, inside: str = "", beside: str = "",
          output: str = '<output name="o"/>', attributes: str = "") -> bytes:  # fmt: skip
    """A table of one input ``x``; each rule is its cell and its result."""
    drawn = "".join(
        f'<rule id="r{n}"><inputEntry><text>{escape(cell)}</text></inputEntry>'
        f"<outputEntry><text>{escape(result)}</text></outputEntry></rule>"
        for n, (cell, result) in enumerate(rules, 1)
    )
    return (
        f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">{beside}'
        f'<decision id="d" name="grade">{inside}<decisionTable hitPolicy="{policy}" {attributes}>'
        f"<input><inputExpression><text>x</text></inputExpression></input>{output}{drawn}"
        "</decisionTable></decision></definitions>"
    ).encode()


def read(content: bytes) -> dmn.Model:
    return dmn.loads(content, "test.dmn")


OVERLAPPING = (("< 10", '"low"'), ("< 5", '"lower"'), ("> 20", '"high"'))


@pytest.mark.parametrize(
    ("policy", "x", "value", "rules"),
    [
        ("UNIQUE", 30, "high", ("r3",)),
        ("UNIQUE", 1, None, ("r1", "r2")),
        ("UNIQUE", 15, None, ()),
        ("FIRST", 1, "low", ("r1",)),
        ("FIRST", 15, None, ()),
        ("COLLECT", 1, ["low", "lower"], ("r1", "r2")),
        ("COLLECT", 15, [], ()),
        ("UNIQUE", None, None, ()),
        ("UNIQUE", "text", None, ()),
    ],
)
def test_the_policies(policy: str, x: Any, value: Any, rules: tuple[str, ...]) -> None:
    """A unique table that is hit twice has no value, and says which rules it was; no rule is said too."""
    model = read(table(policy, OVERLAPPING))
    answer = model.explain("grade", {"x": x})
    assert (answer.value, answer.rules, answer.digest) == (value, rules, model.digest)
    assert answer.inputs == {"x": x}
    if policy != "COLLECT" and value is None:
        assert ("r1, r2" if rules else "no rule matches") in answer.diagnostics[0]


_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-20, max_value=20, places=1)
_LITERALS = _NUMBERS.map(lambda number: format(number, "f"))
_OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
_TESTS = st.one_of(
    st.tuples(_OPERATORS, _LITERALS).map(" ".join),
    st.tuples(st.sampled_from("[(]"), _LITERALS, _LITERALS, st.sampled_from("])[")).map(
        lambda parts: f"{parts[0]}{parts[1]}..{parts[2]}{parts[3]}"
    ),
    _LITERALS,
    st.tuples(_OPERATORS, _LITERALS, _LITERALS).map(lambda parts: f"{parts[0]} {parts[1]} - {parts[2]}"),
)
_CELLS = st.one_of(
    st.just("-"),
    st.lists(_TESTS, min_size=1, max_size=3).map(", ".join),
    st.lists(_TESTS, min_size=1, max_size=2).map(lambda tests: f"not({', '.join(tests)})"),
)


@given(st.lists(_CELLS, min_size=1, max_size=5), st.lists(_NUMBERS | st.integers(-20, 20), min_size=1, max_size=8))
def test_the_fast_path_equals_plain_evaluation(cells: list[str], values: list[Decimal | int]) -> None:
    """Steps between written numbers: the same rules for any number, at, between and beyond them."""
    model = read(table("COLLECT", tuple((cell, str(n)) for n, cell in enumerate(cells))))
    plain = [feel.unary_tests(cell) for cell in cells]
    for value in values:
        expected = [n for n, cell in enumerate(plain) if cell.evaluate({"?": value}) is True]
        assert model.evaluate("grade", {"x": value}) == expected
    rows = [{"x": value} for value in values]
    assert model.evaluate_many("grade", rows) == [model.evaluate("grade", row) for row in rows]


def test_steps_tell_numbers_apart_that_differ_in_the_last_digit() -> None:
    """Thirty digits are not rounded away between two bounds; arithmetic in a cell takes the plain path."""
    low, high = "0.100000000000000000000000000001", "0.100000000000000000000000000002"
    steps = Steps.of([feel.unary_tests(f"> {low}"), feel.unary_tests(f">= {high}")])
    assert steps is not None
    assert [steps.mask(Decimal(x)) for x in (low, low + "5", high, high + "5", "-1")] == [0, 1, 3, 3, 0]
    assert Steps.of([feel.unary_tests("< 5 - 3")]) is None


REFUSED = {
    "a policy": (table("PRIORITY", OVERLAPPING), "d (grade): the hit policy PRIORITY"),
    "an aggregation": (table("COLLECT", OVERLAPPING, attributes='aggregation="SUM"'), "the aggregation SUM"),
    "a cell": (table(rules=(("< ", "1"),)), "d (grade) r1 input 1: FEEL"),
    "a result": (table(rules=(("-", "1 +"),)), "d (grade) r1 output 1: FEEL"),
    "no output": (table(output=""), "the table has no output"),
    "a default": (table(output="<output><defaultOutputEntry/></output>"), "a default output entry"),
    "outputs alike": (table(output='<output name="a"/><output name="a"/>'), "several outputs need a name"),
    "too few cells": (table(output="<output/><input/>", rules=(("-", "1"),)), "1 input entries for 2 inputs"),
    "another decision": (
        table(inside='<informationRequirement><requiredDecision href="#e"/></informationRequirement>'),
        "it needs #e",
    ),
    "a function": (table(beside='<businessKnowledgeModel id="b" name="B"/>'), "b (B): a businessKnowledgeModel"),
    "another language": (table(attributes='expressionLanguage="JavaScript"'), "JavaScript"),
    "no decision": (b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', "it has no decision"),
    "another version": (b'<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd"/>', "is not that of DMN"),
    "a DTD": (b"<!DOCTYPE a><a/>", "DTD"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read_is_refused_by_name(case: str) -> None:
    """With the decision, the rule and the cell."""
    content, reason = REFUSED[case]
    with pytest.raises(dmn.DmnRefused) as error:
        read(content)
    assert reason in str(error.value)


def _value(node: ET.Element | None) -> Any:
    """A value of a test case: simple, a list, or components."""
    if node is None:
        return None
    components = node.findall("{*}component")
    if components:
        return {component.get("name"): _value(component) for component in components}
    if (items := node.find("{*}list")) is not None:
        return [_value(item) for item in items.findall("{*}item")]
    written = node.find("{*}value")
    if written is None or written.get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true":
        return None
    kind, text = str(written.get("{http://www.w3.org/2001/XMLSchema-instance}type")).rpartition(":")[2], written.text
    if kind == "boolean":
        return text == "true"
    return text or "" if kind == "string" else Decimal(text or "")


def test_the_tck_cases_of_the_tables_that_are_read() -> None:
    """Every file is accepted or refused by name; of the accepted ones every case comes out as the TCK says."""
    accepted: dict[str, int] = {}
    refused: list[str] = []
    for folder in sorted(shared("vectors", "dmn-tck-level-2").iterdir()):
        if not folder.is_dir():
            continue
        try:
            model = dmn.load(folder / f"{folder.name}.dmn")
        except dmn.DmnRefused as error:
            assert error.problems and all("(" in problem for problem in error.problems)
            refused.append(folder.name)
            continue
        accepted[folder.name] = 0
        for cases in folder.glob("*-test-*.xml"):
            for case in ET.parse(cases).getroot().findall("{*}testCase"):  # noqa: S314 - the TCK's own
                inputs = {str(node.get("name")): _value(node) for node in case.findall("{*}inputNode")}
                for result in case.findall("{*}resultNode"):
                    expected = _value(result.find("{*}expected"))
                    answer = model.evaluate(str(result.get("name")), inputs)
                    assert answer == expected, (folder.name, case.get("id"))
                    accepted[folder.name] += 1
    print(f"accepted {accepted}, refused {len(refused)}")
    assert (len(accepted), len(refused)) == (3, 25)
    assert all(accepted.values())
