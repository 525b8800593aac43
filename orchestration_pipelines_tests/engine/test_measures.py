"""The figures of flow, from the rows of real cases: by hand, day by day, and restated when something comes late."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from orchestration_pipelines.domain.measures import Facts, FlowFigures, figures
from orchestration_pipelines.engine import casework
from orchestration_pipelines.engine.measures import day_window, facts, restated_days
from orchestration_pipelines.store.measures import Window
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

_MONDAY = date(2026, 3, 2)  # the test's clock starts on it, at nine
_LINES = (
    "service check",
    "user review orch:queue=reviews",
    "end done",
    "end rejected",
    "received -> check -> large",
    "large -> review if amount > 100",
    "large -> done default",
    "review -> which",
    'which -> check if review.outcome = "return"',
    'which -> rejected if review.outcome = "reject"',
    "which -> done default",
    "timer late on review P30D -> rejected",
)


def _facts(flow: Flow, first: date, days: int = 1) -> Facts:
    begin = day_window("flow", first).begin
    with flow.engine.connect() as connection:
        return facts(connection, Window("flow", begin, begin + timedelta(days=days)), flow.clock())


def _figures(flow: Flow, first: date, days: int = 1) -> FlowFigures:
    return figures(_facts(flow, first, days))


def test_two_cases_over_two_days_are_worked_out_by_hand(draw: Draw) -> None:
    """A machine closes one after an hour; a person decides on the other a day later, and it closes an hour after."""
    flow = draw(*_LINES)
    flow.submit("small")
    flow.submit("large", amount=200)
    flow.clock.advance(hours=1)
    flow.sweep()
    flow.clock.advance(hours=25)
    flow.decide("large")
    flow.clock.advance(hours=1)
    flow.sweep()

    monday, tuesday = _figures(flow, _MONDAY), _figures(flow, _MONDAY + timedelta(1))
    assert (monday.submitted, monday.closed, monday.under_way) == (2, 1, 1)
    assert (tuesday.submitted, tuesday.closed, tuesday.under_way) == (0, 1, 0)
    assert (monday.lead_hours.mean, monday.cycle_hours.mean, monday.automation_rate) == (1.0, 0.0, 1.0)
    assert (tuesday.lead_hours.mean, tuesday.cycle_hours.mean, tuesday.automation_rate) == (27.0, 26.0, 0.0)
    assert (monday.first_pass_yield, tuesday.first_pass_yield, tuesday.return_rate) == (1.0, 1.0, 0.0)

    check, review = _facts(flow, _MONDAY).steps[0], _facts(flow, _MONDAY + timedelta(1)).steps[0]
    assert (check.element, check.visits, check.right, check.queue_s[0]) == ("check", 2, 2, 3_600)
    assert (review.element, review.visits, review.queue_s[0], review.work_s[0]) == ("review", 1, 25 * 3_600, 0)
    (said,) = _facts(flow, _MONDAY + timedelta(1)).reviewed
    assert (said.queue, said.role, said.decisions, said.review_s[0]) == ("reviews", "reviewer", 1, 25 * 3_600)


def test_what_comes_late_restates_the_day_before(draw: Draw) -> None:
    """The check was right on Monday; on Tuesday the case is sent back to it, and Monday's yield says so."""
    flow = draw(*_LINES)
    flow.submit("large", amount=200)
    flow.sweep()
    assert _figures(flow, _MONDAY).rolled_throughput_yield == 1.0
    flow.clock.advance(days=1)
    flow.decide("large", outcome="return")
    flow.sweep()
    assert _figures(flow, _MONDAY).rolled_throughput_yield == 0.0
    flow.clock.advance(days=1)
    flow.decide("large", by="bob")
    flow.sweep()
    closed = _figures(flow, _MONDAY + timedelta(2))
    assert (closed.closed, closed.first_pass_yield, closed.rework_rate) == (1, 0.0, 1.0)
    assert _figures(flow, _MONDAY + timedelta(1)).return_rate == 1.0


