"""Comparing periods of real cases: what changed is shown, what did not is not, and what cannot be compared is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orchestration_pipelines.engine.event_logs import import_log
from orchestration_pipelines.engine.pilot_deltas import Period, pilot_deltas
from orchestration_pipelines.engine.report.deltas_page import deltas_page
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

_LINES = ("service check", "end done", "received -> check -> done")
_BEFORE, _AFTER = Period(date(2026, 3, 2), date(2026, 3, 4)), Period(date(2026, 3, 5), date(2026, 3, 7))


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Six days of eight cases: small ones take ten hours and then five, large ones ten hours throughout."""
    flow = draw(*_LINES)
    for day in range(6):
        small, large = ([f"{kind}{day}-{n}" for n in range(8)] for kind in ("s", "l"))
        if day < 3:
            flow.submit(*small, amount=1)
        flow.submit(*large, amount=500)
        flow.clock.advance(hours=5)
        if day >= 3:
            flow.submit(*small, amount=1)
        flow.clock.advance(hours=5)
        flow.sweep()
        flow.clock.advance(hours=14)
    return flow


def test_a_corridor_that_got_faster_is_shown_and_one_that_did_not_is_not(flow: Flow) -> None:
    """Ten hours to five for the small ones; nothing for the large ones; and the difference of the differences."""
    with flow.engine.connect() as connection:
        small = pilot_deltas(connection, "flow", _BEFORE, _AFTER, corridor="amount < 100")
        large = pilot_deltas(connection, "flow", _BEFORE, _AFTER, corridor="amount >= 100")
        against = pilot_deltas(connection, "flow", _BEFORE, _AFTER, corridor="amount < 100", unchanged="amount >= 100")
    assert (small.cases_before, small.cases_after) == (24, 24)
    lead = small.deltas[0]
    assert (lead.figure, lead.before, lead.after, lead.difference) == ("lead time, h", 10, 5, -5)
    assert lead.is_shown and not any(delta.is_shown for delta in large.deltas)
    assert "no effect shown" in str(large.rows()[0]["says"])
    assert (against.deltas[0].difference, against.deltas[0].against) == (-5, 0)
    assert [delta.figure for delta in small.deltas] == ["lead time, h", "rework rate", "first-pass yield"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"corridor": "amount <"}, "the corridor cannot be read"),
        ({"corridor": "amount > 10000"}, "has 0 cases before: at least 2"),
        ({"after": Period(date(2026, 3, 4), date(2026, 3, 7))}, "overlap"),
    ],
)
def test_what_cannot_be_compared_is_told(flow: Flow, arguments: dict[str, object], reason: str) -> None:
    """With what is wrong, in words."""
    with flow.engine.connect() as connection, pytest.raises(Refused, match=reason):
        pilot_deltas(connection, "flow", _BEFORE, **{"after": _AFTER, **arguments})  # type: ignore[arg-type] # a test's own


_LOG = "case:concept:name,concept:name,time:timestamp\n" + "".join(
    f"c{day}-{n},ask,2026-02-{day:02}T00:00:00Z\nc{day}-{n},{end},2026-02-{day:02}T{hour}:00:00Z\n"
    for day in range(2, 8)
    for n, (end, hour) in enumerate([("yes", "10"), ("yes", "10"), ("no", "20"), ("no", "20")])
)


@pytest.fixture
def before(flow: Flow, tmp_path: Path) -> str:
    """A log of six days: cases that end with yes take ten hours, those that end with no twenty."""
    (tmp_path / "before.csv").write_text(_LOG)
    with flow.engine.connect() as connection:
        import_log(connection, tmp_path / "before.csv", "before", None, by="ann", at=flow.clock())
    return "before"


def test_how_it_ran_before_is_a_baseline(flow: Flow, before: str) -> None:
    """All of the log, against the days after; a first pass, which no log tells, is not compared."""
    with flow.engine.connect() as connection:
        found = pilot_deltas(connection, "flow", None, _AFTER, log=before)
    assert (str(found.before), found.cases_before, found.cases_after) == ("2026-02-02..2026-02-07", 24, 48)
    assert [(delta.figure, delta.before, delta.after) for delta in found.deltas] == [
        ("lead time, h", 15, 7.5),
        ("rework rate", 0, 0),
    ]
    assert found.deltas[0].is_shown and found.log == "before"
    html = deltas_page(found, flow.clock())
    assert "24 cases of the log before" in html and "no effect shown" in html and "lower by" in html


def test_a_corridor_of_a_log_is_compared_with_itself(flow: Flow, before: str) -> None:
    """Two periods of one log; what it knows of a case can be asked, and nothing changed."""
    first, second = Period(date(2026, 2, 2), date(2026, 2, 4)), Period(date(2026, 2, 5), date(2026, 2, 7))
    with flow.engine.connect() as connection:
        found = pilot_deltas(connection, None, first, second, corridor='list contains(activities, "no")', log=before)
    assert (found.workflow, found.cases_before, found.cases_after) == ("before", 6, 6)
    assert [(delta.before, delta.after, delta.is_shown) for delta in found.deltas] == [(20, 20, False), (0, 0, False)]


@pytest.mark.parametrize(
    ("workflow", "log", "reason"),
    [("flow", None, "say which days come before"), (None, "before", "say which days come before"),
     ("flow", "nowhere", "there is no log 'nowhere'")],
)  # fmt: skip
def test_a_baseline_that_is_not_there_is_told(
    flow: Flow, before: str, workflow: str | None, log: str | None, reason: str
) -> None:
    """With what there is."""
    with flow.engine.connect() as connection, pytest.raises(Refused, match=reason):
        pilot_deltas(connection, workflow, None, _AFTER, log=log)


@pytest.mark.parametrize("written", ["March", "2026-03-01", "2026-03-09..2026-03-01"])
def test_a_period_is_two_days_in_order(written: str) -> None:
    """Anything else is refused."""
    with pytest.raises(Refused, match=r"2026|no period|before it begins"):
        Period.read(written)
    assert str(Period.read("2026-03-01..2026-03-31")) == "2026-03-01..2026-03-31"
