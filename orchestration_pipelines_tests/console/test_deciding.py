"""Deciding on the page of a case, without a browser: each way through it, and each way back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration_pipelines.engine import hands, reviews
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import PEOPLE, SignedIn, Visitor
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, SETTINGS, task_of, with_reasons
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

_PEOPLE = ", ".join(f"{person}: [{', '.join(roles)}]" for person, roles in PEOPLE.items())


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """Cases A (of 50), B (of 100: two sign) and C (of 50, ann's own) wait to be decided, with reasons to name."""
    settings = SETTINGS[: SETTINGS.index("reviewers:")] + f"reviewers: {{{_PEOPLE}}}\n"
    folder = workflow_folder(tmp_path / "flow", drawing(*DECIDING), WORKERS, settings, grid=GRID)
    made = with_reasons(Flow(Engine(database, load_workflow(folder), clock=clock), clock))
    made.submit("A", amount=50)
    made.submit("B", amount=100)
    made.submit("C", amount=50, by="ann")
    made.sweep()
    return made


def filled(page: str) -> dict[str, str]:
    """What the page's decision form would send as it is: hidden fields and those that can be typed in."""
    form = page[page.index('id="decision-form"') :]
    form = form[: form.index("</form>")]
    fields = dict(re.findall(r'<input[^>]*? name="([\w.]+)" value="([^"]*)"', form))
    fields.pop("reason", None)
    fields |= dict(re.findall(r'<textarea[^>]* name="([\w.]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL))
    for name, body in re.findall(r'<select[^>]* name="([\w.]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        (fields[name],) = re.findall(r'value="([^"]*)" selected', body)
    return fields


def opened(visitor: Visitor, task: int) -> tuple[str, dict[str, str]]:
    page = visitor.get(f"/tasks/{task}")
    assert page.status_code == 200, page.text
    return page.text, filled(page.text)


def decided(flow: Flow) -> list[tuple[str, str, str, str]]:
    return flow.rows(
        "SELECT c.case_key, d.decided_by, d.outcome, d.rationale FROM review_decision d "
        "JOIN cases c ON c.id = d.case_id ORDER BY d.id"
    )


def test_a_plain_approval_and_straight_to_the_next(flow: Flow, signed_in: SignedIn) -> None:
    """What is decided is said on the next case's page with what happens now; with nothing left, on the work page."""
    ann, task = signed_in("ann"), task_of(flow)
    page, form = opened(ann, task.task)
    for words in (
        "Should it be paid?",
        "ask (broker)",
        "the case ends: rejected",
        "higher (senior)",
    ):
        assert words in page
    answer = ann.post(f"/tasks/{task.task}/decide", {**form, "outcome": "approve"})
    assert answer.status_code == 303
    assert decided(flow) == [("A", "ann", "approve", "")]
    following = ann.get(answer.headers["location"])
    assert "You approved" in following.text
    assert "commit" in following.text
    assert "Nobody has signed yet" in following.text, "the next is B, of which two must sign"
    form = filled(following.text)
    number = flow.one("SELECT max(id) FROM review_task WHERE assignee = 'ann'")
    answer = ann.post(f"/tasks/{number}/decide", {**form, "outcome": "approve"})
    assert answer.headers["location"].startswith("/work?done="), "C is her own"
    page = ann.get(answer.headers["location"]).text
    assert "1 of 2 signatures" in page
    assert "nobody sees what you chose" in page
    assert "You approved" not in signed_in("bob").get(answer.headers["location"]).text, "it is told to her alone"


def test_what_is_in_hand_comes_before_what_is_next(flow: Flow, signed_in: SignedIn) -> None:
    """Who has begun with another case goes on with that; what was put aside waits."""
    ann, task, other = signed_in("ann"), task_of(flow), task_of(flow, "B")
    with flow.engine.connect() as connection:
        hands.claim(connection, [task.task, other.task], person="ann", at=flow.clock())
    _, form = opened(ann, task.task)
    answer = ann.post(f"/tasks/{task.task}/decide", {**form, "outcome": "approve"})
    assert answer.headers["location"].startswith(f"/tasks/{other.task}?done=")
    with flow.engine.connect() as connection:
        hands.pause(connection, [other.task], person="ann", at=flow.clock())
        assert hands.in_work(connection, "ann") is None


def test_who_wants_no_other_case_gets_none(flow: Flow, signed_in: SignedIn) -> None:
    """The box for the next case is not ticked."""
    ann, task = signed_in("ann"), task_of(flow)
    _, form = opened(ann, task.task)
    form.pop("onward")
    answer = ann.post(f"/tasks/{task.task}/decide", {**form, "outcome": "approve"})
    assert answer.headers["location"].startswith("/work?done=")
    assert flow.one("SELECT count(*) FROM review_task WHERE status = 'claimed'") == 0


def test_an_edit_is_looked_at_before_it_is_sent(flow: Flow, signed_in: SignedIn) -> None:
    """Slips are told beside their fields; the difference comes first, and what the table would say; then it is sent."""
    ann, task = signed_in("ann"), task_of(flow)
    _, form = opened(ann, task.task)
    wrong = ann.post(
        f"/tasks/{task.task}/decide", {**form, "outcome": "approve", "edit.amount": "a lot", "edit.note": "x"}
    )
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    assert "not a number" in wrong.text
    assert 'value="a lot"' in wrong.text
    assert decided(flow) == []
    edit = {**form, "outcome": "approve", "edit.amount": "30", "rationale": "the invoice says 30"}
    asked = ann.post(f"/tasks/{task.task}/decide", edit)
    assert asked.status_code == 200
    assert "Not sent yet" in asked.text
    for words in ("<del>50</del>", "<ins>30</ins>", "would now say something else", "Amount is below 45"):
        assert words in asked.text
    assert decided(flow) == []
    again = filled(asked.text)
    assert (again["edit.amount"], again["rationale"]) == ("30", "the invoice says 30")
    another = ann.post(f"/tasks/{task.task}/decide", {**again, "outcome": "approve", "edit.amount": "31"})
    assert "Not sent yet" in another.text, "what was shown was another edit"
    sent = ann.post(f"/tasks/{task.task}/decide", {**again, "outcome": "approve"})
    assert sent.status_code == 303
    assert flow.one("SELECT variables -> 'amount' FROM cases WHERE case_key = 'A'") == b"30"
    assert flow.one("SELECT edits FROM review_decision") == b'{"amount": 30}', "what was left alone is no edit"


def test_a_script_asks_for_the_difference_alone(flow: Flow, signed_in: SignedIn) -> None:
    """A part of the page, with the mark of what it showed; and with the slips by field."""
    ann, task = signed_in("ann"), task_of(flow)
    _, form = opened(ann, task.task)
    part = ann.post(f"/tasks/{task.task}/preview", {**form, "edit.amount": "30"}, headers={"x-part": "difference"})
    assert "<html" not in part.text
    assert "<ins>30</ins>" in part.text
    (mark,) = re.findall(r'name="confirmed" value="(\w+)"', part.text)
    part = ann.post(f"/tasks/{task.task}/preview", {**form, "edit.amount": "?"}, headers={"x-part": "difference"})
    assert (part.status_code, 'data-field="amount"' in part.text) == (422, True)
    edit = {**form, "outcome": "approve", "edit.amount": "30", "rationale": "so be it", "confirmed": mark}
    assert ann.post(f"/tasks/{task.task}/decide", edit).status_code == 303


def test_the_suggestion_is_taken_with_one_click(flow: Flow, signed_in: SignedIn) -> None:
    """Its difference stands beside the button; the reason is its own."""
    ann, task = signed_in("ann"), task_of(flow)
    page, form = opened(ann, task.task)
    assert "Approve with this edit, as suggested" in page
    assert ann.post(f"/tasks/{task.task}/decide", {**form, "take": "suggestion"}).status_code == 303
    assert decided(flow) == [("A", "ann", "approve", "the invoice says 41")]
    assert flow.one("SELECT edits FROM review_decision") == b'{"note": "as invoiced", "amount": 41}'


def test_reasons_stand_for_a_rationale_as_the_policy_says(flow: Flow, signed_in: SignedIn) -> None:
    """None at all, one that wants words, one of another outcome: refused with what was typed; then taken."""
    ann, task = signed_in("ann"), task_of(flow)
    page, form = opened(ann, task.task)
    assert "There is no invoice" in page
    assert "Nobody decides after me" not in page, "that is another step's"
    for reasons, wrong in (
        ([], "A rationale is needed"),
        (["other"], "needs more words"),
        (["in_order"], "is a reason to approve, not to reject"),
    ):
        refused = ann.post(f"/tasks/{task.task}/decide", {**form, "outcome": "reject", "reason": reasons})
        assert refused.status_code == 422
        assert wrong in refused.text
        for reason in reasons:
            assert f'value="{reason}" checked' in refused.text
    assert (
        ann.post(f"/tasks/{task.task}/decide", {**form, "outcome": "reject", "reason": ["no_invoice"]}).status_code
        == 303
    )
    assert flow.one("SELECT reasons FROM review_decision") == ["no_invoice"]
    assert "for: no invoice" in ann.get(f"/tasks/{task.task}").text


def test_a_stale_decision_is_refused_with_the_difference(flow: Flow, signed_in: SignedIn) -> None:
    """What it said and what it says now; what was typed is kept, and what was left alone is not taken for an edit."""
    ann, bob, task = signed_in("ann"), signed_in("bob"), task_of(flow, "B")
    _, form = opened(ann, task.task)
    other = flow.one("SELECT max(id) FROM review_task WHERE case_id = (SELECT id FROM cases WHERE case_key = 'B')")
    _, edit = opened(bob, other)
    edit = {**edit, "outcome": "approve", "edit.amount": "97", "rationale": "because of the roof"}
    edit = {**filled(bob.post(f"/tasks/{other}/decide", edit).text), "outcome": "approve"}
    assert bob.post(f"/tasks/{other}/decide", edit).status_code == 303
    typed = {**form, "outcome": "reject", "edit.note": "see page 2", "rationale": "I doubt it"}
    refused = ann.post(f"/tasks/{task.task}/decide", typed)
    assert refused.status_code == 409
    for words in (
        "the case has changed since it was shown",
        "<del>100</del>",
        "<ins>97</ins>",
        "I doubt it",
        "see page 2",
    ):
        assert words in refused.text
    assert "because of the roof" not in refused.text, "who signs next is not told what the first said"
    assert len(decided(flow)) == 1
    again = filled(refused.text)
    assert (again["edit.amount"], again["edit.note"]) == ("97", "see page 2")
    assert again["seen"] != form["seen"]
    assert "Your edit" in refused.text, "what is left of it is shown"
    assert ann.post(f"/tasks/{task.task}/decide", {**again, "outcome": "reject"}).status_code == 303


def test_a_task_that_is_over_keeps_what_was_written(flow: Flow, signed_in: SignedIn) -> None:
    """Decided elsewhere, meanwhile: who and when; twice by oneself likewise. In another's hands: whose."""
    ann, bob, task = signed_in("ann"), signed_in("bob"), task_of(flow)
    _, form = opened(ann, task.task)
    with flow.engine.connect() as connection:
        hands.claim(connection, [task.task], person="bob", at=flow.clock())
    typed = {**form, "outcome": "reject", "rationale": "I doubt it"}
    held = ann.post(f"/tasks/{task.task}/decide", typed)
    assert held.status_code == 409
    assert "claimed by bob" in held.text
    assert "I doubt it" in held.text
    _, his = opened(bob, task.task)
    assert bob.post(f"/tasks/{task.task}/decide", {**his, "outcome": "approve"}).status_code == 303
    over = ann.post(f"/tasks/{task.task}/decide", typed)
    assert over.status_code == 409
    assert "decided by bob" in over.text
    assert "I doubt it" in over.text
    assert bob.post(f"/tasks/{task.task}/decide", {**his, "outcome": "approve"}).status_code == 409


def test_who_may_not_decide_is_told_why_and_decides_nothing(flow: Flow, signed_in: SignedIn) -> None:
    """Her own case, a manager, an auditor: no form, and no way around it."""
    own = task_of(flow, "C")
    for person, status, words in (
        ("ann", 403, "nobody decides their own"),
        ("mara", 403, "asks for the role"),
        ("abel", 403, ""),
    ):
        visitor = signed_in(person)
        page = visitor.get(f"/tasks/{own.task}")
        assert page.status_code == 200
        assert 'id="decision-form"' not in page.text
        assert words in page.text
        sent = {"seen": own.digest, "outcome": "approve"}
        assert visitor.post(f"/tasks/{own.task}/decide", sent).status_code == status
    assert signed_in("ada").get(f"/tasks/{own.task}").status_code == 403
    assert decided(flow) == []


def test_the_first_choice_stays_hidden_and_that_it_was_made_is_seen(flow: Flow, signed_in: SignedIn) -> None:
    """On the second signer's page: who has signed, and not what."""
    ann, task = signed_in("ann"), task_of(flow, "B")
    _, form = opened(ann, task.task)
    sent = {**form, "outcome": "reject", "rationale": "because of the roof", "reason": ["no_invoice"]}
    assert ann.post(f"/tasks/{task.task}/decide", sent).status_code == 303
    page, _ = opened(signed_in("bob"), task_of(flow, "B").task)
    assert "1 of 2 signed" in page
    assert "Signed: ann." in page
    assert "because of the roof" not in page
    assert "no_invoice" not in page.replace('value="no_invoice"', "")


def test_a_colleague_is_asked_and_answers_on_their_own_page(flow: Flow, signed_in: SignedIn) -> None:
    """The question stands on the work page of whoever is asked; the answer with the task."""
    ann, bob, task = signed_in("ann"), signed_in("bob"), task_of(flow)
    assert ann.post(f"/tasks/{task.task}/claim").status_code == 303
    page, _ = opened(ann, task.task)
    assert "Ask a colleague" in page
    refused = ann.post(f"/tasks/{task.task}/ask", {"of": "abel", "text": "Is this a duplicate?"})
    assert refused.status_code == 409
    assert "Abel decides nothing" in refused.text
    assert "Is this a duplicate?" in refused.text
    asking = {"of": "bob", "text": "Is this a duplicate?", "aside": "yes"}
    assert ann.post(f"/tasks/{task.task}/ask", asking).status_code == 303
    assert flow.one("SELECT count(*) FROM touch WHERE stopped_at IS NULL") == 0, "put aside"
    work = bob.get("/work").text
    assert "Questions to you" in work
    assert "Is this a duplicate?" in work
    number = flow.one("SELECT id FROM inquiry")
    assert "Your answer" in bob.get(f"/tasks/{task.task}").text
    assert bob.post(f"/inquiries/{number}/reply", {"text": " "}).status_code == 422
    assert signed_in("mara").post(f"/inquiries/{number}/reply", {"text": "No"}).status_code == 404
    assert bob.post(f"/inquiries/{number}/reply", {"text": "No, it is new."}).status_code == 303
    assert "No, it is new." in opened(ann, task.task)[0]
    assert "Questions to you" not in bob.get("/work").text
    flow.decide("A", by="ann", outcome="reject", rationale="no invoice")
    page = ann.get(f"/tasks/{task.task}").text
    for told in ("asked bob about review", "answered ann about review", "Is this a duplicate?", "No, it is new."):
        assert told in page, "all of it is told when the task is over"


def test_whoever_submitted_a_case_answers_what_they_are_asked(flow: Flow, signed_in: SignedIn, desk: Desk) -> None:
    """Returned with a request: the requester's page has what is asked, and the answer goes on its way."""
    bob, ann = signed_in("bob"), signed_in("ann")
    _, form = opened(bob, task_of(flow, "C").task)
    sent = {**form, "outcome": "return", "rationale": "what is it for?"}
    assert bob.post(f"/tasks/{task_of(flow, 'C').task}/decide", sent).status_code == 303
    flow.sweep()
    task = task_of(flow, "C")
    page, form = opened(ann, task.task)
    assert "Your answer" in page
    assert "Send the answer" in page
    answer = {**form, "outcome": "approve", "edit.note": "a roof"}
    looked = ann.post(f"/tasks/{task.task}/decide", answer)
    assert "Not sent yet" in looked.text
    sent_answer = ann.post(f"/tasks/{task.task}/decide", {**filled(looked.text), "outcome": "approve"})
    assert sent_answer.headers["location"].startswith("/work?done=")
    assert "Your answer about" in ann.get(sent_answer.headers["location"]).text
    assert decided(flow)[-1] == ("C", "ann", "approve", "answered by the requester")
    assert bob.post(f"/tasks/{task.task}/decide", answer).status_code in (403, 404, 409)


def test_hostile_text_is_shown_as_text(flow: Flow, signed_in: SignedIn) -> None:
    """In a rationale, a field, a code, a digest: kept out of the markup, and too much of it refused."""
    ann, task = signed_in("ann"), task_of(flow)
    _, form = opened(ann, task.task)
    script = "<script>alert(1)</script>\"'"
    refused = ann.post(
        f"/tasks/{task.task}/decide", {**form, "outcome": script, "rationale": script, "edit.note": script}
    )
    assert refused.status_code in (200, 422)
    assert "<script>alert" not in refused.text
    for fields, status in (
        ({"outcome": "approve", "seen": script}, 409),
        ({"outcome": "reject", "rationale": "x" * 10_001}, 422),
        ({"outcome": "reject", "rationale": "x" * 1_000_000}, 413),
        ({"outcome": "reject", "rationale": "a\0b"}, 422),
        ({"outcome": "reject", "reason": ["x" * 300]}, 422),
        ({"outcome": "approve", "edit.requested_by": "me"}, 422),
    ):
        assert ann.post(f"/tasks/{task.task}/decide", {**form, **fields}).status_code == status, fields
    assert decided(flow) == []
    assert reviews.PLAIN == ("approve", "reject")
