"""Tasks are given out: by the queue's strategy, to who may and is there, within limits, with an account of the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from orchestration_pipelines.engine import hands, people
from orchestration_pipelines.engine.people import Refused
from orchestration_pipelines.engine.routing import reassign
from orchestration_pipelines.engine.why import why
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
  seniors: {owner: tests, role: senior}
reviewers:
  ann: {roles: [reviewer], capacity: 4}
  bob: {roles: [reviewer], capacity: 4}
  cleo: {roles: [reviewer, senior]}
  mara: [manager]
"""
REVIEWED = (
    "user review orch:queue=reviews{more}",
    "end done",
    "received -> review -> done",
    "timer late on review P30D -> done",
)


def reviewed(more: str = "") -> list[str]:
    return [line.format(more=more) for line in REVIEWED]


def strategy(flow: Flow, name: str, **limits: int) -> None:
    """Let the queue give out its tasks, as a policy would."""
    flow.engine.version  # noqa: B018 - released on first use
    with flow.engine.connect() as connection:
        connection.execute(
            "UPDATE queue SET strategy = %s, wip_limit = %s WHERE name = 'reviews'", (name, limits.get("wip_limit"))
        )


def given(flow: Flow) -> dict[str, str | None]:
    """Who has which case's task."""
    return dict(
        flow.rows(
            "SELECT c.case_key, t.assignee FROM review_task t JOIN cases c ON c.id = t.case_id "
            "WHERE t.ended_at IS NULL ORDER BY t.id"
        )
    )


def task_of(flow: Flow, key: str) -> int:
    return int(flow.one("SELECT t.id FROM review_task t JOIN cases c ON c.id = t.case_id WHERE c.case_key = %s", key))


def act(flow: Flow, what: Any, *arguments: Any, **named: Any) -> Any:
    """An act of somebody's, now."""
    with flow.engine.connect() as connection:
        return what(connection, *arguments, at=flow.clock(), **named)


def test_a_sweep_gives_out_what_it_opened(draw: Draw) -> None:
    """In order, in turn, each with the five best and the rest by reason."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "round_robin")
    flow.submit("A", "B", "C", "D")
    flow.sweep()
    assert given(flow) == {"A": "ann", "B": "bob", "C": "cleo", "D": "ann"}
    cause, by, candidates, excluded = flow.rows(
        "SELECT cause, by, (SELECT array_agg(c ->> 'person') FROM json_array_elements(candidates) c), excluded::text "
        "FROM assignment ORDER BY id LIMIT 1"
    )[0]
    assert (cause, by, candidates, excluded) == ("round_robin", "system", ["ann", "bob", "cleo"], '{"role":1}')


def test_a_rotation_goes_on_in_the_next_sweep(draw: Draw) -> None:
    """Whose turn it was is kept."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "round_robin")
    for key in ("A", "B"):
        flow.submit(key)
        flow.sweep()
    assert given(flow) == {"A": "ann", "B": "bob"}


def test_h11_a_declined_task_goes_to_somebody_else_and_nobody_loses_a_turn(draw: Draw) -> None:
    """Theirs alone: the rotation is as it was."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "round_robin")
    flow.submit("A")
    flow.sweep()
    act(flow, hands.decline, [task_of(flow, "A")], person="ann", reason="I know them")
    flow.submit("B", "C")
    flow.sweep()
    assert given(flow) == {"A": "bob", "B": "cleo", "C": "ann"}


def test_limits_leave_the_rest_in_the_queue(draw: Draw) -> None:
    """People's and the queue's: what is beyond waits, and is never lost."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "least_load", wip_limit=2)
    flow.submit("A", "B", "C")
    flow.sweep()
    assert given(flow) == {"A": "ann", "B": "bob", "C": None}
    flow.decide("A")
    flow.sweep()
    assert given(flow)["C"] is not None


def test_nobody_is_given_their_own_case_and_the_first_in_line_is_no_obstacle(draw: Draw) -> None:
    """A case that nobody has room for, or may do, does not keep those behind it waiting."""
    flow = draw(
        *reviewed(), settings=SETTINGS.replace("capacity: 4", "capacity: 1").replace("[reviewer, senior]", "[senior]")
    )
    strategy(flow, "round_robin")
    flow.submit("A", "B", by="ann")
    flow.submit("C")
    flow.sweep()
    assert given(flow) == {"A": "bob", "B": None, "C": "ann"}


