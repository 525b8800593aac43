"""The BPMN reader: each kind of the profile is read, and everything else is refused by id and reason."""

from __future__ import annotations

import keyword
import re

import dagster._core.definitions.utils as dagster_names
import pytest

from orchestration_pipelines.model import checks
from orchestration_pipelines.model.bpmn import ModelRefused, loads, profile, template
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines_tests.conftest import shared
from orchestration_pipelines_tests.drawing import drawing
from orchestration_pipelines_tests.model.bpmn import SMALL, file, read, refusal

_MIWG = ("A.1.0", "A.2.0", "A.2.1", "A.3.0", "A.4.0", "A.4.1", "B.1.0", "B.2.0")

WHOLE = drawing(
    "service check undone by uncheck",
    "user review orch:queue=reviews",
    "rule grade",
    "throw undo only check",
    "end over",
    "end_error failed LIMIT",
    "received -> check -> grade -> review -> gate",
    "gate -> undo if grade = 1",
    "gate -> failed default",
    "undo -> over",
    "timer late on review P3D -> over",
    "error refused on check LIMIT -> over",
)


def test_each_kind_of_the_profile_is_read() -> None:
    """A drawing of them all, with what belongs to each."""
    process = read(WHOLE)
    kinds = {element.kind for element in process.elements.values()}
    assert kinds == set(Kind) - {Kind.END_TERMINATE, Kind.END_COMPENSATION}
    assert process.elements["refused"].error_code == "LIMIT"
    assert process.elements["check_undo"].handler == "uncheck"
    assert process.elements["undo"].compensates == "check"
    late = process.elements["late"].timer
    assert late is not None and (late.kind, late.text) == ("duration", "P3D")


@pytest.mark.parametrize(("definition", "kind"), [(d, k) for d, k in profile.END_EVENTS.items() if d])
def test_each_end_event_is_read(definition: str, kind: Kind) -> None:
    """End events differ by their definition."""
    undoable = (
        '<boundaryEvent id="undo" attachedToRef="check"><compensateEventDefinition/></boundaryEvent>'
        '<serviceTask id="uncheck" isForCompensation="true"/><association sourceRef="undo" targetRef="uncheck"/>'
    )
    body = SMALL.replace('<endEvent id="over"/>', f'<endEvent id="over"><{definition}/></endEvent>') + undoable
    assert read(file(body)).elements["over"].kind is kind


@pytest.mark.parametrize("kind", [*profile.REFUSED, "choreographyTask", "inventedTask"])
def test_an_element_outside_the_profile_is_refused(kind: str) -> None:
    """By its id, its name and what to use instead."""
    said = refusal(file(SMALL + f'<{kind} id="odd" name="An odd one"/>'))
    assert f"odd (An odd one): a {kind} is refused" in said
    assert str(profile.REFUSED.get(kind, "")) in said


@pytest.mark.parametrize("definition", ["timer", "message", "signal", "conditional"])
def test_a_start_event_with_a_definition_is_refused(definition: str) -> None:
    """Cases come by submitting."""
    start = f'<startEvent id="received"><{definition}EventDefinition/></startEvent>'
    assert "received: a start event with" in refusal(file(SMALL.replace('<startEvent id="received"/>', start)))


def _with(task: str = "", flow: str = "", more: str = "") -> str:
    body = SMALL.replace('<serviceTask id="check"/>', f'<serviceTask id="check" {task}/>')
    return body.replace('targetRef="over"/>', f'targetRef="over">{flow}</sequenceFlow>') + more


