"""Where each choice leads, in the words of the drawing; and what the drawing suggests."""

from __future__ import annotations

from decimal import Decimal

from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.options import Option, next_steps, options
from orchestration_pipelines.engine.suggestion import suggested
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.deciding import DECIDING, GRID, SETTINGS, task_of, with_reasons
from orchestration_pipelines_tests.engine.flow import REVIEWED, Flow

ROLES = {"reviews": "reviewer", "seniors": "senior", "requesters": "requester"}


def offered(flow: Flow, key: str = "A") -> dict[str, Option]:
    task = task_of(flow, key)
    with flow.engine.connect() as connection:
        wait = reviews.wait_of(connection, task.task)
    assert wait is not None
    return {option.outcome.value: option for option in options(flow.engine.workflow.process, task, wait, ROLES)}


def test_each_choice_says_where_it_leads(draw: Draw) -> None:
    """To a step, to other people, back to whoever submitted it, to an end; and what was foretold comes to pass."""
    flow = draw(*DECIDING, settings=SETTINGS, grid=GRID)
    flow.submit("A", "B", "C", "D")
    flow.sweep()
    found = offered(flow)
    assert {outcome: option.words for outcome, option in found.items()} == {
        "approve": "commit",
        "reject": "the case ends: rejected",
        "return": "ask (broker)",
        "escalate": "higher (senior)",
    }
    assert [outcome for outcome, option in found.items() if option.goes_up] == ["escalate"]
    assert [outcome for outcome, option in found.items() if option.asks_requester] == ["return"]
    for key, outcome in zip("ABCD", found, strict=True):
        flow.decide(key, outcome=outcome)
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": "rejected", "C": None, "D": None}
    assert flow.standing() == {"C": ("ask", "waiting"), "D": ("higher", "waiting")}
    assert list(offered(flow, "C")) == ["approve", "reject"], "whoever submitted it answers, or declines to"


def test_what_is_undone_on_the_way_is_said(draw: Draw) -> None:
    """A throw is passed to what comes behind it."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    assert offered(flow)["reject"].leads == ("undo what was done", "the case ends: rejected")


def test_a_choice_without_a_way_is_not_offered(draw: Draw) -> None:
    """Behind it would be an incident."""
    flow = draw(
        "user review orch:queue=reviews",
        "end done",
        "end rejected",
        "received -> review -> which",
        'which -> done if review.outcome = "approve"',
        'which -> rejected if review.outcome = "reject"',
        "timer late on review P3D -> rejected",
    )
    flow.submit("A")
    flow.sweep()
    assert list(offered(flow)) == ["approve", "reject"]


def test_a_reason_that_leads_elsewhere_is_a_step_of_its_own(draw: Draw) -> None:
    """A document is requested where the drawing asks for it; what a reason does not change is no step."""
    flow = with_reasons(
        draw(
            "user review orch:queue=reviews",
            'user ask orch:queue=requesters "orch:question=Which document?"',
            "end done",
            "received -> review -> which",
            'which -> ask if review.outcome = "return" and list contains(review.reasons, "no_invoice")',
            "which -> done default",
            "ask -> review",
            "timer late on review P3D -> done",
            "timer latest on ask P3D -> done",
            'user higher orch:queue=seniors "orch:question=Really?"',
            'which -> higher if review.outcome = "escalate"',
            "higher -> done",
            "timer later on higher P3D -> done",
            settings=SETTINGS,
        )
    )
    flow.submit("A")
    flow.sweep()
    task = task_of(flow)
    with flow.engine.connect() as connection:
        wait = reviews.wait_of(connection, task.task)
        named = reviews.offered_reasons(connection, "flow", "review")
    assert wait is not None
    (step,) = next_steps(flow.engine.workflow.process, task, wait, ROLES, named)
    assert (step.reason.code, step.option.outcome, step.option.words) == (
        "no_invoice",
        "return",
        "ask (broker)",
    )


def test_what_is_suggested_can_be_taken_over(draw: Draw) -> None:
    """An outcome, the edits that differ and may be made here, why, and how sure; or nothing."""
    flow = draw(*DECIDING, settings=SETTINGS, grid=GRID)
    review = flow.engine.workflow.process.elements["review"]
    found = suggested(review, {"amount": 50, "note": "as invoiced"})
    assert found is not None
    assert (found.outcome, found.edits, found.because) == ("approve", {"amount": 41}, "the invoice says 41")
    assert found.confidence == Decimal("0.75")
    assert suggested(review, {"amount": 41, "note": "as invoiced"}) is not None
    bare = suggested(review, {"amount": 10, "note": None})
    assert bare is not None
    assert (bare.outcome, bare.edits) == (None, {"amount": 41, "note": "as invoiced"})
    assert suggested(flow.engine.workflow.process.elements["higher"], {"amount": 50}) is None
    odd = draw(
        'user review orch:queue=reviews "orch:suggestion==[amount]"',
        "end done",
        "received -> review -> done",
        "timer late on review P3D -> done",
    )
    assert suggested(load_workflow(odd.engine.workflow.folder).process.elements["review"], {"amount": 1}) is None
