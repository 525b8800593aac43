"""The figures of an event log, against small logs worked out by hand and against a naive second way."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.event_log import EventLog
from orchestration_pipelines.domain.flow import figures

_START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

#: (case, activity, hours after the start, resource, transition)
Written = list[tuple[str, str, int, str | None, str]]


def _log(written: Written) -> EventLog:
    frame = pd.DataFrame(written, columns=["case", "activity", "hours", "resource", "lifecycle"]).astype(
        {"case": object, "activity": object, "resource": object, "lifecycle": object}
    )
    at = pd.Series([_START + timedelta(hours=hours) for hours in frame["hours"]], dtype="datetime64[us, UTC]")
    return EventLog.of(frame.drop(columns="hours").assign(at=at))


def test_figures_of_a_log_worked_out_by_hand() -> None:
    """Three cases on a sheet of paper: leads 10, 2 and 0 h; arrivals 0, 4, 8 h; work open for 12 of 10 h."""
    found = figures(
        _log(
            [
                ("a", "check", 0, "ann", "complete"),
                ("b", "check", 4, "ann", "complete"),
                ("a", "check", 5, "bob", "complete"),
                ("b", "decide", 6, None, "complete"),
                ("c", "check", 8, "bob", "complete"),
                ("a", "decide", 10, "ann", "complete"),
            ]
        )
    )
    assert (found.cases, found.events) == (3, 6)
    assert found.lead_time_hours.mean == pytest.approx(4.0)
    assert found.lead_time_hours.p50 == pytest.approx(2.0)
    assert found.lead_time_hours.p85 == pytest.approx(2 + 0.7 * 8)  # type 7: 0.85 × 2 lies 0.7 beyond the second
    assert found.interarrival_hours == {"mean": pytest.approx(4.0), "p50": pytest.approx(4.0)}
    assert found.throughput_per_day == pytest.approx(3 / (10 / 24))
    assert found.mean_wip == pytest.approx(1.2)
    assert (found.rework_cases, found.handovers) == (1, 2)
    assert found.activities == {"check": 4, "decide": 2}
    assert (found.breach_rate, found.reopened_cases) == (None, None)


def test_starting_twice_is_no_rework_and_completing_twice_is() -> None:
    """Only what is completed more than once was done again."""
    started = _log([("a", "check", hour, "ann", "start") for hour in (0, 1)])
    completed = _log([("a", "check", hour, "ann", "complete") for hour in (0, 1)])
    assert (figures(started).rework_cases, figures(completed).rework_cases) == (0, 1)


def test_a_rate_is_of_the_cases_of_which_the_log_says_something() -> None:
    """A case that the log leaves open neither keeps nor breaks a promise."""
    log = _log([(case, "check", 0, None, "complete") for case in "abc"])
    marked = EventLog(log.events, log.cases.assign(breached=pd.Series([True, False, None], index=log.cases.index)))
    assert (figures(marked).breached_cases, figures(marked).breach_rate) == (1, 0.5)


def test_a_log_without_events_has_counts_and_no_means() -> None:
    """Nothing happened: zeros where things are counted, None where there is no average."""
    found = figures(_log([]))
    assert (found.cases, found.events, found.rework_cases, found.handovers, found.activities) == (0, 0, 0, 0, {})
    assert found.lead_time_hours.mean is found.throughput_per_day is found.mean_wip is None


_written = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["x", "y"]),
        st.integers(0, 20),
        st.sampled_from(["ann", "bob", None]),
        st.sampled_from(["start", "complete"]),
    ),
    min_size=1,
    max_size=25,
)


@given(_written)
def test_figures_agree_with_a_naive_walk_over_each_case(written: Written) -> None:
    """The same counts by a loop over dictionaries, and Little's law as the definitions have it."""
    cases: dict[str, list[tuple[str, int, str | None, str]]] = {}
    for case, activity, hours, resource, transition in written:
        cases.setdefault(case, []).append((activity, hours, resource, transition))
    ordered = [sorted(events, key=lambda event: event[1]) for events in cases.values()]
    handed = sum(
        1
        for events in ordered
        for (_, _, one, _), (_, _, other, _) in itertools.pairwise(events)
        if one is not None and other is not None and one != other
    )
    again = 0
    for events in ordered:
        done = [activity for activity, _, _, transition in events if transition == "complete"]
        again += len(done) > len(set(done))
    found = figures(_log(written))
    assert (found.handovers, found.rework_cases) == (handed, again)
    leads = [events[-1][1] - events[0][1] for events in ordered]
    assert found.lead_time_hours.mean == pytest.approx(sum(leads) / len(leads))
    if found.mean_wip is not None and found.throughput_per_day is not None and found.lead_time_hours.mean is not None:
        assert found.mean_wip == pytest.approx(found.throughput_per_day * found.lead_time_hours.mean / 24)
