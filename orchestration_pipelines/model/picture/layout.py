"""A picture for a drawing that has none: steps in columns from left to right, lines at right angles between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestration_pipelines.model.picture import figures
from orchestration_pipelines.model.picture.diagram import Box, Diagram, DiagramRefused, Edge, Point, Shape
from orchestration_pipelines.model.picture.figures import Contents, Figure, Line
from orchestration_pipelines.model.picture.layering import Grid, Link, layered
from orchestration_pipelines.model.picture.waypoints import Run, led

MAX_LAID_OUT = 1_000  #: elements
_MOST_PLACES = 20_000
_EVENT, _GATEWAY, _WIDE, _HIGH = 36.0, 50.0, 110.0, 80.0
_ROW_GAP, _COLUMN_GAP, _NAMED_GAP, _TRACK = 56.0, 40.0, 80.0, 14.0
_BAND, _MARGIN = 30.0, 24.0


def laid_out(found: Contents, name: str) -> Diagram:
    """The whole file as a picture; without groups, which say by their place alone what they hold."""
    if len(found.figures) + len(found.lines) > 2 * MAX_LAID_OUT:
        raise DiagramRefused(f"{name} has no picture, and too many elements to make one: draw it in a modeler")
    shapes: list[Shape] = []
    edges: list[Edge] = []
    top = 0.0
    pools = [figure for figure in found.figures.values() if figure.kind == "participant"]
    owner = {process: pool for pool in pools for process in pool.holds}
    for process in found.processes:
        try:
            sheet = _Scope(found, process).sheet()
        except ValueError as error:
            raise DiagramRefused(f"{name} cannot be laid out: {error}: draw it in a modeler") from None
        if not sheet.shapes:
            continue
        pool = owner.get(process)
        shift = _BAND if pool is not None else 0.0
        if pool is not None:
            shapes.append(Shape(pool, Box(0, top, sheet.width + shift, sheet.height)))
        shapes += [_moved(shape, shift, top) for shape in sheet.shapes]
        edges += [_moved_edge(edge, shift, top) for edge in sheet.edges]
        top += sheet.height + _MARGIN
    width = max((shape.box.right for shape in shapes), default=600.0)
    for pool in pools:
        if not any(shape.figure is pool for shape in shapes):
            shapes.append(Shape(pool, Box(0, top, width, 60)))
            top += 60 + _MARGIN
    if not shapes:
        raise DiagramRefused(f"{name} has nothing in it that is drawn")
    drawn = {edge.line.id for edge in edges}
    place = {shape.figure.id: shape.box for shape in shapes}
    edges += [
        Edge(line, _straight(place[line.source], place[line.target]))
        for line in found.lines.values()
        if line.id not in drawn and line.source in place and line.target in place and line.source != line.target
    ]
    return Diagram(found.title, tuple(shapes), tuple(edges))


@dataclass(frozen=True, slots=True)
class _Sheet:
    width: float
    height: float
    shapes: Sequence[Shape]
    edges: Sequence[Edge]


class _Scope:
    """A process or sub-process on its way to a sheet of its own."""

    def __init__(self, found: Contents, scope: str) -> None:
        self._found = found
        inside = [figure for figure in found.figures.values() if figure.parent == scope]
        hosts = {figure.id for figure in inside if figure.kind in figures.ACTIVITIES}
        self._boundaries: dict[str, list[Figure]] = defaultdict(list)
        for figure in inside:
            if figure.attached_to in hosts:
                self._boundaries[figure.attached_to].append(figure)
        self._host = {event.id: host for host, events in self._boundaries.items() for event in events}
        self._nodes = {f.id: f for f in inside if f.kind in figures.FLOW_NODES and f.id not in self._host}
        self._aside = [f for f in inside if f.kind in figures.DATA or f.kind == "textAnnotation"]
        self._lanes = [f for f in inside if f.kind == "lane" and any(held in self._nodes for held in f.holds)]
        self._inner = {
            node.id: _Scope(found, node.id).sheet()
            for node in self._nodes.values()
            if node.kind in figures.SUBPROCESSES
        }
        self._links = [line for line in found.lines.values() if line.kind == "sequenceFlow" and self._ends(line)]

    def _ends(self, line: Line) -> Link | None:
        source, target = self._host.get(line.source, line.source), line.target
        return (source, target) if source in self._nodes and target in self._nodes else None

    def _size(self, node: str) -> tuple[float, float]:
        figure = self._nodes[node]
        if figure.kind in figures.EVENTS:
            return _EVENT, _EVENT
        if figure.kind in figures.GATEWAYS:
            return _GATEWAY, _GATEWAY
        wide = max(_WIDE, 46.0 * len(self._boundaries[node]) + 10)
        inner = self._inner.get(node)
        if inner is not None and inner.shapes:
            return max(wide, inner.width + 2 * _MARGIN), inner.height + 2 * _MARGIN
        return wide, _HIGH

    def sheet(self) -> _Sheet:
        """Everything in its place, from 0, 0."""
        below = {
            line.target: self._host[line.source]
            for line in self._found.lines.values()
            if line.kind == "association" and line.source in self._host and line.target in self._nodes
            if "compensation" in self._nodes[line.target].traits
        }
        ends = [link for line in self._links if (link := self._ends(line)) is not None]
        band = {held: number for number, lane in enumerate(self._lanes) for held in lane.holds}
        grid = layered(list(self._nodes), ends, below, band, _MOST_PLACES)
        return _Sheet(*self._placed(grid, band))

    def _placed(self, grid: Grid, band: Mapping[str, int]) -> tuple[float, float, Sequence[Shape], Sequence[Edge]]:
        size = {node: self._size(node) for node in self._nodes}
        first = [sum(grid.rows.get(before, 1) for before in range(number)) for number in range(len(self._lanes) + 1)]
        row = {node: first[band.get(node, 0)] + at for node, at in grid.row.items()}
        middle, lane_ends = self._heights(grid, row, size)
        left, gaps = self._across(grid, size)
        boxes = {
            node: Box(left[grid.column[node]] - width / 2, middle[row[node]] - height / 2, width, height)
            for node, (width, height) in size.items()
        }
        edges, low = self._led(
            grid, boxes, gaps, lambda target, at: middle[first[band.get(target, 0)] + at], lane_ends[-1]
        )
        right = gaps[-1][1] + _MARGIN
        shapes = list(self._shapes(boxes))
        begin = _MARGIN + (_BAND if self._lanes else 0.0)
        for place, figure in enumerate(self._aside):
            width, height = (120, 40) if figure.kind == "textAnnotation" else (36, 50)
            shapes.append(Shape(figure, Box(begin + 140.0 * place, low + _MARGIN, width, height)))
            right = max(right, begin + 140.0 * (place + 1))
        low += (50 + _ROW_GAP + _MARGIN if self._aside else 0.0) + _MARGIN / 2
        tops, lane_ends = [0.0, *lane_ends[:-1]], [*lane_ends[:-1], low]
        lanes = [
            Shape(lane, Box(0.0, top, right, end - top))
            for lane, top, end in zip(self._lanes, tops, lane_ends, strict=False)
        ]
        return right, low, [*lanes, *shapes], [*edges, *(edge for inner in self._inside(boxes) for edge in inner.edges)]

    def _heights(
        self, grid: Grid, row: Mapping[str, int], size: Mapping[str, tuple[float, float]]
    ) -> tuple[list[float], list[float]]:
        """The middle of every row, and where every lane ends."""
        high: dict[int, float] = defaultdict(lambda: _EVENT)
        for node, (_, height) in size.items():
            high[row[node]] = max(high[row[node]], height)
        middle: list[float] = []
        ends: list[float] = []
        y = _MARGIN
        for number in range(max(1, len(self._lanes))):
            for _ in range(grid.rows.get(number, 1)):
                at = len(middle)
                middle.append(y + high[at] / 2)
                y += high[at] + _ROW_GAP
            ends.append(y - _ROW_GAP / 2)
        return middle, ends

    def _across(
        self, grid: Grid, size: Mapping[str, tuple[float, float]]
    ) -> tuple[list[float], list[tuple[float, float]]]:
        """The middle of every column, and from where to where every gap between them is free."""
        wide = [_EVENT] * (max(grid.column.values(), default=-1) + 1)
        for node, (width, _) in size.items():
            wide[grid.column[node]] = max(wide[grid.column[node]], width)
        middle: list[float] = []
        gaps: list[tuple[float, float]] = []
        x = _BAND if self._lanes else 0.0
        for number, gap in enumerate(self._gaps(grid, len(wide))):
            gaps.append((x, x + gap))
            x += gap
            if number < len(wide):
                middle.append(x + wide[number] / 2)
                x += wide[number]
        return middle, gaps

    def _led(
        self,
        grid: Grid,
        boxes: Mapping[str, Box],
        gaps: Sequence[tuple[float, float]],
        height: Callable[[str, int], float],
        low: float,
    ) -> tuple[list[Edge], float]:
        runs = []
        for line in self._links:
            link = source, target = self._ends(line) or ("", "")
            box = boxes[source]
            start: tuple[Point, ...] = (Point(box.right, box.middle.y),)
            if line.source != source:
                events = self._boundaries[source]
                at = next(number for number, event in enumerate(events) if event.id == line.source)
                event = _on_edge(box, len(events))[at]
                start = (Point(event.middle.x, event.bottom), Point(event.middle.x, event.bottom + 20 - 6 * at))
            rows = tuple(height(target, at) for at in grid.between.get(link, ()))
            runs.append(
                Run(start, grid.column[source] + 1, rows, grid.column[target], boxes[target], link in grid.back)
            )
        ways, low = led(runs, gaps, low)
        return [Edge(line, points) for line, points in zip(self._links, ways, strict=True)], low

    def _gaps(self, grid: Grid, columns: int) -> list[float]:
        """How wide the space in front of each column is, and behind the last."""
        tracks: dict[int, int] = defaultdict(int)
        named: set[int] = set()
        for line in self._links:
            link = self._ends(line)
            if link is None:
                continue
            leaves = grid.column[link[0]] + 1
            if link in grid.back:
                tracks[leaves] += 1
                tracks[grid.column[link[1]]] += 1
            else:
                for number in range(leaves, grid.column[link[1]] + 1):
                    tracks[number] += 1
            if line.name:
                named.add(leaves)
        return [
            (_NAMED_GAP if number in named else _COLUMN_GAP) + _TRACK * min(tracks[number], 30)
            for number in range(columns + 1)
        ]

    def _shapes(self, boxes: Mapping[str, Box]) -> Iterator[Shape]:
        for node, box in boxes.items():
            inner = self._inner.get(node)
            yield Shape(self._nodes[node], box, is_expanded=inner is not None and bool(inner.shapes))
        yield from (shape for inner in self._inside(boxes) for shape in inner.shapes)
        for host, events in self._boundaries.items():
            for event, box in zip(events, _on_edge(boxes[host], len(events)), strict=True):
                yield Shape(event, box, Box(box.x + 20, box.bottom - 2, 76, 14))

    def _inside(self, boxes: Mapping[str, Box]) -> Iterator[_Sheet]:
        for node, sheet in self._inner.items():
            at = boxes[node]
            yield replace(
                sheet,
                shapes=[_moved(shape, at.x + _MARGIN, at.y + _MARGIN) for shape in sheet.shapes],
                edges=[_moved_edge(edge, at.x + _MARGIN, at.y + _MARGIN) for edge in sheet.edges],
            )


def _on_edge(host: Box, events: int) -> list[Box]:
    """Boundary events on the lower edge of an activity."""
    return [
        Box(host.x + host.width * (at + 1) / (events + 1) - _EVENT / 2, host.bottom - _EVENT / 2, _EVENT, _EVENT)
        for at in range(events)
    ]


def _straight(source: Box, target: Box) -> tuple[Point, Point]:
    """A line from edge to edge: upright where one is above the other."""
    narrow, wide = sorted((source, target), key=lambda box: box.width)
    if wide.x < narrow.middle.x < wide.right and (source.bottom <= target.y or target.bottom <= source.y):
        x = narrow.middle.x
        down = source.bottom <= target.y
        return Point(x, source.bottom if down else source.y), Point(x, target.y if down else target.bottom)
    return _leaves(source, target.middle), _leaves(target, source.middle)


def _leaves(box: Box, to: Point) -> Point:
    """Where the way from the middle of a box to a point leaves it."""
    x, y = box.middle
    across, down = to.x - x, to.y - y
    if not across and not down:
        return box.middle
    share = min(
        box.width / 2 / abs(across) if across else float("inf"), box.height / 2 / abs(down) if down else float("inf")
    )
    return Point(x + across * share, y + down * share)


def _moved(shape: Shape, x: float, y: float) -> Shape:
    label = shape.label and shape.label._replace(x=shape.label.x + x, y=shape.label.y + y)
    return replace(shape, box=shape.box._replace(x=shape.box.x + x, y=shape.box.y + y), label=label)


def _moved_edge(edge: Edge, x: float, y: float) -> Edge:
    return replace(edge, points=tuple(Point(point.x + x, point.y + y) for point in edge.points))
