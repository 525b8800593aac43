"""Carrying a chunk on is only faster: what becomes of the cases is the same without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from orchestration_pipelines.engine.carrying import Carrier
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS, drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

#: everything at once: an error boundary, a branch that may be missing, a loop, an effect, a review, a saga
WIDE = (
    "service check",
    "service tell",
    "service reserve undone by release",
    "service commit undone by uncommit",
    "user review orch:queue=reviews orch:approves=true",
    "throw undo_all",
    "end done",
    "end small",
    "end undone",
    "received -> check -> size",
    "size -> tell if amount > 10",
    "size -> small if amount > 5",
    "tell -> reserve -> which",
    "which -> commit if amount < 60",
    "which -> review default",
    "review -> undo_all",
    "undo_all -> undone",
    "commit -> done",
    "error odd on tell ODD -> undo_all",
    "timer late on review P1D -> undo_all",
)


def run(flow: Flow, carry: bool, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Many cases through everything, with carrying or without; what became of each, and of the outside."""
    odd = flow.error("ODD")

    def tell(case: Any) -> dict[str, Any]:
        if case["amount"] % 7 == 0:
            raise odd
        if case["amount"] % 11 == 0 and case.attempt < 3:
            raise OSError("not now")
        if case["amount"] % 13 == 0:
            raise OSError("never")
        return {"told": case["amount"] + 1}

    flow.script["tell"] = tell
    flow.script["check"] = lambda case: {"ok": case["amount"] % 2 == 0}
    with monkeypatch.context() as patch:
        if not carry:
            patch.setattr(Carrier, "carries", lambda self, source, target: False)
        for amount in range(1, 90):
            flow.submit(f"K{amount}", amount=amount)
        for _ in range(5):
            flow.sweep()
            flow.clock.advance(hours=10)
    told = "SELECT c.case_key, c.state, c.outcome, c.variables - 'receipt', c.visits, c.audit_seq, c.approval"
    return {
        "cases": flow.rows(f"{told} FROM cases c ORDER BY 1"),
        "tokens": flow.standing(),
        "activities": flow.rows(
            "SELECT c.case_key, a.visit, a.element, a.outcome, a.attempt FROM activity a "
            "JOIN cases c ON c.id = a.case_id ORDER BY 1, 2"
        ),
        "effects": flow.effects(),
        "sagas": flow.rows(
            "SELECT c.case_key, s.activity, s.visit, s.status FROM compensation s JOIN cases c ON c.id = s.case_id "
            "ORDER BY 1, 3"
        ),
        "letters": flow.letters(),
        "attempts": flow.rows("SELECT attempts FROM dead_letter ORDER BY case_id"),
        "incidents": sorted(flow.incidents()),
        "record": flow.rows(
            "SELECT c.case_key, t.act, t.record, b ->> 'element', b ->> 'to', b ->> 'attempt' FROM audit_trail t "
            "JOIN cases c ON c.id = t.case_id ORDER BY 1, seq"
        ),
        "outside": sorted(flow.bank.kept),
        "broken": flow.broken_records(),
    }


@pytest.fixture
def two(tmp_path: Path, server: EmbeddedServer, migrated: str) -> Iterator[list[Flow]]:
    """The same workflow on two fresh databases."""
    flows: list[Flow] = []
    with psycopg.connect(server.url("postgres"), autocommit=True) as owner:
        names = [f"carry_{uuid4().hex[:8]}" for _ in range(2)]
        for number, name in enumerate(names):
            owner.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(migrated))
            )
            folder = workflow_folder(tmp_path / f"side_{number}", drawing(*WIDE), WORKERS, DEFAULT_SETTINGS)
            clock = SetClock()
            flows.append(Flow(Engine(server.url(name), load_workflow(folder), clock=clock), clock))
        yield flows
        for name in names:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_carried_or_not_the_cases_end_alike(two: list[Flow], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends, ways, attempts, effects, sagas, letters, incidents and the record itself are the same."""
    carried, set_down = (run(flow, carry, monkeypatch) for flow, carry in zip(two, (True, False), strict=True))
    for what in carried:
        assert carried[what] == set_down[what], what
    assert carried["letters"]
    assert carried["incidents"]
    assert {outcome for _, _, outcome, *_ in carried["cases"]} == {"done", "small", "undone", None}
