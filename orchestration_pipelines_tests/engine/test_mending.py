"""Dead letters, incidents and quarantine: what a person mends, with a reason, once."""

from __future__ import annotations

import pytest

from orchestration_pipelines.engine import dead_letters, incidents, quarantine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, STRAIGHT, Flow

HIDING = """
owner: tests
intake:
  key: case_key
  fields: {amount: number}
  withheld: {outcome: [verdict], protected: [sex]}
"""


def _fail(case: object, bank: object) -> None:
    raise RuntimeError("the bank is down")


def _dead(flow: Flow) -> dead_letters.DeadLetter:
    """A case whose reservation failed for good."""
    flow.script["reserve"] = _fail
    flow.submit("A")
    for _ in range(3):
        flow.sweep()
        flow.clock.advance(hours=1)
    with flow.engine.connect() as connection:
        (letter,) = dead_letters.listed(connection, "flow")
    del flow.script["reserve"]
    return letter


def test_a_replay_resumes_the_same_visit(draw: Draw) -> None:
    """Same visit, same key, attempts anew; a second replay is refused and told by whom."""
    flow = draw(*STRAIGHT)
    letter = _dead(flow)
    assert (letter.case_key, letter.element, letter.attempts) == ("A", "reserve", 3)
    assert "the bank is down" in letter.error
    assert "RuntimeError" in letter.traceback
    visit = flow.one("SELECT visit FROM token")
    with flow.engine.connect() as connection:
        with pytest.raises(Refused, match="a reason is needed"):
            dead_letters.replay(connection, letter.id, by="op", reason="", at=flow.clock())
        dead_letters.replay(connection, letter.id, by="op", reason="the bank is back", at=flow.clock())
        with pytest.raises(Refused, match="was replayed by op: the bank is back"):
            dead_letters.abandon(connection, letter.id, by="op", reason="no", at=flow.clock())
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert flow.one("SELECT attempt FROM activity WHERE element = 'reserve' AND visit = %s", visit) == 1


def test_an_abandoned_letter_undoes_its_case(draw: Draw) -> None:
    """What the case completed is undone, the effect in doubt is voided, and the case ends as cancelled."""
    flow = draw(*STRAIGHT)
    letter = _dead(flow)
    with flow.engine.connect() as connection:
        dead_letters.abandon(connection, letter.id, by="op", reason="the customer left", at=flow.clock())
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}
    assert [what for what, _ in flow.bank.asked] == ["void"]
    assert flow.letters() == {}


def test_a_compensation_that_was_done_by_hand_lets_the_saga_go_on(draw: Draw) -> None:
    """Abandoning a compensation's dead letter says that a person undid the step outside; the record says who."""
    flow = draw(*REVIEWED)
    flow.script["release"] = _fail
    flow.submit("A")
    flow.sweep()
    flow.decide("A", outcome="reject")
    for _ in range(4):
        flow.sweep()
        flow.clock.advance(hours=1)
    assert [incident[2] for incident in flow.incidents()] == ["compensation"]
    with flow.engine.connect() as connection:
        (letter,) = dead_letters.listed(connection)
        dead_letters.abandon(connection, letter.id, by="op", reason="released by phone", at=flow.clock())
    flow.sweep()
    assert flow.ends() == {"A": "rejected"}
    assert flow.rows("SELECT status FROM compensation") == [("consumed",)]


def test_a_resolved_incident_tries_the_case_again(draw: Draw) -> None:
    """A gateway had no way on; resolving without a cure meets the same again, as a new incident."""
    flow = draw(
        "service check",
        "end done",
        "received -> check -> which",
        "which -> done if amount > 100",
        "which -> done if ok = true",
    )
    flow.script["check"] = lambda case: {"ok": False}
    flow.submit("A")
    flow.sweep()
    flow.script["check"] = lambda case: {"ok": True}
    with flow.engine.connect() as connection:
        (incident,) = incidents.listed(connection, "flow")
        assert (incident.kind, incident.case_key, incident.owner) == ("no branch", "A", "tests")
        assert incidents.resolve(connection, incident.id, by="op", reason="mended the check", at=flow.clock())
        with pytest.raises(Refused, match="was resolved by"):
            incidents.resolve(connection, incident.id, by="op", reason="again", at=flow.clock())
        with pytest.raises(Refused, match="there is no incident 99"):
            incidents.resolve(connection, 99, by="op", reason="x", at=flow.clock())
    flow.sweep()
    assert flow.ends() == {"A": "done"}


def test_a_decision_behind_which_a_case_stuck_is_counted_once(draw: Draw) -> None:
    """Tried again, the same decision is taken on again: it is still one round, and one return."""
    flow = draw(
        "user review orch:queue=reviews",
        "end done",
        "received -> review -> which",
        'which -> done if review.outcome = "approve"',
        "timer late on review P3D -> done",
    )
    flow.submit("A")
    flow.sweep()
    flow.decide("A", outcome="return")
    for _ in range(2):
        flow.sweep()
        with flow.engine.connect() as connection:
            (incident,) = incidents.listed(connection, "flow")
            assert incidents.resolve(connection, incident.id, by="op", reason="try again", at=flow.clock())
    assert flow.rows("SELECT variables #>> '{review,rounds}', variables #>> '{review,returns}' FROM cases") == [
        ("1", "1")
    ]


def test_a_quarantined_row_is_mended_and_becomes_a_case(draw: Draw) -> None:
    """Put right, it is taken; what was withheld of it goes where the application cannot read it."""
    flow = draw(*STRAIGHT, settings=HIDING)
    bad = [
        Row(1, {"case_key": "A", "amount": "many", "verdict": "yes", "sex": "f"}),
        Row(2, {"case_key": "B", "amount": "x" * 70_000}),
        Row(3, {}, "line 3 cannot be read"),
    ]
    assert flow.engine.submit(bad, requested_by="broker", source="test").quarantined == 3
    with flow.engine.connect() as connection:
        first, long, unread = quarantine.listed(connection)
    assert dict(first.columns) == {"case_key": "A", "amount": "many"}
    with pytest.raises(Refused, match="field 'amount' is 'lots', not a number"):
        quarantine.resubmit(flow.engine, first.id, changes={"amount": "lots"}, by="ann")
    with pytest.raises(Refused, match="amount was too long to be kept"):
        quarantine.resubmit(flow.engine, long.id, changes={}, by="ann")
    with pytest.raises(Refused, match="could not be read"):
        quarantine.resubmit(flow.engine, unread.id, changes={}, by="ann")
    assert quarantine.resubmit(flow.engine, first.id, changes={"amount": "70"}, by="ann") == "A"
    with pytest.raises(Refused, match="was offered again by ann"):
        quarantine.resubmit(flow.engine, first.id, changes={"amount": "70"}, by="ann")
    with flow.engine.connect() as connection:
        assert [row.id for row in quarantine.listed(connection)] == [long.id, unread.id]
        connection.execute("SET ROLE orchestration_evaluation")
        kept = connection.execute(
            "SELECT o.columns ->> 'verdict', p.columns ->> 'sex' FROM withheld_outcome o "
            "JOIN withheld_protected p USING (case_id)"
        ).fetchall()
    assert kept == [("yes", "f")]
    assert flow.one("SELECT requested_by FROM cases WHERE case_key = 'A'") == "ann"
