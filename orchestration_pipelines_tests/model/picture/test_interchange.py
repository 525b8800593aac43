"""The interchange of other tools' files is read whole; numbers that make no sense are refused."""

from __future__ import annotations

import math

import pytest

from orchestration_pipelines.model import picture
from orchestration_pipelines.model.bpmn import template
from orchestration_pipelines.model.picture import DiagramRefused
from orchestration_pipelines.model.picture.diagram import Shape
from orchestration_pipelines.model.xml import parse
from orchestration_pipelines_tests.conftest import shared
from orchestration_pipelines_tests.model.bpmn import file

#: reference models of other tools, and how many shapes and edges their pictures have
MIWG = {
    "A.1.0": (5, 4),
    "A.2.0": (8, 9),
    "A.2.1": (8, 11),
    "A.3.0": (10, 8),
    "A.4.0": (20, 15),
    "A.4.1": (22, 15),
    "B.1.0": (34, 29),
    "B.2.0": (99, 87),
}
_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"


@pytest.mark.parametrize("model", MIWG)
def test_every_shape_and_edge_is_read_once(model: str) -> None:
    """In number as the file has them, each with its own element."""
    path = shared("vectors", "bpmn-miwg", f"{model}.bpmn")
    root = parse(path.read_bytes(), path.name)
    assert MIWG[model] == tuple(sum(1 for _ in root.iter(f"{_DI}BPMN{kind}")) for kind in ("Shape", "Edge"))
    drawn = picture.load(path)
    assert (len(drawn.shapes), len(drawn.edges)) == MIWG[model]
    assert len({shape.figure.id for shape in drawn.shapes}) == len(drawn.shapes)


def _shapes(model: str) -> dict[str, Shape]:
    drawn = picture.load(shared("vectors", "bpmn-miwg", f"{model}.bpmn"))
    return {shape.figure.name: shape for shape in drawn.shapes}


def test_what_symbols_need_is_read() -> None:
    """Definitions, markers, what is called, what is open, what interrupts."""
    drawn = _shapes("B.2.0")
    task = drawn["User Task 12 Muti-Inst. Seq."].figure
    assert (task.task, set(task.traits)) == ("user", {"sequential"})
    assert "loop" in drawn["User Task 7 Standard Loop"].figure.traits
    assert drawn["Start Event 1 Timer"].figure.event == "timer"
    assert drawn["End Event 5 Terminate"].figure.event == "terminate"
    assert drawn["Intermediate Event Signal Throw 1"].figure.traits == {"throws"}
    assert drawn["Boundary Intermediate Event Non-Interrupting Timer"].figure.traits == {"non_interrupting"}
    assert drawn["Boundary Intermediate Event Interrupting Error"].figure.traits == set()
    assert drawn["Call Activity calling a Global User Task"].figure.task == "user"
    assert not drawn["Collapsed Sub-Process 2"].is_expanded
    assert drawn["Expanded Sub-Process 1"].is_expanded
    assert drawn["Annotation"].figure.kind == "textAnnotation"
    assert drawn["Data Store Reference"].figure.kind == "dataStoreReference"
    assert drawn["Group"].figure.kind == "group"


_SMALL = template("small", "tests").decode()


@pytest.mark.parametrize("number", ["NaN", "inf", "-1e9", "1e308", "", "12px", "9" * 400])
def test_a_number_that_makes_no_sense_is_refused(number: str) -> None:
    """By the element whose it is."""
    with pytest.raises(DiagramRefused, match=r"theirs\.bpmn: the shape of check: its x is"):
        picture.loads(_SMALL.replace('x="190"', f'x="{number}"', 1).encode(), "theirs.bpmn")
    with pytest.raises(DiagramRefused, match=r"the edge of to_check: its y is"):
        picture.loads(_SMALL.replace('x="136" y="120"', f'x="136" y="{number}"', 1).encode(), "theirs.bpmn")


@pytest.mark.parametrize("width", ["0", "-100"])
def test_a_shape_without_size_is_refused(width: str) -> None:
    """Nothing can be drawn in it."""
    with pytest.raises(DiagramRefused, match="the shape of check is"):
        picture.loads(_SMALL.replace('width="100"', f'width="{width}"', 1).encode(), "theirs.bpmn")