def test_a_day_that_was_counted_before_it_was_over_is_counted_again(draw: Draw) -> None:
    """What came after the count is not forgotten, nor what happened in an hour in which somebody may still commit."""
    flow = draw(*_LINES)
    flow.submit("a")
    assert _figures(flow, _MONDAY).submitted == 1
    flow.submit("b")
    flow.sweep()
    flow.clock.advance(hours=15.5)  # half an hour into Tuesday
    assert (_figures(flow, _MONDAY).submitted, _figures(flow, _MONDAY).under_way) == (2, 0)
    with flow.engine.connect() as connection:
        connection.execute("UPDATE cases SET submitted_at = submitted_at - interval '1 hour' WHERE case_key = 'a'")
    assert _figures(flow, _MONDAY - timedelta(1), 2).submitted == 2


def test_the_days_add_up_to_the_whole(draw: Draw) -> None:
    """A fortnight of arrivals, decisions, returns and cancellations: counts and sums of the days are those of all."""
    flow = draw(*_LINES)
    chance = random.Random(11)
    for day in range(14):
        for number in range(chance.randrange(4)):
            flow.submit(f"{day}-{number}", amount=chance.choice([50, 200]))
        flow.clock.advance(hours=chance.randrange(1, 20))
        for key, (_, status) in flow.standing().items():
            if status == "waiting" and chance.random() < 0.6:
                flow.decide(key, by=chance.choice(["ann", "bob", "cleo"]), outcome=chance.choice(["approve", "return"]))
            elif chance.random() < 0.1:
                with flow.engine.connect() as connection:
                    casework.cancel(connection, key, by="mia", reason="withdrawn", at=flow.clock())
        flow.sweep()
    whole = _facts(flow, _MONDAY, 20)
    parts = [_facts(flow, _MONDAY + timedelta(day)) for day in range(20)]
    assert len(whole.closed) == flow.one("SELECT count(*) FROM cases WHERE closed_at IS NOT NULL") > 5
    assert sorted(case for part in parts for case in part.closed) == sorted(whole.closed)
    for element in {step.element for step in whole.steps}:
        (all_of_it,) = (step for step in whole.steps if step.element == element)
        of_days = [step for part in parts for step in part.steps if step.element == element]
        assert (all_of_it.visits, all_of_it.right) == (
            sum(step.visits for step in of_days),
            sum(step.right for step in of_days),
        )
    assert figures(whole).submitted == sum(figures(part).submitted for part in parts)
    assert figures(whole).under_way == flow.one("SELECT count(*) FROM cases WHERE state = 'open'")
    assert sum(each.decisions for each in whole.reviewed) == flow.one("SELECT count(*) FROM review_decision")


def test_a_time_in_which_nothing_happened_has_no_rates(draw: Draw) -> None:
    """Zeros where things are counted, nothing where there is nothing to divide by, and only numbers to plot."""
    found = _figures(draw(*_LINES), _MONDAY)
    assert (found.closed, found.lead_hours.p85, found.first_pass_yield, found.breach_rate) == (0, None, None, None)
    assert set(found.numbers().values()) == {0}


def test_business_hours_stand_beside_elapsed_ones(draw: Draw) -> None:
    """A day of 24 hours with eight that count: 8 business hours, whoever asks."""
    flow = draw(*_LINES)
    flow.submit("a")
    flow.clock.advance(days=1)
    flow.sweep()

    def business_s(begin: datetime, end: datetime) -> float:
        return (end - begin).total_seconds() / 3

    found = figures(_facts(flow, _MONDAY + timedelta(1)), business_s)
    assert found.lead_hours.mean == 24.0
    assert found.lead_business_hours is not None and found.lead_business_hours.mean == pytest.approx(8.0)
    assert day_window("flow", _MONDAY).begin == datetime(2026, 3, 2, tzinfo=UTC)


def test_a_day_is_restated_when_a_case_comes_back(draw: Draw) -> None:
    """Checked on Monday, sent back and checked again on Wednesday: Wednesday restates Monday, and Monday nothing."""
    flow = draw(*_LINES)
    flow.submit("a", amount=200)
    flow.sweep()
    flow.clock.advance(days=2)
    flow.decide("a", outcome="return")
    flow.sweep()
    with flow.engine.connect() as connection:
        assert restated_days(connection, "flow", _MONDAY + timedelta(2)) == [_MONDAY]
        assert restated_days(connection, "flow", _MONDAY) == []
