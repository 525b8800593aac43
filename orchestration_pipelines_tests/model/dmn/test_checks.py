"""What is found in a table is there, and what is there is found: against looking at every place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.dmn import checks
from orchestration_pipelines.model.dmn.checks import Finding, Level
from orchestration_pipelines_tests.model.dmn.drawing import (
    column,
    context,
    data,
    decision,
    item,
    knowledge,
    literal,
    model,
    output,
    table,
)


def found(*parts: str) -> list[Finding]:
    """What is found in a model of these elements."""
    return checks.check(model(*parts))


def grid(inputs: Sequence[str], rules: Sequence[Sequence[str]], policy: str = "UNIQUE", **of: str) -> str:
    """A decision of one table, over inputs that are names."""
    heads = [text if text.startswith("<") else column(text, of.get(text, "")) for text in inputs]
    return decision("d", table(heads, [""], rules, policy))


def said(found: Sequence[Finding], kind: str) -> list[str]:
    return [each.reason for each in found if each.kind == kind]


# -- gaps


def test_a_gap_is_told_with_an_example_in_the_words_of_the_table() -> None:
    """Only what matters to it is named; where it begins and ends is exact."""
    rules = [("< 0.9", "-", "1"), ("> 0.9", '"high"', "2"), (">= 0.9", '"low"', "3")]
    heads = [column("probability"), column("impact", allowed='"high", "low"')]
    assert said(found(grid(heads, rules, "COLLECT")), "gap") == [
        'probability = 0.9 and impact = "high": no rule matches',
        "probability = null: no rule matches",
    ]


def test_what_a_column_may_not_be_is_no_gap() -> None:
    """Neither outside the values of the column nor outside those of its type."""
    rules = [('"high"', "1"), ('"low"', "2")]
    assert said(found(grid([column("impact", allowed='"high", "low"')], rules)), "gap") == []
    level = item("tLevel", "string", '<allowedValues><text>"high", "low"</text></allowedValues>')
    of_type = decision("d", table([column("impact")], [""], rules), "impact")
    notes = found(level, data("impact", "tLevel"), of_type)
    assert [(each.level, each.reason) for each in notes] == [(Level.NOTE, "impact = null: no rule matches")]
    assert said(found(grid(["impact"], rules)), "gap")[0] == 'impact = "other": no rule matches'


def test_a_missing_value_is_a_note_where_nothing_says_that_it_may_be_missing() -> None:
    """And a gap where a cell or the allowed values name null."""
    two = [("true", "1"), ("false", "2")]
    assert [(each.level, each.reason) for each in found(grid(["a"], two))] == [
        (Level.NOTE, "a = null: no rule matches")
    ]
    assert found(grid(["a"], [*two, ("null", "3")])) == []
    allowed = [column("a", allowed="true, false, null")]
    assert [each.level for each in found(grid(allowed, two))] == [Level.WARNING]


def test_a_default_closes_every_gap() -> None:
    """And so does a count, which is 0."""
    rules = [("< 5", '"a"')]
    assert found(decision("d", table(["n"], [output(default='"b"')], rules))) == []
    assert found(decision("d", table(["n"], [output()], [("< 5", "1")], "COLLECT", "COUNT"))) == []
    assert len(found(decision("d", table(["n"], [output()], [("< 5", "1")], "COLLECT", "SUM")))) == 2


@pytest.mark.parametrize(
    ("below", "above", "gap"),
    [
        ('< date("2024-03-01")', '> date("2024-03-01")', 'a = date("2024-03-01")'),
        ('<= date("2024-02-29")', '>= date("2024-03-01")', None),
        ('<= date("2024-02-28")', '>= date("2024-03-01")', 'a = date("2024-02-29")'),
        ('<= @"P1Y"', '>= @"P13M"', None),
        ('<= @"P1Y"', '>= @"P14M"', 'a = duration("P1Y1M")'),
        ('<= @"PT1H"', '> @"PT1H"', None),
        ('< @"12:00:00"', '>= @"12:00:01"', 'a = time("12:00:00")'),
        ('< @"2024-01-01T00:00:00Z"', '> @"2024-01-01T00:00:00Z"', 'a = date and time("2024-01-01T00:00:00Z")'),
        ('< "m"', '>= "n"', 'a = "m"'),
        ("<= 1", ">= 2", "a = 1.5"),
        ("< 1", "[1..5]", "a = 6"),
        ("> 5", "(1..5]", "a = 0"),
        ("<= 0.1", "> 0.10", None),
    ],
)
def test_ordered_kinds_are_cut_as_numbers_are(below: str, above: str, gap: str | None) -> None:
    """Days and months have neighbours with nothing between; numbers, texts and clock times have not."""
    told = [each.reason for each in found(grid(["a"], [(below, "1"), (above, "2")])) if each.level is not Level.NOTE]
    assert told == ([] if gap is None else [f"{gap}: no rule matches"])


# -- overlaps


def test_an_overlap_is_an_error_where_the_policy_forbids_it() -> None:
    """With an example where both match."""
    rules = [("[1..5]", "1"), ("[5..9]", "2")]
    wrong = [each for each in found(grid(["n"], rules)) if each.kind == "overlap"]
    assert [(each.level, each.rules, each.place) for each in wrong] == [(Level.ERROR, ("r1", "r2"), {"n": Decimal(5)})]
    assert wrong[0].reason == "n = 5: r1 and r2 both match, and the policy is UNIQUE"
    for policy in ("FIRST", "RULE ORDER", "COLLECT", "OUTPUT ORDER"):
        assert said(found(grid(["n"], rules, policy)), "overlap") == []


def test_any_may_overlap_where_it_says_the_same() -> None:
    """What cannot be told without an input is a warning."""
    cells = ("[1..5]", "[5..9]")
    alike = grid(["n"], [(cells[0], "1"), (cells[1], "1.0")], "ANY")
    unlike = grid(["n"], [(cells[0], "1"), (cells[1], "2")], "ANY")
    open_ = grid(["n"], [(cells[0], "n"), (cells[1], "n + 0")], "ANY")
    assert said(found(alike), "overlap") == []
    assert [each.level for each in found(unlike) if each.kind == "overlap"] == [Level.ERROR]
    assert [each.level for each in found(open_) if each.kind == "overlap"] == [Level.WARNING]


def test_rules_of_one_priority_must_agree() -> None:
    """Of two that rank alike, neither comes first; of others the higher does."""
    ranked = [output("a", allowed='"high", "low"'), output("b")]
    rules = [("< 5", '"low"', "1"), ("< 6", '"high"', "1"), ("< 7", '"low"', "2")]
    wrong = found(decision("d", table(["n"], ranked, rules, "PRIORITY")))
    assert [each.rules for each in wrong if each.kind == "overlap"] == [("r1", "r3")]


# -- rules that never fire


@pytest.mark.parametrize("cell", ["[5..3]", "(3..3)", "[3..3)", "? < 3 and ? > 5"])
def test_an_empty_cell_never_holds(cell: str) -> None:
    """The rule is dead whatever its other cells say."""
    dead = found(grid(["n", "b"], [(cell, "true", "1"), ("-", "-", "2")], "FIRST"))
    assert said(dead, "dead rule") == [f"r1 never fires: {cell} holds for no value (n)"]


def test_a_cell_outside_the_allowed_values_never_holds() -> None:
    """A misspelt word is found."""
    heads = [column("impact", allowed='"high", "low"')]
    dead = found(grid(heads, [('"hihg"', "1"), ('"low"', "2"), ('"high"', "3")]))
    assert said(dead, "dead rule") == ['r1 never fires: "hihg" holds only for values that may not occur there (impact)']


def test_a_cell_of_another_type_never_holds() -> None:
    """A text in a column of numbers."""
    dead = found(grid([column("n", "number")], [('"5"', "1"), ("-", "2")], "FIRST"))
    assert said(dead, "dead rule") == ['r1 never fires: "5" holds only for values that may not occur there (n)']


def test_a_rule_behind_others_that_cover_it_never_decides() -> None:
    """Together, not only one by one; null is covered as well, or the rule lives."""
    behind = [("< 5", "-", "1"), (">= 5", "true", "2"), (">= 5", "false", "3"), ("[0..9]", "true, false", "4")]
    dead = found(grid(["n", "b"], behind, "FIRST"))
    assert said(dead, "dead rule") == ["r4 never decides: wherever it matches, what comes first does too (r1, r2, r3)"]
    assert said(found(grid(["n", "b"], [*behind[:3], ("-", "-", "4")], "FIRST")), "dead rule") == []
    assert said(found(grid(["n", "b"], behind, "COLLECT")), "dead rule") == []


def test_a_rule_below_others_in_priority_never_decides() -> None:
    """The order of the output values counts, and not that of the rules."""
    ranked = [output(allowed='"high", "low"')]
    rules = [("< 5", '"low"'), ("< 6", '"high"')]
    dead = found(decision("d", table(["n"], ranked, rules, "PRIORITY")))
    assert [each.rules for each in dead if each.kind == "dead rule"] == [("r1", "r2")]


# -- what is not checked


def test_a_cell_of_another_kind_is_told_and_the_rest_is_checked() -> None:
    """It may hold anywhere: no gap is claimed that it might close, and no overlap."""
    rules = [
        ("< 5", "-", "1"),
        ("> 6", "?.size > 3", "2"),
        ("[5..6)", "true", "3"),
        ("[5..6)", "true", "4"),
        ("> 7", "true", "5"),
    ]
    told = found(grid(["n", "b"], rules))
    assert said(told, "not checked") == [
        "not checked: b of r2, because ?.size > 3 does more than compare with written values"
    ]
    assert [each.rules for each in told if each.kind == "overlap"] == [("r3", "r4")]
    gaps = [each.reason for each in told if each.kind == "gap" and each.level is Level.WARNING]
    assert gaps == ["n = 5 and b = false: no rule matches", "n = 6: no rule matches"]
    assert said(found(grid(["n"], [("< 5", "1"), ("?.size > 3", "2")])), "gap") == []


@pytest.mark.parametrize("cell", ["> m", "today()", "? + 1 > 3", "count(?) > 2", "some x in ? satisfies x > 1"])
def test_what_reads_more_than_the_value_is_general(cell: str) -> None:
    """Another input, the clock, arithmetic, a function."""
    assert len(said(found(grid(["n"], [(cell, "1")])), "not checked")) == 1


def test_two_columns_of_one_expression_are_one() -> None:
    """A place where they differ does not occur."""
    rules = [("< 5", "> 7", "1"), ("-", "-", "2")]
    assert said(found(grid(["n", "n"], rules, "FIRST")), "dead rule") == [
        "r1 never fires: < 5 and > 7 holds for no value (n)"
    ]


def test_columns_that_read_the_same_are_told() -> None:
    """An example may be one that cannot occur."""
    told = said(found(grid(["n", "n * 2"], [("-", "-", "1")])), "not checked")
    assert told == ["not checked: whether n and n * 2, which read the same, go together"]


def test_a_table_beyond_the_bound_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a silence that looks like a table without a fault."""
    monkeypatch.setattr(checks, "MAX_PAIRS", 0)
    rules = [("< 5", "1"), ("< 6", "2")]
    assert said(found(grid(["n"], rules)), "not checked") == [
        "not checked for overlaps: the table has too many different situations; split it"
    ]


