"""The parts of a simulation by themselves: chance, arrivals, people's hours, the agenda."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.calendar import BusinessCalendar, Hours
from orchestration_pipelines.domain.people import Person, Shift
from orchestration_pipelines.engine.simulation.agenda import Agenda, Kind
from orchestration_pipelines.engine.simulation.arrivals import Supply, arrivals, day_length
from orchestration_pipelines.engine.simulation.chance import Chance
from orchestration_pipelines.engine.simulation.conduct import Conduct
from orchestration_pipelines.engine.simulation.member import member
from orchestration_pipelines.engine.simulation.simulation import OFFICE, START
from orchestration_pipelines.store.people import Absence

SUPPLY = Supply([{"amount": 1}, {"amount": 2}], "case_key")
EVERY_DAY = BusinessCalendar("UTC", tuple(Hours(day, 0, 86_400) for day in range(1, 8)))


def test_a_draw_depends_on_its_name_and_the_seed_alone() -> None:
    """However many were drawn before it; and it has the mean that was asked for."""
    first = Chance(7).of("a").random()
    assert Chance(7).of("b").random() != first
    assert Chance(7).of("a").random() == first != Chance(8).of("a").random()
    mean = timedelta(minutes=45)
    drawn = [Chance(7).lasts(mean, 0.5, number).total_seconds() for number in range(4_000)]
    assert abs(fmean(drawn) / mean.total_seconds() - 1) < 0.03


def test_cases_arrive_in_business_hours_as_often_as_said() -> None:
    """A Poisson process: in 200 days of 20 within four deviations; the keys are new, the payloads given."""
    end = START + timedelta(days=280)
    came = list(arrivals(SUPPLY, Chance(7), OFFICE, START, end, 20))
    assert abs(len(came) - 200 * 20) < 4 * (200 * 20) ** 0.5
    assert all(OFFICE.next_opening(arrival.at) == arrival.at < end for arrival in came)
    assert [arrival.at for arrival in came] == sorted(arrival.at for arrival in came)
    assert len({arrival.row.columns["case_key"] for arrival in came}) == len(came)
    assert {arrival.row.columns["amount"] for arrival in came} == {1, 2}
    assert day_length(OFFICE) == timedelta(hours=8)


def test_whoever_has_no_shifts_works_when_the_office_is_open_and_a_night_shift_goes_over_midnight() -> None:
    """Hours, absences and levels, worked out by hand."""
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    plain = member(Person("ann", roles=("reviewer",)), OFFICE, ())
    assert plain.next_shift(monday) == monday + timedelta(hours=9)
    assert plain.leaves(monday + timedelta(hours=10)) == monday + timedelta(hours=17)
    assert plain.works(monday, monday + timedelta(days=7)) == timedelta(hours=40)
    night = member(Person("bob", shifts=(Shift(1, 22 * 3_600, 6 * 3_600),)), OFFICE, ())
    assert night.next_shift(monday) == monday + timedelta(hours=22)
    assert night.leaves(monday + timedelta(hours=23)) == monday + timedelta(hours=30)
    away = Absence(1, "ann", monday, monday + timedelta(hours=34), None, "", "ann")
    absent = member(Person("ann"), OFFICE, [away])
    assert absent.next_shift(monday) == monday + timedelta(hours=34)
    assert absent.works(monday, monday + timedelta(days=2)) == timedelta(hours=7)
    conduct = Conduct(service_of={"senior": timedelta(hours=1)})
    assert conduct.mean(("senior",), "senior", 3) == timedelta(minutes=48)
    assert conduct.mean(("reviewer",), "reviewer", 1) == timedelta(minutes=45)


@given(st.integers(0, 7 * 86_400 - 1))
def test_business_time_runs_until_the_next_closing(second: int) -> None:
    """From any instant of a week: all of it is business time, and behind it there is none at once."""
    at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=second)
    closing = OFFICE.next_closing(at)
    if closing is None:
        assert OFFICE.next_opening(at) > at
        return
    assert OFFICE.elapsed(at, closing) == closing - at > timedelta()
    assert OFFICE.elapsed(closing, closing + timedelta(hours=1)) == timedelta()
    assert EVERY_DAY.next_closing(at) == datetime(2027, 1, 1, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(Kind)), st.sampled_from("ab"))))
def test_what_happens_is_taken_once_and_in_order(planned: list[tuple[int, Kind, str]]) -> None:
    """By instant, then by kind, then by name, then as it was planned."""
    agenda, taken = Agenda(), []
    for hours, kind, who in planned:
        agenda.plan(START + timedelta(hours=hours), kind, who)
    while (at := agenda.next_at()) is not None:
        taken += agenda.take(at)
    assert [(event.at, event.kind, event.who) for event in taken] == sorted(
        (START + timedelta(hours=hours), kind, who) for hours, kind, who in planned
    )
