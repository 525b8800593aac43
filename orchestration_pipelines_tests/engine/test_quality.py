"""Automatic decisions looked at again: drawn alike whoever draws, blind, moving nothing, and held against a limit."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from orchestration_pipelines.domain.quality import Quality, Verdict
from orchestration_pipelines.domain.sampling import is_sampled
from orchestration_pipelines.engine import casework, policy, quality, reviews
from orchestration_pipelines.engine.measures import day_window, facts
from orchestration_pipelines.engine.quality import Cell
from orchestration_pipelines.store import integrity
from orchestration_pipelines.store.event_logs import own_events
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines.store.reviews import OpenTask
from orchestration_pipelines_tests.engine.blind import POLICY, blind_flow
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow


def _quality(flow: Flow) -> Quality:
    with flow.engine.connect() as connection:
        found = quality.asked_for(connection, flow.engine.workflow.name)
    assert found is not None
    return found


def _drawn(flow: Flow) -> int:
    with flow.engine.connect() as connection:
        return quality.draw_due(connection, flow.engine.workflow, _quality(flow), flow.clock())


def _held(flow: Flow) -> dict[str, Cell]:
    with flow.engine.connect() as connection:
        found = quality.hold_to_limits(connection, flow.engine.workflow, _quality(flow), flow.clock())
    return {cell.name: cell for cell in found}


def _open(flow: Flow, kind: str = "quality") -> list[OpenTask]:
    with flow.engine.connect() as connection:
        return [task for task in reviews.open_tasks(connection) if task.kind == kind]


def _review(flow: Flow, task: OpenTask, outcome: str = "approve", by: str = "ann") -> None:
    with flow.engine.connect() as connection:
        reviews.decide(
            connection,
            task.task,
            person=by,
            seen=task.digest,
            outcome=outcome,
            rationale="looked",
            at=flow.clock(),
        )


def _lift(flow: Flow, cell: str, person: str, asserted_by: str | None = None) -> bool:
    with flow.engine.connect() as connection:
        return quality.lift(
            connection, cell, person=person, reason="the rule is right", now=flow.clock(), asserted_by=asserted_by
        )


def test_the_sample_is_a_function_of_seed_day_and_case(draw: Draw) -> None:
    """Approvals all, declines by half as the policy's rates say; drawn again it opens nothing, whatever changed."""
    flow = blind_flow(draw)
    flow.submit(*(f"a{number}" for number in range(4)), amount=50)
    flow.submit(*(f"b{number}" for number in range(20)), amount=150)
    flow.submit("c", amount=500)
    flow.sweep()
    day = flow.clock().date()
    declined = {f"b{number}" for number in range(20) if is_sampled("s1", day, f"b{number}", 0.5)}
    assert 0 < len(declined) < 20
    assert _drawn(flow) == 4 + len(declined)
    assert {task.case_key for task in _open(flow)} == {"a0", "a1", "a2", "a3"} | declined
    assert _drawn(flow) == 0
    with flow.engine.connect() as connection:
        connection.execute("UPDATE reviewer SET roles = roles || '{manager}'::text[] WHERE person = 'ann'")
        more = POLICY.replace("s1", "s2").replace("rate: 0.5", "rate: 1").encode()
        assert policy.put(connection, flow.engine.workflow, more, by="ann", reason="more", at=flow.clock())
    assert _drawn(flow) == 0, "a day is drawn as it first was"
    flow.clock.advance(days=1)
    flow.submit("d", amount=150)
    flow.sweep()
    assert _drawn(flow) == 1
    assert flow.rows(
        "SELECT DISTINCT day - current_date, seed, rate FROM quality_draw WHERE cell = 'r2' AND seed = 's2'"
    )


def test_two_who_draw_at_once_open_one_review(draw: Draw) -> None:
    """The table knows a decision once: (case, visit) is unique."""
    flow = blind_flow(draw)
    flow.submit("a")
    flow.sweep()
    assert _drawn(flow) == 1
    statement = (
        "INSERT INTO quality_sample SELECT task_id + 1, workflow, day, case_id, visit, element, cell, digest, words, "
        "seed, rate, chosen, facts, decided_at, drawn_at FROM quality_sample"
    )
    with flow.engine.connect() as connection, pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(statement)


