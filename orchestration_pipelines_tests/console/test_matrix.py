"""Every route of the console × every standing × one's own and another's object, from the route table itself."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.testclient import TestClient

from orchestration_pipelines.console.app import create_app
from orchestration_pipelines.domain.standing import RIGHTS, Standing
from orchestration_pipelines.engine import documents, hands, inquiries, reviews
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import releases
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import SETTINGS, SignedIn
from orchestration_pipelines_tests.console.matrix import ENTRIES, Entry
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow

#: one person of each standing; zed reviews too, in a queue of which none of them has the role
PEOPLE = {
    "ann": Standing.REVIEWER,
    "cleo": Standing.SENIOR,
    "mara": Standing.MANAGER,
    "abel": Standing.AUDITOR,
    "ada": Standing.ADMIN,
}
#: the keys of a case of ann's queue, and of one of zed's
OURS, THEIRS = "OUR-CASE", "THEIR-CASE"
#: that are asked for by programs with a token of their own: see the tests of the interface
API = "/api/"
_QUEUE = "user review orch:queue=reviews orch:approves=true"
_BY_AMOUNT = 'user review "orch:queue== if amount > 100 then \\"vault\\" else \\"reviews\\"" orch:approves=true'

_STATE = """
SELECT (SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM review_task t),
    (SELECT md5(string_agg(c::text, '|' ORDER BY id)) FROM cases c), (SELECT count(*) FROM review_decision),
    (SELECT count(*) FROM audit_entry), (SELECT count(*) FROM hold), (SELECT count(*) FROM absence),
    (SELECT md5(string_agg(r::text, '|' ORDER BY person)) FROM reviewer r), (SELECT count(*) FROM document),
    (SELECT md5(string_agg(a::text, '|' ORDER BY person)) FROM account a), (SELECT count(*) FROM work_policy)
"""


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """A case of ann's queue, and one of zed's, which waits in a queue of which nobody else has the role."""
    lines = [_BY_AMOUNT if line == _QUEUE else line for line in REVIEWED]
    settings = SETTINGS.replace("queues:", "queues:\n  vault: {owner: tests, role: vault}")
    settings = settings.replace("reviewers: {", "reviewers: {zed: [vault], ")
    folder = workflow_folder(tmp_path / "flow", drawing(*lines), WORKERS, settings)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    made.submit(OURS, by="broker")
    made.submit(THEIRS, amount=500, by="broker")
    made.submit("C", amount="a lot", by="broker")  # into quarantine
    made.submit("D", by="broker")  # bob asks everybody about it
    made.sweep()
    with made.engine.connect() as connection:
        (asked,) = (task.task for task in reviews.open_tasks(connection) if task.case_key == "D")
        hands.claim(connection, [asked], person="bob", at=clock())
        for person in ("ann", "cleo", "mara"):
            inquiries.ask(connection, asked, by="bob", of=person, text="A duplicate?", at=clock())
    drawn = sha256(b"a drawing").hexdigest()
    proposal = releases.Proposal(
        "flow", "drawing", "flow.bpmn", drawn, (), "loosening", None, "?", "zed", None, clock()
    )
    with made.engine.connect() as connection:
        releases.keep_file(connection, drawn, b"a drawing", ())
        releases.propose(connection, proposal)
    return made


def routes(app: FastAPI) -> Iterator[tuple[str, str, RouteContext]]:
    """Every method and path that the console answers, but for the interface for programs."""
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            if not str(route.path).startswith(API):
                yield method, str(route.path), route


def objects(flow: Flow) -> dict[str, tuple[object, object]]:
    """For each parameter of a path: a thing of one's own (or of one's own queue), and one of somebody else's."""
    task = dict(flow.rows("SELECT c.case_key, t.id FROM review_task t JOIN cases c ON c.id = t.case_id"))
    case = dict(flow.rows("SELECT case_key, id FROM cases"))
    document = dict(flow.rows("SELECT c.case_key, d.id FROM document d JOIN cases c ON c.id = d.case_id"))
    name = flow.engine.workflow.name
    quarantined = flow.one("SELECT id FROM quarantine")
    proposed = flow.one("SELECT id FROM model_release")
    return {
        "task": (task[OURS], task[THEIRS]),
        "case": (case[OURS], case[THEIRS]),
        "document": (document[OURS], document[THEIRS]),
        "workflow": (name, name),
        "queue": ("reviews", "vault"),
        "queue:path": ("reviews", "vault"),
        "person": ("bob", "bob"),
        "row": (quarantined, quarantined),
        "number": (proposed, proposed),
        "name": ("console.css", "console.css"),
    }


def expected(entry: Entry, standing: Standing, *, safe: bool, own: bool) -> set[str]:
    """Which kinds of answers are right."""
    if entry.right is None:
        return {"open", "nobody"}  # a sign-in without a name is answered 401 to everybody
    if standing not in RIGHTS[entry.right]:
        return {"shut"}
    if entry.of == "own" and not own:
        return {"unseen"}
    if entry.of == "seen" and not own:
        if standing is Standing.REVIEWER:
            return {"unseen"}
        return {"open"} if safe else {"refused", "shut", "unseen"}
    return {"open", "refused"} if not safe else {"open"}


