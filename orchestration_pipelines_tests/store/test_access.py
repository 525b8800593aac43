"""Who sees what, and who stands alone: held by the database, whoever asks."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from orchestration_pipelines.engine.access import seen_by
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.people import manages
from orchestration_pipelines.store.reviews import may
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
  requesters: {owner: tests, role: requester}
reviewers:
  ann: [reviewer]
  bob: [reviewer]
  eve: [other]
  cleo: [other, senior]
  mara: [manager]
  abel: [auditor]
  ada: [admin]
"""
DRAWN = (
    "user review orch:queue=reviews orch:approves=true",
    "user ask orch:queue=requesters",
    "end done",
    "received -> review -> ask -> done",
    "timer late on review P3D -> done",
    "timer silent on ask P3D -> done",
)


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """Case A, which the broker submitted, and E, which eve did; both wait for a reviewer, then for who submitted."""
    folder = workflow_folder(tmp_path / "flow", drawing(*DRAWN), WORKERS, SETTINGS)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    made.submit("A", by="broker")
    made.submit("E", by="eve")
    made.sweep()
    return made


def seen(flow: Flow, person: str) -> str:
    """The keys of the cases that somebody sees."""
    cases = dict(flow.rows("SELECT id, case_key FROM cases"))
    with flow.engine.connect() as connection:
        return "".join(sorted(cases[case] for case in seen_by(connection, person, [*cases, 10**12])))


def test_who_sees_a_case(flow: Flow) -> None:
    """Whoever could do it, did it, has it or submitted it; seniors, managers and auditors all, an admin none."""
    everybody = ("ann", "bob", "eve", "cleo", "mara", "abel", "ada", "broker", "nobody")
    waiting = {person: seen(flow, person) for person in everybody}
    assert waiting == {
        "ann": "AE",
        "bob": "AE",
        "eve": "E",
        "cleo": "AE",
        "mara": "AE",
        "abel": "AE",
        "ada": "",
        "broker": "",  # who is no reviewer has no way in
        "nobody": "",
    }
    flow.decide("A", by="ann")
    flow.decide("E", by="ann")
    flow.sweep()
    assert {person: seen(flow, person) for person in ("ann", "bob", "eve", "mara")} == {
        "ann": "AE",  # decided them
        "bob": "",  # there is nothing for him to do any more
        "eve": "E",
        "mara": "AE",
    }
    with psycopg.connect(flow.engine.url) as owner:
        owner.execute("UPDATE reviewer SET active = false")
    assert [seen(flow, person) for person in everybody] == [""] * len(everybody)


def test_a_skill_that_somebody_has_not_hides_a_case(flow: Flow) -> None:
    """Seeing what is in a queue is for those who could do it."""
    with psycopg.connect(flow.engine.url) as owner:
        owner.execute("UPDATE review_task SET level = 3")
    assert seen(flow, "ann") == ""
    assert seen(flow, "cleo") == "AE"


def test_can_and_sees_agree_on_standings(flow: Flow) -> None:
    """A task is seen by seniors, managers and auditors, and by no admin, not even by one who had it once."""
    task = flow.one("SELECT t.id FROM review_task t JOIN cases c ON c.id = t.case_id WHERE case_key = 'A'")
    with flow.engine.connect() as connection:
        allowed = {
            person
            for person in ("ann", "eve", "cleo", "mara", "abel", "ada")
            if may(connection, person, "see", task)[0]
        }
        assert allowed == {"ann", "cleo", "mara", "abel"}
        for person in ("abel", "ada"):
            for act in ("claim", "decide", "decline", "assign", "release", "reassign"):
                assert not may(connection, person, act, task)[0], (person, act)
    with psycopg.connect(flow.engine.url) as owner:
        owner.execute("UPDATE reviewer SET roles = '{admin}' WHERE person = 'bob'")
        owner.execute(
            "UPDATE review_task SET status = 'claimed', assignee = 'bob', claimed_at = now() WHERE id = %s", (task,)
        )
    with flow.engine.connect() as connection:
        assert not may(connection, "bob", "see", task)[0]
    assert seen(flow, "bob") == ""


def test_an_admin_or_auditor_answers_for_no_case(flow: Flow) -> None:
    """Not even for one that they submitted before they became it."""
    flow.decide("E", by="ann")
    flow.sweep()
    task = flow.one("SELECT id FROM review_task WHERE element = 'ask'")
    for role, allowed in (("other", True), ("auditor", False), ("admin", False)):
        with psycopg.connect(flow.engine.url) as owner:
            owner.execute("UPDATE reviewer SET roles = ARRAY[%s] WHERE person = 'eve'", (role,))
        with flow.engine.connect() as connection:
            assert may(connection, "eve", "decide", task)[0] is allowed, role


@pytest.mark.parametrize("roles", [["admin", "reviewer"], ["auditor", "manager"], ["admin", "auditor"]])
def test_nobody_is_an_admin_or_auditor_and_something_else(database: str, roles: list[str]) -> None:
    """Whoever writes it: else they could decide what they are to look after."""
    with psycopg.connect(database) as owner, pytest.raises(psycopg.errors.CheckViolation, match="stands_alone"):
        owner.execute("INSERT INTO reviewer (person, roles) VALUES ('kim', %s)", (roles,))


def test_no_queue_asks_for_an_admin_or_auditor(flow: Flow) -> None:
    """Then they could decide what lies in it."""
    with psycopg.connect(flow.engine.url) as owner, pytest.raises(psycopg.errors.CheckViolation, match="no_standing"):
        owner.execute("UPDATE queue SET role = 'auditor' WHERE name = 'reviews'")


def test_who_manages_what(database: str) -> None:
    """Managers the policy, the people and the tasks; admins the people and the accounts; who comes first, the first."""
    with connect(database, role=None) as owner:

        def allowed(person: str) -> set[str]:
            return {act for act in ("policy", "people", "accounts", "tasks") if manages(owner, person, act)[0]}

        assert allowed("root") == {"people", "accounts"}
        owner.execute("INSERT INTO reviewer (person, roles) VALUES ('mara', '{manager}')")
        assert allowed("mara") == {"policy", "people", "tasks", "accounts"}, "while there is no admin"
        assert allowed("root") == {"accounts"}
        owner.execute("INSERT INTO reviewer (person, roles) VALUES ('ada', '{admin}'), ('abel', '{auditor}')")
        assert allowed("mara") == {"policy", "people", "tasks"}
        assert allowed("ada") == {"people", "accounts"}
        assert allowed("abel") == allowed("root") == set()
        owner.execute("DELETE FROM reviewer WHERE person = 'mara'")
        assert allowed("root") == set(), "an admin brings in the next manager"