def test_the_reviewer_sees_the_case_as_submitted_and_nothing_of_what_followed(draw: Draw) -> None:
    """Facts, reasons, the case's history and the list of cases say nothing until the review is in; then they do."""
    flow = blind_flow(draw)
    flow.submit("a", amount=50)
    flow.sweep()
    assert _drawn(flow) == 1
    (task,) = _open(flow)
    assert (task.facts, task.reasons, task.editable, task.question) == ({"amount": 50}, (), (), "Would you say yes?")
    said = str(flow.rows("SELECT * FROM reviewer_table"))
    assert not [word for word in ("auto", "approve", "r1", "done", "commit") if word in said]
    with flow.engine.connect() as connection:
        history = casework.history(connection, "a")
        (listed,) = casework.listed(connection)
    assert [entry.act for entry in history.entries] == ["submitted", *["sealed"] * (len(history.entries) - 1)]
    assert {tuple(sorted(entry.body)) for entry in history.entries[1:]} == {("act", "at", "case", "sealed", "seq")}
    assert (history.case.outcome, listed.outcome, listed.closed_at) == ("sealed", "sealed", None)
    _review(flow, task)
    with flow.engine.connect() as connection:
        acts = [entry.act for entry in casework.history(connection, "a").entries]
        assert "sealed" not in acts and acts[-2:] == ["drawn for quality", "reviewed"]
        assert casework.listed(connection)[0].outcome == "done"


def test_what_people_changed_after_the_decision_is_not_shown_and_they_are_no_blind_reviewers(draw: Draw) -> None:
    """Ann heard the appeal and changed the amount: it is left out, and somebody else is asked."""
    flow = blind_flow(draw, POLICY.replace("rate: 0.5", "rate: 1"))
    flow.submit("b", amount=150)
    flow.sweep()
    (appeal,) = _open(flow, "decision")
    with flow.engine.connect() as connection:
        reviews.decide(
            connection,
            appeal.task,
            person="ann",
            seen=appeal.digest,
            outcome="reject",
            rationale="no",
            edits={"amount": 170},
            at=flow.clock(),
        )
    flow.sweep()
    assert flow.ends() == {"b": "declined"}
    assert _drawn(flow) == 1
    (task,) = _open(flow)
    assert task.facts == {}
    with pytest.raises(Refused, match="ann has decided this case before"):
        _review(flow, task, by="ann")
    _review(flow, task, "reject", by="bob")


def test_a_quality_review_moves_nothing_and_counts_nowhere_else(draw: Draw) -> None:
    """The case, its tokens and clocks are as they were; it is still automated, and no rule of integrity is broken."""
    flow = blind_flow(draw)
    flow.submit("a", amount=50)
    flow.submit("b", amount=150)
    flow.sweep()
    _drawn(flow)
    asked = [task for task in _open(flow) if task.case_key == "a"]
    state = "SELECT case_key, state, outcome, variables, visits, approval FROM cases ORDER BY 1", "SELECT * FROM token"
    before = [flow.rows(each) for each in state]
    with flow.engine.connect() as connection:
        for rule in integrity.RULES:
            assert integrity.broken(connection, rule, flow.engine.workflow.name, flow.clock()) == []
    _review(flow, asked[0], "reject")
    assert [flow.rows(each) for each in state] == before
    window = day_window(flow.engine.workflow.name, flow.clock().date())
    with flow.engine.connect() as connection:
        found = facts(connection, window, flow.clock())
        done = {activity: by for key, activity, _, by, _ in own_events(connection, "flow") if key == "a"}
    assert [case.by_people for case in found.closed] == [False]
    assert found.reviewed == []
    assert done["grid"] == "machine"


