"""How a workflow stands: each line is good until something breaks it, and says who must be asked."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from orchestration_pipelines.engine import holds, quality
from orchestration_pipelines.engine.report.executive import Executive, Stands, executive
from orchestration_pipelines.engine.report.flow import flow_report
from orchestration_pipelines_tests.engine.blind import blind_flow
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow


def _status(flow: Flow, **own: list[str]) -> Executive:
    with flow.engine.connect() as connection:
        report = flow_report(connection, "flow", flow.clock())
        return executive(connection, report, flow.clock(), own)


def _stands(status: Executive) -> dict[str, Stands]:
    return {line.topic: line.stands for line in status.lines}


def _says(status: Executive, topic: str) -> str:
    return next(line.says for line in status.lines if line.topic == topic)


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """One case that a rule approved and closed, and one that waits for a senior; the policy asks for quality."""
    flow = blind_flow(draw)
    flow.submit("a")
    flow.submit("b", amount=500)
    flow.sweep()
    return flow


def test_what_is_sound_is_good_and_too_little_known_is_to_be_looked_at(flow: Flow) -> None:
    """Nobody owes anything; of the automation too few reviews are in."""
    with flow.engine.connect() as connection:
        asked = quality.asked_for(connection, "flow")
        assert asked is not None
        quality.draw_due(connection, flow.engine.workflow, asked, flow.clock())
    status = _status(flow, books_balance=[])
    assert _stands(status) == {
        "Flow": Stands.GOOD,
        "Promises": Stands.GOOD,
        "Automation": Stands.LOOK,
        "Incidents": Stands.GOOD,
        "Machines": Stands.GOOD,
        "Integrity": Stands.GOOD,
    }
    assert _says(status, "Flow").startswith("2 came, 1 closed, 1 are under way; half within")
    said = _says(status, "Automation")
    assert said == "0 of 1 rules are within their limits; r1 stands worst: below 100.0%, and the limit is 30.0%"
    assert "9 rules hold" in _says(status, "Integrity")
    assert status.owners == []
    assert set(status.numbers.values()) == {0, 1}


def _late(flow: Flow) -> None:
    _owner(flow, "UPDATE review_task SET due_at = opened_at")
    flow.clock.advance(hours=2)


def _incident(flow: Flow) -> None:
    _owner(
        flow,
        "INSERT INTO incident (workflow, kind, reason, owner, opened_at) "
        f"VALUES ('flow', 'no branch', '?', 'ops', '{flow.clock().isoformat()}')",
    )


def _hold(flow: Flow) -> None:
    with flow.engine.connect() as connection:
        holds.hold(connection, "flow", "commit", by="mara", reason="an audit", at=flow.clock())


def _fallen(flow: Flow) -> None:
    _owner(
        flow,
        "INSERT INTO quality_fallback (workflow, cell, since, reason, opened_by) "
        f"VALUES ('flow', 'r1', '{flow.clock().isoformat()}', 'people disagreed', 'check')",
    )


def _orphaned(flow: Flow) -> None:
    _owner(flow, "UPDATE token SET status = 'ready' WHERE status = 'waiting'")


def _owner(flow: Flow, statement: str) -> None:
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(statement.encode())


BREAKS: dict[str, tuple[Callable[[Flow], None], str, Stands, str]] = {
    "late": (_late, "Promises", Stands.ACT, "1 open task is past due"),
    "an incident": (_incident, "Incidents", Stands.ACT, "1 waits to be mended, the oldest since 2026-03-02 09:00"),
    "a hold": (_hold, "Machines", Stands.LOOK, "commit is held by mara: an audit"),
    "a cell with people": (_fallen, "Automation", Stands.ACT, "with people: r1"),
    "an orphaned task": (_orphaned, "Integrity", Stands.ACT, "no_orphaned_task: case 2: task"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_is_said_on_its_line(flow: Flow, what: str) -> None:
    """By whom it must be mended is said, too."""
    break_it, topic, stands, words = BREAKS[what]
    break_it(flow)
    status = _status(flow)
    assert _stands(status)[topic] is stands
    assert words in _says(status, topic)
    owed = [(owed.owner, owed.late_tasks, owed.to_mend) for owed in status.owners]
    assert owed == {"late": [("tests", 1, 0)], "an incident": [("ops", 0, 1)]}.get(what, [])


def test_a_check_that_the_workflow_brings_counts_like_ours(flow: Flow) -> None:
    """What it found is said in its words."""
    status = _status(flow, books_balance=["the ledger is off by 3"])
    assert _stands(status)["Integrity"] is Stands.ACT
    assert "1 of 9 rules are broken: books_balance: the ledger is off by 3" in _says(status, "Integrity")
