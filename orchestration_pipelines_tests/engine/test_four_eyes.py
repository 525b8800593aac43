"""Four eyes: k distinct people, blind to one another until all are in; a new round after an edit, never a third."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.domain.review import ROUNDS
from orchestration_pipelines.engine import casework, hands, reviews
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

FOUR_EYES = (
    "user review orch:queue=reviews orch:approves=true orch:editable=amount orch:signatures=2",
    "end done",
    "end rejected",
    "end higher",
    "received -> review -> which",
    'which -> done if review.outcome = "approve"',
    'which -> higher if review.outcome = "escalate"',
    "which -> rejected default",
    "timer late on review P3D -> rejected",
)
#: what no possible signer may see of another's signature while the round is open
SECRETS = ("because of the roof", "97", "reject", "approve")


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Case A waits for two signatures."""
    flow = draw(*FOUR_EYES)
    flow.submit("A", amount=100)
    flow.sweep()
    return flow


def sign(flow: Flow, person: str, outcome: str = "approve", edits: dict[str, Any] | None = None) -> None:
    """Sign what is open of case A and not in another's hand."""
    with flow.engine.connect() as connection:
        task = next(one for one in reviews.open_tasks(connection) if one.assignee in (None, person))
        reviews.decide(
            connection,
            task.task,
            person=person,
            seen=task.digest,
            outcome=outcome,
            rationale="because of the roof",
            edits=edits,
            at=flow.clock(),
        )


