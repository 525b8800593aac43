"""One case, told: where it stands, the source of each fact, what changed, what happened."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration_pipelines.engine import casework, dossier, hands, reviews
from orchestration_pipelines.engine.casefile import CaseFile, tell
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.store import casefile
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

LINES = (
    "service check",
    "user answer orch:queue=requesters orch:editable=purpose",
    "user review orch:queue=reviews orch:editable=amount,purpose orch:approves=true",
    "service commit orch:requiresApproval=true",
    "end done",
    "end rejected",
    "received -> check -> which",
    "which -> answer if ok = null",
    "which -> review default",
    "answer -> check",
    "review -> said",
    'said -> commit if review.outcome = "approve"',
    'said -> check if review.outcome = "return"',
    "said -> rejected default",
    "commit -> done",
    "timer late on review P3D -> rejected",
    "timer lapsed on answer P3D -> rejected",
)
SETTINGS = DEFAULT_SETTINGS.replace("fields: {amount: number}", 'fields: {amount: number, purpose: "text?"}') + (
    "facts: {The request: {amount: {label: Amount, unit: $1000}, purpose: What for}, Derived: {ok: Checked}}\n"
)


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """A check, a question to the requester where it says nothing, a review."""
    return draw(*LINES, settings=SETTINGS)


def offer(flow: Flow, key: str = "A", **columns: Any) -> None:
    row = Row(1, {"case_key": key, "amount": 250, "purpose": "a roof", **columns})
    assert flow.engine.submit([row], requested_by="broker", source="march.csv").accepted == 1
    flow.sweep()


def told(flow: Flow, key: str = "A", person: str = "cleo") -> CaseFile:
    with flow.engine.connect() as connection:
        connection.execute("UPDATE reviewer SET roles = '{reviewer,senior}' WHERE person = %s", (person,))
        number = flow.one("SELECT id FROM cases WHERE case_key = %s", key)
        found = dossier.of_case(connection, number, person)
    assert found is not None
    return tell(found, flow.engine.workflow.process)


def sources(file: CaseFile) -> dict[str, str]:
    return {line.fact.name: line.source.words for lines in file.groups.values() for line in lines}


def decide(flow: Flow, person: str, outcome: str = "approve", edits: dict[str, Any] | None = None) -> None:
    with flow.engine.connect() as connection:
        task = reviews.open_tasks(connection)[0]
        reviews.decide(
            connection,
            task.task,
            person=person,
            seen=task.digest,
            outcome=outcome,
            rationale="so it is",
            edits=edits,
            at=flow.clock(),
        )
    flow.clock.advance(minutes=1)
    flow.sweep()


def test_each_fact_has_the_source_that_wrote_it_last(flow: Flow) -> None:
    """Submitted in a file, derived at a visit, supplied when asked, edited in a task; a later edit is the source."""
    flow.script["check"] = lambda case: {"ok": True if case["amount"] == 250 else None}
    offer(flow, amount=251)
    assert sources(told(flow)) == {
        "amount": "submitted by broker in march.csv",
        "purpose": "submitted by broker in march.csv",
    }
    flow.script["check"] = lambda case: {"ok": True}
    with flow.engine.connect() as connection:
        task = reviews.open_tasks(connection)[0]
        reviews.answer(connection, task.task, person="broker", edits={"purpose": "a new roof"}, at=flow.clock())
    flow.clock.advance(minutes=1)
    flow.sweep()
    assert sources(told(flow))["purpose"] == f"supplied by broker, who was asked (task {task.task})"
    assert sources(told(flow))["ok"] == "derived by check, visit 3"
    decide(flow, "ann", "return", {"amount": 240, "purpose": "a roof"})
    after = told(flow)
    assert sources(after)["amount"].startswith("edited by ann in task")
    assert sources(after)["purpose"].startswith("edited by ann in task")
    assert sources(after)["ok"] == "derived by check, visit 5"


def test_changes_are_told_with_what_was_there_before(flow: Flow) -> None:
    """Each edit with its person and reason; the fact itself beside what was submitted."""
    flow.script["check"] = lambda case: {"ok": True}
    offer(flow)
    decide(flow, "ann", "return", {"amount": 240})
    decide(flow, "bob", "return", {"amount": 230})
    file = told(flow)
    edits = [shown for shown in file.changes if shown.change.kind == "edited"]
    assert [(e.label, e.before, e.after, e.change.words.split(",")[0]) for e in edits] == [
        ("Amount", "$250,000", "$240,000", "edited by ann in task 1"),
        ("Amount", "$240,000", "$230,000", "edited by bob in task 2"),
    ]
    assert edits[0].change.rationale == "so it is"
    derived = [shown for shown in file.changes if shown.change.kind == "derived"]
    assert [(d.label, d.after) for d in derived] == [("Checked", "yes")]
    amount = next(line for line in file.groups["The request"] if line.fact.name == "amount")
    assert (amount.was, amount.value) == ("$250,000", "$230,000")


def test_an_edit_that_was_taken_back_is_no_change_of_the_fact(flow: Flow) -> None:
    """The fact is as submitted again; the edits are told."""
    flow.script["check"] = lambda case: {"ok": True}
    offer(flow)
    decide(flow, "ann", "return", {"amount": 240})
    decide(flow, "bob", "return", {"amount": 250})
    file = told(flow)
    amount = next(line for line in file.groups["The request"] if line.fact.name == "amount")
    assert amount.was is None
    assert len([shown for shown in file.changes if shown.change.kind == "edited"]) == 2


def test_of_a_column_that_a_step_may_write_over_nothing_is_made_up(draw: Draw) -> None:
    """Whether it did is not recorded: the source says so, and no change is told."""
    flow = draw(
        "service check",
        "user review orch:queue=reviews",
        "end done",
        "received -> check -> review -> done",
        "timer late on review P3D -> done",
        settings=DEFAULT_SETTINGS.replace("amount: number", 'amount: number, purpose: "text?", note: "text?"'),
    )
    flow.script["check"] = lambda case: {"ok": True, "note": "written over"}
    offer(flow)
    file = told(flow)
    assert sources(file)["note"] == "submitted by broker, or written over by check, visit 1"
    assert [shown.change.name for shown in file.changes] == []


def test_where_a_case_stands_is_told(flow: Flow) -> None:
    """Before its sweep, before people, in trouble, at its end."""
    flow.script["check"] = lambda case: {"ok": True}
    flow.engine.submit([Row(1, {"case_key": "new", "amount": 1, "purpose": ""})], requested_by="broker", source="s")
    assert told(flow, "new").where == "waits for the next sweep at check"
    flow.sweep()
    assert told(flow, "new").where == "waits for people at review"
    flow.script["check"] = lambda case: {}
    offer(flow, "asked")
    assert told(flow, "asked").where == "waits for the requester at answer"
    flow.script["check"] = lambda case: 1 / 0
    offer(flow, "bad")
    assert told(flow, "bad").where == "check failed 1 times and is tried again"
    for _ in range(3):
        flow.clock.advance(hours=1)
        flow.engine.sweep()
    assert told(flow, "bad").where == "is among the dead letters at check"
    with flow.engine.connect() as connection:
        casework.cancel(connection, "asked", by="ann", reason="withdrawn", at=flow.clock())
    flow.sweep()
    assert told(flow, "asked").where == "cancelled: withdrawn"
    decide(flow, "ann")
    assert told(flow, "new").where == "ended: done"
    assert told(flow, "new").outcome == "done"


def test_the_timeline_tells_everything_in_order(flow: Flow) -> None:
    """Submission, steps, hands, decisions, effects, incidents, notices and clocks."""
    flow.script["check"] = lambda case: {"ok": True}
    offer(flow)
    with flow.engine.connect() as connection:
        task = reviews.open_tasks(connection)[0].task
        hands.claim(connection, [task], person="ann", at=flow.clock())
        flow.clock.advance(minutes=1)
        hands.release(connection, [task], person="ann", at=flow.clock())
        connection.execute(
            "INSERT INTO incident (workflow, case_id, element, kind, reason, owner, opened_at) "
            "SELECT 'flow', id, 'review', 'nobody may decide', 'too few', 'tests', %s FROM cases",
            (flow.clock(),),
        )
        connection.execute(
            "INSERT INTO notification (key, workflow, person, kind, case_id, text, made_at, next_at) "
            "SELECT 'k', 'flow', 'ann', 'reminder', id, 'task 1 is due', %(at)s, %(at)s FROM cases",
            {"at": flow.clock()},
        )
    flow.clock.advance(minutes=1)
    decide(flow, "bob", edits={"purpose": "tiles"})
    entries = told(flow).timeline
    assert [(entry.who, entry.words) for entry in entries] == [
        ("broker", "submitted the case in march.csv"),
        ("", "check: done, then review"),
        ("ann", "took the task at review"),
        ("", "incident at review: nobody may decide"),
        ("", "notice to ann (reminder), pending"),
        ("ann", "gave back the task at review"),
        ("bob", "signed at review: approved"),
        ("", "review: approved by bob, then commit"),
        ("", "commit: done, then done"),
    ]
    assert entries[3].more == ("too few",)
    assert entries[6].more == ("What for is now tiles", "so it is")
    assert entries[8].more == ("outside, at the bank: done",)


def test_the_runs_that_worked_on_a_case_are_told(flow: Flow) -> None:
    """Each once, with the steps that it saw to, each once."""
    flow.script["check"] = lambda case: {"ok": True}
    offer(flow)
    decide(flow, "ann", "return")
    decide(flow, "bob")
    runs = told(flow).runs
    assert [run.steps for run in runs] == [("check", "review", "commit")]
    assert runs[0].id == flow.one("SELECT DISTINCT run FROM sweeper")


def test_what_the_sheet_does_not_name_is_shown_beside_it(flow: Flow) -> None:
    """Each part of a derived value under its way."""
    flow.script["check"] = lambda case: {"ok": True}
    offer(flow)
    decide(flow, "bob")
    others = {line.fact.name: line.value for line in told(flow).others}
    assert others["review.outcome"] == "approve"


def test_nobody_is_told_of_a_case_that_they_do_not_see(flow: Flow) -> None:
    """No dossier for them, neither by the case nor by its task."""
    flow.script["check"] = lambda case: {"ok": True}
    offer(flow)
    with flow.engine.connect() as connection:
        connection.execute("INSERT INTO reviewer (person, roles) VALUES ('otto', '{clerk}')")
        number = flow.one("SELECT id FROM cases")
        task = reviews.open_tasks(connection)[0].task
        assert dossier.of_case(connection, number, "otto") is None
        assert dossier.of_task(connection, task, "otto") is None
        assert dossier.of_task(connection, task + 99, "ann") is None
        assert dossier.of_case(connection, number, "ann") is not None


def test_what_a_page_reads_of_a_case_is_found_by_its_number(flow: Flow) -> None:
    """Every statement walks an index: none reads through a table that grows with the cases."""
    offer(flow)
    given: dict[str, Any] = {"case": 1, "limit": 10}
    statements: list[tuple[str, Any]] = [
        (casefile._HEAD, (1,)),
        (casefile._TASKS, (1,)),
        (casefile._DECIDED, (1,)),
        (casefile._TIMELINE, given),
    ]
    with flow.engine.connect() as connection:
        connection.execute("SET enable_seqscan = off")
        for statement, parameters in statements:
            plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}", parameters))
            assert "Seq Scan" not in plan, plan
