"""Decision tables: columns, allowed values, types, and many rows against one row and against each cell by itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.steps import Steps
from orchestration_pipelines_tests.model.dmn.drawing import (
    column,
    data,
    decision,
    definitions,
    item,
    literal,
    model,
    output,
    table,
)

_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-20, max_value=20, places=1)
_LITERALS = _NUMBERS.map(lambda number: format(number, "f"))
_OPERATORS = st.sampled_from(["<", "<=", ">", ">="])
_TESTS = st.one_of(
    st.tuples(_OPERATORS, _LITERALS).map(" ".join),
    st.tuples(st.sampled_from("[("), _LITERALS, _LITERALS, st.sampled_from("])")).map(
        lambda parts: f"{parts[0]}{parts[1]}..{parts[2]}{parts[3]}"
    ),
    _LITERALS,
    st.tuples(_OPERATORS, _LITERALS, _LITERALS).map(lambda parts: f"{parts[0]} {parts[1]} - {parts[2]}"),
    st.tuples(_OPERATORS, _LITERALS, _OPERATORS, _LITERALS).map(
        lambda parts: f"? {parts[0]} {parts[1]} and ? {parts[2]} {parts[3]}"
    ),
    st.sampled_from(
        ['"low"', '"high"', "true", "null", "x", "> y", "@\"2026-03-01\"", "[1, 2]", '< date("2026-03-01")', "? = y",
         'contains(?, "o")', 'string length(?) > 3', "count(?) = 1", 'not("low", "mid")']
    ),
)  # fmt: skip
_CELLS = st.one_of(
    st.just("-"),
    st.lists(_TESTS, min_size=1, max_size=3).map(", ".join),
    st.lists(_LITERALS, min_size=1, max_size=2).map(lambda tests: f"not({', '.join(tests)})"),
)
_VALUES = st.one_of(
    _NUMBERS,
    st.integers(-20, 20),
    st.sampled_from(["low", "high", "mid", True, False, None, date(2026, 3, 1), date(2025, 1, 1), [Decimal(1)], []]),
)
_ROWS = st.lists(st.fixed_dictionaries({"x": _VALUES, "y": _VALUES}), min_size=1, max_size=6)


@given(st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=5), _ROWS)
def test_many_rows_are_one_row_many_times_and_each_cell_by_itself(
    rules: list[tuple[str, str]], rows: list[dict[str, Any]]
) -> None:
    """Whatever a cell tests and whatever its value is: looked up, evaluated, or applied cell by cell."""
    drawn = [(*cells, str(number)) for number, cells in enumerate(rules)]
    read = model(data("x"), data("y"), decision("d", table(["x", "y"], [""], drawn, "COLLECT"), "x", "y"))
    many = read.evaluate_many("d", rows)
    explained = read.explain_many("d", rows)
    for row, value, explanation in zip(rows, many, explained, strict=True):
        plain = [
            Decimal(number)
            for number, cells in enumerate(rules)
            if all(
                feel.unary_tests(cell).evaluate({**row, "?": row[name]}) is True
                for name, cell in zip("xy", cells, strict=True)
            )
        ]
        assert value == plain == read.evaluate("d", row)
        assert explanation.value == value
        assert explanation == read.explain("d", row)
        assert explanation.rules == tuple(f"r{number + 1}" for number in plain)
        assert explanation.inputs == row


def test_what_is_remembered_is_nobody_s_to_change() -> None:
    """A list that a caller changes is another one the next time."""
    read = model(data("x"), decision("d", table(["x"], ["a", "b"], [("-", "[1]", '{c: "d"}')]), "x"))
    for _ in range(3):
        value = read.evaluate("d", {"x": 1})
        assert value == {"a": [1], "b": {"c": "d"}}
        value["a"].append(2)
        value["b"]["c"] = "e"


def test_a_cell_that_asks_the_clock_is_not_remembered() -> None:
    """Nor is one that reads another name."""
    read = model(
        data("x"), data("y"), decision("d", table(["x"], [""], [("= y", '"same"'), ("!= y", '"other"')]), "x", "y")
    )
    for one, other in ((1, 2), ("a", "b"), (True, False)):
        assert [read.evaluate("d", {"x": one, "y": y}) for y in (one, other, one)] == ["same", "other", "same"]
    today = model(decision("d", table(["today()"], [""], [("today()", "now()")])))
    assert today.evaluate("d", {}) is not None
    assert today.evaluate("d", {}) != today.evaluate("d", {})


def test_steps_tell_numbers_apart_that_differ_in_the_last_digit() -> None:
    """Thirty digits are not rounded away between two bounds; arithmetic in a cell takes the plain path."""
    low, high = "0.100000000000000000000000000001", "0.100000000000000000000000000002"
    steps = Steps.of([feel.unary_tests(f"> {low}"), feel.unary_tests(f">= {high}")])
    assert steps is not None
    assert [steps.mask(Decimal(x)) for x in (low, low + "5", high, high + "5", "-1")] == [0, 1, 3, 3, 0]
    assert Steps.of([feel.unary_tests("< 5 - 3")]) is None


@pytest.mark.parametrize(("x", "value"), [("a", 1), ("c", None), (None, 1), (7, None)])
def test_an_input_that_is_not_allowed_decides_nothing(x: Any, value: Any) -> None:
    """And that is told; twice, the second time from memory. A missing value is none that is forbidden."""
    read = model(data("x"), decision("d", table([column("x", allowed='"a", "b"')], [""], [("-", "1")]), "x"))
    for _ in range(2):
        answer = read.explain("d", {"x": x})
        assert answer.value == value
        assert answer.inputs == {"x": x}
        assert any("does not allow this value of x" in told for told in answer.diagnostics) is (value is None)


def test_numbers_that_are_not_allowed() -> None:
    """On the way of the steps."""
    read = model(data("x"), decision("d", table([column("x", allowed="[0..10]")], [""], [("-", "1")]), "x"))
    assert read.evaluate_many("d", [{"x": x} for x in (0, 10, 11, -1, Decimal("10.5"))]) == [1, 1, None, None, None]


def test_each_column_tells_for_itself_what_it_does_not_allow() -> None:
    """Also when another column has been told of before, with the same rules."""
    columns = [column(name, allowed='"a"') for name in "xy"]
    read = model(data("x"), data("y"), decision("d", table(columns, [""], [("-", "-", "1")]), "x", "y"))
    for _ in range(2):
        told = [read.explain("d", {"x": x, "y": y}).diagnostics[0] for x, y in (("b", "a"), ("a", "b"), ("b", "b"))]
        assert [each.partition("allow ")[2] for each in told] == [
            "this value of x",
            "this value of y",
            "this value of x, this value of y",
        ]


def test_a_name_that_is_not_given_is_not_one_that_is_null() -> None:
    """One that the file declares nowhere is told about, whatever was asked before."""
    read = model(decision("d", table(["x"], [""], [("-", "1")])))
    assert [bool(read.explain("d", given).diagnostics) for given in ({"x": None}, {}, {"x": None}, {})] == [
        False,
        True,
        False,
        True,
    ]


def test_an_output_that_is_not_allowed_is_null() -> None:
    """Whether its values are written at the column or at its type."""
    kinds = item("tKind", "string", '<allowedValues><text>"a", "b"</text></allowedValues>')
    for drawn in (output("k", allowed='"a", "b"'), output("k", "tKind")):
        read = model(kinds, data("x"), decision("d", table(["x"], [drawn, "n"], [("-", "x", "1")]), "x"))
        assert read.evaluate("d", {"x": "b"}) == {"k": "b", "n": 1}
        answer = read.explain("d", {"x": "z"})
        assert answer.value == {"k": None, "n": 1}
        assert "output k" in answer.diagnostics[0]


def test_priority_by_the_values_of_a_type() -> None:
    """Where the column names none itself."""
    kinds = item("tKind", "string", '<allowedValues><text>"a", "b"</text></allowedValues>')
    read = model(
        kinds, data("x"),
        decision("d", table(["x"], [output(type_ref="tKind")], [("-", '"b"'), ("-", '"a"')], "PRIORITY"), "x"),
    )  # fmt: skip
    assert read.evaluate("d", {"x": 1}) == "a"


def test_types_of_columns() -> None:
    """A list of one is its item; what is of another type is null, and told."""
    read = model(data("x"), decision("d", table([column("x", "number")], [output("", "string")], [("1", "x")]), "x"))
    assert read.explain("d", {"x": [1]}).inputs == {"x": 1}
    answer = read.explain("d", {"x": 1})
    assert answer.value is None
    assert "no string" in answer.diagnostics[0]
    assert "no number" in read.explain("d", {"x": "a"}).diagnostics[0]


def test_a_table_without_inputs_and_one_without_rules() -> None:
    """The first matches always, the second never."""
    assert model(decision("d", table([], [""], [("7",)]))).evaluate("d", {}) == 7
    assert model(decision("d", table([], [""], []))).evaluate("d", {}) is None


def test_what_is_written_is_there_for_a_person() -> None:
    """Cells, outputs and annotations of each rule, the heads of the columns, and the table's id."""
    drawn = (
        '<decisionTable id="t" preferredOrientation="CrossTable" outputLabel="Route">'
        '<input label="The amount"><inputExpression><text>x</text></inputExpression></input><output/>'
        '<annotation name="Why"/><rule id="big"><inputEntry><text>&gt; 5</text></inputEntry>'
        '<outputEntry><text>"far"</text></outputEntry><annotationEntry><text>too much</text></annotationEntry></rule>'
        '<rule><inputEntry/><outputEntry><text>1</text></outputEntry></rule></decisionTable>'
    )  # fmt: skip
    read = model(data("x"), decision("d", drawn, "x")).tables["d"]
    assert (read.id, read.name, read.annotations, read.columns[0].label) == ("t", "d", ("Why",), "The amount")
    assert read.outputs[0].label == "Route"
    first, second = read.rules
    assert (first.id, first.cells, first.texts, first.annotations) == ("big", ("> 5",), ('"far"',), ("too much",))
    assert (second.id, second.cells, second.texts) == ("rule 2", ("-",), ("1",))


