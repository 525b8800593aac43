"""The clock of a promise: its legal moves, and that no business time is lost or made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.domain.calendar import BusinessCalendar, Hours
from orchestration_pipelines.domain.sla import CLOCK_MOVES, Clock, ClockStatus, IllegalMove

OFFICE = BusinessCalendar("Europe/Berlin", tuple(Hours(day, 9 * 3600, 17 * 3600) for day in range(1, 6)))
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_clock_makes_its_legal_moves_and_no_others() -> None:
    """Each state and each act, against the table."""
    running = Clock.started(8 * HOUR, START, OFFICE)
    states = {
        ClockStatus.RUNNING: running,
        ClockStatus.PAUSED: running.pause(START, OFFICE),
        ClockStatus.STOPPED: running.stop(),
    }
    legal = {(move.source, move.act): move.target for move in CLOCK_MOVES}
    for (status, clock), act in product(states.items(), ("pause", "resume", "stop")):
        given = () if act == "stop" else (START + HOUR, OFFICE)
        if (status, act) in legal:
            assert getattr(clock, act)(*given).status is legal[status, act]
        else:
            with pytest.raises(IllegalMove, match=f"{status} cannot {act}"):
                getattr(clock, act)(*given)


def test_a_pause_keeps_what_was_left_and_voids_by_version() -> None:
    """Three of eight hours are used; the five that were left begin again where it resumes."""
    clock = Clock.started(8 * HOUR, START, OFFICE)  # 10:00 in Berlin
    assert clock.due_at == START + 24 * HOUR
    paused = clock.pause(START + 3 * HOUR, OFFICE)
    assert (paused.left, paused.due_at, paused.version) == (5 * HOUR, None, clock.version + 1)
    assert paused.rung_due(4 * HOUR, 8 * HOUR, OFFICE) is None
    later = datetime(2026, 4, 7, 7, 0, tzinfo=UTC)  # 09:00 there by now
    resumed = paused.resume(later, OFFICE)
    assert (resumed.left, resumed.due_at) == (5 * HOUR, later + 5 * HOUR)
    assert resumed.rung_due(4 * HOUR, 8 * HOUR, OFFICE) == later + HOUR


def test_a_clock_paused_past_its_time_is_due_at_once_when_it_resumes() -> None:
    """It owes what it owes: the time left is negative and no rung lies before now."""
    clock = Clock.started(HOUR, START, OFFICE).pause(START + 3 * HOUR, OFFICE)
    assert clock.left == -2 * HOUR
    resumed = clock.resume(START + 5 * HOUR, OFFICE)
    assert resumed.due_at == resumed.rung_due(HOUR / 2, HOUR, OFFICE) == START + 5 * HOUR


seconds = st.integers(0, 400_000)


@settings(deadline=None)
@given(st.integers(1, 500_000), st.lists(st.tuples(seconds, seconds), max_size=6), st.integers(1, 500_000))
def test_whatever_the_pauses_the_business_time_that_ran_is_the_budget(
    budget_s: int, spells: list[tuple[int, int]], after_s: int
) -> None:
    """Summed over the stretches in which it ran, up to when it is due; and likewise for each rung."""
    budget, after, now = timedelta(seconds=budget_s), timedelta(seconds=after_s), START
    clock, ran = Clock.started(budget, now, OFFICE), timedelta(0)
    for running, standing in spells:
        begun, now = now, now + timedelta(seconds=running)
        ran += OFFICE.elapsed(begun, now)
        clock = clock.pause(now, OFFICE)
        assert clock.left == budget - ran
        now += timedelta(seconds=standing)
        clock = clock.resume(now, OFFICE)
    assert clock.due_at is not None
    due = clock.rung_due(after, budget, OFFICE)
    assert due is not None
    assert max(OFFICE.elapsed(now, clock.due_at), timedelta(0)) == max(budget - ran, timedelta(0))
    assert OFFICE.elapsed(now, due) == max(after - ran, timedelta(0))
    assert (due <= clock.due_at) == (after <= budget or due == now)
