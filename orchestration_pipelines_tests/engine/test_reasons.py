"""A decision names reasons of the policy: checked by the database, kept with it, and counted."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, SETTINGS, claimed, task_of, with_reasons
from orchestration_pipelines_tests.engine.flow import Flow


def decide(flow: Flow, key: str, outcome: str, *reasons: str, person: str = "ann", rationale: str = "") -> int:
    task = task_of(flow, key, person)
    with flow.engine.connect() as connection:
        return reviews.decide(
            connection,
            task.task,
            person=person,
            seen=task.digest,
            outcome=outcome,
            reasons=reasons,
            rationale=rationale,
            at=flow.clock(),
        )


def test_reasons_are_checked_kept_and_counted(draw: Draw) -> None:
    """Each rule refuses in words; what passes stands with the decision, in its record and in the case."""
    flow = with_reasons(draw(*DECIDING, settings=SETTINGS, grid=GRID))
    flow.submit("A", "B", "C", amount=50)
    flow.submit("D", amount=10)
    flow.sweep()
    with flow.engine.connect() as connection:
        offered = reviews.offered_reasons(connection, "flow", "review")
    assert [(each.code, each.needs_text) for each in offered] == [
        ("no_invoice", False),
        ("in_order", False),
        ("other", True),
    ]
    for reasons, wrong in (
        (("because",), "the policy offers no reason because"),
        (("in_order",), r"in_order \(All in order\) is a reason to approve, not to reject"),
        (("at_the_top",), "at_the_top .* is no reason at the step review"),
        (("no_invoice", "no_invoice"), "the reason no_invoice is named twice"),
        (("no_invoice", "other"), "other .* needs more words: say them in the rationale"),
        ((), "a rationale is needed for anything but a plain approval"),
    ):
        with pytest.raises(Refused, match=wrong) as refused:
            decide(flow, "A", "reject", *reasons)
        assert refused.value.state == "OP004"
    with pytest.raises(Refused, match="the rationale has 10001 characters; 10000 are allowed"):
        decide(flow, "A", "reject", rationale="x" * 10_001)
    with pytest.raises(Refused, match="NUL"):
        decide(flow, "A", "reject", rationale="a\0b")
    assert flow.one("SELECT count(*) FROM review_decision") == 0

    claimed(flow, "ann", "A")
    flow.clock.advance(minutes=2)
    decide(flow, "A", "reject", "no_invoice")
    decide(flow, "B", "reject", "no_invoice", "other", rationale="and late")
    decide(flow, "C", "reject", rationale="in words alone")
    decide(flow, "D", "approve", "in_order")
    assert flow.rows("SELECT b -> 'reasons' FROM audit_trail WHERE act = 'signed' ORDER BY case_id") == [
        (b'["no_invoice"]',),
        (b'["no_invoice", "other"]',),
        (b"[]",),
        (b'["in_order"]',),
    ]
    flow.sweep()
    assert flow.ends() == {"A": "rejected", "B": "rejected", "C": "rejected", "D": "done"}
    said = flow.one("SELECT variables -> 'review' ->> 'reasons' FROM cases WHERE case_key = 'B'")
    assert said == '["no_invoice", "other"]'
    with flow.engine.connect() as connection:
        now = flow.clock()
        counted = reviews.counted_reasons(connection, "flow", now - timedelta(hours=1), now + timedelta(hours=1))
        assert reviews.counted_reasons(connection, "flow", now + timedelta(hours=1), now + timedelta(days=9)) == []
    assert [(each.rule, each.outcome, each.reason, each.decisions, each.touch_s) for each in counted] == [
        ("much", "reject", "no_invoice", 2, 120.0),
        ("little", "approve", "in_order", 1, 0.0),
        ("much", "reject", "other", 1, 0.0),
        ("much", "reject", None, 1, 0.0),
    ]
    assert counted[0].meaning == "There is no invoice"
    assert counted[0].words is not None and "at least 45" in counted[0].words
    with flow.engine.connect() as connection:
        worked = reviews.work_by_rule(connection, "flow", now - timedelta(hours=1), now + timedelta(hours=1))
    assert [(each.element, each.rule, each.decisions, each.named, each.touch_s) for each in worked] == [
        ("review", "much", 3, 2, 120.0),
        ("review", "little", 1, 1, 0.0),
    ]


def test_a_decision_counts_for_the_rule_that_sent_the_case_there(draw: Draw) -> None:
    """Not for one that decides about it afterwards."""
    flow = with_reasons(draw(*DECIDING, settings=SETTINGS, grid=GRID))
    flow.submit("A", amount=50)
    flow.sweep()
    task = task_of(flow)
    with flow.engine.connect() as connection:
        reviews.decide(
            connection,
            task.task,
            person="ann",
            seen=task.digest,
            outcome="return",
            reasons=["no_invoice"],
            edits={"amount": 30},
            at=flow.clock(),
        )
    flow.sweep()
    with flow.engine.connect() as connection:
        reviews.answer(connection, task_of(flow).task, person="broker", at=flow.clock())
    flow.sweep()
    assert flow.standing() == {"A": ("review", "waiting")}
    decide(flow, "A", "approve")
    with flow.engine.connect() as connection:
        counted = reviews.counted_reasons(connection, "flow", flow.clock(), flow.clock() + timedelta(hours=1))
    assert sorted((each.element, each.rule, each.outcome) for each in counted) == [
        ("ask", "much", "approve"),
        ("review", "little", "approve"),
        ("review", "much", "return"),
    ]


def test_a_reason_that_is_no_longer_offered_keeps_its_words(draw: Draw) -> None:
    """The next policy takes it away: it cannot be named, and is still counted in words."""
    flow = with_reasons(draw(*DECIDING, settings=SETTINGS, grid=GRID))
    flow.submit("A", "B")
    flow.sweep()
    decide(flow, "A", "reject", "no_invoice")
    with flow.engine.connect() as connection:
        from orchestration_pipelines.engine import policy

        policy.put(connection, flow.engine.workflow, b"skills: []", by="mara", reason="no reasons", at=flow.clock())
        assert reviews.offered_reasons(connection, "flow", "review") == []
    with pytest.raises(Refused, match="the policy offers no reason no_invoice"):
        decide(flow, "B", "reject", "no_invoice")
    with flow.engine.connect() as connection:
        (counted,) = reviews.counted_reasons(connection, "flow", flow.clock(), flow.clock() + timedelta(hours=1))
    assert (counted.reason, counted.meaning) == ("no_invoice", "There is no invoice")


def test_the_reasons_of_a_signature_are_sealed_like_its_rationale(draw: Draw) -> None:
    """Until all have signed, the record shows neither; afterwards both. And nobody changes what was shown."""
    flow = with_reasons(draw(*DECIDING, settings=SETTINGS, grid=GRID))
    flow.submit("A", amount=100)
    flow.sweep()
    decide(flow, "A", "reject", "other", rationale="the roof leaks")
    signed = "SELECT b ? 'reasons', b ? 'rationale', sealed FROM audit_trail WHERE act = 'signed'"
    assert flow.rows(signed) == [(False, False, True)]
    assert flow.rows("SELECT * FROM decision_trail") == flow.rows("SELECT * FROM shown_trail") == []
    decide(flow, "A", "reject", "no_invoice", person="bob")
    assert flow.rows(signed) == [(True, True, False)] * 2
    assert flow.rows("SELECT DISTINCT facts ->> 'amount', digest = shown_digest(facts) FROM shown_trail") == [
        ("100", True)
    ]
    with flow.engine.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM shown_facts")
