"""What a drawing must be: each rule with a drawing that breaks it; one drawing keeps them all."""

from __future__ import annotations

import time

import pytest

from orchestration_pipelines_tests.drawing import drawing
from orchestration_pipelines_tests.model.bpmn import SMALL, file, read, refusal

KEPT = (
    "service check undone by uncheck",
    "user review orch:queue=reviews orch:approves=true",
    "service pay orch:requiresApproval=true",
    "end over",
    "received -> check -> review -> gate",
    'gate -> pay if review.outcome = "approve"',
    "gate -> over default",
    "pay -> over",
    "timer late on review P3D -> over",
    "error refused on check LIMIT -> over",
)


def _without(*left_out: str) -> tuple[str, ...]:
    return tuple(line for line in KEPT if line not in left_out)


def _instead(line: str, *others: str) -> tuple[str, ...]:
    return (*_without(line), *others)


BROKEN = {
    "no deadline": (_without("timer late on review P3D -> over"), "review: a user task without a deadline"),
    "no queue": (_instead(KEPT[1], "user review"), "review: it has no queue"),
    "signatures": (_instead(KEPT[1], "user review orch:queue=reviews orch:signatures=two"), "review: orch:signatures"),
    "fallback": (_instead(KEPT[1], "user review orch:queue=a orch:fallbackQueue=b"), "review: orch:fallbackQueue"),
    "fail open": (_instead(KEPT[8], "timer late on review P3D -> pay"), "late: when time runs out, pay can run"),
    "no condition": ((*KEPT, "gate -> check"), "it leaves the gateway gate without a condition"),
    "not FEEL": (_instead(KEPT[5], "gate -> pay if review.outcome ="), "FEEL: expected an expression"),
    "a function that nobody has": (_instead(KEPT[5], "gate -> pay if grade(x) = 1"), "there is no function 'grade'"),
    "a split": ((*KEPT, "check -> over"), "check: 2 flows leave it"),
    "a condition off a gateway": (_instead("pay -> over", "pay -> over if x"), "pay: a condition on a flow"),
    "no way on": (_without("pay -> over"), "pay: no sequence flow leaves it"),
    "nothing leads there": ((*KEPT, "service lost", "lost -> over"), "lost: no token can reach it"),
    "no way to the end": (_instead("pay -> over", "service a", "pay -> a", "a -> pay"), "a: no way leads from it"),
    "no handler": (_instead(KEPT[0], "service check", "throw undo", "undo -> over"), "undo: it undoes nothing"),
    "undoes what cannot": ((*KEPT, "throw undo only pay", "undo -> over"), "undo: it undoes 'pay'"),
    "an error at a person": ((*KEPT, "error no on review X -> over"), "no: review throws no business error"),
    "the same error twice": ((*KEPT, "error again on check LIMIT -> over"), "again: refused on check catches the same"),
    "a timer on a machine": ((*KEPT, "timer slow on check PT1S -> over"), "slow: a timer on a machine's step"),
    "a reserved id": ((*_instead("pay -> over", "pay -> report -> over"), "service report"), "report: the job has"),
    "a hyphen": (_instead("pay -> over", "service a-b", "pay -> a-b", "a-b -> over"), "a-b: its id must be a name"),
    "a loop of gateways": ((*KEPT, "gate -> g2 if x", "g2 -> gate if y", "g2 -> over default"), "a circle of gateways"),
    "onto a boundary event": ((*KEPT, "late -> refused"), "no sequence flow may enter refused"),
}


def test_a_drawing_that_keeps_every_rule_is_read() -> None:
    """So that each refusal below is for what was changed."""
    assert read(drawing(*KEPT)).elements["gate"].kind == "exclusive"


@pytest.mark.parametrize("rule", BROKEN)
def test_a_drawing_that_breaks_a_rule_is_refused(rule: str) -> None:
    """By the element's id and what to do."""
    lines, reason = BROKEN[rule]
    assert reason in refusal(drawing(*lines))


def test_dangling_ends_are_refused() -> None:
    """Flows and events that point to nothing."""
    assert "f9: it leads from or to 'gone'" in refusal(
        file(SMALL + '<sequenceFlow id="f9" sourceRef="check" targetRef="gone"/>')
    )
    lost = '<boundaryEvent id="b" attachedToRef="gone"><errorEventDefinition/></boundaryEvent>'
    assert "b: it sits on 'gone'" in refusal(file(SMALL + lost))
    conditional = b'sourceRef="gate" targetRef="over"><conditionExpression>x</conditionExpression>'
    asked = drawing(*KEPT).replace(b'sourceRef="gate" targetRef="over">', conditional)
    assert "the default of gate has a condition" in refusal(asked)
    assert "exactly one start event" in refusal(file(SMALL + '<startEvent id="s2"/>'))


@pytest.mark.parametrize("gateways", [20, 200])
def test_ways_that_double_at_each_gateway_are_refused_at_once(gateways: int) -> None:
    """Twenty diamonds in a row are a million ways: counted, not walked."""
    chain = [f"g{n} -> g{n + 1} if x = 1" for n in range(gateways)] + [
        f"g{n} -> g{n + 1} default" for n in range(gateways)
    ]
    ends = [f"g{gateways} -> over default", f"g{gateways} -> over if x"]
    began = time.process_time()
    assert "put a business rule task in their place" in refusal(drawing("end over", "received -> g0", *chain, *ends))
    assert time.process_time() - began < 2


def test_an_enormous_drawing_is_refused_at_once() -> None:
    """Nobody reads it, and nothing here needs to."""
    many = "".join(f'<serviceTask id="t{n}"/>' for n in range(3_000))
    began = time.process_time()
    assert "make several workflows" in refusal(file(SMALL + many))
    assert time.process_time() - began < 2