@pytest.mark.parametrize(
    ("now", "on"),
    [
        ("2026-03-02T21:59:00+00:00", False),  # Monday 22:59 in Berlin
        ("2026-03-02T22:00:00+00:00", True),  # 23:00: the shift begins
        ("2026-03-03T04:59:00+00:00", True),  # 05:59 on Tuesday: Monday's shift, over midnight
        ("2026-03-03T05:00:00+00:00", False),
        ("2026-03-08T22:00:00+00:00", False),  # Sunday: no shift
        ("2026-10-25T00:30:00+00:00", True),  # Saturday's shift ends at 02:30, which is shown twice: first …
        ("2026-10-25T01:29:00+00:00", True),  # … and again, an hour later: on until then, without a gap
        ("2026-10-25T01:30:00+00:00", False),
        ("2026-03-29T00:59:00+00:00", True),  # 01:59, the last minute before the clocks jump to 03:00
        ("2026-03-29T01:00:00+00:00", False),  # 03:00: 02:30 was never shown, the shift ended with the change
        ("2028-02-29T22:30:00+00:00", False),  # 29 February 2028 is a Tuesday
        ("2028-02-28T22:30:00+00:00", True),
    ],
)
def test_a_shift_is_by_the_wall_clock_where_somebody_is(draw: Draw, now: str, on: bool) -> None:
    """Worked by hand: over midnight, on the nights when the clocks change, in a leap year."""
    shifts = "zone: Europe/Berlin, shifts: {mon: [23:00-06:00], sat: [22:00-02:30]}"
    flow = draw(*reviewed(), settings=SETTINGS.replace("ann: {", f"ann: {{{shifts}, "))
    flow.engine.version  # noqa: B018 - released on first use
    away = flow.rows("SELECT reason FROM unavailable('ann', %s)", datetime.fromisoformat(now))
    assert away == ([] if on else [("off_shift",)])


def test_what_an_absent_person_has_goes_to_whoever_stands_in(draw: Draw) -> None:
    """Along a chain to the first who is there; who may not do it is passed by, and it goes back to the queue."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "round_robin")
    flow.submit("A")
    flow.submit("B", by="cleo")
    flow.sweep()
    assert given(flow) == {"A": "ann", "B": "bob"}
    flow.clock.advance(minutes=1)
    for person, delegate in (("bob", "cleo"), ("ann", "bob")):
        act(
            flow,
            people.set_absent,
            person,
            starts=flow.clock(),
            ends=None,
            delegate=delegate,
            reason="ill",
            by=person,
        )
    flow.sweep()
    assert given(flow) == {"A": "cleo", "B": None}  # cleo submitted B, and nobody else is there
    assert flow.rows("SELECT cause, person, from_person FROM assignment WHERE id > 2 ORDER BY id") == [
        ("absence", "cleo", "ann"),
        ("absence", None, "bob"),
    ]


def test_nobody_is_given_a_task_while_absent_and_everybody_again_when_back(draw: Draw) -> None:
    """Out of shift or absent means not assigned."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "round_robin")
    act(flow, people.set_absent, "ann", starts=flow.clock(), ends=None, delegate=None, reason="ill", by="mara")
    flow.submit("A")
    flow.sweep()
    assert given(flow) == {"A": "bob"}
    flow.clock.advance(hours=1)
    act(flow, people.set_back, "ann", by="ann")
    flow.submit("B")
    flow.sweep()
    assert given(flow)["B"] == "ann"


def test_why_tells_everybodys_place(draw: Draw) -> None:
    """Recomputed as of now, beside what was kept."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "least_load")
    flow.submit("A", by="bob")
    flow.sweep()
    with flow.engine.connect() as connection:
        told = why(connection, task_of(flow, "A"), flow.clock())
    by_person = {place.person: place for place in told.places}
    assert by_person["cleo"].place == 1
    assert "already" in by_person["ann"].why
    assert "nobody decides their own" in by_person["bob"].why
    assert "asks for the role reviewer" in by_person["mara"].why
    assert [(each.person, each.excluded) for each in told.recorded] == [("ann", {"role": 1, "requester": 1})]


def test_a_task_is_reassigned_by_its_queues_strategy_and_never_to_its_holder(draw: Draw) -> None:
    """For timers: whoever had it is passed by."""
    flow = draw(*reviewed(), settings=SETTINGS)
    flow.submit("A")
    flow.sweep()
    task = task_of(flow, "A")
    act(flow, hands.claim, [task], person="ann")
    with flow.engine.connect() as connection, connection.transaction():
        assert reassign(connection, [(task, "ann")], "stuck", flow.clock()) == {task: "bob"}
    assert given(flow) == {"A": "bob"}


def test_h12_a_lane_that_nobody_can_serve_is_an_incident_and_goes_to_the_fallback_queue(draw: Draw) -> None:
    """The policy's fallback, where the drawing names none; the lane changes with the queue."""
    flow = draw(*reviewed(" orch:level=5"), settings=SETTINGS.replace("cleo: {", "cleo: {level: 9, "))
    flow.engine.version  # noqa: B018 - released on first use
    with flow.engine.connect() as connection:
        connection.execute("UPDATE queue SET fallback = 'seniors' WHERE name = 'reviews'")
        connection.execute("UPDATE reviewer SET roles = '{senior}' WHERE person = 'cleo'")
    flow.submit("A")
    flow.sweep()
    ((_, _, kind, reason),) = flow.incidents()
    assert (kind, "they are in seniors now" in reason) == ("nobody may decide", True)
    assert flow.one("SELECT l.queue FROM review_task t JOIN work_lane l ON l.id = t.lane") == "seniors"


