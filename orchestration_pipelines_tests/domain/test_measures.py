"""What makes a case go through at the first pass, and figures of facts that are written down here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestration_pipelines.domain.measures import ClosedCase, Facts, Kept, Step, figures

_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
_PLAIN = ClosedCase(
    case_id=1,
    outcome="done",
    submitted_at=_AT,
    first_touch_at=_AT + timedelta(hours=1),
    closed_at=_AT + timedelta(hours=4),
    worked_s=3_600.0,
    reworked=False,
    returned=False,
    undone=False,
    by_people=False,
)
_FACTS = Facts(closed=[_PLAIN], steps=[], reviewed=[], promises=[], reassigned={}, days=[])


def test_a_plain_case_goes_through_at_the_first_pass() -> None:
    """Four hours in all, three from the first touch, one of them work."""
    found = figures(_FACTS)
    assert (found.lead_hours.mean, found.cycle_hours.mean, found.flow_efficiency) == (4, 3, 0.25)
    assert (found.first_pass_yield, found.automation_rate, found.rework_rate) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize("mark", ["reworked", "returned", "undone"])
def test_each_of_three_things_ends_the_first_pass(mark: str) -> None:
    """Visited again, sent back, or undone."""
    marks: dict[str, Any] = {mark: True}
    marked = _PLAIN._replace(**marks)
    assert not marked.first_pass
    assert figures(replace(_FACTS, closed=[_PLAIN, marked])).first_pass_yield == 0.5


def test_the_yields_of_the_steps_are_multiplied_and_promises_added_up() -> None:
    """Nine of ten and four of five are 72 of a hundred; one of four promises is broken."""
    steps = [Step("a", 10, 9, (), ()), Step("b", 5, 4, (), ())]
    promises = [Kept("a", "q", 3, 1), Kept("b", "q", 1, 0)]
    found = figures(replace(_FACTS, steps=steps, promises=promises, reassigned={"sla": 2, "stuck": 1}))
    assert found.rolled_throughput_yield == pytest.approx(0.72)
    assert (found.promises, found.breaches, found.breach_rate, found.reassignments) == (4, 1, 0.25, 3)
