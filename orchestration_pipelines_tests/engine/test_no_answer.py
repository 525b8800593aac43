"""A decision without an answer is a person's: as the drawing says, or as an incident; no default flow takes it on."""

from __future__ import annotations

import pytest

from orchestration_pipelines.engine import incidents
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.test_releases import BOB, GRADED, approve, propose
from orchestration_pipelines_tests.tables import table

GAP = table(("< 100", '"auto"', "1"), ("> 100", '"review"', "1"))
NOTHING_COLLECTED = GAP.replace('"UNIQUE"', '"COLLECT"')
VIOLATED = table(("<= 100", '"auto"', "1"), (">= 100", '"review"', "1"))
WHOLE = table(("< 100", '"auto"', "1"), (">= 100", '"review"', "1"))
#: with the default way, which a machine takes, at the end
LOOSE_ENDED = (*GRADED[:-2], 'which -> held if grid.route = "review"', "which -> passed default")
REVIEWED = (
    'rule grid "orch:otherwise=={route: \\"review\\", signatures: 2, queue: \\"seniors\\", reason: no_answer}" '
    '"orch:approvedWhen==grid.route = \\"auto\\""',
    "user review orch:queue==grid.queue orch:signatures==grid.signatures orch:approves=true",
    "service commit orch:requiresApproval=true",
    "end done",
    "end rejected",
    "received -> grid -> which",
    'which -> review if grid.route = "review"',
    "which -> commit default",
    "review -> agreed",
    'agreed -> commit if review.outcome = "approve"',
    "agreed -> rejected default",
    "commit -> done",
    "timer late on review P3D -> rejected",
)


@pytest.mark.parametrize(("grid", "why"), [(GAP, "no rule matches"), (VIOLATED, "UNIQUE")])
def test_where_the_drawing_says_nothing_it_is_an_incident(draw: Draw, grid: str, why: str) -> None:
    """With the owner and the reason; the default flow is not taken. A release mends it, and the case goes on."""
    flow = draw(*LOOSE_ENDED, grid=grid)
    flow.submit("A", amount=100)
    flow.submit("B", amount=99)
    flow.sweep()
    assert flow.ends() == {"A": None, "B": "passed"}
    assert flow.standing() == {"A": ("grid", "stuck")}
    ((key, element, kind, reason),) = flow.incidents()
    assert (key, element, kind) == ("A", "grid", "no answer")
    assert why in reason
    approve(flow, propose(flow, WHOLE).release.digest, BOB)
    with flow.engine.connect() as connection:
        (number,) = (row[0] for row in flow.rows("SELECT id FROM incident"))
        assert incidents.resolve(connection, number, by="ops", reason="the table has a rule now", at=flow.clock())
    flow.sweep()
    assert flow.ends()["A"] == "held"


@pytest.mark.parametrize(
    ("grid", "why"), [(GAP, "no rule matches"), (NOTHING_COLLECTED, "no rule matches"), (VIOLATED, "UNIQUE")]
)
def test_people_decide_at_the_highest_impact(draw: Draw, grid: str, why: str) -> None:
    """Two seniors are asked and told why; no rule approves, and nothing is committed without them."""
    flow = draw(*REVIEWED, settings=SENIORS, grid=grid)
    flow.submit("A", amount=100)
    flow.sweep()
    assert flow.rows("SELECT queue, signatures, status FROM review_task") == [("seniors", 2, "open")] * 2
    assert why in flow.one("SELECT DISTINCT facts -> 'grid' ->> 'reason' FROM reviewer_table")
    assert any(why in reason for reason in flow.one("SELECT DISTINCT reasons FROM reviewer_table"))
    assert flow.one("SELECT count(*) FROM approval") == 0
    for person in ("cleo", "dora"):
        flow.decide("A", by=person)
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert flow.incidents() == []


SENIORS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
  seniors: {owner: tests, role: senior}
reviewers: {ann: [reviewer], bob: [reviewer], cleo: [reviewer, senior], dora: [senior]}
"""
