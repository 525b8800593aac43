"""The picture as SVG: everything once, names in their boxes, marks told in words too, nothing that a page forbids."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from orchestration_pipelines.model import picture
from orchestration_pipelines.model.picture import Diagram, Marks, Waiting, figures, shapes, style, symbols
from orchestration_pipelines.model.picture.diagram import Box, Edge, Point, Shape
from orchestration_pipelines.model.picture.figures import Figure, Line
from orchestration_pipelines.model.picture.lettering import width
from orchestration_pipelines_tests.conftest import shared
from orchestration_pipelines_tests.model.picture.test_interchange import MIWG

_MORTGAGE = Path(__file__).parents[3] / "orchestration_pipelines/workflows/mortgage_underwriting"
_IN = "{http://www.w3.org/2000/svg}"


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 (our own text)


def _groups(root: ET.Element) -> dict[str, ET.Element]:
    found = [node for node in root.iter(f"{_IN}g") if node.get("data-element")]
    by_element = {node.get("data-element", ""): node for node in found}
    assert len(by_element) == len(found), "an element was drawn twice"
    return by_element


@pytest.mark.parametrize("model", MIWG)
def test_each_shape_and_edge_is_drawn_once(model: str) -> None:
    """Of every reference model; what is drawn lies on the sheet."""
    drawn = picture.load(shared("vectors", "bpmn-miwg", f"{model}.bpmn"))
    root = read(picture.svg(drawn))
    groups = _groups(root)
    assert set(groups) == {s.figure.id for s in drawn.shapes} | {e.line.id for e in drawn.edges}
    x, y, across, down = map(float, root.get("viewBox", "").split())
    sheet = Box(x, y, across, down)
    assert all(sheet.around(shape.box) == pytest.approx(sheet, abs=0.2) for shape in drawn.shapes)
    for text in root.iter(f"{_IN}tspan"):
        assert x <= float(text.get("x", "")) <= x + across
        assert y <= float(text.get("y", "")) <= y + down


@pytest.mark.parametrize("model", MIWG)
def test_names_stay_in_their_boxes(model: str) -> None:
    """A step's name is broken into lines that fit, or ends in an ellipsis; its symbol is not written over."""
    for shape in picture.load(shared("vectors", "bpmn-miwg", f"{model}.bpmn")).shapes:
        if shape.figure.kind in figures.ACTIVITIES and not shapes.is_open(shape):
            _fits(shape)


@pytest.mark.parametrize("name", ["Go", "x" * 300, "many words " * 30, "审核贷款申请并通知客户" * 4, "W" * 40])
@pytest.mark.parametrize("task", ["", "user"])
def test_any_name_fits(name: str, task: str) -> None:
    """However long, and in whatever letters."""
    figure = Figure("a", "userTask", name, task=task, traits=frozenset({"loop"}))
    _fits(Shape(figure, Box(100, 200, 100, 80), is_expanded=False))


def _fits(shape: Shape) -> None:
    drawn = read(f"<g xmlns='http://www.w3.org/2000/svg'>{''.join(shapes.named(shape))}</g>")
    box = shape.box
    size = {None: 12.0, "s": 11.0, "xs": 10.0}[drawn[0].get("class")]
    lines = list(drawn.iter(f"{_IN}tspan"))
    assert lines
    for line in lines:
        assert width(line.text or "", size) <= box.width - 8, line.text
        assert box.y + 0.7 * size <= float(line.get("y", "")) <= box.bottom - 0.2 * size, line.text


def test_a_name_is_text_and_nothing_else() -> None:
    """Markup in it is shown as written; what would turn the text around is taken out."""
    hostile = '<script>alert("1")</script>" onload="x'
    figure = Figure("a\"'><b>", "userTask", figures.clean(hostile + "\u202egnp.exe"), task="user")
    svg = picture.svg(Diagram(hostile, (Shape(figure, Box(0, 0, 400, 200)),), ()))
    root = read(svg)
    assert "script" not in {node.tag.removeprefix(_IN) for node in root.iter()}
    assert not [name for node in root.iter() for name in node.attrib if name.startswith("on")]
    assert root.findtext(f"{_IN}title") == hostile
    assert "\u202e" not in svg
    assert [node.get("data-element") for node in root.iter(f"{_IN}g") if node.get("data-element")] == ["a\"'><b>"]


