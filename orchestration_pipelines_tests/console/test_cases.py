"""One case on one page: what it shows, and what blindness keeps from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestration_pipelines.engine import documents, dossier, quality, reviews
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import SETTINGS, SignedIn
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine import blind
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

HOSTILE = "<script>alert('x')</script>"
FACTS = """
intake:
  key: case_key
  fields: {amount: number, note: "text?", urgent: "flag?"}
  withheld: {protected: [origin]}
facts:
  The request:
    amount: {label: Amount asked for, unit: $1000}
    note: What for
  What the machine says:
    grid.route: {label: Way, values: {review: people decide, auto: the grid decides, block: the grid declines}}
"""
SHOWN = SETTINGS.replace("intake: {key: case_key, fields: {amount: number}}", FACTS)
SIGNED = (
    *(line for line in blind.LINES if not line.startswith("user review")),
    "user review orch:queue=reviews orch:approves=true orch:editable=amount,note orch:signatures=2",
)


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """A grid that decides or asks two people, and facts with labels."""
    folder = workflow_folder(tmp_path / "flow", drawing(*SIGNED), WORKERS, SHOWN, grid=blind.GRID)
    (folder / "policy.yaml").write_text(blind.POLICY)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    assert made.engine.version
    return made


def offer(flow: Flow, key: str, **columns: Any) -> int:
    """A case with these columns, swept; its number."""
    row = Row(1, {"case_key": key, "amount": 250, "note": "a roof", "urgent": True, "origin": "secret", **columns})
    assert flow.engine.submit([row], requested_by="broker", source="march.csv").accepted == 1
    flow.sweep()
    return int(flow.one("SELECT id FROM cases WHERE case_key = %s", key))


def sign(flow: Flow, person: str, outcome: str = "approve", edits: Mapping[str, Any] | None = None) -> None:
    """Sign what is open and not in another's hand."""
    with flow.engine.connect() as connection:
        task = next(each for each in reviews.open_tasks(connection) if each.kind == "decision")
        reviews.decide(
            connection,
            task.task,
            person=person,
            seen=task.digest,
            outcome=outcome,
            rationale="because of the roof",
            edits=edits,
            at=flow.clock(),
        )


def task_of(flow: Flow, case: int) -> int:
    return int(flow.one("SELECT min(id) FROM review_task WHERE case_id = %s AND ended_at IS NULL", case))


def test_the_page_of_a_task_asks_shows_and_says_where_from(flow: Flow, signed_in: SignedIn) -> None:
    """The question, the facts in their units and groups, who submitted them in which file, and the rule in words."""
    case = offer(flow, "A")
    page = signed_in("ann").get(f"/tasks/{task_of(flow, case)}")
    assert page.status_code == 200
    for told in (
        "$250,000",
        "Amount asked for",
        "The request",
        "Submitted by broker",
        "people decide",
        "derived by grid",
    ):
        assert told in page.text
    assert "secret" not in page.text
    assert "waits for people at review" in page.text.lower()


def test_an_edit_is_told_with_what_it_took_the_place_of_and_by_whom(flow: Flow, signed_in: SignedIn) -> None:
    """Once all have signed: before, after, the person, the rationale; and the facts mark what changed."""
    case = offer(flow, "A")
    sign(flow, "ann", edits={"amount": 240})
    sign(flow, "bob")
    page = signed_in("mara").get(f"/cases/{case}").text
    assert "<del>$250,000</del>" in page
    assert "<ins>$240,000</ins>" in page
    assert "edited by ann in task" in page
    assert "because of the roof" in page


def test_h16_the_second_signer_sees_that_somebody_signed_and_nothing_of_it(flow: Flow, signed_in: SignedIn) -> None:
    """Neither outcome, rationale nor edit of the first signer is on any page of the case, whoever looks."""
    case = offer(flow, "A")
    sign(flow, "ann", edits={"amount": 240})
    task = task_of(flow, case)
    with flow.engine.connect() as connection:
        read = dossier.of_task(connection, task, "bob")
    assert read is not None and read.decided == [], "it is not even read"
    for person in ("bob", "ann", "cleo", "mara", "abel"):
        for path in (f"/tasks/{task}", f"/cases/{case}"):
            page = signed_in(person).get(path)
            assert page.status_code == 200
            assert "signed by ann" in page.text
            assert "what they chose is shown when all have signed" in page.text
            for secret in ("because of the roof", "edited by", "$250,000", "<del>", "approved"):
                assert secret not in page.text, (person, path, secret)