@pytest.mark.parametrize(
    ("person", "changed", "why"),
    [
        ("broker", {}, "nobody decides their own"),
        ("cleo", {"outcome": "return"}, "approve or reject"),
        ("cleo", {"outcome": "escalate"}, "approve or reject"),
        ("cleo", {"edits": {"amount": 1}}, "edits nothing"),
        ("cleo", {"seen": "another"}, "look at task"),
        ("cleo", {"outcome": "reject", "rationale": ""}, "rationale is needed"),
    ],
)
def test_the_database_refuses(draw: Draw, person: str, changed: dict[str, object], why: str) -> None:
    """Own cases, what would move the case, edits, another's facts, and a no without a reason."""
    flow = blind_flow(draw)
    flow.submit("a")
    flow.sweep()
    _drawn(flow)
    (task,) = _open(flow)
    decision: dict[str, object] = {"seen": task.digest, "outcome": "approve", "rationale": "looked", **changed}
    with flow.engine.connect() as connection, pytest.raises(Refused, match=why):
        reviews.decide(connection, task.task, person=person, at=flow.clock(), **decision)  # type: ignore[arg-type]


def test_only_what_a_machine_decided_is_looked_at_again(draw: Draw) -> None:
    """A quality task at a person's step, with several signatures, or that edits something is none."""
    flow = blind_flow(draw)
    flow.submit("c", amount=500)
    flow.sweep()
    copied = (
        "INSERT INTO review_task (kind, case_id, workflow, element, visit, signature, signatures, queue, lane, "
        "order_key, question, editable, digest, requested_by, opened_at) "
        "SELECT 'quality', case_id, workflow, element, visit, 2, {}, queue, lane, "
        "order_key, question, '{}', digest, requested_by, opened_at FROM review_task"
    )
    with flow.engine.connect() as connection, pytest.raises(psycopg.DatabaseError, match="no machine decided"):
        connection.execute(copied.format(1, "{}").encode())
    flow.submit("a", amount=50)
    flow.sweep()
    for signatures, editable in ((2, "{}"), (1, "{amount}")):
        with flow.engine.connect() as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(
                copied.replace("case_id, workflow, element, visit, 2", "a.case_id, workflow, 'grid', a.visit, 1")
                .replace("FROM review_task", "FROM review_task, activity a WHERE a.detail ? 'chosen'")
                .format(signatures, editable)
                .encode()
            )


def test_a_cell_goes_from_too_few_to_within_to_beyond_and_is_with_people_until_two_lift_it(draw: Draw) -> None:
    """12 yes are enough for 30 %; 20 no among 32 are too many: the next case waits for a senior, until two lift it."""
    flow = blind_flow(draw)
    flow.submit(*(f"a{number}" for number in range(12)))
    flow.sweep()
    assert _drawn(flow) == 12
    cell = _held(flow)["r1"]
    assert (cell.judged.verdict, cell.judged.needed, cell.waiting) == (Verdict.TOO_FEW, 12, 12)
    for task in _open(flow):
        _review(flow, task)
    assert _held(flow)["r1"].judged.verdict is Verdict.WITHIN
    flow.submit(*(f"n{number}" for number in range(20)))
    flow.sweep()
    _drawn(flow)
    for task in _open(flow):
        _review(flow, task, "reject")
    cell = _held(flow)["r1"]
    assert cell.judged.verdict is Verdict.BEYOND and cell.fallback is not None
    assert "20 of 32" in cell.fallback.reason
    assert _held(flow)["r1"].fallback == cell.fallback, "it falls back once"

    flow.clock.advance(hours=1)
    flow.submit("next")
    flow.sweep()
    assert flow.standing() == {"next": ("review", "waiting")}
    assert "r1 is with people" in flow.one("SELECT facts -> 'grid' ->> 'because' FROM reviewer_table")
    assert flow.one("SELECT count(*) FROM approval a JOIN cases c ON c.id = a.case_id WHERE c.case_key = 'next'") == 0
    assert any("r1 is with people" in reason for (task,) in [_open(flow, "decision")] for reason in task.reasons)

    assert not _lift(flow, "r1", "ann", asserted_by="root")
    for person in ("ann", " Ann", "root"):
        with pytest.raises(Refused, match="a second person must agree"):
            _lift(flow, "r1", person)
    flow.submit("still")
    flow.sweep()
    assert flow.standing()["still"] == ("review", "waiting")
    assert _lift(flow, "r1", "bob")
    with pytest.raises(Refused, match="is with people"):
        _lift(flow, "r1", "cleo")
    flow.clock.advance(hours=1)
    flow.submit("after")
    flow.sweep()
    assert flow.ends()["after"] == "done"
    cell = _held(flow)["r1"]
    assert (cell.judged.verdict, cell.judged.answers, cell.fallback) == (Verdict.TOO_FEW, 0, None)
    record = flow.rows(
        "SELECT act, actor FROM audit_trail WHERE case_id < 0 AND record LIKE 'fallback:%%' ORDER BY seq"
    )
    assert record == [("fall back", quality.CHECK), ("ask to lift", "ann"), ("lift", "bob")]


