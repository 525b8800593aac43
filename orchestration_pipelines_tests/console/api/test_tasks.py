"""Tasks over the interface: looked at, taken, given back, decided as they were seen."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from orchestration_pipelines_tests.console.api.conftest import Program, Programs, problem
from orchestration_pipelines_tests.engine.flow import Flow


@pytest.fixture
def waiting(flow: Flow) -> Flow:
    """Cases A and B wait for a reviewer."""
    flow.submit("A", "B")
    flow.sweep()
    return flow


def first(client: Program) -> int:
    """The first task of the queue."""
    return int(client.get("/tasks", params={"workflow": "flow", "queue": "reviews"}).json()["tasks"][0]["task"])


def stand(flow: Flow, task: int) -> tuple[str, str | None]:
    ((status, assignee),) = flow.rows("SELECT status, assignee FROM review_task WHERE id = %s", task)
    return status, assignee


def test_somebody_looks_takes_and_decides(program: Programs, waiting: Flow) -> None:
    """The whole way: what is next, the task with its facts, the decision on what was seen, and who said so."""
    ann = program("ann")
    task = ann.post("/tasks/next", {}).json()["task"]
    assert ann.get("/work").json()["in_hand"][0]["task"] == task
    shown = ann.get(f"/tasks/{task}")
    assert shown.json()["facts"]["amount"] == 50
    assert shown.json()["case_key"] == "A"
    decided = ann.decide(task, shown.headers["etag"])
    assert decided.status_code == 200, decided.text
    row = waiting.rows("SELECT id, outcome, decided_by, asserted_by FROM review_decision")
    assert [(number, outcome, by) for number, outcome, by, _ in row] == [(decided.json()["decision"], "approve", "ann")]
    assert row[0][3].startswith("client:for-ann-")
    assert problem(ann.get(f"/tasks/{task}")) == (410, "gone")


def test_queues_and_their_tasks(program: Programs, waiting: Flow) -> None:
    """Depth and tasks as the person sees them; a queue that is not theirs is not there."""
    ann = program("ann")
    queues = {queue["queue"]: queue for queue in ann.get("/queues").json()["queues"]}
    assert set(queues) == {"reviews"}
    assert queues["reviews"]["waiting"] == 2
    page = ann.get("/tasks", params={"workflow": "flow", "queue": "reviews", "prefix": "B"}).json()
    assert [line["case_key"] for line in page["tasks"]] == ["B"]
    assert page["after"] is None
    unseen = ann.get("/tasks", params={"workflow": "flow", "queue": "seniors"})
    assert problem(unseen) == (404, "not-found")
    wrong = ann.get("/tasks", params={"workflow": "flow", "queue": "reviews", "after": "x"})
    assert problem(wrong) == (422, "invalid")


def test_every_act_on_a_task(program: Programs, waiting: Flow) -> None:
    """Claim, pause, resume, release, decline, reassign: each does what the engine's act does."""
    ann, mara = program("ann"), program("mara")
    task = first(ann)
    for act, body, expected in (
        ("claim", None, ("claimed", "ann")),
        ("pause", None, ("claimed", "ann")),
        ("resume", None, ("claimed", "ann")),
        ("release", None, ("open", None)),
        ("decline", {"reason": "a friend"}, ("open", None)),
    ):
        answer = ann.post(f"/tasks/{task}/{act}", body)
        assert answer.status_code == 200, answer.text
        assert stand(waiting, task) == expected
    given = mara.post(f"/tasks/{task}/reassign", {"to": "bob", "reason": "ann declined"})
    assert given.json() == {"task": task, "moved": True, "assignee": "bob", "rule": given.json()["rule"]}
    assert stand(waiting, task) == ("assigned", "bob")
    assert problem(ann.post(f"/tasks/{task}/claim")) == (409, "refused")


def test_several_at_once_are_each_answered_for(program: Programs, waiting: Flow) -> None:
    """What may be done is done; of the rest the rule is told."""
    ann = program("ann")
    tasks = [
        line["task"] for line in ann.get("/tasks", params={"workflow": "flow", "queue": "reviews"}).json()["tasks"]
    ]
    program("bob").post(f"/tasks/{tasks[0]}/claim")
    answer = ann.post("/tasks/claim", {"tasks": tasks})
    assert [(each["task"], each["moved"]) for each in answer.json()["tasks"]] == [(tasks[0], False), (tasks[1], True)]
    assert "claimed by bob" in answer.json()["tasks"][0]["rule"]
    assert ann.post("/tasks/release", {"tasks": tasks[1:]}).json()["tasks"][0]["moved"]
    assert ann.post("/tasks/decline", {"tasks": tasks[1:], "reason": "a friend"}).json()["tasks"][0]["moved"]
    moved = program("mara").post("/tasks/reassign", {"tasks": tasks, "to": None, "reason": "back"})
    assert [each["moved"] for each in moved.json()["tasks"]] == [True, False]