_BOUNDARY = (
    '<boundaryEvent id="b" attachedToRef="check"{}>{}</boundaryEvent>'
    '<sequenceFlow id="f3" sourceRef="b" targetRef="over"/>'
)
#: drawings that would open and do less than they show, and what the refusal says
LEFTOVERS = {
    "start quantity": (file(_with('startQuantity="3"')), "check: startQuantity='3'"),
    "completion quantity": (file(_with('completionQuantity="2"')), "check: completionQuantity"),
    "an unknown attribute": (file(_with('retries="3"')), "check: the attribute retries"),
    "a default on a task": (file(_with('default="f2"')), "check: a default flow means something at"),
    "an unknown setting of ours": (file(_with('orch:requireApproval="true"')), "check: orch:requireApproval means"),
    "a flag that is neither": (file(_with('orch:requiresApproval="yes"')), "check: orch:requiresApproval is 'yes'"),
    "our element, unread": (
        file(
            SMALL.replace(
                '<serviceTask id="check"/>',
                '<serviceTask id="check"><extensionElements><orch:owner/></extensionElements></serviceTask>',
            )
        ),
        "check: orch:owner stands in extensionElements",
    ),
    "several instances": (
        file(
            SMALL.replace(
                '<serviceTask id="check"/>', '<serviceTask id="check"><multiInstanceLoopCharacteristics/></serviceTask>'
            )
        ),
        "check: multiInstanceLoopCharacteristics is refused",
    ),
    "a data mapping": (
        file(
            SMALL.replace(
                '<serviceTask id="check"/>',
                '<serviceTask id="check"><dataInputAssociation><assignment/></dataInputAssociation></serviceTask>',
            )
        ),
        "check: a data assignment",
    ),
    "no id": (file(SMALL + "<serviceTask/>"), "a serviceTask without an id: it has no id"),
    "an id twice": (file(SMALL + '<serviceTask id="check"/>'), "check: two elements have this id"),
    "two definitions": (
        file(SMALL + _BOUNDARY.format("", "<errorEventDefinition/><timerEventDefinition/>")),
        "b: this boundary event is refused",
    ),
    "an escalation": (
        file(SMALL + _BOUNDARY.format("", "<escalationEventDefinition/>")),
        "b: this boundary event is refused",
    ),
    "an error that does not interrupt": (
        file(SMALL + _BOUNDARY.format(' cancelActivity="false"', "<errorEventDefinition/>")),
        "b: an error always",
    ),
    "a parallel multiple": (
        file(SMALL + _BOUNDARY.format(' parallelMultiple="true"', "<errorEventDefinition/>")),
        "b: parallelMultiple",
    ),
    "an error nobody declared": (
        file(SMALL + _BOUNDARY.format("", '<errorEventDefinition errorRef="e"/>')),
        "b: it names the error 'e'",
    ),
    "another language": (
        file(_with(flow='<conditionExpression language="http://www.w3.org/1999/XPath">a</conditionExpression>')),
        "f2: its condition 'a' is not FEEL",
    ),
    "another language for all": (
        file(_with(flow="<conditionExpression>a</conditionExpression>"), root='expressionLanguage="XPath"'),
        "f2: its condition 'a' is not FEEL",
    ),
    "a dollar expression": (
        file(_with(flow="<conditionExpression>${a}</conditionExpression>")),
        "f2: its condition '${a}' is not FEEL",
    ),
    "an empty condition": (file(_with(flow="<conditionExpression/>")), "f2: its condition is empty"),
    "a message flow": (
        file(beside='<collaboration id="c"><participant id="a"/><messageFlow id="m"/></collaboration>'),
        "m: a message",
    ),
    "a conversation": (
        file(beside='<collaboration id="c"><subConversation id="talk"/></collaboration>'),
        "talk: a subConversation",
    ),
    "a choreography": (file(beside='<choreography id="dance"/>'), "dance: a choreography beside"),
    "many participants": (
        file(
            beside='<collaboration id="c"><participant id="a"><participantMultiplicity/></participant></collaboration>'
        ),
        "participantMultiplicity",
    ),
    "two processes that run": (file(beside='<process id="q" isExecutable="1"/>'), "of: q, p"),
    "a throw that does not wait": (
        file(
            SMALL + '<intermediateThrowEvent id="t"><compensateEventDefinition waitForCompletion="false"/>'
            "</intermediateThrowEvent>"
        ),
        "t: waitForCompletion='false'",
    ),
}


@pytest.mark.parametrize("case", LEFTOVERS)
def test_nothing_that_is_drawn_is_passed_over(case: str) -> None:
    """What has no meaning here is refused: a drawing that does less than it shows is the worst failure."""
    content, reason = LEFTOVERS[case]
    assert reason in refusal(content)


def test_the_small_file_itself_is_read() -> None:
    """So that each refusal above is for what was added."""
    assert len(read(file()).elements) == 3
    assert read(file(SMALL + '<textAnnotation id="n"/><association id="a" sourceRef="check" targetRef="n"/>'))
    assert read(template("mine", 'a "quoted" & owner')).extra["owner"] == 'a "quoted" & owner'


def test_a_note_at_a_compensation_event_is_not_its_handler() -> None:
    """Associations lead to annotations too."""
    note = b'<textAnnotation id="n"/><association id="z" sourceRef="check_undo" targetRef="n"/></process>'
    assert read(WHOLE.replace(b"</process>", note)).elements["check_undo"].handler == "uncheck"


@pytest.mark.parametrize(
    ("timer", "is_read"),
    [
        ("<timeDuration>P1M</timeDuration>", True),
        ("<timeDuration>=wait</timeDuration>", True),
        ("<timeDate>2026-03-01T09:00:00+01:00</timeDate>", True),
        ("<timeDate>2026-03-01T09:00:00</timeDate>", False),
        ("<timeDate>P3D</timeDate>", False),
        ("<timeDuration>2026-03-01T09:00:00Z</timeDuration>", False),
        ("<timeDuration>three days</timeDuration>", False),
        ("<timeDuration>P9999999999D</timeDuration>", False),
        ("<timeCycle>R/P1D</timeCycle>", False),
        ("<timeDate>2026-03-01T09:00:00Z</timeDate><timeDuration>P1D</timeDuration>", False),
        ("", False),
    ],
)
def test_a_timer_is_exactly_one_duration_or_instant(timer: str, is_read: bool) -> None:
    """Each of its kind; with a zone, within the calendar."""
    content = WHOLE.replace(b"<timeDuration>P3D</timeDuration>", timer.encode())
    if is_read:
        assert read(content)
    else:
        assert "late: " in refusal(content)


@pytest.mark.parametrize("name", _MIWG)
def test_each_interchange_file_is_read_or_refused_by_id(name: str) -> None:
    """As it is, and with each of its processes made to run: never a crash, each reason names an element."""
    content = shared("vectors", "bpmn-miwg", f"{name}.bpmn").read_bytes()
    dormant = re.sub(rb' isExecutable="\w+"', b"", content)
    openings = list(re.finditer(rb"<(\w+:)?process\b", dormant))
    ids = set(re.findall(rb'\bid="([^"]+)"', content))
    for opening in openings:
        runs = dormant[: opening.end()] + b' isExecutable="true"' + dormant[opening.end() :]
        for variant in (content, runs):
            try:
                assert loads(variant, name).elements
            except ModelRefused as error:
                assert error.problems
                for problem in error.problems:
                    assert any(known.decode() in problem for known in ids) or "without an id" in problem, problem


def test_ids_that_dagster_keeps_for_itself_are_reserved() -> None:
    """A step named so would fail deep in Dagster, with no element's name."""
    assert {name for name in dagster_names.DISALLOWED_NAMES if not keyword.iskeyword(name)} <= checks.RESERVED
