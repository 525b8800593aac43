"""Scripts in every text that people write: each page shows them as text, and a browser runs none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from playwright.sync_api import Page

from orchestration_pipelines.console.headers import CONTENT_SECURITY_POLICY
from orchestration_pipelines.domain.standing import RIGHTS
from orchestration_pipelines.engine import documents, hands, holds, inquiries, people
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import SETTINGS, SignedIn, Visitor, Window
from orchestration_pipelines_tests.console.matrix import ENTRIES
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import REVIEWED, WORKERS, Flow

SCRIPT = "\"'><script>window.caught=1</script><img src=x onerror=window.caught=1>{{71*71}}"


#: of a column that nobody may see who decides
PROTECTED = "born elsewhere"
#: puts a picture that cannot be loaded into the page, and waits until that has been noticed
_INJECTED = """() => new Promise(done => {
    document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.caught=1">');
    document.body.lastElementChild.addEventListener('error', () => done());
})"""


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """A case of which every text is a script, and which waits for ann."""
    fields = 'fields: {amount: number, remark: "text?"}'
    settings = SETTINGS.replace("fields: {amount: number}", f"{fields}, withheld: {{protected: [origin]}}")
    lines = [line.replace("queue=reviews", "queue=reviews orch:editable=remark") for line in REVIEWED]
    folder = workflow_folder(tmp_path / "flow", drawing(*lines), WORKERS, settings)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    rows = [
        Row(number, {"case_key": f"{number}{text}", "amount": amount, "remark": text, "origin": PROTECTED})
        for number, text, amount in ((1, SCRIPT, 50), (2, "plain", 50), (3, "quarantined", "a lot"))
    ]
    made.engine.submit(rows, requested_by=SCRIPT, source=SCRIPT)
    made.sweep()
    with psycopg.connect(database) as owner:
        owner.execute("UPDATE reviewer SET title = %s, address = %s", (SCRIPT, SCRIPT))
        owner.execute("UPDATE queue SET title = %s", (SCRIPT,))
        owner.execute("UPDATE review_task SET question = %s, skill = %s, region = %s", (SCRIPT, SCRIPT, SCRIPT))
        owner.execute(
            "INSERT INTO incident (workflow, case_id, element, kind, reason, owner, opened_at) "
            "VALUES ('flow', 1, %(text)s, %(text)s, %(text)s, %(text)s, %(now)s)",
            {"text": SCRIPT, "now": clock()},
        )
        owner.execute(
            "INSERT INTO dead_letter (workflow, case_id, visit, element, attempts, error, traceback, dead_at) "
            "VALUES ('flow', 1, 9, %(text)s, 3, %(text)s, %(text)s, %(now)s)",
            {"text": SCRIPT, "now": clock()},
        )
        owner.execute(
            "INSERT INTO quarantine (workflow, source, row_no, case_key, reason, row, at) "
            "VALUES ('flow', %(text)s, 1, %(text)s, %(text)s, jsonb_build_object('x', %(text)s::text), %(now)s)",
            {"text": SCRIPT, "now": clock()},
        )
    with made.engine.connect() as connection:
        holds.hold(connection, "flow", SCRIPT, by=SCRIPT, reason=SCRIPT, at=clock())
        people.set_absent(
            connection, "bob", starts=clock(), ends=None, delegate=None, reason=SCRIPT, by="mara", at=clock()
        )
        task = made.one("SELECT t.id FROM review_task t JOIN cases c ON c.id = t.case_id WHERE case_key LIKE '1%%'")
        documents.add(connection, 1, name=SCRIPT, content=b"seen", by="cleo", at=clock())
        hands.claim(connection, [task], person="cleo", at=clock())
        inquiries.ask(connection, task, by="cleo", of="ann", text=SCRIPT, at=clock())
        hands.release(connection, [task], person="cleo", at=clock())
    return made


@pytest.fixture
def task(flow: Flow) -> int:
    """The task of the case whose every text is a script."""
    return int(flow.one("SELECT t.id FROM review_task t JOIN cases c ON c.id = t.case_id WHERE case_key LIKE '1%%'"))


def _pages(flow: Flow, task: int) -> Iterator[tuple[str, str]]:
    """Every page that somebody may read, with somebody who may: from the route table."""
    case = flow.one("SELECT case_id FROM review_task WHERE id = %s", task)
    values = {
        "task": task,
        "case": case,
        "workflow": flow.engine.workflow.name,
        "queue:path": "reviews",
        "row": flow.one("SELECT min(id) FROM quarantine"),
        "document": flow.one("SELECT id FROM document"),
    }
    for (method, path), entry in ENTRIES.items():
        if method != "GET" or entry.live or path == "/static/{name}":
            continue
        filled = re.sub(r"{([^}]+)}", lambda found: str(values.get(found[1], 1)), path) + entry.query
        for person, held in (("ann", "reviewer"), ("mara", "manager"), ("abel", "auditor"), ("ada", "admin")):
            if entry.right is None or held in RIGHTS[entry.right]:
                yield person, filled
    yield "ann", f"/search?q={quote(SCRIPT)}"
    yield "ann", f"/sign-in?next={quote(SCRIPT)}"
    yield "ann", f"/nothing/{quote(SCRIPT)}"


def test_a_script_in_every_text_of_a_case_is_text(flow: Flow, task: int, signed_in: SignedIn) -> None:
    """On every page of the route table: what people wrote is shown as they wrote it, and is no part of the page.

    And what a protected column holds is on none, not even of a row that made no case.
    """
    flow.decide("2plain", by="cleo", outcome="reject", rationale=SCRIPT)
    visitors: dict[str, Visitor] = {}
    shown = set()
    for person, path in _pages(flow, task):
        visitor = visitors.setdefault(person, signed_in(person))
        answer = visitor.get(path, headers={"user-agent": SCRIPT})
        assert answer.status_code < 500, path
        for piece in ("<script>window", "<img src=x", "onerror=window.caught=1>", "5041"):
            assert piece not in answer.text, f"{path}: {piece}"
        assert PROTECTED not in answer.text, path
        if escape("<script>window") in answer.text:
            shown.add(path.partition("?")[0])
    case = flow.one("SELECT case_id FROM review_task WHERE id = %s", task)
    pages = {"/account", "/work", "/queues", "/queues/flow/reviews", "/search", f"/cases/{case}", f"/tasks/{task}"}
    pages |= {"/sign-in", "/manage", "/manage/work", "/manage/people", "/manage/holds", "/manage/incidents"}
    pages |= {"/manage/dead-letters", "/manage/quarantine", "/admin/people", "/admin/accounts", "/admin/access"}
    assert pages - shown == set(), "what is to be seen there is not"


def test_a_browser_runs_none_of_it(flow: Flow, task: int, window: Window) -> None:
    """Nor has any page a script or a style written into it, which its policy would stop; what got in would not run."""
    told: list[str] = []
    windows: dict[str, Page] = {}
    seen = set()
    for person, path in _pages(flow, task):
        if "/documents/" in path or path in seen:
            continue  # is saved, not shown; was looked at as somebody else
        seen.add(path)
        if person not in windows:
            windows[person] = window(person)
            windows[person].on("console", lambda message: told.append(message.text))
        page = windows[person]
        answer = page.goto(path, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
        assert page.evaluate("window.caught") is None, path
        assert [line for line in told if "Content Security Policy" in line] == [], path
    page.evaluate(_INJECTED)
    assert page.evaluate("window.caught") is None
    assert any("Content Security Policy" in line for line in told)
