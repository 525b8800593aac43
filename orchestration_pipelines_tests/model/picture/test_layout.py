"""A drawing without a picture gets one: everything once, nothing upon another, the same each time."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_pipelines.model import picture
from orchestration_pipelines.model.picture import Diagram, DiagramRefused
from orchestration_pipelines.model.picture.diagram import Box, Shape
from orchestration_pipelines_tests.model.bpmn import file

_SHIPPED = Path(__file__).parents[3] / "orchestration_pipelines" / "workflows"
_KINDS = ("serviceTask", "userTask", "exclusiveGateway", "endEvent")


def _free(diagram: Diagram) -> list[Shape]:
    return [s for s in diagram.shapes if s.figure.kind not in ("boundaryEvent", "participant", "lane")]


def _overlap(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


@given(
    kinds=st.lists(st.sampled_from(_KINDS), min_size=1, max_size=12),
    flows=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=24),
    timers=st.sets(st.integers(0, 12), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_any_graph_is_laid_out(kinds: list[str], flows: list[tuple[int, int]], timers: set[int]) -> None:
    """Loops, islands and boundary events too: every element once, no two on one place, each flow from edge to edge."""
    body = "".join(f'<{kind} id="n{place}"/>' for place, kind in enumerate(kinds))
    late = [place for place in timers if place < len(kinds) and kinds[place].endswith("Task")]
    body += "".join(f'<boundaryEvent id="b{place}" attachedToRef="n{place}"/>' for place in late)
    ends = [(a, b) for a, b in flows if a < len(kinds) and b < len(kinds)]
    body += "".join(f'<sequenceFlow id="f{i}" sourceRef="n{a}" targetRef="n{b}"/>' for i, (a, b) in enumerate(ends))
    body += "".join(f'<sequenceFlow id="l{place}" sourceRef="b{place}" targetRef="n0"/>' for place in late)
    drawn = picture.loads(file(body), "a.bpmn")
    assert {shape.figure.id for shape in drawn.shapes} == {f"n{i}" for i in range(len(kinds))} | {f"b{i}" for i in late}
    assert len(drawn.edges) == len(ends) + len(late)
    assert not any(_overlap(one.box, other.box) for one, other in combinations(_free(drawn), 2))
    place = {shape.figure.id: shape.box for shape in drawn.shapes}
    for edge in drawn.edges:
        begin, end = place[edge.line.source], place[edge.line.target]
        assert begin.x - 1 <= edge.points[0].x <= begin.right + 1
        assert edge.points[-1] == (end.x, end.middle.y)
        assert all(a.x == b.x or a.y == b.y for a, b in zip(edge.points, edge.points[1:], strict=False))
    assert picture.loads(file(body), "a.bpmn") == drawn


def test_no_line_goes_through_a_step() -> None:
    """The mortgage workflow, its picture taken away: lines pass between steps and beside them."""
    written = (_SHIPPED / "mortgage_underwriting" / "mortgage_underwriting.bpmn").read_text(encoding="utf-8")
    drawn = picture.loads(re.sub(r"<bpmndi:BPMNDiagram.*</bpmndi:BPMNDiagram>", "", written, flags=re.S).encode(), "m")
    crossed = [
        (edge.line.id, shape.figure.id)
        for edge in drawn.edges
        if edge.line.kind == "sequenceFlow"
        for begin, end in zip(edge.points, edge.points[1:], strict=False)
        for shape in _free(drawn)
        if _overlap(
            Box(min(begin.x, end.x), min(begin.y, end.y), abs(begin.x - end.x), abs(begin.y - end.y)),
            Box(shape.box.x + 1, shape.box.y + 1, shape.box.width - 2, shape.box.height - 2),
        )
    ]
    assert crossed == []
    assert len(drawn.shapes) == len(picture.load(_SHIPPED / "mortgage_underwriting/mortgage_underwriting.bpmn").shapes)


def test_subprocesses_lanes_pools_and_notes_are_laid_out() -> None:
    """What stands in something is drawn inside it; what is beside the flow, below."""
    body = (
        '<laneSet id="ls"><lane id="upper" name="Upper"><flowNodeRef>a</flowNodeRef></lane>'
        '<lane id="lower" name="Lower"><flowNodeRef>s</flowNodeRef></lane></laneSet>'
        '<startEvent id="a"/><subProcess id="s" name="Inside"><task id="x"/><task id="y"/>'
        '<sequenceFlow id="xy" sourceRef="x" targetRef="y"/></subProcess>'
        '<sequenceFlow id="as" sourceRef="a" targetRef="s"/>'
        '<textAnnotation id="note"><text>why</text></textAnnotation>'
        '<association id="n" sourceRef="note" targetRef="s"/>'
    )
    pools = (
        '<collaboration id="c"><participant id="us" name="Us" processRef="p"/><participant id="them" name="Them"/>'
        '<messageFlow id="m" sourceRef="them" targetRef="x"/></collaboration>'
    )
    drawn = picture.loads(file(body, beside=pools), "a.bpmn")
    place = {shape.figure.id: shape.box for shape in drawn.shapes}
    assert set(place) == {"us", "them", "upper", "lower", "a", "s", "x", "y", "note"}
    assert {edge.line.id for edge in drawn.edges} == {"xy", "as", "n", "m"}
    for inner, outer in (("x", "s"), ("y", "s"), ("a", "upper"), ("s", "lower"), ("upper", "us"), ("note", "us")):
        assert place[outer].around(place[inner]) == place[outer], (inner, outer)
    assert not _overlap(place["us"], place["them"])
    assert place["upper"].bottom == place["lower"].y


def test_too_much_to_lay_out_is_refused() -> None:
    """And told what to do instead; at once."""
    many = "".join(f'<task id="n{n}"/>' for n in range(3_000))
    with pytest.raises(DiagramRefused, match="draw it in a modeler"):
        picture.loads(file(many), "a.bpmn")
    chain = "".join(
        f'<task id="n{n}"/><sequenceFlow id="f{n}" sourceRef="n{n}" targetRef="n{n + 1}"/>' for n in range(600)
    )
    ways = "".join(f'<sequenceFlow id="g{n}" sourceRef="n0" targetRef="n{n}"/>' for n in range(2, 600))
    with pytest.raises(DiagramRefused, match="cannot be laid out"):
        picture.loads(file(chain + ways), "a.bpmn")
    with pytest.raises(DiagramRefused, match="nothing in it"):
        picture.loads(file(""), "a.bpmn")
