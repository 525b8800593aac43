"""Who is let in, and what becomes of a request that is not."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from orchestration_pipelines.engine import access
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.api.conftest import Programs, problem
from orchestration_pipelines_tests.engine.flow import Flow


def entries(desk: Desk) -> list[tuple[str, str | None, str]]:
    with desk.connection() as connection:
        return [
            (entry.act, entry.person, entry.detail) for entry in access.recorded(connection, person=None, at_most=9)
        ]


def test_without_a_token_nobody_is_let_in(client: TestClient) -> None:
    """The answer says how to come in; a session of the console is no token."""
    for headers in ({}, {"authorization": "Basic YTpi"}, {"cookie": "__Host-session=x"}):
        answer = client.get("/api/v1/work", headers=headers)
        assert problem(answer) == (401, "unknown-client")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_wrong_token_is_refused_and_recorded(client: TestClient, desk: Desk) -> None:
    """After thirty wrong ones from an address there is a pause, which the answer names."""
    answers = [client.get("/api/v1/work", headers={"authorization": f"Bearer {n}"}) for n in range(31)]
    assert {problem(answer) for answer in answers[:30]} == {(401, "unknown-client")}
    assert answers[0].headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert problem(answers[30]) == (429, "too-many")
    assert answers[30].headers["retry-after"] == "10"
    assert entries(desk)[0] == ("refused", None, "no such token")


def test_a_scope_narrows_what_a_client_may(program: Programs, desk: Desk) -> None:
    """Without the scope it is refused, with it as far as the person may; both are recorded."""
    answer = program("ann", "work").get("/work")
    assert problem(answer) == (403, "forbidden")
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="read"'
    assert program("ann", "read").get("/work").status_code == 200
    assert problem(program("ann").post("/holds", {"workflow": "flow", "reason": "x"})) == (403, "forbidden")
    assert [act for act, person, _ in entries(desk) if person == "ann" and act == "forbidden"] == ["forbidden"] * 2


def test_a_request_that_changes_something_needs_a_key(program: Programs) -> None:
    """The answer says what to do, with and without quotes a key will do, and a strange one will not."""
    ann = program("ann")
    answer = ann.client.post("/api/v1/tasks/next", json={}, headers={"authorization": f"Bearer {ann.token}"})
    assert problem(answer) == (400, "no-key")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert problem(ann.post("/tasks/next", {}, key="two words")) == (422, "invalid")
    assert problem(ann.post("/tasks/next", {}, key='"one"')) == (409, "refused")
    assert ann.post("/tasks/next", {}, key="one").headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"outcome": 1}', b'{"outcome": "approve", "edits": []}', b"\xff"])
def test_a_body_that_does_not_fit_is_told_so(program: Programs, body: bytes) -> None:
    """Not JSON, not an object, not the right fields: 400 or 422, and nothing is done."""
    ann = program("ann")
    headers = {
        "authorization": f"Bearer {ann.token}",
        "idempotency-key": "k",
        "if-match": "x",
        "content-type": "application/json",
    }
    answer = ann.client.post("/api/v1/tasks/1/decision", content=body, headers=headers)
    assert problem(answer) in {(400, "unreadable"), (422, "invalid")}


def test_what_is_not_there_is_a_problem_too(program: Programs) -> None:
    """A path, a method, and a number beyond any are told as everything else is."""
    ann = program("ann")
    assert problem(ann.get("/nothing")) == (404, "not-found")
    assert problem(ann.get("/tasks/99999999999999999999")) == (404, "not-found")
    assert problem(ann.get("/tasks/none")) == (404, "not-found")
    assert problem(ann.post("/work")) == (405, "no-such-method")


def test_a_body_beyond_the_limit_is_refused(program: Programs) -> None:
    """Eight megabytes of rows are taken, more are not."""
    row = {"case_key": "A", "amount": 1, "note": "x" * 1_000_000}
    assert program("ann").post("/cases", {"workflow": "flow", "rows": [row] * 2}).status_code == 200
    assert program("ann").post("/cases", {"workflow": "flow", "rows": [row] * 9}).status_code == 413


def test_a_fault_shows_a_number_and_nothing_else(
    program: Programs, desk: Desk, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody expected is told in one form, and its words stay in the log."""
    flow.submit("A")
    flow.sweep()
    monkeypatch.setattr(desk, "backlog", None)
    answer = program("ann").get("/queues")
    assert problem(answer) == (500, "fault")
    assert "NoneType" not in answer.text