def test_more_than_is_shown_is_counted() -> None:
    """Twenty of a kind, and how many more."""
    told = [each for each in found(grid(["n"], [("-", str(n)) for n in range(20)])) if each.kind == "overlap"]
    assert (len(told), told[-1].reason) == (21, "and 170 more of this kind (overlap)")
    assert {each.level for each in told} == {Level.ERROR}


def test_every_table_of_a_model_is_checked() -> None:
    """In functions, contexts and the entries of contexts as well; what cannot be read is an error."""
    gap = table(["n"], [""], [("< 5", "1")])
    parts = (
        data("n"),
        decision("plain", gap, "n"),
        decision("boxed", context(("entry", gap), ("", literal("entry"))), "n"),
        knowledge("f", [("n", "number")], gap),
        decision("broken", literal("1 +"), "n"),
    )
    told = found(*parts)
    assert len({each.table for each in told if each.kind == "gap" and each.level is Level.WARNING}) == 3
    assert [each.level for each in told if each.kind == "problem"] == [Level.ERROR]


# -- against every place

_CELLS = {
    "n": ["-", "< 1", "<= 2", "> 2", ">= 1", "[1..2)", "(1..2)", "(1..2]", "1", "2, 1", "not(2)", "null", "not(< 1)"],
    "t": ["-", '"a"', '"b"', '"a", "b"', 'not("a")', "null", 'not("a", "b")', '"c"'],
    "b": ["-", "true", "false", "not(true)", "null", "true, null"],
    "d": ["-", '< @"2024-01-02"', '>= @"2024-01-02"', '[@"2024-01-02"..@"2024-01-04")', '@"2024-01-03"'],
}
_VALUES: Mapping[str, list[Any]] = {
    "n": [Decimal(n) / 2 for n in range(7)],
    "t": ["a", "b", "c", "z"],
    "b": [True, False],
    "d": [date(2024, 1, day) for day in range(1, 6)],
}
_ALLOWED = {"n": "[1..3]", "t": '"a", "b"', "b": "", "d": ""}
_POLICIES = ["UNIQUE", "ANY", "FIRST", "PRIORITY", "COLLECT"]
_OUTPUTS = ['"x"', '"y"']


