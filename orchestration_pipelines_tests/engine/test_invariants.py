"""Invariants H1 to H9 (docs/invariants.md): waits, decisions and who may make them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine import proposing, releases, reviews
from orchestration_pipelines.engine.workflow import WorkflowRefused
from orchestration_pipelines.model.bpmn import ModelRefused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, Flow

RETURNED = (
    "service check",
    "user review orch:queue=reviews orch:approves=true",
    "service commit orch:requiresApproval=true",
    "end done",
    "end rejected",
    "received -> check -> review -> which",
    'which -> check if review.outcome = "return"',
    'which -> commit if review.outcome = "approve"',
    "which -> rejected default",
    "commit -> done",
    "timer late on review P3D -> rejected",
)


def open_task(flow: Flow, key: str = "A") -> reviews.OpenTask:
    with flow.engine.connect() as connection:
        return next(task for task in reviews.open_tasks(connection) if task.case_key == key)


def decide(flow: Flow, task: reviews.OpenTask, person: str = "ann", **how: Any) -> None:
    given = {"seen": task.digest, "outcome": "approve", "rationale": "seen", **how}
    with flow.engine.connect() as connection:
        reviews.decide(connection, task.task, person=person, at=flow.clock(), **given)


def test_h01_a_decision_is_bound_to_its_task_its_visit_and_what_was_shown(draw: Draw) -> None:
    """It never satisfies the loop's second visit, nor a payload that has changed since."""
    flow = draw(*RETURNED)
    flow.script["check"] = lambda case: {"note": f"look {len(flow.rows('SELECT FROM review_task'))}"}
    flow.submit("A")
    flow.sweep()
    first = open_task(flow)
    decide(flow, first, outcome="return")
    flow.sweep()
    second = open_task(flow)
    assert (second.task, second.digest) != (first.task, first.digest)
    with pytest.raises(reviews.Refused, match="no longer open: it was returned by ann"):
        decide(flow, first, "bob")
    with pytest.raises(reviews.Refused, match="has changed since it was shown"):
        decide(flow, second, seen=first.digest)
    flow.sweep()
    assert flow.standing() == {"A": ("review", "waiting")}
    assert flow.bank.asked == []
    decide(flow, second)
    flow.sweep()
    assert flow.ends() == {"A": "done"}


@pytest.mark.parametrize("first", ["person", "timer"])
def test_h02_timer_and_person_race_has_one_winner(draw: Draw, first: str) -> None:
    """The loser changes nothing and is told; with two connections at once: test_timers.py."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    task = open_task(flow)
    flow.clock.advance(days=3)
    if first == "timer":
        assert flow.engine.dispatch().fired == 1
        with pytest.raises(reviews.Refused, match="no longer waits"):
            decide(flow, task)
    else:
        decide(flow, task)
        assert flow.engine.dispatch().fired == 0
    flow.sweep()
    assert flow.ends() == {"A": {"timer": "rejected", "person": "done"}[first]}
    assert flow.one("SELECT count(*) FROM activity WHERE element = 'review'") == 1
    with pytest.raises(reviews.Refused, match="no longer open"):
        decide(flow, task, "bob")


def test_h03_a_decision_made_before_the_opening_run_has_ended_is_used(draw: Draw) -> None:
    """One for no open task is refused. Keeping messages until their catch event exists comes with message events."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    with flow.engine.open_sweep("still running") as sweep:
        sweep.station(flow.engine.station("reserve"), until=float("inf"))
        decide(flow, open_task(flow))
        sweep.station(flow.engine.station("review"), until=float("inf"))
        assert flow.ends() == {"A": "done"}
    with flow.engine.connect() as connection, pytest.raises(reviews.Refused, match="there is no task 4711"):
        reviews.decide(connection, 4711, person="ann", seen="", outcome="approve")


def test_h05_running_out_of_time_never_approves(draw: Draw) -> None:
    """Refused at load and by the station that commits; a drawing that says so in words needs two people's release."""
    leads_to_commit = [line.replace("P3D -> undo_all", "P3D -> commit") for line in REVIEWED]
    with pytest.raises(ModelRefused, match="can run though nobody approved"):
        draw(*leads_to_commit)
    may = draw(*leads_to_commit, attributes='orch:timeoutMayApprove="true"')
    with pytest.raises(WorkflowRefused, match="two people's release"):
        assert may.engine.version
    drawn, ann, bob = may.engine.workflow, releases.Person("ann"), releases.Person("bob")
    with may.engine.connect() as connection:
        proposing.propose(connection, drawn, "flow.bpmn", drawn.bpmn, by=ann, reason="agreed", now=may.clock())
        with pytest.raises(reviews.Refused, match="a second person must approve"):
            releases.approve(connection, drawn.process.digest, None, by=ann, now=may.clock())
    with pytest.raises(WorkflowRefused, match="two people's release"):
        assert may.engine.version
    with may.engine.connect() as connection:
        releases.approve(connection, drawn.process.digest, None, by=bob, now=may.clock())
    may.submit("T")
    may.sweep()
    may.clock.advance(days=3)
    may.sweep()
    assert may.ends() == {"T": "done"}
    assert may.one("SELECT given_by FROM approval") == [f"timeout:{drawn.process.digest}:late"]
    another = draw(
        *leads_to_commit, "end more", "which -> more if amount = 7", attributes='orch:timeoutMayApprove="true"'
    )
    with pytest.raises(WorkflowRefused, match="two people's release"):
        assert another.engine.version
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    flow.clock.advance(days=3)
    flow.sweep()
    assert flow.rows(
        "SELECT c.outcome, c.approval, count(a.id) FROM cases c LEFT JOIN approval a ON a.case_id = c.id "
        "WHERE c.case_key = 'A' GROUP BY 1, 2"
    ) == [("rejected", None, 0)]


