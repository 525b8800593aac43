"""The picture that a BPMN file brings along: its diagram interchange (BPMN 2.0.2, chapter 12).

The numbers are a stranger's. What is no number, or lies beyond any sheet of paper, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from orchestration_pipelines.model.bpmn.profile import BPMN
from orchestration_pipelines.model.picture.diagram import Box, Diagram, DiagramRefused, Edge, Point, Shape
from orchestration_pipelines.model.picture.figures import Contents, Figure, contents, reference
from orchestration_pipelines.model.picture.layout import laid_out
from orchestration_pipelines.model.xml import XmlRefused, content_of, parse

_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_DC = "{http://www.omg.org/spec/DD/20100524/DC}"
_DD = "{http://www.omg.org/spec/DD/20100524/DI}"

#: how far from the origin something may lie, and how large it may be, in pixels
MAX_PLACE = 100_000.0
MAX_DRAWN = 3_000  #: shapes and edges
MAX_POINTS = 20_000


def load(path: str | Path) -> Diagram:
    """The picture of a BPMN file; see :func:`loads`."""
    return loads(content_of(Path(path)), Path(path).name)


def loads(content: bytes, name: str, *, own_layout: bool = False) -> Diagram:
    """The first diagram of BPMN XML, or a layout of ours if it has none, or ``own_layout`` is wanted.

    :class:`DiagramRefused` says what is wrong.
    """
    try:
        root = parse(content, name)
    except XmlRefused as error:
        raise DiagramRefused(str(error)) from None
    if root.tag != "{" + BPMN + "}definitions":
        raise DiagramRefused(f"{name}: its root is {root.tag}, not the definitions of a BPMN 2.0 file")
    found = contents(root)
    drawn = None if own_layout else _drawn(root, found, name)
    return laid_out(found, name) if drawn is None else drawn


def _drawn(root: ET.Element, found: Contents, name: str) -> Diagram | None:
    """What the interchange shows; None if there is none. What refers to nothing in the file is left out."""
    plane = root.find(f"{_DI}BPMNDiagram/{_DI}BPMNPlane")
    if plane is None:
        return None
    drawn_shapes, drawn_edges = plane.findall(f"{_DI}BPMNShape"), plane.findall(f"{_DI}BPMNEdge")
    if len(drawn_shapes) + len(drawn_edges) > MAX_DRAWN:
        raise DiagramRefused(f"{name} draws more than {MAX_DRAWN:,} shapes and edges")
    shapes: dict[str, Shape] = {}
    for node in drawn_shapes:
        figure = found.figures.get(reference(node.get("bpmnElement")))
        if figure is not None:
            shapes.setdefault(figure.id, _shape(node, figure, name))
    edges: dict[str, Edge] = {}
    left = MAX_POINTS
    for node in drawn_edges:
        line = found.lines.get(reference(node.get("bpmnElement")))
        points = tuple(_points(node, name)) if line is not None else ()
        left -= len(points)
        if left < 0:
            raise DiagramRefused(f"{name} draws its edges through more than {MAX_POINTS:,} points")
        if line is not None and len(points) > 1:
            edges.setdefault(line.id, Edge(line, points, _label(node, name)))
    if not shapes:
        return None
    return Diagram(found.title, tuple(shapes.values()), tuple(edges.values()))


def _shape(node: ET.Element, figure: Figure, name: str) -> Shape:
    bounds = node.find(f"{_DC}Bounds")
    if bounds is None:
        raise DiagramRefused(f"{name}: the shape of {figure.id} has no bounds")
    return Shape(
        figure=figure,
        box=_box(bounds, f"{name}: the shape of {figure.id}"),
        label=_label(node, name),
        is_expanded=node.get("isExpanded", "false") in ("true", "1"),
        is_marked=node.get("isMarkerVisible") in ("true", "1"),
        is_horizontal=node.get("isHorizontal", "true") in ("true", "1"),
    )


def _label(node: ET.Element, name: str) -> Box | None:
    bounds = node.find(f"{_DI}BPMNLabel/{_DC}Bounds")
    return None if bounds is None else _box(bounds, f"{name}: a label of {node.get('bpmnElement')}", of_text=True)


def _points(node: ET.Element, name: str) -> Iterator[Point]:
    for written in node.findall(f"{_DD}waypoint"):
        where = f"{name}: the edge of {node.get('bpmnElement')}"
        yield Point(_number(written, "x", where), _number(written, "y", where))


def _box(bounds: ET.Element, where: str, of_text: bool = False) -> Box:
    box = Box(*(_number(bounds, of, where) for of in ("x", "y", "width", "height")))
    if not of_text and (box.width <= 0 or box.height <= 0):
        raise DiagramRefused(f"{where} is {box.width:g} by {box.height:g} pixels")
    return box._replace(width=max(box.width, 0.0), height=max(box.height, 0.0))


def _number(node: ET.Element, attribute: str, where: str) -> float:
    written = node.get(attribute, "")
    try:
        value = float(written)
    except ValueError:
        raise DiagramRefused(f"{where}: its {attribute} is {written[:40]!r}, which is no number") from None
    if not math.isfinite(value) or abs(value) > MAX_PLACE:
        raise DiagramRefused(f"{where}: its {attribute} is {written[:40]}, beyond the {MAX_PLACE:,.0f} that are drawn")
    return value
