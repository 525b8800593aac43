"""The drawing and the grid as files: complete, readable by any modeler, without gaps."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.model.xml import parse
from orchestration_pipelines_tests.workflows.mortgage import FOLDER

_MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_POINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
_BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"


@pytest.fixture(scope="module")
def root() -> ET.Element:
    drawing = FOLDER / "mortgage_underwriting.bpmn"
    return parse(drawing.read_bytes(), drawing.name)


def _nodes(root: ET.Element) -> dict[str, ET.Element]:
    process = root.find(f"{_MODEL}process")
    assert process is not None
    ways = {f"{_MODEL}sequenceFlow", f"{_MODEL}association", f"{_MODEL}documentation"}
    return {str(node.get("id")): node for node in process if node.tag not in ways}


def _box(shape: ET.Element) -> tuple[float, float, float, float]:
    bounds = shape.find(_BOUNDS)
    assert bounds is not None
    x, y, width, height = (float(bounds.get(name, "nan")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def test_every_element_has_a_shape_and_every_flow_an_edge(root: ET.Element) -> None:
    """And there is no shape or edge of anything else."""
    ways = [str(way.get("id")) for tag in ("sequenceFlow", "association") for way in root.iter(_MODEL + tag)]
    shapes = [str(shape.get("bpmnElement")) for shape in root.iter(f"{_DI}BPMNShape")]
    edges = [str(edge.get("bpmnElement")) for edge in root.iter(f"{_DI}BPMNEdge")]
    assert sorted(shapes) == sorted(_nodes(root))
    assert sorted(edges) == sorted(ways)


def test_every_edge_begins_and_ends_at_its_elements(root: ET.Element) -> None:
    """The first and the last point of each way lie on the border of what it joins."""
    boxes = {str(shape.get("bpmnElement")): _box(shape) for shape in root.iter(f"{_DI}BPMNShape")}
    ways = {str(way.get("id")): way for tag in ("sequenceFlow", "association") for way in root.iter(_MODEL + tag)}
    for edge in root.iter(f"{_DI}BPMNEdge"):
        way = ways[str(edge.get("bpmnElement"))]
        points = [(float(point.get("x", "nan")), float(point.get("y", "nan"))) for point in edge.iter(_POINT)]
        for (x, y), end in ((points[0], "sourceRef"), (points[-1], "targetRef")):
            left, top, right, bottom = boxes[str(way.get(end))]
            assert left - 1 <= x <= right + 1, (way.get("id"), end)
            assert top - 1 <= y <= bottom + 1, (way.get("id"), end)


def test_no_two_steps_are_drawn_over_each_other(root: ET.Element) -> None:
    """Boundary events alone sit on something else."""
    nodes = _nodes(root)
    boxes = [
        (str(shape.get("bpmnElement")), _box(shape))
        for shape in root.iter(f"{_DI}BPMNShape")
        if nodes[str(shape.get("bpmnElement"))].tag != f"{_MODEL}boundaryEvent"
    ]
    for index, (name, a) in enumerate(boxes):
        for other, b in boxes[index + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (name, other)


def test_it_loads_with_every_worker_and_says_who_decides() -> None:
    """The folder is a workflow; each person's step has a queue with an owner, and a deadline."""
    workflow = load_workflow(FOLDER)
    assert workflow.missing_workers() == []
    people = {e.id for e in workflow.process.elements.values() if e.kind is Kind.USER}
    assert people == {"request_documents", "human_review", "senior_review", "offer_person"}
    assert all(len(workflow.router.boundary_timers(element)) == 1 for element in people)
    roles = {role for person in workflow.reviewers.values() for role in person.roles}
    assert {queue.role for queue in workflow.queues.values()} - {"requester"} <= roles


def test_what_acts_outside_is_undone() -> None:
    """Each step that leaves something at the lender declares what takes it back."""
    workflow = load_workflow(FOLDER)
    handlers = {
        element.id: workflow.router.compensation_handler(element.id)
        for element in workflow.process.elements.values()
        if element.kind is Kind.SERVICE and not element.is_handler
    }
    assert {step: undo for step, undo in handlers.items() if undo} == {
        "lock_rate": "release_rate",
        "reserve_funds": "release_funds",
        "commit_loan": "reverse_commit",
        "book_loan": "withdraw_booking",
    }


_NUMBERS = [Decimal(n) / 100 for n in range(101)]


@pytest.mark.parametrize("amount", [10, 149, Decimal("149.5"), 150, 299, 300, 2_000])
def test_the_grid_has_one_rule_for_every_application(amount: Decimal) -> None:
    """No gap and no overlap, whatever the confidence; low confidence or a high amount is never automatic."""
    grid = dmn.load(FOLDER / "risk_grid.dmn")
    for confidence in _NUMBERS:
        answer = grid.explain("risk_grid", {"score": {"probability": confidence}, "loanamt": amount, "unit": 1})
        assert len(answer.rules) == 1, (confidence, amount)
        automatic = answer.value["route"] == "auto"
        assert automatic == (confidence >= Decimal("0.9") and amount < 300)
        assert answer.value["queue"] in ("underwriters", "seniors")


@pytest.mark.parametrize(
    ("unit", "self_employed", "skill"),
    [(1, False, "standard"), (1, None, "standard"), (1, True, "self-employed"), (3, True, "multi-family")],
)
def test_the_grid_says_which_skill(unit: int, self_employed: bool | None, skill: str) -> None:
    """Several units first, then self-employment."""
    grid = dmn.load(FOLDER / "risk_grid.dmn")
    known = {"score": {"probability": Decimal("0.85")}, "loanamt": 100, "unit": unit, "self": self_employed}
    assert grid.evaluate("risk_grid", known)["skill"] == skill


def test_without_a_score_no_rule_answers() -> None:
    """Then the engine asks two people: nothing is approved by default."""
    grid = dmn.load(FOLDER / "risk_grid.dmn")
    assert grid.evaluate("risk_grid", {"score": None, "loanamt": 100, "unit": 1}) is None