def kind(status: int) -> str:
    """What an answer comes to."""
    if status >= 500:
        return f"fault {status}"
    return {401: "nobody", 403: "shut", 404: "unseen", 405: "no method", 409: "refused", 422: "refused"}.get(
        status, "open"
    )


def test_every_route_is_in_the_matrix_and_asks_for_what_it_says(desk: Desk) -> None:
    """A route without an entry, an entry without a route, and a route that lets pass what it should not."""
    app = create_app(desk)
    asked = {(method, path): _right_of(route) for method, path, route in routes(app)}
    missing = {each: right for each, right in asked.items() if each not in ENTRIES}
    assert missing == {}, "add these to console/matrix.py"
    assert set(ENTRIES) - set(asked) == set(), "these are gone"
    assert asked == {each: [entry.right] for each, entry in ENTRIES.items()}


def _right_of(route: RouteContext) -> list[object]:
    """The rights that a route's dependencies ask for; exactly one is right."""
    rights = set()
    stack = list(route.dependant.dependencies)
    while stack:
        dependant = stack.pop()
        stack.extend(dependant.dependencies)
        if "right" in getattr(dependant.call, "__dict__", {}):
            rights.add(vars(dependant.call)["right"])
    return sorted(rights, key=str)


def test_the_matrix_holds(desk: Desk, flow: Flow, client: TestClient, signed_in: SignedIn) -> None:
    """Who is refused gets the same answer whether the object is there or not, has changed nothing, and read nothing."""
    _add_document(desk, flow, OURS, "ann")
    _add_document(desk, flow, THEIRS, "zed")
    things = objects(flow)
    read: set[tuple[Standing, str]] = set()
    wrong, somebody_elses = [], _session(desk, signed_in("bob").token)
    for method, path, _ in routes(create_app(desk)):
        if (entry := ENTRIES.get((method, path))) is None:
            continue  # the test above tells
        safe = method == "GET"
        if entry.right is not None:
            got = kind(_nobody(client, method, _filled(path, {**things, "session": (1, 1), "inquiry": (1, 1)}, True)))
            if got != "nobody":
                wrong.append(f"nobody {method} {path}: {got}")
        for person, standing in PEOPLE.items():
            for own in (True, False) if entry.of else (True,):
                allowed = expected(entry, standing, safe=safe, own=own)
                if entry.live and allowed == {"open"}:
                    continue
                visitor = signed_in(person)
                theirs = {
                    "session": (_session(desk, visitor.token), somebody_elses),
                    "inquiry": _inquiries(flow, person),
                }
                asked = _filled(path, {**things, **theirs}, own) + entry.query
                before = None if safe else _state(desk)
                answer = visitor.get(asked) if safe else visitor.post(asked)
                status = answer.status_code
                read |= {(standing, key) for key in (OURS, THEIRS) if key in answer.text}
                if kind(status) not in allowed:
                    wrong.append(
                        f"{person} ({standing}) {method} {asked}: {status}, not {' or '.join(sorted(allowed))}"
                    )
                if not safe and "open" not in allowed and _state(desk) != before:
                    wrong.append(f"{person} ({standing}) {method} {asked}: was refused and changed something")
    assert wrong == []
    all_of_it = {(standing, key) for standing in Standing for key in (OURS, THEIRS)}
    assert all_of_it - read == {(Standing.REVIEWER, THEIRS), (Standing.ADMIN, OURS), (Standing.ADMIN, THEIRS)}


def _inquiries(flow: Flow, person: str) -> tuple[object, object]:
    """A question to this person (or to somebody, where they are not asked), and one to somebody else."""
    asked = dict(flow.rows("SELECT asked_of, id FROM inquiry"))
    return asked.get(person, asked["ann"]), next(number for of, number in asked.items() if of != person)


def _nobody(client: TestClient, method: str, path: str) -> int:
    """Without a session, a page leads to sign-in, and everything else is refused."""
    answer = client.request(method, path)
    leads = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
    return 401 if leads else answer.status_code


def _filled(path: str, values: dict[str, tuple[object, object]], own: bool) -> str:
    for name, (mine, theirs) in values.items():
        path = path.replace(f"{{{name}}}", str(mine if own else theirs))
    assert "{" not in path, f"say in objects() what this is: {path}"
    return path


def _state(desk: Desk) -> object:
    with desk.connection() as connection:
        return connection.execute(_STATE).fetchone()


def _session(desk: Desk, token: str) -> int:
    with desk.connection() as connection:
        row = connection.execute("SELECT id FROM session WHERE token = sha256(%s)", (token.encode(),)).fetchone()
    assert row is not None
    return int(row[0])


def _add_document(desk: Desk, flow: Flow, key: str, by: str) -> None:
    case = flow.one("SELECT id FROM cases WHERE case_key = %s", key)
    with desk.connection() as connection:
        documents.add(connection, case, name="note.txt", content=b"seen", about=None, by=by, at=desk.clock())
