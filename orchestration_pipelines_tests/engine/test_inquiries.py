"""Asking a colleague: who may be asked, what they see, and that no signer hears of another's choice that way."""

from __future__ import annotations

import pytest

from orchestration_pipelines.engine import hands, history, inquiries, reviews
from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, SETTINGS, claimed, task_of
from orchestration_pipelines_tests.engine.flow import Flow


def ask(flow: Flow, task: int, of: str, by: str = "ann", text: str = "Is this a duplicate?") -> int:
    with flow.engine.connect() as connection:
        return inquiries.ask(connection, task, by=by, of=of, text=text, at=flow.clock())


def answer(flow: Flow, inquiry: int, by: str = "bob", text: str = "No, it is new.") -> None:
    with flow.engine.connect() as connection:
        inquiries.answer(connection, inquiry, by=by, text=text, at=flow.clock())


def sees(flow: Flow, person: str, task: int) -> bool:
    with flow.engine.connect() as connection:
        return reviews.may(connection, person, "see", task)[0]


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Case A waits for one signature, case B for two."""
    flow = draw(*DECIDING, settings=SETTINGS, grid=GRID)
    flow.submit("A")
    flow.submit("B", amount=100)
    flow.sweep()
    return flow


def test_a_question_is_asked_told_and_answered(flow: Flow) -> None:
    """The task stays in hand, both are told through the outbox, and the record has question and answer."""
    task = claimed(flow, "ann").task
    with flow.engine.connect() as connection:
        assert [one.person for one in inquiries.colleagues(connection, task)] == ["bob", "cleo", "mara"]
    number = ask(flow, task, "bob")
    with flow.engine.connect() as connection:
        (asked,) = inquiries.waiting_for(connection, "bob")
        assert (asked.id, asked.case_key, asked.text, asked.waits) == (number, "A", "Is this a duplicate?", True)
        assert inquiries.of_case(connection, asked.case_id, "cleo") == [], "it is between the two"
    answer(flow, number)
    with flow.engine.connect() as connection:
        (answered,) = inquiries.of_case(connection, asked.case_id, "ann")
        assert (answered.answer, answered.waits) == ("No, it is new.", False)
        assert inquiries.waiting_for(connection, "bob") == []
    with pytest.raises(Refused, match="this was answered already"):
        answer(flow, number)
    assert flow.rows("SELECT person, kind, text FROM notification ORDER BY id") == [
        ("bob", "asked", f"inquiry {number}: ann asks you about task {task}"),
        ("ann", "answered", f"inquiry {number}: bob answered about task {task}"),
    ]
    assert task_of(flow, "A", "ann").assignee == "ann"
    recorded = "SELECT actor, act, b ->> 'text' FROM audit_trail WHERE act IN ('asked', 'advised') ORDER BY seq"
    assert flow.rows(recorded) == [("ann", "asked", None), ("bob", "advised", None)], "sealed while the task is open"
    flow.decide("A")
    assert [text for *_, text in flow.rows(recorded)] == ["Is this a duplicate?", "No, it is new."]


def test_a_possible_signer_is_not_asked_and_whoever_was_asked_does_not_sign(flow: Flow) -> None:
    """Of two signers neither hears from the other; one who was asked may later have the role, and may not sign."""
    task = claimed(flow, "ann", "B").task
    with pytest.raises(Refused, match="bob may sign this case too"):
        ask(flow, task, "bob")
    ask(flow, task, "mara", text="I would reject. You?")
    flow.rows("UPDATE reviewer SET roles = '{manager,reviewer}' WHERE person = 'mara' RETURNING person")
    other = task_of(flow, "B").task
    with flow.engine.connect() as connection:
        with pytest.raises(Refused, match="mara was asked about this case by one of its signers"):
            hands.claim(connection, [other], person="mara", at=flow.clock())
        assert reviews.may(connection, "bob", "decide", other)[0]
        assert "reject" not in str(history.of_task(connection, task)), "nor is the question told meanwhile"
    flow.decide("B", by="ann")
    flow.rows("UPDATE reviewer SET roles = '{senior}' WHERE person = 'ann' RETURNING person")
    with flow.engine.connect() as connection:
        hands.claim(connection, [other], person="bob", at=flow.clock())
    with pytest.raises(Refused, match="ann may sign this case too"):
        ask(flow, other, "ann", by="bob")


def test_who_is_asked_sees_the_case_as_long_as_it_is_open(flow: Flow) -> None:
    """And nobody asks about what is not in their hands, or somebody who only reads."""
    task = task_of(flow, "A").task
    with pytest.raises(Refused, match=rf"task {task} is not in the hands of ann"):
        ask(flow, task, "bob")
    claimed(flow, "ann")
    flow.rows("INSERT INTO reviewer (person, roles) VALUES ('ira', '{clerk}') RETURNING person")
    assert not sees(flow, "ira", task)
    for of, wrong in (
        ("ann", "ann has task .* in hand: ask somebody else"),
        ("broker", "broker submitted this case: return it"),
        ("ada", "ada decides nothing: ask somebody who reviews"),
        ("zoe", "zoe is not an active reviewer"),
    ):
        with pytest.raises(Refused, match=wrong):
            ask(flow, task, of)
    with pytest.raises(Refused, match="the question is empty"):
        ask(flow, task, "ira", text=" \n")
    with pytest.raises(Refused, match="the question has 4,001 characters"):
        ask(flow, task, "ira", text="x" * 4_001)
    number = ask(flow, task, "ira")
    assert sees(flow, "ira", task)
    with pytest.raises(Refused, match="nobody asked bob this"):
        answer(flow, number, by="bob")
    flow.decide("A")
    assert not sees(flow, "ira", task)
    with pytest.raises(Refused, match=r"is no longer open: it was decided by ann"):
        answer(flow, number, by="ira")