def test_a_picture_in_a_page_has_no_style_of_its_own() -> None:
    """Nor scripts, links or ids: a strict policy allows it, and several may stand in one page."""
    svg = picture.svg(picture.load(_MORTGAGE / "mortgage_underwriting.bpmn"))
    assert not re.search(r"<style|<script|\sstyle=|\sid=|url\(|href", svg)
    alone = picture.svg(picture.load(_MORTGAGE / "mortgage_underwriting.bpmn"), alone=True)
    assert alone.count("<style>") == 1 and "prefers-color-scheme:dark" in alone


def test_every_class_has_a_look() -> None:
    """A class that the sheet does not know would be drawn black."""
    known = set(re.findall(r"\.([a-z]+)", style.sheet()))
    drawn = picture.load(_MORTGAGE / "mortgage_underwriting.bpmn")
    everything = [
        Shape(Figure(f"{kind}{event}", kind, "n", event=event, traits=frozenset({trait})), Box(0, 0, 50, 50))
        for kind in (*figures.EVENTS, *figures.GATEWAYS, *figures.ACTIVITIES, *figures.DATA, *figures.POOLS, "group")
        for event in ("", "timer", "message")
        for trait in ("throws", "collection", "transaction", "parallel", "non_interrupting")
    ]
    lines = [
        Edge(Line(f"l{kind}{trait}", kind, "n", "a", "b", frozenset({trait, "directed"})), (Point(0, 0), Point(9, 9)))
        for kind in figures.LINES
        for trait in ("default", "conditional", "both")
    ]
    marks = Marks(path=("a", "a"), here=frozenset({"task"}), failed=frozenset({"userTask"}))
    svg = picture.svg(drawn) + picture.svg(Diagram("all", tuple(everything), tuple(lines)), marks)
    used = {name for written in re.findall(r'class="([^"]*)"', svg) for name in written.split()}
    plain = {"shape", "flow", "position", "count"}  # groups that look like what is in them
    assert used <= known | plain, used - known - plain


def _drawn_event(kind: str, event: str, *traits: str) -> str:
    shape = Shape(Figure("e", kind, "", event=event, traits=frozenset(traits)), Box(0, 0, 36, 36))
    return "".join(shapes.drawn(shape))


def test_events_differ_as_the_standard_has_it() -> None:
    """Start thin, end thick, between double; filled where it throws; dashed where it does not interrupt."""
    assert _drawn_event("startEvent", "").count("<circle") == 1 and "thick" not in _drawn_event("startEvent", "")
    assert 'class="box thick"' in _drawn_event("endEvent", "", "throws")
    assert _drawn_event("intermediateCatchEvent", "timer").count("<circle") == 2
    assert _drawn_event("boundaryEvent", "timer", "non_interrupting").count("dashed") == 2
    for event in ("message", "signal", "error", "compensate", "escalation", "link"):
        assert 'class="solid"' in _drawn_event("intermediateThrowEvent", event, "throws")
        assert 'class="solid"' not in _drawn_event("intermediateCatchEvent", event)
        assert symbols.EVENTS[event][0] in _drawn_event("intermediateCatchEvent", event)
    assert 'class="solid"' in _drawn_event("endEvent", "terminate", "throws")


def test_gateways_tasks_and_markers_are_drawn() -> None:
    """Each kind has a symbol of its own."""
    inside = {kind: "".join(shapes.drawn(Shape(Figure("g", kind, ""), Box(0, 0, 50, 50)))) for kind in figures.GATEWAYS}
    assert len(set(inside.values())) == len(figures.GATEWAYS)
    unmarked = Shape(Figure("g", "exclusiveGateway", ""), Box(0, 0, 50, 50), is_marked=False)
    assert "".join(shapes.drawn(unmarked)) in inside["exclusiveGateway"]
    tasks = {
        name: "".join(shapes.drawn(Shape(Figure("t", "task", "", task=name), Box(0, 0, 100, 80))))
        for name in ("", *symbols.TASKS)
    }
    assert len(set(tasks.values())) == len(symbols.TASKS) + 1
    for trait in ("loop", "parallel", "sequential", "compensation", "ad_hoc"):
        marked = Shape(Figure("t", "task", "", traits=frozenset({trait})), Box(0, 0, 100, 80))
        assert symbols.MARKERS[trait][1] in "".join(shapes.drawn(marked))
    closed = Shape(Figure("s", "subProcess", ""), Box(0, 0, 100, 80), is_expanded=False)
    assert symbols.MARKERS["collapsed"][1] in "".join(shapes.drawn(closed))
    assert "thick" in "".join(
        shapes.drawn(Shape(Figure("c", "callActivity", "", traits=frozenset({"call"})), Box(0, 0, 9, 9)))
    )