def test_a_picture_of_ten_thousand_shapes_is_refused() -> None:
    """Before any of them is drawn."""
    one = '<bpmndi:BPMNShape bpmnElement="check"><dc:Bounds x="1" y="1" width="9" height="9"/></bpmndi:BPMNShape>'
    many = _SMALL.replace("</bpmndi:BPMNPlane>", one * 10_000 + "</bpmndi:BPMNPlane>")
    with pytest.raises(DiagramRefused, match="more than 3,000 shapes"):
        picture.loads(many.encode(), "theirs.bpmn")


def test_edges_through_too_many_points_are_refused() -> None:
    """A line of a hundred thousand corners is no drawing."""
    many = _SMALL.replace('<di:waypoint x="136" y="120"/>', '<di:waypoint x="136" y="120"/>' * 25_000, 1)
    with pytest.raises(DiagramRefused, match="more than 20,000 points"):
        picture.loads(many.encode(), "theirs.bpmn")


def test_hostile_xml_is_refused_as_everywhere() -> None:
    """By the same reader."""
    with pytest.raises(DiagramRefused, match="DTD"):
        picture.loads(b"<!DOCTYPE a><a/>", "theirs.bpmn")
    with pytest.raises(DiagramRefused, match="not the definitions"):
        picture.loads(b"<a/>", "theirs.bpmn")


def test_what_refers_to_nothing_is_left_out() -> None:
    """As tools leave it behind; and a shape drawn twice is drawn once."""
    stray = '<bpmndi:BPMNShape bpmnElement="{}"><dc:Bounds x="1" y="1" width="9" height="9"/></bpmndi:BPMNShape>'
    written = _SMALL.replace(
        "</bpmndi:BPMNPlane>", stray.format("gone") + stray.format("check") + "</bpmndi:BPMNPlane>"
    )
    drawn = picture.loads(written.encode(), "theirs.bpmn")
    assert len(drawn.shapes) == 8
    check = next(shape for shape in drawn.shapes if shape.figure.id == "check")
    assert math.isclose(check.box.x, 190)


def test_traits_are_read_from_a_file_of_ours() -> None:
    """What interrupts, throws, repeats, undoes, is called or held open: without other tools' files too."""
    body = (
        '<startEvent id="s" isInterrupting="false"><messageEventDefinition/></startEvent>'
        '<task id="t" isForCompensation="true"><standardLoopCharacteristics/></task>'
        '<boundaryEvent id="b" attachedToRef="t" cancelActivity="false"><timerEventDefinition/></boundaryEvent>'
        '<intermediateThrowEvent id="i"><signalEventDefinition/><messageEventDefinition/></intermediateThrowEvent>'
        '<task id="m"><multiInstanceLoopCharacteristics isSequential="true"/></task>'
        '<callActivity id="c" calledElement="g"/><callActivity id="d"/><adHocSubProcess id="h"/>'
        '<subProcess id="e" triggeredByEvent="true"/><dataObjectReference id="r" dataObjectRef="o"/>'
        '<dataObject id="o" name="Papers" isCollection="true"/><receiveTask id="w" instantiate="true"/>'
        '<sequenceFlow id="f" sourceRef="t" targetRef="m"><conditionExpression>x</conditionExpression></sequenceFlow>'
        '<association id="a" sourceRef="b" targetRef="t" associationDirection="Both"/>'
    )
    drawn = picture.loads(file(body, beside='<globalUserTask id="g"/>'), "a.bpmn")
    found = {shape.figure.id: shape.figure for shape in drawn.shapes}
    assert {name: set(figure.traits) for name, figure in found.items() if figure.traits} == {
        "s": {"non_interrupting"},
        "t": {"compensation", "loop"},
        "b": {"non_interrupting"},
        "i": {"throws"},
        "m": {"sequential"},
        "c": {"call"},
        "d": {"call", "calls_process"},
        "h": {"ad_hoc"},
        "e": {"event_subprocess"},
        "r": {"collection"},
        "o": {"collection"},
        "w": {"instantiate"},
    }
    assert (found["i"].event, found["b"].event, found["c"].task) == ("multiple", "timer", "user")
    assert found["r"].name == "Papers" and found["b"].attached_to == "t"
    lines = {edge.line.id: edge.line.traits for edge in drawn.edges}
    assert lines == {"f": {"conditional"}, "a": {"directed", "both"}}