def test_a_task_that_somebody_does_not_see_is_not_there(program: Programs, waiting: Flow) -> None:
    """The same answer as for a number that no task has, for every act; it is recorded."""
    waiting.engine.connect().execute("UPDATE review_task SET queue = 'seniors'")
    ann = program("ann")
    [[task], *_] = waiting.rows("SELECT id FROM review_task")
    for path, body in (
        (f"/tasks/{task}", None),
        (f"/tasks/{task}/claim", {}),
        (f"/tasks/{task}/decline", {"reason": "x"}),
        ("/tasks/claim", {"tasks": [task]}),
    ):
        answer = ann.get(path) if body is None else ann.post(path, body)
        other = ann.get(path.replace(str(task), "999")) if body is None else ann.post("/tasks/999/claim")
        assert problem(answer) == problem(other) == (404, "not-found")
        assert answer.json()["detail"].replace(str(task), "999") == other.json()["detail"]
    assert problem(ann.decide(task, '"x"')) == (404, "not-found")
    with waiting.engine.connect() as connection:
        assert connection.execute("SELECT count(*) FROM access_entry WHERE act = 'not found'").fetchone() == (9,)


class TestDecidingOnWhatWasSeen:
    """If-Match: a decision is made on the state that was looked at, or not at all."""

    def test_it_must_be_said_what_was_seen(self, program: Programs, waiting: Flow) -> None:
        """Without If-Match, and with one that fits anything, the answer is 428."""
        ann = program("ann")
        answer = ann.post(f"/tasks/{first(ann)}/decision", {"outcome": "approve"})
        assert problem(answer) == (428, "unseen")
        assert problem(ann.decide(first(ann), "*")) == (428, "unseen")

    @pytest.mark.parametrize("seen", ['"nonsense"', 'W/"weak"', '""'])
    def test_what_is_no_state_of_it_is_stale(self, program: Programs, waiting: Flow, seen: str) -> None:
        """Also a weak tag: it does not say that nothing changed."""
        assert problem(program("ann").decide(first(program("ann")), seen)) == (412, "stale")
        weak = "W/" + program("ann").get(f"/tasks/{first(program('ann'))}").headers["etag"]
        assert problem(program("ann").decide(first(program("ann")), weak)) == (412, "stale")

    def test_changed_facts_are_refused_and_told(self, program: Programs, waiting: Flow) -> None:
        """Somebody changed the case since: 412 with what is different, and the tag to look again."""
        ann = program("ann")
        task, seen = self.seen(ann)
        with psycopg.connect(waiting.engine.url) as owner:
            owner.execute("UPDATE cases SET variables = variables || '{\"amount\": 51}'")
            owner.execute(
                "UPDATE review_task t SET digest = shown_digest(c.variables) FROM cases c WHERE c.id = t.case_id"
            )
        answer = ann.decide(task, seen)
        assert problem(answer) == (412, "stale")
        assert answer.json()["changed"] == ["the facts are others than those that were shown"]
        assert answer.headers["etag"] == ann.get(f"/tasks/{task}").headers["etag"] != seen
        assert ann.decide(task, answer.headers["etag"]).status_code == 200

    def test_a_task_in_other_hands_is_refused_and_told(self, program: Programs, waiting: Flow) -> None:
        """Taken by somebody else since it was looked at."""
        ann = program("ann")
        task, seen = self.seen(ann)
        program("bob").post(f"/tasks/{task}/claim")
        assert ann.decide(task, seen).json()["changed"] == ["it was open, and is claimed by bob"]

    def test_a_list_of_tags_is_taken(self, program: Programs, waiting: Flow) -> None:
        """One of them fits (RFC 9110, 13.1.1)."""
        ann = program("ann")
        task, seen = self.seen(ann)
        assert ann.decide(task, f'"other", {seen}').status_code == 200

    def test_rules_are_told_by_their_kind(self, program: Programs, waiting: Flow) -> None:
        """A rationale that is missing, a field that cannot be edited: 422. Decided already: 409."""
        ann = program("ann")
        task, seen = self.seen(ann)
        assert problem(ann.decide(task, seen, outcome="reject")) == (422, "invalid")
        assert problem(ann.decide(task, seen, rationale="x", edits={"amount": 1})) == (422, "invalid")
        assert problem(ann.decide(task, seen, rationale="nul \x00")) == (422, "invalid")
        assert ann.decide(task, seen).status_code == 200
        assert problem(program("bob").decide(task, seen)) == (409, "refused")

    @staticmethod
    def seen(ann: Program) -> tuple[int, str]:
        task = first(ann)
        tag: Any = ann.get(f"/tasks/{task}").headers["etag"]
        return task, str(tag)