def test_marks_are_shown_and_told() -> None:
    """Where a case stands, its way, how often; never by colour alone."""
    drawn = picture.load(_MORTGAGE / "mortgage_underwriting.bpmn")
    marks = Marks(
        path=("received", "screen", "request_documents", "screen", "score"),
        flows=frozenset({"to_screen", "to_score"}),
        here=frozenset({"risk_grid"}),
        failed=frozenset({"score"}),
    )
    svg = picture.svg(drawn, marks)
    groups = _groups(read(svg))
    classes = {element: set((group.get("class") or "").split()) for element, group in groups.items()}
    assert classes["risk_grid"] == {"shape", "here"}
    assert classes["score"] == {"shape", "seen", "failed"}
    assert classes["screen"] == {"shape", "seen"} and classes["notify"] == {"shape"}
    assert classes["to_score"] == {"flow", "taken"} and classes["to_notify"] == {"flow"}
    assert ">2×<" in svg and svg.count('class="pin"') == 2
    assert picture.told(drawn, marks) == (
        "The case stands at Risk grid. It cannot go on by itself at Score. "
        "Its way: Application received → Screen the application → Request documents → Screen the application → Score."
    )
    assert picture.told(drawn, marks) in svg


def test_an_end_is_marked() -> None:
    """Of a case that is over."""
    drawn = picture.load(_MORTGAGE / "mortgage_underwriting.bpmn")
    assert picture.told(drawn, Marks(ended="approved")) == "It ended at Approved."
    assert "here" in (_groups(read(picture.svg(drawn, Marks(ended="approved"))))["approved"].get("class") or "")


def test_counts_are_shown_and_told() -> None:
    """How many wait where, since when, and whether any is late."""
    drawn = picture.load(_MORTGAGE / "mortgage_underwriting.bpmn")
    waiting = {
        "human_review": Waiting(1_234, timedelta(days=3, hours=5), late=2),
        "senior_review": Waiting(1, timedelta(minutes=59)),
        "score": Waiting(3, None, failed=3),
        "notify": Waiting(7, timedelta(seconds=3)),
    }
    svg = picture.svg(drawn, Marks(waiting=waiting))
    assert ">1,234 · 3 d !<" in svg and ">1 · 59 min<" in svg and ">3 !<" in svg
    assert ">7 · &lt;1 min<" in svg
    assert "Review: 1,234 open, the oldest for 3 d, 2 past due." in picture.told(drawn, Marks(waiting=waiting))
    assert "Score: 3 open, 3 for a person to mend." in picture.told(drawn, Marks(waiting=waiting))


def test_the_same_picture_is_the_same_text() -> None:
    """So that a committed picture can be held against the command that made it."""
    drawn = picture.load(_MORTGAGE / "mortgage_underwriting.bpmn")
    assert picture.svg(drawn) == picture.svg(picture.load(_MORTGAGE / "mortgage_underwriting.bpmn"))


def test_the_largest_picture_takes_seconds_at_most() -> None:
    """As many steps as may be drawn, each with the longest name of one word."""
    figures_ = [Figure(f"n{n}", "userTask", "x" * figures.MAX_NAME, task="user") for n in range(3_000)]
    drawn = Diagram("large", tuple(Shape(figure, Box(0, 0, 100, 80)) for figure in figures_), ())
    began = time.process_time()
    assert picture.svg(drawn).count("<rect") == 3_000
    assert time.process_time() - began < 4


def test_the_consoles_sheet_is_the_pictures() -> None:
    """One look: static/diagram.css is written from style.sheet()."""
    kept = Path(__file__).parents[3] / "orchestration_pipelines/console/static/diagram.css"
    assert kept.read_text(encoding="utf-8") == style.sheet()
