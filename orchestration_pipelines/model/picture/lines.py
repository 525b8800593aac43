"""The lines of BPMN: sequence and message flows, associations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from orchestration_pipelines.model.picture.diagram import Box, Edge, Point
from orchestration_pipelines.model.picture.ink import circle, number, path
from orchestration_pipelines.model.picture.lettering import width
from orchestration_pipelines.model.picture.shapes import label, label_extent

_ROUND = 6.0
_LABEL = 90.0
_ARROW = ((0, 0), (-11, 4.5), (-11, -4.5))
_OPEN = ((-9, 5), (0, 0), (-9, -5))
_DIAMOND = ((0, 0), (8, -5), (16, 0), (8, 5))
_SLASH = ((6, 5), (12, -5))


def drawn(edge: Edge) -> Iterator[str]:
    """A line with its ends; arrows are paths, so that a picture in a page needs no ids."""
    kind, traits, points = edge.line.kind, edge.line.traits, edge.points
    begins, ends = _angle(points[0], points[1]), _angle(points[-2], points[-1])
    if kind == "sequenceFlow":
        yield path("edge", _rounded(_cut(points, 6)))
        yield path("solid", _turned(_ARROW, points[-1], ends))
        if "conditional" in traits:
            yield path("open", _turned(_DIAMOND, points[0], begins))
        elif "default" in traits:
            yield path("thin", _turned(_SLASH, points[0], begins, closed=False))
    elif kind == "messageFlow":
        yield path("edge dashed", _rounded(_cut(points, 9)))
        yield circle("open", points[0], 4)
        yield path("open", _turned(_ARROW, points[-1], ends))
    else:
        yield path("edge dotted", _rounded(points))
        if "directed" in traits:
            yield path("thin", _turned(_OPEN, points[-1], ends, closed=False))
        if "both" in traits:
            yield path("thin", _turned(_OPEN, points[0], begins + math.pi, closed=False))


def named(edge: Edge) -> str:
    """A line's name, where its label is or over its longest level stretch."""
    return label(edge.line.name, edge.label or _beside(edge)) if edge.line.name else ""


def extent(edge: Edge) -> Box:
    """The line and its name."""
    xs, ys = [point.x for point in edge.points], [point.y for point in edge.points]
    box = Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return box.around(label_extent(edge.line.name, edge.label or _beside(edge))) if edge.line.name else box


def _beside(edge: Edge) -> Box:
    stretches = list(zip(edge.points, edge.points[1:], strict=False))
    level = [pair for pair in stretches if abs(pair[1].y - pair[0].y) < 1] or stretches
    begin, end = max(level, key=lambda pair: (abs(pair[1].x - pair[0].x), -pair[0].x))
    wide = min(width(edge.line.name, 11), max(abs(end.x - begin.x) - 14, 50.0), _LABEL * 2)
    lines = max(1, math.ceil(width(edge.line.name, 11) / max(wide, 1)))
    middle = Point((begin.x + end.x) / 2, (begin.y + end.y) / 2)
    return Box(middle.x - wide / 2 - 3, middle.y - 13.5 * lines - 2, wide, 13.0 * lines)


def _angle(begin: Point, end: Point) -> float:
    return math.atan2(end.y - begin.y, end.x - begin.x)


def _turned(corners: Sequence[tuple[float, float]], at: Point, angle: float, closed: bool = True) -> str:
    """Corners around 0, 0, on a line that leads to the right, turned by an angle and moved to a point."""
    cos, sin = math.cos(angle), math.sin(angle)
    written = (f"{number(at.x + x * cos - y * sin)} {number(at.y + x * sin + y * cos)}" for x, y in corners)
    return f"M{'L'.join(written)}" + ("z" if closed else "")


def _cut(points: tuple[Point, ...], by: float) -> tuple[Point, ...]:
    """The line a little shorter, so that it ends inside its arrow."""
    last, before = points[-1], points[-2]
    length = math.dist(last, before)
    share = max(0.0, 1 - by / length) if length else 0.0
    return (*points[:-1], Point(before.x + (last.x - before.x) * share, before.y + (last.y - before.y) * share))


def _rounded(points: tuple[Point, ...]) -> str:
    way = [f"M{number(points[0].x)} {number(points[0].y)}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        first, second = math.dist(before, here), math.dist(here, after)
        radius = min(_ROUND, first / 2, second / 2)
        if radius < 0.5:
            way.append(f"L{number(here.x)} {number(here.y)}")
            continue
        begin = _towards(here, before, radius / first)
        end = _towards(here, after, radius / second)
        way.append(
            f"L{number(begin.x)} {number(begin.y)}Q{number(here.x)} {number(here.y)} {number(end.x)} {number(end.y)}"
        )
    way.append(f"L{number(points[-1].x)} {number(points[-1].y)}")
    return "".join(way)


def _towards(begin: Point, end: Point, share: float) -> Point:
    return Point(begin.x + (end.x - begin.x) * share, begin.y + (end.y - begin.y) * share)