@st.composite
def _drawn(draw: st.DrawFn) -> tuple[list[str], list[str], list[tuple[str, ...]], str]:
    """Columns by kind, what they may be, rules and a policy."""
    kinds = draw(st.lists(st.sampled_from(sorted(_CELLS)), min_size=1, max_size=3, unique=True))
    allowed = [draw(st.sampled_from(["", _ALLOWED[kind]])) for kind in kinds]
    cells = st.tuples(*(st.sampled_from(_CELLS[kind]) for kind in kinds), st.sampled_from(_OUTPUTS))
    return kinds, allowed, draw(st.lists(cells, min_size=1, max_size=5)), draw(st.sampled_from(_POLICIES))


def _model(kinds: list[str], allowed: list[str], rules: list[tuple[str, ...]], policy: str) -> dmn.Model:
    heads = [column(kind, allowed=values) for kind, values in zip(kinds, allowed, strict=True)]
    return model(decision("decided", table(heads, [output(allowed='"x", "y"')], rules, policy)))


def _places(kinds: list[str], allowed: list[str], null: Sequence[bool]) -> Iterator[dict[str, Any]]:
    """Every place that matters: the values that a column may have, and null where it is asked for."""
    values = []
    for kind, of, with_null in zip(kinds, allowed, null, strict=True):
        among = [value for value in _VALUES[kind] if not of or _is_allowed(kind, value)]
        values.append([*among, None] if with_null and not of else among)
    return (dict(zip(kinds, place, strict=True)) for place in product(*values))