def test_a_table_with_a_cell_that_is_no_feel_is_a_problem() -> None:
    """As a whole, since nobody knows which rule it would have been; the next decision is fine."""
    rules = [("< ", "1"), ("-", "1 +")]
    read = model(data("x"), decision("d", table(["x"], [""], rules), "x"), decision("e", literal("1")))
    assert [str(problem).partition("FEEL")[0] for problem in read.problems] == [
        "d (d) r1 input 1: ",
        "d (d) r2 output 1: ",
    ]
    answer = read.explain("d", {"x": 1})
    assert (answer.value, read.evaluate("e", {})) == (None, 1)
    assert answer.diagnostics == (str(read.problems[0]),)


def test_numbers_are_exact_and_floats_are_not_let_in() -> None:
    """A float is no FEEL value: null, and told."""
    read = model(data("x", "number"), decision("d", table(["x"], [""], [("> 0", "x * 3")]), "x"))
    value = read.evaluate("d", {"x": Decimal("0.1")})
    assert (value, type(value)) == (Decimal("0.3"), Decimal)
    answer = read.explain("d", {"x": 0.1})
    assert answer.value is None
    assert "the input x is a float of Python" in answer.diagnostics[0]


def test_the_namespaces_of_three_versions() -> None:
    """All the same to the reader."""
    from orchestration_pipelines.model import dmn
    from orchestration_pipelines_tests.model.dmn.drawing import V12, V13, V14, V15

    for version in (V12, V13, V14, V15):
        read = dmn.loads(definitions(decision("d", literal("1")), version=version), "d.dmn")
        assert read.evaluate("d", {}) == 1