def test_nobody_lifts_it_behind_the_guard(draw: Draw) -> None:
    """The application can neither set its end nor take an act back."""
    flow = blind_flow(draw)
    assert flow.engine.version
    with flow.engine.connect() as connection:
        connection.execute(
            "INSERT INTO quality_fallback (workflow, cell, since, reason, opened_by) "
            "VALUES (%s, 'r1', now(), 'x', 'y')",
            (flow.engine.workflow.name,),
        )
    for statement in (
        "UPDATE quality_fallback SET lifted_at = now()",
        "DELETE FROM quality_fallback",
        "UPDATE quality_sample SET rate = 1",
        "INSERT INTO quality_lift (fallback_id, no, person, reason, at) "
        "SELECT id, 2, 'ann', 'x', now() FROM quality_fallback",
    ):
        with flow.engine.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_a_decline_falls_back_as_an_approval_does(draw: Draw) -> None:
    """The next case that the rule would decline waits for a senior."""
    flow = blind_flow(draw, POLICY.replace("rate: 0.5", "rate: 1"))
    flow.submit(*(f"b{number}" for number in range(6)), amount=150)
    flow.sweep()
    _drawn(flow)
    agreed, *others = _open(flow)
    _review(flow, agreed, "reject", by="bob")
    assert (_held(flow)["r2"].judged.answers, _held(flow)["r2"].judged.disagreed) == (1, 0)
    for task in others:
        _review(flow, task, "approve", by="bob")
    cell = _held(flow)["r2"]
    assert (cell.judged.answers, cell.judged.disagreed) == (6, 5)
    assert cell.fallback is not None
    flow.submit("next", amount=150)
    flow.sweep()
    assert flow.standing()["next"] == ("review", "waiting")


def test_a_rule_that_says_something_else_is_proved_anew(draw: Draw) -> None:
    """What was answered about the rule before does not speak for it as it is now."""
    flow = blind_flow(draw)
    flow.submit("a")
    flow.sweep()
    _drawn(flow)
    _review(flow, _open(flow)[0])
    assert _held(flow)["r1"].judged.answers == 1
    flow.clock.advance(hours=1)
    flow.submit("z")
    flow.sweep()
    with flow.engine.connect() as connection:
        # as if another table had decided: its words are its digest where nobody wrote them down
        connection.execute('UPDATE activity SET detail = detail || \'{"table": "other"}\' WHERE case_id = 2')
    _drawn(flow)
    assert _held(flow)["r1"].judged.answers == 0


def test_the_first_draw_looks_back_a_week_and_the_next_from_the_last(draw: Draw) -> None:
    """Days on which nobody drew are drawn later; what is older than a week before the first draw is not."""
    flow = blind_flow(draw)
    for key in ("old", "lately"):
        flow.submit(key)
        flow.sweep()
        flow.clock.advance(days=8 if key == "old" else 5)
    assert _drawn(flow) == 1
    flow.submit("x")
    flow.sweep()
    flow.clock.now += timedelta(days=20)
    assert _drawn(flow) == 1
    assert [task.case_key for task in _open(flow)] == ["lately", "x"]


def test_a_review_that_nobody_may_do_is_an_incident(draw: Draw) -> None:
    """Everybody who has the role submitted it, or is gone."""
    flow = blind_flow(draw)
    flow.submit("a", by="ann")
    flow.sweep()
    with flow.engine.connect() as connection:
        connection.execute("UPDATE reviewer SET active = false WHERE person <> 'ann'")
    _drawn(flow)
    ((key, element, kind, reason),) = flow.incidents()
    assert (key, element, kind) == ("a", "grid", "nobody may decide")
    assert "the role reviewer" in reason