def _is_allowed(kind: str, value: Any) -> bool:
    return value in ("a", "b") if kind == "t" else 1 <= value <= 3


@settings(max_examples=60, deadline=None)
@given(_drawn())
def test_the_checks_agree_with_looking_at_every_place(
    drawn: tuple[list[str], list[str], list[tuple[str, ...]], str],
) -> None:
    """Gaps, overlaps and dead rules: each is found if, and only if, it is there; each example is a real one."""
    kinds, allowed, rules, policy = drawn
    told = checks.check(_model(kinds, allowed, rules, policy))
    every = _model(kinds, allowed, rules, "RULE ORDER")

    def matching(place: Mapping[str, Any]) -> set[str]:
        return set(every.explain("decided", place).rules)

    names_null = [any("null" in rule[at] for rule in rules) for at in range(len(kinds))]
    usual = [matching(place) for place in _places(kinds, allowed, names_null)]
    possible = [matching(place) for place in _places(kinds, allowed, [True] * len(kinds))]
    for each in told:
        if each.kind == "gap":
            assert matching(each.place) == set(), each
        if each.kind == "overlap":
            assert set(each.rules) <= matching(each.place), each
    assert any(each.kind == "gap" and each.level is Level.WARNING for each in told) == (set() in usual)
    texts = {f"r{number}": rule[-1] for number, rule in enumerate(rules, 1)}
    clashes = {
        pair
        for pair in combinations(texts, 2)
        if any(set(pair) <= hit for hit in possible)
        and (policy == "UNIQUE" or (policy == "ANY" and texts[pair[0]] != texts[pair[1]]))
    }
    assert {each.rules for each in told if each.kind == "overlap"} == clashes
    deciding = {rule for hit in possible for rule in _deciding(policy, hit, texts)}
    assert {each.rules[0] for each in told if each.kind == "dead rule"} == texts.keys() - deciding


def _deciding(policy: str, hit: set[str], texts: Mapping[str, str]) -> set[str]:
    if policy == "FIRST":
        return set(sorted(hit)[:1])
    if policy == "PRIORITY":
        return {rule for rule in hit if texts[rule] == min(texts[each] for each in hit)}
    return hit
