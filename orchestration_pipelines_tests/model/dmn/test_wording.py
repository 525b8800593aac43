"""Rules in words: what a reviewer reads, and what a release says that it changes."""

from __future__ import annotations

import pytest

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.dmn import wording
from orchestration_pipelines_tests.tables import table


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("< 0.4", "below 0.4"),
        (">= 300", "at least 300"),
        ("[0.4..0.8)", "from 0.4 to below 0.8"),
        ("]1..2]", "above 1 to 2"),
        ('"a", "b, c"', "a or b, c"),
        ('not("a", "b")', "not a or b"),
        ("null", "missing"),
        ("true", "yes"),
        ("> limit(a, b)", "above limit(a, b)"),
        ('date("2024-01-01")', 'date("2024-01-01")'),
    ],
)
def test_a_test_in_words(cell: str, words: str) -> None:
    """As it follows "is"; what is not plain stays as it is written."""
    assert wording.test(cell) == words


def test_a_rule_in_words() -> None:
    """Labels, not expressions; a column that asks nothing is left out."""
    read = dmn.loads(
        table(("< 100", "-", '"auto"', "1"), ("-", "-", '"review"', "2"), inputs=("amount", "grade")).encode(), "x"
    )
    assert [(rule.decision, rule.rule, rule.words) for rule in wording.rules(read)] == [
        ("grid", "r1", "Amount is below 100: route is auto; signatures is 1"),
        ("grid", "r2", "in any case: route is review; signatures is 2"),
    ]


def test_what_a_release_changes() -> None:
    """Rule by rule: taken out, put in, and changed."""
    before = dmn.loads(table(("< 1", '"a"', "1"), ("= 1", '"b"', "1"), (">= 2", '"c"', "1")).encode(), "x")
    after = dmn.loads(table(("< 1", '"a"', "2"), ("= 1", '"b"', "1")).encode(), "x")
    assert wording.differences(before, after) == [
        "removed r3: Amount is at least 2: route is c; signatures is 1",
        "changed r1: Amount is below 1: route is a; signatures is 1 → Amount is below 1: route is a; signatures is 2",
    ]
    assert wording.differences(None, after)[0].startswith("added r1: ")
    assert wording.differences(after, after) == ["no rule is another one"]
