"""Decided cases that are like one: how likeness is measured, among which cases, and what it never looks at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine import dossier, likeness
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.likeness import Likenesses
from orchestration_pipelines.store import casefile, similar
from orchestration_pipelines_tests.drawing import DEFAULT_SETTINGS
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow

REVIEWED = (
    "user review orch:queue=reviews",
    "end done",
    "received -> review -> done",
    "timer late on review P3D -> done",
)
SETTINGS = DEFAULT_SETTINGS.replace(
    "fields: {amount: number}",
    'fields: {amount: number, kind: "number?", urgent: "flag?", purpose: "text?"}, withheld: {protected: [origin]}',
) + ("facts: {A: {amount: {label: Amount, unit: $}, kind: {values: {1: house, 2: flat}}, urgent: Urgent}}\n")


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Everything is decided by a person."""
    return draw(*REVIEWED, settings=SETTINGS)


def offer(flow: Flow, *keys: str, decided: bool = True, **columns: Any) -> None:
    rows = [Row(number, {"case_key": key, **columns}) for number, key in enumerate(keys, 1)]
    flow.engine.submit(rows, requested_by="broker", source="s")
    flow.sweep()
    if decided:
        for key in keys:
            flow.decide(key)
        flow.sweep()


def alike(flow: Flow, key: str) -> Likenesses:
    with flow.engine.connect() as connection:
        head = casefile.head(connection, int(flow.one("SELECT id FROM cases WHERE case_key = %s", key)))
        assert head is not None
        sheet = dossier.sheet_of(connection, "flow")
        rows = likeness.rows_of(connection, head, sheet)
    return likeness.told(rows, head, sheet, str, [row.case_id for row in rows])


def test_likeness_is_the_mean_over_what_both_have(flow: Flow) -> None:
    """A number by its distance against the spread, a code and a flag by being the same (Gower)."""
    rows = [Row(n, {"case_key": f"n{n}", "amount": n * 100, "kind": 1, "urgent": True}) for n in range(10)]
    flow.engine.submit(rows, requested_by="broker", source="s")
    flow.sweep()
    for number in range(10):
        flow.decide(f"n{number}")
    offer(flow, "same", amount=300, kind=2, urgent=True)
    offer(flow, "other", amount=300, kind=1, urgent=False)
    offer(flow, "A", decided=False, amount=300, kind=2, urgent=True)
    found = {one.key: one.percent for one in alike(flow, "A").found}
    assert found["same"] == 100
    assert found["n3"] == 66  # another code
    assert found["n2"] == int(100 * (1 - 100 / 900 + 0 + 1) / 3)
    assert "other" not in found  # another code, another flag: five others are nearer
    assert alike(flow, "A").candidates == 12
    assert alike(flow, "A").measured == ("Amount", "kind", "Urgent")


def test_differences_are_told_the_largest_first(flow: Flow) -> None:
    """Theirs and ours, in words and units; what is the same is not told."""
    offer(flow, "other", amount=300, kind=1, urgent=True)
    offer(flow, "A", decided=False, amount=400, kind=2, urgent=True)
    assert alike(flow, "A").found[0].differs == (("kind", "house", "flat"), ("Amount", "$300", "$400"))


def test_a_case_that_has_little_in_common_is_not_compared(flow: Flow) -> None:
    """Fewer than half of the facts: no figure is better than one that says nothing."""
    offer(flow, "bare", amount=300)
    offer(flow, "A", decided=False, amount=300, kind=2, urgent=True)
    assert alike(flow, "A").found == ()


def test_what_was_withheld_counts_for_nothing(flow: Flow) -> None:
    """Two cases that differ in a protected attribute alone are the same: it is not in a case."""
    offer(flow, "theirs", amount=300, kind=1, urgent=True, origin="a")
    offer(flow, "A", decided=False, amount=300, kind=1, urgent=True, origin="b")
    (one,) = alike(flow, "A").found
    assert (one.percent, one.compared, one.differs) == (100, 3, ())


def test_cases_that_are_open_or_looked_at_again_are_none_to_compare_with(flow: Flow) -> None:
    """One that waits has no end; one under a quality review has none that anybody is shown."""
    offer(flow, "open", decided=False, amount=300, kind=1, urgent=True)
    offer(flow, "again", amount=300, kind=1, urgent=True)
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "INSERT INTO review_task (kind, case_id, workflow, element, visit, signature, signatures, queue, question, "
            "editable, digest, opened_at, lane, order_key, requested_by) "
            "SELECT 'quality', id, 'flow', 'review', 9, 1, 1, 'reviews', '?', '{}', 'd', now(), 1, now(), 'broker' "
            "FROM cases WHERE case_key = 'again'"
        )
    offer(flow, "A", decided=False, amount=300, kind=1, urgent=True)
    assert alike(flow, "A").found == ()


def test_a_value_that_is_no_number_breaks_nothing(flow: Flow) -> None:
    """What a step wrote over a column may be anything."""
    offer(flow, "odd", amount=300, kind=1, urgent=True)
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("""UPDATE cases SET variables = variables || '{"amount": "many"}'""")
    offer(flow, "A", decided=False, amount=300, kind=1, urgent=True)
    (one,) = alike(flow, "A").found
    assert one.percent == 66


@pytest.fixture
def many(flow: Flow) -> Iterator[psycopg.Connection]:
    """60,000 decided cases more, which are made up."""
    offer(flow, "A", decided=False, amount=300, kind=1, urgent=True)
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("""
            INSERT INTO cases (workflow, version_id, case_key, state, outcome, requested_by, payload_digest, variables,
                               visits, audit_seq, audit_head, submitted_at, closed_at)
            SELECT 'flow', 1, 'x' || n, 'closed', 'done', 'broker', '',
                   jsonb_build_object('amount', n % 997, 'kind', n % 3, 'urgent', n % 2 = 0), 1, 1, '', now(), now()
            FROM generate_series(1, 60000) n""")
        owner.execute(
            "INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, status, queue, "
            "question, editable, digest, opened_at, ended_at, lane, order_key, requested_by) "
            "SELECT id, 'flow', 'review', 1, 1, 1, 'decided', 'reviews', '?', '{}', 'd', now(), "
            "now() + id * interval '1 ms', 1, now(), 'broker' FROM cases WHERE case_key LIKE 'x%'"
        )
        owner.execute("ANALYZE cases, review_task")
    with flow.engine.connect() as connection:
        yield connection


def test_however_many_cases_there_are_so_many_are_looked_at(many: psycopg.Connection) -> None:
    """The candidates come by an index and their cases by theirs: no table is read through."""
    row = many.execute("SELECT id FROM cases WHERE case_key = 'A'").fetchone()
    assert row is not None
    asked = {
        "case": row[0],
        "workflow": "flow",
        "name": ["amount", "kind", "urgent"],
        "kind": ["number", "code", "code"],
        "limit": 5,
        "looked_through": similar.LOOKED_THROUGH,
    }
    plan = "\n".join(line for (line,) in many.execute(f"EXPLAIN {similar._ALIKE}", asked))
    assert "review_task_decided" in plan
    assert "Seq Scan on cases" not in plan
    assert "Seq Scan on review_task" not in plan
    found = similar.alike(many, row[0], "flow", [("amount", "number"), ("kind", "code"), ("urgent", "code")], 5)
    assert found[0].candidates == similar.LOOKED_THROUGH