def test_while_others_are_to_sign_every_fact_that_could_have_been_edited_reads_alike(
    flow: Flow, signed_in: SignedIn
) -> None:
    """The edited amount and the note, which nobody touched, have the same source; what nobody may edit has its own."""
    case = offer(flow, "A")
    sign(flow, "ann", edits={"amount": 240})
    page = signed_in("bob").get(f"/tasks/{task_of(flow, case)}").text
    assert page.count(">as it stands for this review") == 2


def test_h16_a_quality_review_shows_what_was_submitted_alone(flow: Flow, signed_in: SignedIn) -> None:
    """No choice of the machine, no reason, no rule, no outcome, no timeline; on the page of the case neither."""
    case = offer(flow, "Q", amount=50)
    with flow.engine.connect() as connection:
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        assert quality.draw_due(connection, flow.engine.workflow, asked, flow.clock()) == 1
    task = task_of(flow, case)
    for person in ("ann", "mara", "abel"):
        for path in (f"/tasks/{task}", f"/cases/{case}"):
            page = signed_in(person).get(path)
            assert page.status_code == 200
            assert "$50,000" in page.text
            for secret in ("auto", "grid", "decides", "derived", "ended", "done", "commit"):
                assert not re.search(rf"\b{secret}\b", page.text), (person, path, secret)
            assert page.text.count("no. ") == 1, "only the submission is told"


def test_a_quality_review_that_is_in_shows_everything_again(flow: Flow, signed_in: SignedIn) -> None:
    """The case is told in full; the review stands in its timeline."""
    case = offer(flow, "Q", amount=50)
    with flow.engine.connect() as connection:
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        quality.draw_due(connection, flow.engine.workflow, asked, flow.clock())
        task = next(each for each in reviews.open_tasks(connection) if each.kind == "quality")
        reviews.decide(
            connection, task.task, person="ann", seen=task.digest, outcome="approve", rationale="fine", at=flow.clock()
        )
    page = signed_in("mara").get(f"/cases/{case}").text
    assert "reviewed for quality: approved" in page
    assert "the grid decides" in page


def test_a_page_is_for_those_who_see_the_case(flow: Flow, desk: Desk, signed_in: SignedIn) -> None:
    """Whoever has not the queue's role is told that there is no such case; an admin sees none."""
    case = offer(flow, "A")
    with desk.connection() as connection:
        connection.execute("INSERT INTO reviewer (person, roles) VALUES ('otto', '{clerk}')")
        connection.execute(
            "INSERT INTO account SELECT 'otto', password, false, set_at, 'test', opened_at FROM account LIMIT 1"
        )
    for person, seen in (("ann", 200), ("cleo", 200), ("mara", 200), ("abel", 200), ("ada", 403), ("otto", 404)):
        for path in (f"/cases/{case}", f"/tasks/{task_of(flow, case)}"):
            assert signed_in(person).get(path).status_code == seen, (person, path)


def test_what_is_not_there_is_not_there(signed_in: SignedIn) -> None:
    """A number that nothing has, or that nothing can have."""
    mara = signed_in("mara")
    for path in ("/cases/999999", "/tasks/999999", "/cases/0", f"/cases/{2**70}", "/documents/77"):
        assert mara.get(path).status_code == 404, path


def test_hostile_values_are_text(flow: Flow, signed_in: SignedIn) -> None:
    """Markup in a fact, a key, a name of a file and a rationale is shown as it was written, and is none."""
    case = offer(flow, HOSTILE.replace(":", ""), note=HOSTILE)
    sign(flow, "ann", edits={"note": f"{HOSTILE}2"})
    sign(flow, "bob")
    sent = signed_in("ann").post(
        f"/cases/{case}/documents", {}, files={"file": (f"{HOSTILE}.html", b"plain words", "text/html")}
    )
    assert sent.status_code in (303, 422)
    page = signed_in("mara").get(f"/cases/{case}").text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_a_long_text_is_shown_by_its_beginning(flow: Flow, signed_in: SignedIn) -> None:
    """The rest on demand, up to what a page can bear; lines stay lines."""
    case = offer(flow, "A", note="word " * 6_000)
    page = signed_in("mara").get(f"/cases/{case}").text
    assert "all of it (30,000 characters)" in page
    assert "The record of the case has the rest." in page
    assert len(page) < 100_000


