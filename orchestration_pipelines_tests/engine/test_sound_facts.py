"""What the figures are made of: sound as the product makes it, and each unsoundness is told by its column."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestration_pipelines.domain.measures import Facts, Kept
from orchestration_pipelines.engine.measures import facts_of_late
from orchestration_pipelines.engine.sound_facts import sound
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED

pytestmark = pytest.mark.xdist_group("great expectations")


def _failed(facts: Facts) -> set[tuple[str, str]]:
    return {(each.expectation, each.column) for each in sound(facts) if not each.passed}


def test_what_a_workflow_did_is_sound_and_what_was_spoilt_is_told(draw: Draw) -> None:
    """Six cases over three days; then each table spoilt in turn, all in one."""
    flow = draw(*REVIEWED)
    flow.submit("A", "B", "C")
    flow.sweep()
    flow.decide("A")
    flow.decide("B", outcome="reject")
    flow.sweep()
    flow.clock.advance(days=2)
    flow.submit("D", "E", "F")
    flow.sweep()
    with flow.engine.connect() as connection:
        facts = facts_of_late(connection, "flow", flow.clock(), 7)
    assert len(facts.closed) == 2 and len(facts.days) == 2
    assert _failed(facts) == set()

    first, second = facts.closed
    early = first._replace(first_touch_at=first.submitted_at - timedelta(hours=1))
    spoilt: Any = replace(
        facts,
        closed=[early, second._replace(case_id=first.case_id)],
        steps=[facts.steps[0]._replace(right=facts.steps[0].visits + 1), *facts.steps[1:]],
        days=[facts.days[0], facts.days[1]._replace(under_way=9), facts.days[1]],
        promises=[Kept("review", "reviews", 2, 3)],
    )
    assert _failed(spoilt) == {
        ("values_to_be_unique", "cases: case"),
        ("values_to_be_between", "cases: waited_s"),
        ("pair_values_a_to_be_greater_than_b", "steps: visits, right"),
        ("values_to_be_in_set", "days: unaccounted"),
        ("values_to_be_between", "days: since_last"),
        ("pair_values_a_to_be_greater_than_b", "promises: promises, broken"),
    }


def test_nothing_is_as_expected() -> None:
    """A workflow that has not run has no unsound fact."""
    assert sound(Facts(closed=[], steps=[], reviewed=[], promises=[], reassigned={}, days=[])) == []