def test_a_higher_priority_goes_first_and_no_class_starves(draw: Draw) -> None:
    """A class is queued ahead of its time by its weight, which is fixed: who waited longer than that is before it."""
    flow = draw(*reviewed(' orch:priority="= if amount > 60 then 3 else 0"'), settings=SETTINGS)
    flow.submit("old", amount=10)
    flow.clock.advance(hours=2)
    flow.submit("new", amount=10)
    flow.submit("urgent", amount=90)
    flow.clock.advance(hours=2)
    flow.submit("late urgent", amount=90)
    ordered = flow.rows(
        "SELECT c.case_key FROM review_task t JOIN cases c ON c.id = t.case_id ORDER BY t.order_key, t.id"
    )
    assert [key for (key,) in ordered] == ["urgent", "old", "late urgent", "new"]


def test_an_absence_in_a_circle_or_upon_another_is_refused(draw: Draw) -> None:
    """Somebody must be there in the end."""
    flow = draw(*reviewed(), settings=SETTINGS)
    flow.engine.version  # noqa: B018 - released on first use
    away = {"starts": flow.clock(), "ends": None, "reason": "ill", "by": "mara"}
    act(flow, people.set_absent, "ann", delegate="bob", **away)
    for person, delegate, said in (
        ("bob", "ann", "bob → ann → bob"),
        ("ann", None, "is absent from"),
        ("bob", "bob", "stand in for themselves"),
        ("bob", "zoe", "no active reviewer 'zoe'"),
    ):
        with pytest.raises(Refused, match=said):
            act(flow, people.set_absent, person, delegate=delegate, **away)
    act(flow, people.set_absent, "bob", delegate=None, **away)
    with pytest.raises(Refused, match="nobody stands in for them"):
        act(flow, people.set_absent, "cleo", delegate="bob", **away)


def test_h12_whoever_leaves_last_makes_an_incident_at_once(draw: Draw) -> None:
    """Of all that nobody is left to do; it goes to the fallback queue, and the incident stands alone until resolved."""
    flow = draw(*reviewed(), settings=SETTINGS)
    flow.submit("A", "B", "C")
    flow.sweep()
    with flow.engine.connect() as connection:
        connection.execute("UPDATE queue SET fallback = 'seniors' WHERE name = 'reviews'")
    for number, person in enumerate(("ann", "bob")):
        act(flow, people.deactivate, person, by="mara", reason="left")
        assert (number, flow.one("SELECT count(*) FROM incident")) == (number, 0)
    act(flow, people.deactivate, "cleo", by="mara", reason="left")
    told = flow.rows("SELECT kind, reason, owner FROM incident ORDER BY id")
    assert [(kind, reason.partition(" (")[0], owner) for kind, reason, owner in told] == [
        ("nobody may decide", "3 open tasks", "tests")
    ] * 2  # of the queue, and of the queue that they fell back to
    assert "they are in seniors now" in told[0][1]
    assert "give somebody the role senior" in told[1][1]
    assert flow.rows("SELECT DISTINCT queue FROM review_task") == [("seniors",)]
    assert flow.engine.alarm() == 0


def test_h12_a_lane_with_somebody_left_is_no_incident_but_for_their_own_cases(draw: Draw) -> None:
    """Whoever is left may not decide what they submitted: that one is nobody's, and the others are not."""
    flow = draw(*reviewed(), settings=SETTINGS)
    flow.submit("A", "B")
    flow.submit("own", by="cleo")
    flow.sweep()
    for person in ("ann", "bob"):
        act(flow, people.deactivate, person, by="mara", reason="left")
    own = task_of(flow, "own")
    assert [reason.partition(" in ")[0] for (reason,) in flow.rows("SELECT reason FROM incident")] == [
        f"1 open task ({own})"
    ]


def test_what_one_person_has_is_not_counted_along_all_that_a_queue_has(draw: Draw) -> None:
    """Where nothing was analyzed yet, a walk over the whole queue for each person would cost a routing run minutes."""
    flow = draw(*reviewed(), settings=SETTINGS)
    strategy(flow, "round_robin")
    flow.submit(*(f"case {number}" for number in range(12)))
    with flow.engine.connect() as connection:
        connection.execute("SET stats_fetch_consistency = none")
        flow.sweep()
        connection.execute("SELECT pg_stat_force_next_flush()")
        walked: dict[str, int] = dict(
            connection.execute(
                "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE indexrelname LIKE 'review_task%in_hand'"
            ).fetchall()
        )
    assert walked["review_task_in_hand"] > 0
    assert walked["review_task_queue_in_hand"] == 0


def test_h12_two_must_sign_and_one_is_left(draw: Draw) -> None:
    """Both tasks lie open still; whoever signs the first may not sign the second."""
    flow = draw(*reviewed(" orch:signatures=2"), settings=SETTINGS)
    flow.submit("A")
    flow.sweep()
    act(flow, people.deactivate, "ann", by="mara", reason="left")
    assert flow.one("SELECT count(*) FROM incident") == 0
    act(flow, people.deactivate, "bob", by="mara", reason="left")
    assert flow.one("SELECT reason FROM incident").startswith("2 open tasks (")