def test_decided_cases_that_are_like_it_are_shown_with_how_they_ended(flow: Flow, signed_in: SignedIn) -> None:
    """By amount and urgency: the nearer one first, its end, and what differs."""
    for key, amount, urgent in (("near", 260, True), ("far", 900, False)):
        offer(flow, key, amount=amount, urgent=urgent)
        sign(flow, "ann")
        sign(flow, "bob")
        flow.sweep()
    case = offer(flow, "A")
    page = signed_in("ann").get(f"/tasks/{task_of(flow, case)}").text
    assert page.index("near</a>") < page.index("far</a>")
    assert "Amount asked for: $900,000" in page


def test_the_timeline_tells_the_runs_and_links_to_dagster(flow: Flow, desk: Desk, signed_in: SignedIn) -> None:
    """A run of Dagster's has a page there; a sweep by hand has none."""
    case = offer(flow, "A")
    run = "0b0d6f2e-6a5c-4a57-9a5a-2f6f0c0d9a11"
    with flow.engine.connect() as connection:
        connection.execute("UPDATE sweeper SET run = %s", (run,))
    desk.dagster = "http://127.0.0.1:3000/"
    page = signed_in("mara").get(f"/cases/{case}").text
    assert f'href="http://127.0.0.1:3000/runs/{run}"' in page


def test_h16_what_was_added_after_the_machine_decided_is_kept_from_the_quality_review(
    flow: Flow, signed_in: SignedIn
) -> None:
    """Neither listed nor handed out until the review is in: it says what followed."""
    case = offer(flow, "Q", amount=150)
    flow.clock.advance(minutes=1)
    with flow.engine.connect() as connection:
        added = documents.add(connection, case, name="a.txt", content=b"an appeal", by="broker", at=flow.clock())
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        quality.draw_due(connection, flow.engine.workflow, replace(asked, cells={}), flow.clock())
    assert flow.one("SELECT count(*) FROM review_task WHERE kind = 'quality' AND ended_at IS NULL") == 1
    assert "a.txt" not in signed_in("ann").get(f"/cases/{case}").text
    assert signed_in("ann").get(f"/documents/{added.id}").status_code == 404


def test_whoever_submitted_a_case_sees_what_is_theirs(flow: Flow, desk: Desk, signed_in: SignedIn) -> None:
    """What they sent, where it stands, and the answers they gave; no score, no rule, no signer, no other case."""
    offer(flow, "elsewhere")
    sign(flow, "cleo")
    sign(flow, "bob")
    flow.sweep()
    row = Row(1, {"case_key": "A", "amount": 250, "note": "a roof", "urgent": True, "origin": "x"})
    flow.engine.submit([row], requested_by="ann", source="march.csv")
    flow.sweep()
    case = int(flow.one("SELECT id FROM cases WHERE case_key = 'A'"))
    sign(flow, "bob", edits={"amount": 240})
    with flow.engine.connect() as connection:
        internal = documents.add(connection, case, name="n.txt", content=b"internal", by="bob", at=flow.clock())
    ann = signed_in("ann")
    page = ann.get(f"/cases/{case}").text
    assert "$240,000" in page
    assert "as it stands for this review" in page
    assert "Your decision" not in ann.get(f"/tasks/{task_of(flow, case)}").text
    for secret in ("people decide", "derived by", "because of the roof", "bob", "elsewhere", "In the drawing", "n.txt"):
        assert secret not in page, secret
    assert ann.get(f"/documents/{internal.id}").status_code == 404
    sign(flow, "cleo")
    flow.sweep()
    page = ann.get(f"/cases/{case}").text
    assert "<del>$250,000</del>" in page
    assert "changed in review" in page
    for secret in ("because of the roof", "bob", "cleo", "derived by"):
        assert secret not in page, secret
