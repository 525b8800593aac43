"""What a log tells in the words of the figures of flow; and a log as one side of a comparison."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.domain.event_log import EventLog
from orchestration_pipelines.domain.flow import figures as log_only
from orchestration_pipelines.engine.log_facts import known_of, log_facts, log_figures, log_report
from orchestration_pipelines.engine.report.page import page

_AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
_EVENT = st.tuples(
    st.sampled_from("abcde"), st.sampled_from(["ask", "check", "answer"]), st.integers(0, 40 * 24), st.booleans()
)


def _log(events: list[tuple[str, str, int, bool]], marks: dict[str, bool] | None = None) -> EventLog:
    """Events (case, activity, hour, whether it is a start)."""
    told = pd.DataFrame(
        [(case, activity, _AT + timedelta(hours=hour), "ann", "start" if start else "complete")
         for case, activity, hour, start in events],
        columns=["case", "activity", "at", "resource", "lifecycle"],
    )  # fmt: skip
    told["at"] = told["at"].astype("datetime64[us, UTC]")
    log = EventLog.of(told)
    if marks is not None:
        log.cases["breached"] = [marks.get(case) for case in log.cases.index]
    return log


_TOLD = _log(
    [
        ("a", "ask", 0, False),
        ("a", "check", 4, True),
        ("a", "check", 6, False),
        ("a", "answer", 30, False),
        ("b", "ask", 24, False),
        ("b", "answer", 26, False),
        ("b", "answer", 50, False),
    ],
    {"a": True, "b": False},
)


def test_what_a_log_says_is_measured_as_a_workflow_is() -> None:
    """By hand: 30 h and 26 h, a check of 2 h that waited 4, one case with rework, one promise of two broken."""
    facts = log_facts(_TOLD)
    assert [(case.outcome, case.worked_s / 3600, case.reworked) for case in facts.closed] == [
        ("answer", 2, False),
        ("answer", 0, True),
    ]
    steps = {step.element: step for step in facts.steps}
    assert (steps["check"].queue_s[0], steps["check"].work_s[0]) == (4 * 3600, 2 * 3600)
    assert (steps["answer"].visits, steps["answer"].right) == (3, 1)
    assert [(day.day, day.submitted, day.closed, day.under_way) for day in facts.days] == [
        (date(2026, 3, 2), 1, 0, 1),
        (date(2026, 3, 3), 1, 1, 1),
        (date(2026, 3, 4), 0, 1, 0),
    ]
    told = log_figures(facts)
    assert (told.lead_hours.mean, told.rework_rate, told.breach_rate) == (28, 0.5, 0.5)
    assert told.flow_efficiency == pytest.approx(2 / 56)
    assert told.automation_rate is None and told.first_pass_yield is None and told.return_rate is None


def test_a_corridor_may_ask_what_a_log_knows_of_a_case() -> None:
    """In the order of its cases."""
    assert [dict(each) for each in known_of(_TOLD)] == [
        {
            "activities": ["ask", "check", "answer"],
            "resources": ["ann"],
            "events": 4,
            "breached": True,
            "reopened": None,
        },
        {"activities": ["ask", "answer"], "resources": ["ann"], "events": 3, "breached": False, "reopened": None},
    ]


def test_the_page_of_a_log_is_that_of_a_workflow() -> None:
    """Without what it cannot show."""
    html = page(log_report(_TOLD, "before"), None, _AT)
    assert (
        "before" in html
        and "Steps" in html
        and "How it stands" not in html
        and "ageing" not in html
        and "automation" not in html
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(_EVENT, min_size=1, max_size=60))
def test_both_ways_of_measuring_a_log_agree(events: list[tuple[str, str, int, bool]]) -> None:
    """Lead times and rework are those of ``orchestrate log metrics``; every visit is of some step; flow is balanced."""
    log = _log(events)
    facts, alone = log_facts(log), log_only(log)
    told = log_figures(facts)
    assert vars(told.lead_hours) == pytest.approx(vars(alone.lead_time_hours))
    assert sum(case.reworked for case in facts.closed) == alone.rework_cases
    assert sum(step.visits for step in facts.steps) == int((log.events["lifecycle"] == "complete").sum())
    assert all(step.right <= step.visits and min(step.queue_s + step.work_s) >= 0 for step in facts.steps)
    assert sum(case.worked_s for case in facts.closed) >= 0
    assert facts.days[-1].under_way == 0
    assert sum(day.submitted for day in facts.days) == sum(day.closed for day in facts.days) == len(facts.closed)
