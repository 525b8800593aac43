"""Where rules of a table meet, and a file whose thresholds are moved: two cells are others, every other byte is not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.dmn.table import DecisionTable
from orchestration_pipelines.model.dmn.thresholds import Threshold, moved, thresholds
from orchestration_pipelines_tests.tables import table

_SHIPPED = Path(__file__).parents[3] / "orchestration_pipelines/workflows/mortgage_underwriting/risk_grid.dmn"
_GRID = table(
    ("< 0.5", "-", '"block"'),
    ("[0.5..0.8)", "< 10", '"review"'),
    (">= 0.8", "< 10", '"auto"'),
    ("[0.5..0.9)", ">= 10", '"review"'),
    ("[0.9..1)", ">= 10", '"auto"'),
    inputs=("score", "amount"),
    outputs=("route",),
).encode()


def _read(content: bytes, decision: str = "grid") -> DecisionTable:
    logic = dmn.loads(content, "test.dmn").decisions[decision].logic
    assert isinstance(logic, DecisionTable)
    return logic


def _cut(upper: str) -> Threshold:
    return next(each for each in thresholds(_read(_GRID)) if each.upper == upper and each.column == 0)


def test_two_rules_meet_where_all_else_is_the_same() -> None:
    """A rule that holds for any amount meets none that holds for some."""
    assert [(cut.lower, cut.upper, cut.begins, cut.at, cut.ends) for cut in thresholds(_read(_GRID))] == [
        ("r2", "r3", Decimal("0.5"), Decimal("0.8"), None),
        ("r4", "r5", Decimal("0.5"), Decimal("0.9"), Decimal(1)),
    ]


@pytest.mark.parametrize("cell", ["> 0.8", "[0.8..0.9]", "(0.8..1)", ">= 0.8, 0.1", "not(< 0.8)", ">= 0.7", '"x"', "-"])
def test_a_cell_that_is_not_one_half_open_span_meets_nothing(cell: str) -> None:
    """Moving it would mean something else than its two cells say."""
    grid = table(("< 0.8", '"review"'), (cell, '"auto"'), inputs=("score",), outputs=("route",), policy="FIRST")
    assert thresholds(_read(grid.encode())) == []


def test_the_shipped_grid_decides_alone_above_two_thresholds() -> None:
    """Small and middle amounts; large ones always go to people."""
    found = thresholds(_read(_SHIPPED.read_bytes(), "risk_grid"))
    assert [(cut.lower, cut.upper) for cut in found if cut.column == 0 and cut.upper.startswith("sure")] == [
        ("fair_small", "sure_small"),
        ("fair_middle", "sure_middle"),
        ("fair_large", "sure_large"),
    ]


def test_moving_a_threshold_changes_two_cells_and_nothing_else() -> None:
    """Comments, spaces and names stay as somebody wrote them."""
    written = _GRID.replace(b"<text>&gt;= 0.8</text>", b"<text><!-- sure --><![CDATA[>= 0.8]]></text>")
    decision = dmn.loads(written, "test.dmn").decisions["grid"]
    after = moved(written, decision, {_cut("r3"): Decimal("0.75")})
    assert after == _GRID.replace(b"[0.5..0.8)", b"[0.5..0.75)").replace(b"&gt;= 0.8", b"&gt;= 0.75")
    assert [(cut.upper, cut.at) for cut in thresholds(_read(after))] == [
        ("r3", Decimal("0.75")),
        ("r5", Decimal("0.9")),
    ]


@given(st.decimals("0.51", "0.99", places=2), st.decimals("0.51", "0.99", places=2))
def test_what_was_moved_decides_as_it_says(small: Decimal, large: Decimal) -> None:
    """On both sides of both thresholds, and there and back is where it was."""
    decision = dmn.loads(_GRID, "test.dmn").decisions["grid"]
    after = moved(_GRID, decision, {_cut("r3"): small, _cut("r5"): large})
    model = dmn.loads(after, "test.dmn")
    for at, amount in ((small, 5), (large, 50)):
        assert model.evaluate("grid", {"score": at, "amount": amount}) == "auto"
        assert model.evaluate("grid", {"score": at - Decimal("0.001"), "amount": amount}) == "review"
    cuts = {each.upper: each for each in thresholds(_read(after))}
    back = moved(after, model.decisions["grid"], {cuts["r3"]: Decimal("0.8"), cuts["r5"]: Decimal("0.9")})
    assert back == _GRID


@pytest.mark.parametrize(("upper", "to"), [("r3", "0.5"), ("r3", "0.4"), ("r5", "1"), ("r5", "1.2")])
def test_a_threshold_stays_between_its_rules(upper: str, to: str) -> None:
    """Else one of them would be empty, or another's."""
    with pytest.raises(ValueError, match="lies outside"):
        moved(_GRID, dmn.loads(_GRID, "test.dmn").decisions["grid"], {_cut(upper): Decimal(to)})


def test_a_rule_without_an_id_is_refused() -> None:
    """Nobody could say which one was changed."""
    bare = _GRID.replace(b'<rule id="r3">', b"<rule>")
    decision = dmn.loads(bare, "test.dmn").decisions["grid"]
    assert isinstance(decision.logic, DecisionTable)
    (cut,) = [each for each in thresholds(decision.logic) if each.lower == "r2"]
    with pytest.raises(ValueError, match="has no id of its own"):
        moved(bare, decision, {cut: Decimal("0.7")})