def test_h06_there_is_no_wait_without_a_deadline(draw: Draw) -> None:
    """A user task without a timer does not load; an open one has its timer and its age. Exporting ages comes later."""
    with pytest.raises(ModelRefused, match="without a deadline"):
        draw(*(line for line in REVIEWED if not line.startswith("timer")))
    flow = draw(*REVIEWED)
    flow.submit("A", "B")
    flow.sweep()
    assert (
        flow.one(
            "SELECT count(*) FROM token k WHERE k.status = 'waiting' AND EXISTS (SELECT FROM timer t WHERE "
            "t.case_id = k.case_id AND t.visit = k.visit AND t.status = 'armed')"
        )
        == flow.one("SELECT count(age) FROM reviewer_table")
        == 2
    )


def test_h07_a_retry_or_a_rerun_keeps_every_earlier_decision(draw: Draw) -> None:
    """Append only: a second round adds to the first, and not even the owner changes or deletes one."""
    flow = draw(*RETURNED)
    flow.submit("A")
    flow.sweep()
    decide(flow, open_task(flow), outcome="return")
    flow.sweep()
    decide(flow, open_task(flow), "bob")
    flow.script["commit"] = lambda case, bank: 1 / 0
    flow.sweep()
    flow.clock.advance(minutes=5)
    del flow.script["commit"]
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    kept = [("return", "ann"), ("approve", "bob")]
    assert flow.rows("SELECT outcome, decided_by FROM review_decision ORDER BY id") == kept
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        for act in ("UPDATE review_decision SET outcome = 'reject'", "DELETE FROM review_decision"):
            with pytest.raises(psycopg.Error, match="append-only"):
                owner.execute(act)
    assert flow.rows("SELECT outcome, decided_by FROM review_decision ORDER BY id") == kept


def test_h08_work_before_a_wait_runs_once(draw: Draw) -> None:
    """When the wait ends, what came before it is not done again; nor in any sweep while it lasts."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    for _ in range(3):
        flow.sweep()
        flow.clock.advance(hours=1)
    decide(flow, open_task(flow))
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert [what for what, _ in flow.bank.asked] == ["put", "put"]
    assert flow.rows("SELECT element FROM activity ORDER BY visit") == [("reserve",), ("review",), ("commit",)]


PEOPLE = ("ann", "broker", "stranger", "gone", "sue")


def test_h09_who_may_act_is_decided_in_one_function(draw: Draw) -> None:
    """For every person the function, the act and a plain insert agree, to the word of the reason."""
    flow = draw(*REVIEWED)
    flow.submit(*PEOPLE)
    flow.sweep()
    flow.rows(
        "INSERT INTO reviewer VALUES ('gone', '{reviewer}', false), ('sue', '{senior}', true), "
        "('broker', '{reviewer}', true) RETURNING 1"
    )
    for person in PEOPLE:
        task = open_task(flow, person)
        with flow.engine.connect() as connection:
            allowed, rule = reviews.may(connection, person, "decide", task.task)
        said = {inserted(flow, task, person), through_the_act(flow, task, person)}
        assert said == ({None} if allowed else {f"refused: {rule}"})
        assert allowed == (person == "ann")


def inserted(flow: Flow, task: reviews.OpenTask, person: str) -> str | None:
    """What the database says to an INSERT; undone again."""
    with flow.engine.connect() as connection, connection.transaction(force_rollback=True):
        try:
            connection.execute(
                "INSERT INTO review_decision (task_id, outcome, decided_by, digest) VALUES (%s, 'approve', %s, %s)",
                (task.task, person, task.digest),
            )
        except psycopg.Error as refused:
            return refused.diag.message_primary
    return None


def through_the_act(flow: Flow, task: reviews.OpenTask, person: str) -> str | None:
    try:
        decide(flow, task, person)
    except reviews.Refused as refused:
        return str(refused)
    return None
