"""Deciding at the reviewer table: the database holds the rules, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from orchestration_pipelines.engine import reviews
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

EDITED = (
    "user review orch:queue=reviews orch:approves=true orch:editable=amount "
    '"orch:signatures==if amount > 90 then 2 else 1"',
    "end done",
    "end rejected",
    "received -> review -> which",
    'which -> done if review.outcome = "approve"',
    "which -> rejected default",
    "timer late on review P3D -> rejected",
)
ASKED = (
    "user ask orch:queue=requesters orch:editable=amount",
    "end done",
    "received -> ask -> done",
    "timer late on ask P3D -> done",
)


def _decided(flow: Flow, key: str, *, person: str = "ann", outcome: str = "approve", **more: object) -> int:
    with flow.engine.connect() as connection:
        task = next(task for task in reviews.open_tasks(connection) if task.case_key == key)
        return reviews.decide(
            connection,
            task.task,
            person=person,
            seen=str(more.pop("seen", task.digest)),
            outcome=outcome,
            rationale=str(more.pop("rationale", "looked at it")),
            edits=more.pop("edits", None),  # type: ignore[arg-type] # a test's own mapping
            at=flow.clock(),
        )


@contextmanager
def _refused(saying: str) -> Iterator[None]:
    with pytest.raises(reviews.Refused, match=saying):
        yield


def test_an_open_task_shows_what_is_to_be_decided(draw: Draw) -> None:
    """The facts, who may decide, what may be edited, and the digest of it all."""
    flow = draw(*EDITED)
    flow.submit("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        (task,) = reviews.open_tasks(connection, "flow", element="review", queue="reviews")
        assert reviews.open_tasks(connection, queue="seniors") == []
    assert (task.case_key, task.facts, task.role, task.editable) == ("A", {"amount": 50}, "reviewer", ("amount",))
    assert (task.signature, task.requested_by, len(task.digest)) == ("1 of 1", "broker", 64)
    assert task.due_at == flow.clock() + timedelta(days=3), "without a due time of its own, its timer's"


def test_rules_are_told_when_they_refuse(draw: Draw) -> None:
    """Each rule refuses in words, and nothing is changed by a refused decision."""
    flow = draw(*EDITED)
    flow.submit("A", by="ann")
    flow.sweep()
    with _refused("ann submitted this case: nobody decides their own"):
        _decided(flow, "A")
    with _refused("zoe is not an active reviewer"):
        _decided(flow, "A", person="zoe")
    with _refused("the case has changed since it was shown"):
        _decided(flow, "A", person="bob", seen="0" * 64)
    with _refused("a rationale is needed"):
        _decided(flow, "A", person="bob", outcome="reject", rationale=" ")
    with _refused("'perhaps' is no outcome: use one of approve, reject, return, escalate"):
        _decided(flow, "A", person="bob", outcome="perhaps")
    with _refused("review cannot be edited in task"):
        _decided(flow, "A", person="bob", edits={"review": 1})
    with _refused("amount must be a number"):
        _decided(flow, "A", person="bob", edits={"amount": "a lot"})
    with _refused("amount must be a number"):
        _decided(flow, "A", person="bob", edits={"amount": None})
    assert flow.one("SELECT count(*) FROM review_decision") == 0
    assert flow.standing() == {"A": ("review", "waiting")}


def test_a_decided_task_says_by_whom(draw: Draw) -> None:
    """The second to decide is told who was first and when; so is one who looks for the task."""
    flow = draw(*EDITED)
    flow.submit("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        (task,) = reviews.open_tasks(connection)
        _decided(flow, "A")
        with _refused("was decided by ann at 2026-03-02"):
            reviews.decide(connection, task.task, person="bob", seen=task.digest, outcome="approve", at=flow.clock())
        with _refused("was decided by ann at 2026-03-02"):
            reviews.open_task(connection, task.task)
        with _refused("there is no task 4711"):
            reviews.open_task(connection, 4711)


def test_an_edit_asks_the_earlier_signer_again(draw: Draw) -> None:
    """Four eyes: after an edit the first signature is void, and the first signer sees the edited case afresh."""
    flow = draw(*EDITED)
    flow.submit("A", amount=100)
    flow.sweep()
    _decided(flow, "A", person="ann")
    with _refused("ann has signed in this round already"):
        _decided(flow, "A", person="ann")
    _decided(flow, "A", person="bob", edits={"amount": 95}, rationale="the invoice says 95")
    flow.sweep()
    assert flow.ends() == {"A": None}
    with flow.engine.connect() as connection:
        (again,) = reviews.open_tasks(connection)
    assert (again.facts["amount"], again.round) == (95, 2)
    with _refused("bob has signed in this round already"):
        _decided(flow, "A", person="bob")
    _decided(flow, "A", person="ann")
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert flow.one("SELECT variables -> 'review' ->> 'by' FROM cases") == '["bob", "ann"]'


def test_only_the_requester_answers_and_what_is_typed_is_typed(draw: Draw) -> None:
    """An answer is the requester's alone; what a person types becomes a value of the declared type."""
    flow = draw(*ASKED)
    flow.submit("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        (task,) = reviews.open_tasks(connection)
        with _refused("field 'amount' is 'much', not a number"):
            reviews.typed(connection, task, {"amount": "much"})
        with _refused("outcome cannot be edited in task"):
            reviews.typed(connection, task, {"outcome": "1"})
        edits = reviews.typed(connection, task, {"amount": "60.50"})
        with _refused("only broker, who submitted the case, answers for it"):
            reviews.answer(connection, task.task, person="ann", edits=edits)
        reviews.answer(connection, task.task, person="broker", edits=edits, asserted_by="root", at=flow.clock())
    flow.sweep()
    assert flow.one("SELECT variables ->> 'amount' FROM cases") == "60.5"
    assert flow.one("SELECT asserted_by FROM review_decision") == "root"
    assert flow.one("SELECT b ->> 'asserted_by' FROM audit_trail WHERE act = 'signed'") == "root"


def test_who_decides_in_plain_sql_is_who_is_logged_in(draw: Draw, database: str) -> None:
    """A person in an SQL client cannot decide in another's name: only the application may say who decides."""
    flow = draw(*EDITED)
    flow.submit("A")
    flow.sweep()
    with psycopg.connect(database, autocommit=True) as connection:
        task, digest = connection.execute("SELECT task, digest FROM reviewer_table").fetchone() or (0, "")
        with pytest.raises(psycopg.DatabaseError, match="is not an active reviewer"):
            connection.execute(
                "INSERT INTO review_decision (task_id, outcome, rationale, decided_by, digest) "
                "VALUES (%s, 'approve', 'mine', 'ann', %s)",
                (task, digest),
            )
