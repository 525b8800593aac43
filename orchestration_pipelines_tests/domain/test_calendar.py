"""Business time: examples worked out by hand, and what always holds."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.domain.calendar import DAY_S, BadCalendar, BusinessCalendar, Hours

H = 3600
OFFICE = tuple(Hours(day, 9 * H, 17 * H) for day in range(1, 6))
BERLIN = BusinessCalendar("Europe/Berlin", OFFICE, frozenset({date(2026, 5, 1), date(2026, 12, 25)}))
NEW_YORK = BusinessCalendar("America/New_York", OFFICE)
ALWAYS = BusinessCalendar("Europe/Berlin", tuple(Hours(day, 0, DAY_S) for day in range(1, 8)))
NIGHTS = BusinessCalendar(  # 22:00 to 06:00, in two stretches on each side of midnight
    "Europe/Berlin", tuple(h for day in range(1, 8) for h in (Hours(day, 0, 6 * H), Hours(day, 22 * H, DAY_S)))
)
#: opens in the hour that the spring night of 2026 skips and the autumn night has twice
HALF_PAST_TWO = BusinessCalendar("Europe/Berlin", tuple(Hours(day, 2 * H + 1800, 4 * H) for day in range(1, 8)))
CLOSES_THEN = BusinessCalendar("Europe/Berlin", tuple(Hours(day, H, 2 * H + 1800) for day in range(1, 8)))


def at(text: str) -> datetime:
    """An instant of the table: ``2026-03-27 16:00 Europe/Berlin``, the second of two at the same time with ``*``."""
    day, wall, zone = text.rstrip("*").split()
    return datetime.fromisoformat(f"{day}T{wall}").replace(tzinfo=ZoneInfo(zone), fold=text.endswith("*"))


#: what, the calendar, from, hours of business time, due
TABLE = [
    ("within a day", BERLIN, "2026-03-25 10:00 Europe/Berlin", 3, "2026-03-25 13:00 Europe/Berlin"),
    ("to the closing itself", BERLIN, "2026-03-25 10:00 Europe/Berlin", 7, "2026-03-25 17:00 Europe/Berlin"),
    ("over a night", BERLIN, "2026-03-25 16:00 Europe/Berlin", 2, "2026-03-26 10:00 Europe/Berlin"),
    ("begun before opening", BERLIN, "2026-03-25 03:00 Europe/Berlin", 1, "2026-03-25 10:00 Europe/Berlin"),
    ("begun on a Sunday", BERLIN, "2026-03-22 12:00 Europe/Berlin", 8, "2026-03-23 17:00 Europe/Berlin"),
    # Friday 16:00, over the weekend in which the clocks go forward: 1 h on Friday, 8 on Monday, 1 on Tuesday
    ("a spring weekend", BERLIN, "2026-03-27 16:00 Europe/Berlin", 10, "2026-03-31 10:00 Europe/Berlin"),
    ("an autumn weekend", BERLIN, "2026-10-23 16:00 Europe/Berlin", 10, "2026-10-27 10:00 Europe/Berlin"),
    # 1 May 2026 is a Friday and a holiday: 1 h on Thursday, the rest on Monday
    ("a holiday before a weekend", BERLIN, "2026-04-30 16:00 Europe/Berlin", 2, "2026-05-04 10:00 Europe/Berlin"),
    ("begun on a holiday", BERLIN, "2026-12-25 11:00 Europe/Berlin", 1, "2026-12-28 10:00 Europe/Berlin"),
    # 2028 is a leap year and its 29 February a Tuesday; 2027 has none
    ("29 February", BERLIN, "2028-02-28 16:00 Europe/Berlin", 10, "2028-03-01 10:00 Europe/Berlin"),
    ("no 29 February", BERLIN, "2029-02-27 16:00 Europe/Berlin", 10, "2029-03-01 10:00 Europe/Berlin"),
    ("over the year's end", BERLIN, "2026-12-31 16:00 Europe/Berlin", 2, "2027-01-01 10:00 Europe/Berlin"),
    # a night of 23 hours: midnight to midnight
    ("a spring day never closed", ALWAYS, "2026-03-29 00:00 Europe/Berlin", 23, "2026-03-30 00:00 Europe/Berlin"),
    ("an autumn day never closed", ALWAYS, "2026-10-25 00:00 Europe/Berlin", 25, "2026-10-26 00:00 Europe/Berlin"),
    # 22:00 to 06:00: 7 hours in the spring night, 9 in the autumn one, 8 in any other
    ("a spring night shift", NIGHTS, "2026-03-28 22:00 Europe/Berlin", 7, "2026-03-29 06:00 Europe/Berlin"),
    ("an autumn night shift", NIGHTS, "2026-10-24 22:00 Europe/Berlin", 9, "2026-10-25 06:00 Europe/Berlin"),
    ("a night shift over midnight", NIGHTS, "2026-06-10 23:00 Europe/Berlin", 3, "2026-06-11 02:00 Europe/Berlin"),
    ("into the next night shift", NIGHTS, "2026-06-10 23:00 Europe/Berlin", 8, "2026-06-11 23:00 Europe/Berlin"),
    # 02:30 is skipped: it opens at the change, 03:00, for one hour
    ("opens in the skipped hour", HALF_PAST_TWO, "2026-03-29 00:00 Europe/Berlin", 1, "2026-03-29 04:00 Europe/Berlin"),
    # 02:30 comes twice: it opens at the first, so it is open for 2.5 hours
    (
        "opens in the double hour",
        HALF_PAST_TWO,
        "2026-10-25 00:00 Europe/Berlin",
        2.5,
        "2026-10-25 04:00 Europe/Berlin",
    ),
    # 01:00 to 02:30 that does not come: one hour, to the change
    ("closes in the skipped hour", CLOSES_THEN, "2026-03-29 00:00 Europe/Berlin", 1, "2026-03-29 03:00 Europe/Berlin"),
    # … and to the second 02:30: 2.5 hours
    (
        "closes in the double hour",
        CLOSES_THEN,
        "2026-10-25 00:00 Europe/Berlin",
        2.5,
        "2026-10-25 02:30 Europe/Berlin*",
    ),
    # 09:00 in New York is 15:00 in Berlin; between the two changes of the clocks it is 14:00
    ("zones that differ", NEW_YORK, "2026-03-04 09:00 Europe/Berlin", 1, "2026-03-04 16:00 Europe/Berlin"),
    ("zones, one changed", NEW_YORK, "2026-03-10 09:00 Europe/Berlin", 1, "2026-03-10 15:00 Europe/Berlin"),
    ("no time at all", BERLIN, "2026-03-22 12:00 Europe/Berlin", 0, "2026-03-22 12:00 Europe/Berlin"),
]


@pytest.mark.parametrize(("calendar", "start", "hours", "due"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE])
def test_business_time_as_worked_out_by_hand(calendar: BusinessCalendar, start: str, hours: float, due: str) -> None:
    """Due is where the table says, and so much business time lies between."""
    assert calendar.due(at(start), timedelta(hours=hours)) == at(due).astimezone(UTC)
    assert calendar.elapsed(at(start), at(due)) == timedelta(hours=hours)


def test_the_next_opening() -> None:
    """While it is open it is now; otherwise the next morning, over weekend and holiday."""
    open_now = at("2026-03-25 10:00 Europe/Berlin")
    assert BERLIN.next_opening(open_now) == open_now
    holiday = at("2026-05-01 12:00 Europe/Berlin")
    assert BERLIN.next_opening(holiday) == at("2026-05-04 09:00 Europe/Berlin")
    closing = at("2026-03-25 17:00 Europe/Berlin")
    assert BERLIN.next_opening(closing) == at("2026-03-26 09:00 Europe/Berlin")


def test_a_day_that_a_zone_left_out_has_no_hours() -> None:
    """Samoa went from 29 to 31 December 2011: 30 December, a Friday, never was."""
    apia = BusinessCalendar("Pacific/Apia", OFFICE)
    start = at("2011-12-29 16:00 Pacific/Apia")
    assert apia.due(start, timedelta(hours=2)) == at("2012-01-02 10:00 Pacific/Apia")


@pytest.mark.parametrize(
    ("zone", "hours", "told"),
    [
        ("Europe/Berlin", (), "never open"),
        ("Europe/Bärlin", OFFICE, "no time zone 'Europe/Bärlin'"),
        ("", OFFICE, "no time zone ''"),
        ("../etc", OFFICE, "no time zone"),
        ("UTC", (Hours(1, 9 * H, 9 * H),), "weekday 1 09:00-09:00 is no stretch"),
        ("UTC", (Hours(1, 22 * H, 6 * H),), "must close after it opens"),
        ("UTC", (Hours(8, 0, H),), "no stretch"),
        ("UTC", (Hours(1, -1, H),), "no stretch"),
        ("UTC", (Hours(1, 0, DAY_S + 1),), "no stretch"),
        (
            "UTC",
            (Hours(1, 0, 3 * H), Hours(1, 2 * H, 4 * H)),
            "weekday 1 00:00-03:00 and weekday 1 02:00-04:00 overlap",
        ),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(zone: str, hours: tuple[Hours, ...], told: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(BadCalendar, match=told):
        BusinessCalendar(zone, hours)


def test_what_is_beyond_reach_is_refused() -> None:
    """A negative time, and one that no year holds, are errors and not some instant or other."""
    start = at("2026-03-25 10:00 Europe/Berlin")
    with pytest.raises(ValueError, match="negative"):
        BERLIN.due(start, timedelta(seconds=-1))
    with pytest.raises(ValueError, match="beyond the year 9998"):
        BusinessCalendar("UTC", (Hours(1, 0, 1),)).due(datetime(9990, 1, 1, tzinfo=UTC), timedelta(days=1))


def test_ten_thousand_dues_in_well_under_a_second() -> None:
    """Precomputed by year: what a bulk arrival and a bulk resumption ask for."""
    start = at("2026-03-25 10:00 Europe/Berlin")
    begun = time.process_time()
    for number in range(10_000):
        BERLIN.due(start + timedelta(minutes=number), timedelta(seconds=137 * number))
    assert time.process_time() - begun < 0.6


# ---------------------------------------------------------------- what always holds

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    hours: list[Hours] = []
    for weekday in draw(st.sets(st.integers(1, 7), min_size=1)):
        walls = sorted(draw(st.sets(st.integers(0, 96), min_size=2, max_size=6)))
        hours += [Hours(weekday, o * 900, c * 900) for o, c in zip(walls[::2], walls[1::2], strict=False)]
    days = st.dates(date(2026, 3, 1), date(2026, 11, 30))
    return BusinessCalendar(draw(st.sampled_from(ZONES)), tuple(hours), draw(st.frozensets(days, max_size=5)))


instants = st.datetimes(datetime(2026, 3, 1), datetime(2028, 3, 31), timezones=st.just(UTC))  # noqa: DTZ001 - a bound
amounts = st.timedeltas(timedelta(0), timedelta(days=8))
#: a calendar of minutes a week is laid out over decades: on a busy machine that takes its time
patient = settings(deadline=None)


@patient
@given(calendars(), instants, amounts, amounts)
def test_due_and_elapsed_are_each_others_inverse_and_due_is_monotone(
    calendar: BusinessCalendar, start: datetime, business: timedelta, more: timedelta
) -> None:
    """So much time has passed when it is due, and no earlier; more is due later; two steps are one."""
    due = calendar.due(start, business)
    assert calendar.elapsed(start, due) == business
    if business:
        assert calendar.elapsed(start, due - timedelta(microseconds=1)) < business
    assert calendar.due(start, business + more) >= due
    if business and more:
        assert calendar.due(due, more) == calendar.due(start, business + more)


@patient
@given(calendars(), instants, instants, instants)
def test_elapsed_is_additive(calendar: BusinessCalendar, one: datetime, two: datetime, three: datetime) -> None:
    """Whatever the order: what lies between two instants is the sum over a third."""
    assert calendar.elapsed(one, two) + calendar.elapsed(two, three) == calendar.elapsed(one, three)
    assert timedelta(0) <= calendar.elapsed(min(one, two), max(one, two)) <= abs(two - one)


@patient
@given(calendars(), instants)
def test_until_the_next_opening_no_time_passes(calendar: BusinessCalendar, now: datetime) -> None:
    """It is not before the instant, and as near as it can be."""
    opening = calendar.next_opening(now)
    assert now <= opening
    assert calendar.elapsed(now, opening) == timedelta(0)
    assert calendar.elapsed(opening, opening + timedelta(microseconds=1)) > timedelta(0)


#: the nights that matter, in the zones above: the clocks go forward, back, by half an hour; a leap day
NIGHTS_THAT_MATTER = [
    datetime.fromisoformat(night).replace(tzinfo=UTC)
    for night in (
        "2026-03-28T20:00",
        "2026-10-24T20:00",
        "2026-03-08T00:00",
        "2026-11-01T00:00",
        "2026-04-04T10:00",
        "2026-10-03T10:00",
        "2028-02-28T20:00",
    )
]


@settings(max_examples=40, deadline=None)
@given(calendars(), st.sampled_from(NIGHTS_THAT_MATTER), st.integers(0, 1800), st.integers(1, 1200))
def test_business_time_agrees_with_looking_at_the_wall_clock_every_minute(
    calendar: BusinessCalendar, night: datetime, offset: int, minutes: int
) -> None:
    """Brute force over the dangerous nights: each minute counts if a wall clock shows an open time.

    Stretches that begin or end inside a skipped or doubled hour are the rules of their own that the table has.
    """
    zone = ZoneInfo(calendar.zone)
    start = night + timedelta(minutes=offset)
    counted, certain = 0, True
    for minute in range(minutes):
        local = (start + timedelta(minutes=minute)).astimezone(zone)
        wall = local.hour * H + local.minute * 60
        here = [h for h in calendar.hours if h.weekday == local.isoweekday()]
        counted += local.date() not in calendar.holidays and any(h.opens <= wall < h.closes for h in here)
        certain &= local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset() or not any(
            abs(edge - wall) < 2 * H for h in here for edge in (h.opens, h.closes)
        )
    if certain:
        assert calendar.elapsed(start, start + timedelta(minutes=minutes)) == timedelta(minutes=counted)
