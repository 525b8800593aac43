"""By which flows a case came: what is certain is on the trail, and nothing else."""

from __future__ import annotations

from orchestration_pipelines.model.process import Process
from orchestration_pipelines.model.trail import Stop, trail
from orchestration_pipelines_tests.drawing import drawing
from orchestration_pipelines_tests.model.bpmn import read

FLOW = drawing(
    "service check",
    "user review orch:queue=reviews",
    "service reserve undone by release",
    "throw undo_all",
    "end done",
    "end rejected",
    "received -> check -> review -> gate",
    'gate -> second if review.outcome = "approve"',
    'gate -> check if review.outcome = "return"',
    "gate -> rejected default",
    "second -> reserve if amount > 5",
    "second -> third default",
    "third -> reserve if amount > 1",
    "third -> rejected default",
    "reserve -> done",
    "timer late on review P3D -> undo_all",
    "error refused on reserve LIMIT -> undo_all",
    "error any on check -> rejected",
    "undo_all -> rejected",
)
PROCESS = read(FLOW)


def _flows(process: Process, *ends: tuple[str, str]) -> set[str]:
    return {flow.id for flow in process.flows if (flow.source, flow.target) in ends}


def test_a_case_that_has_just_begun() -> None:
    """Its way from the start is known."""
    gone = trail(PROCESS, [], "check")
    assert gone.elements == ("received",)
    assert gone.flows == _flows(PROCESS, ("received", "check"))


def test_gateways_between_are_passed() -> None:
    """A case sent back went by the gateway, twice over the same step."""
    gone = trail(PROCESS, [Stop("check", "completed"), Stop("review", "return"), Stop("check", "completed")], "review")
    assert gone.elements == ("received", "check", "review", "gate", "check")
    assert gone.flows == _flows(
        PROCESS, ("received", "check"), ("check", "review"), ("review", "gate"), ("gate", "check")
    )


def test_what_is_not_certain_is_left_out() -> None:
    """Two ways lead through the gateways to one step: what both have is on the trail."""
    gone = trail(PROCESS, [Stop("check", "completed"), Stop("review", "approve")], "reserve")
    assert gone.elements == ("received", "check", "review", "gate", "second")
    taken = _flows(PROCESS, ("review", "gate"), ("gate", "second"))
    assert taken <= gone.flows
    assert not gone.flows & _flows(PROCESS, ("second", "reserve"), ("second", "third"), ("third", "reserve"))


def test_boundary_events_are_passed() -> None:
    """The timer that fired, the error that was thrown, or the event that takes any."""
    late = trail(PROCESS, [Stop("check", "completed"), Stop("review", "timer:late")], "undo_all")
    assert late.elements[-2:] == ("review", "late")
    assert _flows(PROCESS, ("late", "undo_all")) <= late.flows
    refused = trail(PROCESS, [Stop("check", "completed"), Stop("reserve", "error:LIMIT")], "undo_all")
    assert refused.elements[-2:] == ("reserve", "refused")
    other = trail(PROCESS, [Stop("check", "error:ELSE")], "rejected")
    assert other.elements[-2:] == ("check", "any")
    assert _flows(PROCESS, ("any", "rejected")) <= other.flows


def test_what_no_flow_explains_has_none() -> None:
    """A handler is called, not led to; a cancelled visit leads nowhere; another version's elements are unknown."""
    stops = [Stop("reserve", "completed"), Stop("undo_all", "completed"), Stop("release", "completed")]
    gone = trail(PROCESS, [*stops, Stop("undo_all", "completed")], "rejected")
    assert gone.elements[-4:] == ("reserve", "undo_all", "release", "undo_all")
    assert _flows(PROCESS, ("undo_all", "rejected")) <= gone.flows
    cancelled = trail(PROCESS, [Stop("check", "cancelled")], "cancellation")
    assert cancelled.flows == _flows(PROCESS, ("received", "check"))
    assert trail(PROCESS, [Stop("gone", "completed")], "check").elements == ("received",)
