"""Budgets, diagnostics and the clock of an evaluation."""

from __future__ import annotations

from datetime import UTC, datetime
from time import process_time

import pytest

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.feel.evaluation import MAX_DIAGNOSTICS, MAX_STEPS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("for i in 1..1000000000 return i", "after 1,000,000 steps"),
        ("for a in 1..1000, b in 1..1000, c in 1..1000 return 1", "after 1,000,000 steps"),
        ("every i in 1..10**30 satisfies i > 0", "after 1,000,000 steps"),
        ("{f: function(n) f(n + 1), r: f(1)}.r", "calls nest too deeply"),
        ("{f: function(n) if n > 0 then f(n - 1) + f(n - 1) else 0, r: f(60)}.r", "after 1,000,000 steps"),
        ("{f: function(l, n) f([l], n + 1), r: f([], 1)}.r", "calls nest too deeply"),
        ("count((for i in 1..100000 return i)[count((for j in 1..1000 return j)) > item])", "after 1,000,000 steps"),
        ("(for i in 1..100000 return partial)[1]", "after 1,000,000 steps"),
    ],
)
def test_what_would_take_for_ever_is_stopped(text: str, reason: str) -> None:
    """Within two seconds of work, with what to look for."""
    began = process_time()
    with pytest.raises(feel.FeelLimit, match=reason):
        feel.evaluate(text, {})
    assert process_time() - began < 2


def test_calls_may_nest_for_a_good_while() -> None:
    """Eighty calls within each other are no recursion without an end."""
    assert feel.evaluate("{f: function(n) if n <= 0 then 0 else 1 + f(n - 1), r: f(80)}.r", {}) == 80


def test_a_stack_that_is_nearly_used_up_is_a_limit_too() -> None:
    """Whoever calls: no RecursionError comes out."""
    deepest = feel.compile("1" + " + 1" * 140)

    def called(levels: int) -> object:
        return called(levels - 1) if levels else deepest.evaluate({})

    with pytest.raises(feel.FeelLimit, match="stack is used up"):
        for levels in range(500, 1_000, 20):
            called(levels)


def test_evaluations_that_share_a_budget_share_it() -> None:
    """A decision with a thousand expressions is one evaluation."""
    evaluation = feel.Evaluation()
    with pytest.raises(feel.FeelLimit):
        for _ in range(MAX_STEPS):
            feel.compile("for i in 1..100000 return i").evaluate({}, evaluation)


def test_diagnostics_are_kept_up_to_a_number() -> None:
    """A loop that goes wrong each time tells it a hundred times."""
    evaluation = feel.Evaluation()
    feel.compile("for i in 1..10000 return nothing").evaluate({}, evaluation)
    assert evaluation.diagnostics == ["there is no 'nothing'"] * MAX_DIAGNOSTICS


def test_the_clock_is_read_once() -> None:
    """now() is the same throughout an evaluation."""
    times = iter([datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)])
    evaluation = feel.Evaluation(lambda: next(times))
    assert feel.compile("now() = now() and today().month = 1").evaluate({}, evaluation) is True


def test_a_level_that_is_entered_is_left() -> None:
    """Also when the call raises."""
    evaluation = feel.Evaluation()
    for _ in range(1_000):
        with pytest.raises(ValueError, match="no"), evaluation.deeper():
            raise ValueError("no")
    with evaluation.deeper():
        evaluation.enter(500)
        with pytest.raises(feel.FeelLimit, match="nest too deeply"):
            evaluation.enter(500)