def owner(flow: Flow, statement: str) -> None:
    with psycopg.connect(flow.engine.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def stand_in(flow: Flow, person: str, delegate: str, ends: str = "NULL") -> None:
    owner(
        flow,
        "INSERT INTO absence (person, starts, ends, delegate, reason, set_by, set_at) VALUES "
        f"('{person}', '2026-01-01', {ends}, '{delegate}', 'away', 'max', '2026-01-01')",
    )


def test_the_same_person_twice_is_not_four_eyes(flow: Flow) -> None:
    """Not by signing twice, not by holding both tasks, not by pulling on."""
    with flow.engine.connect() as connection:
        first = hands.pull(connection, "ann", at=flow.clock())
        with pytest.raises(Refused, match="nothing waits that ann may do"):
            hands.pull(connection, "ann", at=flow.clock())
        other = flow.one("SELECT id FROM review_task WHERE id <> %s", first)
        with pytest.raises(Refused, match="ann has another signature of this case in hand"):
            hands.claim(connection, [other], person="ann", at=flow.clock())
    sign(flow, "ann")
    with pytest.raises(Refused, match="ann has signed in this round already"):
        sign(flow, "ann")
    sign(flow, "bob")
    flow.sweep()
    assert flow.ends() == {"A": "done"}


def test_nobody_is_handed_both_signatures_in_one_act(flow: Flow) -> None:
    """A batch that names both tasks for one person moves one."""
    both = [number for (number,) in flow.rows("SELECT id FROM review_task ORDER BY id")]
    with flow.engine.connect() as connection:
        told = hands.claim(connection, both, person="ann", at=flow.clock())
    assert [(one.moved, one.reason) for one in told] == [(True, None), (False, "holds_other")]


@pytest.mark.parametrize(("person", "delegate"), [("ann", "bob"), ("bob", "ann")])
def test_whoever_stands_in_for_a_signer_is_the_same_pair_of_eyes(flow: Flow, person: str, delegate: str) -> None:
    """In both directions, and on both ways to a task; a third person is another pair."""
    stand_in(flow, person, delegate)
    sign(flow, "ann")
    with pytest.raises(Refused, match="bob and somebody who submitted or signed this case stand in for one another"):
        sign(flow, "bob")
    with flow.engine.connect() as connection, pytest.raises(Refused, match="nothing waits that bob may do"):
        hands.pull(connection, "bob", at=flow.clock())
    sign(flow, "cleo")


@pytest.mark.parametrize(("person", "delegate"), [("broker", "bob"), ("bob", "broker")])
def test_whoever_stands_in_for_the_requester_does_not_decide_for_them(flow: Flow, person: str, delegate: str) -> None:
    """The requester has a stand-in among the reviewers, or is one."""
    owner(flow, "INSERT INTO reviewer (person, roles) VALUES ('broker', '{}')")
    stand_in(flow, person, delegate)
    with pytest.raises(Refused, match="stand in for one another"):
        sign(flow, "bob")


def test_an_absence_that_was_over_when_the_task_was_opened_binds_nobody(flow: Flow) -> None:
    """They decide for themselves again."""
    stand_in(flow, "ann", "bob", ends="'2026-02-01'")
    sign(flow, "ann")
    sign(flow, "bob")


def everything_shown(flow: Flow) -> str:
    """All that lists, views, commands and the auditor's own queries show of case A."""
    with flow.engine.connect() as connection:
        said = [repr(task) for task in reviews.open_tasks(connection)]
        said += [repr(entry) for entry in casework.history(connection, "A").entries if entry.act != "submitted"]
        for task, _ in flow.rows("SELECT id, 0 FROM review_task"):
            said.append(reviews.may(connection, "cleo", "decide", task)[1])
    with connect(flow.engine.url, role="orchestration_auditor") as auditor:
        for view in ("decision_trail", "task_trail", "reviewer_table"):
            said += [repr(row) for row in auditor.execute(f"SELECT * FROM {view}").fetchall()]
        said += [
            repr(row) for row in auditor.execute("SELECT b, body FROM audit_trail WHERE act <> 'submitted'").fetchall()
        ]
        for table in ("review_decision", "review_task", "audit_entry"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                auditor.execute(f"SELECT * FROM {table}")
    return "\n".join(said)


@pytest.mark.parametrize("outcome", ["approve", "reject", "return", "escalate"])
def test_h16_the_second_reviewer_is_blind_to_the_first_until_both_have_decided(flow: Flow, outcome: str) -> None:
    """On every path: lists, history, refusals, views, and for the auditor too; afterwards all of it is there."""
    sign(flow, "ann", outcome)
    shown = everything_shown(flow)
    for secret in ("because of the roof", "returned", "escalated", f"'{outcome}'", f'"{outcome}"'):
        assert secret not in shown
    assert "it was signed by ann at 2026-03-02" in shown
    sign(flow, "bob", outcome)
    shown = everything_shown(flow)
    assert shown.count("because of the roof") >= 4
    flow.sweep()


def test_h16_an_edit_is_seen_as_the_case_and_not_as_a_choice(flow: Flow) -> None:
    """The others see the edited case afresh; what the editor chose and why stays unseen in the second round as well."""
    sign(flow, "ann", "reject")
    sign(flow, "bob", edits={"amount": 97})
    shown = everything_shown(flow)
    assert "'amount': 97" in shown
    for secret in ("because of the roof", "'reject'", '"reject"', "'edits'", '"edits"'):
        assert secret not in shown


def test_a_sealed_record_is_still_whole(flow: Flow) -> None:
    """The seal hides an entry's content, never the entry: number, commitment and link are there for the auditor."""
    sign(flow, "ann")
    with connect(flow.engine.url, role="orchestration_auditor") as auditor:
        rows = auditor.execute(
            "SELECT act, sealed, commitment IS NULL, salt IS NULL FROM audit_trail WHERE case_id > 0 ORDER BY seq"
        ).fetchall()
    assert rows == [("submitted", False, False, False), ("signed", True, False, True)]
    sign(flow, "bob")
    with connect(flow.engine.url, role="orchestration_auditor") as auditor:
        opened = auditor.execute("SELECT sealed, body FROM audit_trail WHERE act = 'signed'").fetchall()
    assert [(sealed, json.loads(body)["outcome"]) for sealed, body in opened] == [(False, "approve")] * 2


def test_an_edit_keeps_lane_class_and_requester_and_queues_anew(flow: Flow) -> None:
    """The earlier signer's new task is first in first out within its class as of the edit; the editor has signed."""
    owner(
        flow, "UPDATE review_task SET region = 'north', level = 1, priority = 3, order_key = opened_at - interval '1 h'"
    )
    sign(flow, "ann")
    flow.clock.advance(minutes=30)
    sign(flow, "bob", edits={"amount": 97})
    again = flow.rows(
        "SELECT region, priority, requested_by, round, order_key FROM review_task WHERE ended_at IS NULL AND lane = "
        "(SELECT min(lane) FROM review_task WHERE ended_at IS NOT NULL)"
    )
    flow.clock.advance(hours=-1)
    assert again == [("north", 3, "broker", 2, flow.clock())]
    with pytest.raises(Refused, match="bob has signed in this round already"):
        sign(flow, "bob")
    sign(flow, "ann")
    flow.sweep()
    assert flow.ends() == {"A": "done"}


def test_a_task_in_hand_stays_in_hand_through_anothers_edit(flow: Flow) -> None:
    """Whoever has the other task sees the edited case, and must look again: their old digest is refused."""
    with flow.engine.connect() as connection:
        held = hands.pull(connection, "ann", at=flow.clock())
        seen = reviews.open_task(connection, held)
        sign(flow, "bob", edits={"amount": 97})
        with pytest.raises(Refused, match="the case has changed since it was shown"):
            reviews.decide(connection, held, person="ann", seen=seen.digest, outcome="approve", at=flow.clock())
        assert reviews.open_task(connection, held).assignee == "ann"
    sign(flow, "ann")
    flow.sweep()
    assert flow.ends() == {"A": "done"}


def test_in_place_of_a_third_round_somebody_higher_decides(flow: Flow) -> None:
    """Two who edit one another's edits do not agree: the wait is over, nobody is asked again, and it goes up."""
    sign(flow, "ann", edits={"amount": 97})
    assert flow.standing()["A"] == ("review", "waiting")
    sign(flow, "bob", edits={"amount": 98})
    assert flow.one("SELECT max(round) FROM review_decision") == ROUNDS + 1
    assert flow.rows("SELECT DISTINCT ended_at IS NULL FROM review_task") == [(False,)]
    flow.sweep()
    assert flow.ends() == {"A": "higher"}
    assert flow.one("SELECT count(*) FROM approval") == 0


def test_disagreement_goes_up(flow: Flow) -> None:
    """One approves, the other rejects: neither has it."""
    sign(flow, "ann")
    sign(flow, "bob", "reject")
    flow.sweep()
    assert flow.ends() == {"A": "higher"}
