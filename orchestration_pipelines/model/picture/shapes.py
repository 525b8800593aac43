"""The shapes of BPMN: events, activities, gateways, data, notes, pools."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration_pipelines.model.picture import figures, symbols
from orchestration_pipelines.model.picture.diagram import Box, Point, Shape
from orchestration_pipelines.model.picture.ink import LEADING, circle, number, path, rectangle, upright, words
from orchestration_pipelines.model.picture.lettering import width, wrapped

_SIZES = (12.0, 11.0, 10.0)
_CLASS = {12.0: "", 11.0: "s", 10.0: "xs"}
_BELOW = 96.0  #: how wide a name below a symbol may be
_BAND = 30.0


def is_open(shape: Shape) -> bool:
    """Whether an activity shows its inside."""
    return shape.is_expanded and shape.figure.kind in figures.SUBPROCESSES | {"callActivity"}


def drawn(shape: Shape) -> Iterator[str]:
    """A shape without its name."""
    kind = shape.figure.kind
    if kind in figures.EVENTS:
        yield from _event(shape)
    elif kind in figures.GATEWAYS:
        yield from _gateway(shape)
    elif kind in figures.DATA:
        yield from _data(shape)
    elif kind == "textAnnotation":
        box = shape.box
        yield path("thin", f"M{number(box.x + 10)} {number(box.y)}h-10v{number(box.height)}h10")
    elif kind == "group":
        yield rectangle("group", shape.box, 10)
    elif kind in figures.POOLS:
        yield from _pool(shape)
    else:
        yield from _activity(shape)


def named(shape: Shape) -> Iterator[str]:
    """A shape's name, in it, in its band, or where its label is."""
    figure, box = shape.figure, shape.box
    name = figure.name or (figure.id if figure.kind in figures.ACTIVITIES else "")
    if not name:
        return
    if figure.kind in figures.POOLS:
        yield from _band(shape)
    elif figure.kind == "textAnnotation":
        yield _filled(figure.name, Box(box.x + 6, box.y + 2, box.width - 8, box.height - 4), "start")
    elif is_open(shape):
        lines = wrapped(name, box.width - 20, 12, 1)
        yield words("", lines, Point(box.middle.x, box.y + 16), 12)
    elif figure.kind in figures.ACTIVITIES:
        top = 20.0 if figure.task else 4.0
        foot = 18.0 if any(True for _ in _markers(shape)) else 4.0
        yield _filled(name, Box(box.x + 5, box.y + 3, box.width - 10, box.height - 6), "middle", top, foot)
    else:
        yield label(name, shape.label or _below(box))


def label(name: str, box: Box) -> str:
    """A name that stands free, in its label's place."""
    size = 11.0
    lines = wrapped(name, max(box.width * 1.05, 40.0), size, 6)
    return words("s halo", lines, Point(box.middle.x, box.y + size * 0.9), size)


def _below(box: Box) -> Box:
    return Box(box.middle.x - _BELOW / 2, box.bottom + 4, _BELOW, 14)


def _filled(name: str, box: Box, anchor: str, top: float = 0.0, foot: float = 0.0) -> str:
    """A name in a box, as large as it fits; beside what stands at the top and the foot only if it must."""
    room = box.height - top - foot
    for size in _SIZES:
        rows = int(room / (size * LEADING))
        lines = wrapped(name, box.width, size, rows + 1)
        if len(lines) <= rows:
            break
    if len(lines) > rows:
        lines = wrapped(name, box.width, size, max(1, rows))
    high = len(lines) * size * LEADING
    begin = box.y + (box.height - high) / 2
    begin = min(max(begin, box.y + top), box.bottom - foot - high) if high <= room else box.y + top
    if anchor == "start":
        begin = box.y
    x = box.x if anchor == "start" else box.middle.x
    return words(_CLASS[size], lines, Point(x, begin + size * 0.95), size, anchor)


def _event(shape: Shape) -> Iterator[str]:
    figure, at = shape.figure, shape.box.middle
    radius = min(shape.box.width, shape.box.height) / 2
    dashes = " dashed" if "non_interrupting" in figure.traits else ""
    thick = " thick" if figure.kind == "endEvent" else ""
    yield circle(f"box{dashes}{thick}", at, radius)
    if figure.kind not in ("startEvent", "endEvent"):
        yield circle(f"inner{dashes}", at, max(radius - 3.5, 1))
    body, lines = symbols.EVENTS.get(figure.event, symbols.EVENTS["multiple"])
    scale = radius / 18
    throws = "throws" in figure.traits or figure.event == "terminate"
    if body:
        yield path("solid" if throws else "open", body, at, scale)
    if lines:
        yield path("cut" if throws else "thin", lines, at, scale)


def _gateway(shape: Shape) -> Iterator[str]:
    box, at = shape.box, shape.box.middle
    half = f"{number(box.width / 2)} {number(box.height / 2)}"
    turned = f"{number(-box.width / 2)} {number(box.height / 2)}"
    yield path(
        "box",
        f"M{number(at.x)} {number(box.y)}l{half} {turned} {number(-box.width / 2)} {number(-box.height / 2)}z",
    )
    if shape.figure.kind == "exclusiveGateway" and not shape.is_marked:
        return
    for kind, way in symbols.GATEWAYS[shape.figure.kind]:
        yield path(kind, way, at, min(box.width, box.height) / 50)


def _activity(shape: Shape) -> Iterator[str]:
    figure, box = shape.figure, shape.box
    thick = " thick" if "call" in figure.traits else ""
    dashes = " dashed" if "event_subprocess" in figure.traits else ""
    yield rectangle(f"box{thick}{dashes}", box, min(10, box.height / 4))
    if "transaction" in figure.traits:
        yield rectangle("inner", Box(box.x + 3, box.y + 3, box.width - 6, box.height - 6), 7)
    body, lines, solid = symbols.TASKS.get(figure.task, ("", "", ""))
    corner = Point(box.x + 14, box.y + 13)
    if body:
        yield path("open", body, corner)
    if solid:
        yield path("solid", solid, corner)
    if lines:
        yield path("thin", lines, corner)
    found = list(_markers(shape))
    for place, (kind, way) in enumerate(found):
        yield path(kind, way, Point(box.middle.x + 18 * (place - (len(found) - 1) / 2), box.bottom - 10))


def _markers(shape: Shape) -> Iterator[tuple[str, str]]:
    traits = shape.figure.traits
    yield from (
        symbols.MARKERS[trait] for trait in ("loop", "parallel", "sequential", "compensation") if trait in traits
    )
    closed = "calls_process" in traits or shape.figure.kind in figures.SUBPROCESSES
    if closed and not shape.is_expanded:
        yield symbols.MARKERS["collapsed"]
    if "ad_hoc" in traits:
        yield symbols.MARKERS["ad_hoc"]


def _data(shape: Shape) -> Iterator[str]:
    box, figure = shape.box, shape.figure
    x, y, across, _ = map(number, box)
    if figure.kind.startswith("dataStore"):
        lid = min(box.height / 6, 10)
        half, swing = number(box.width / 2), f"{number(box.width / 2)} {number(lid)} 0 0"
        side = number(box.height - 2 * lid)
        yield path("box", f"M{x} {number(box.y + lid)}a{swing} 1 {across} 0v{side}a{swing} 1 -{across} 0z")
        for fall in (0.0, 4.0, 8.0):
            yield path("thin", f"M{x} {number(box.y + lid + fall)}a{half} {number(lid)} 0 0 0 {across} 0")
        return
    fold = min(box.width, box.height) / 3
    yield path(
        "box",
        f"M{x} {y}h{number(box.width - fold)}l{number(fold)} {number(fold)}v{number(box.height - fold)}h-{across}z",
    )
    yield path("thin", f"M{number(box.right - fold)} {y}v{number(fold)}h{number(fold)}")
    if figure.kind in ("dataInput", "dataOutput"):
        yield path("open" if figure.kind == "dataInput" else "solid", symbols.INPUT, Point(box.x + 3, box.y + 3))
    if "collection" in figure.traits:
        yield path(*symbols.MARKERS["parallel"], Point(box.middle.x, box.bottom - 9))


def _pool(shape: Shape) -> Iterator[str]:
    box, figure = shape.box, shape.figure
    yield rectangle("pool" if figure.kind == "participant" else "lane", box)
    if _has_band(shape):
        x, y = number(box.x), number(box.y)
        band = (
            f"M{number(box.x + _BAND)} {y}v{number(box.height)}"
            if shape.is_horizontal
            else f"M{x} {number(box.y + _BAND)}h{number(box.width)}"
        )
        yield path("lane", band)
    if "several" in figure.traits:
        yield path(*symbols.MARKERS["several"], Point(box.middle.x, box.bottom - 10))


def _band(shape: Shape) -> Iterator[str]:
    box, name = shape.box, shape.figure.name
    if not _has_band(shape):
        yield _filled(name, Box(box.x + 5, box.y + 3, box.width - 10, box.height - 6), "middle")
    elif shape.is_horizontal:
        line = wrapped(name, box.height - 10, 12, 1)
        yield upright("", line[0] if line else "", Point(box.x + _BAND / 2, box.middle.y))
    else:
        yield words("", wrapped(name, box.width - 10, 12, 1), Point(box.middle.x, box.y + 19), 12)


def _has_band(shape: Shape) -> bool:
    return shape.figure.kind == "lane" or "open" in shape.figure.traits


def extent(shape: Shape) -> Box:
    """The shape and its name, nearly: what a sheet must hold."""
    if shape.figure.kind in figures.ACTIVITIES | figures.POOLS | {"textAnnotation"} or not shape.figure.name:
        return shape.box
    return shape.box.around(name_extent(shape))


def name_extent(shape: Shape) -> Box:
    """Where the name of a symbol stands."""
    return label_extent(shape.figure.name, shape.label or _below(shape.box))


def label_extent(name: str, box: Box) -> Box:
    """How much room a free name takes."""
    lines = wrapped(name, max(box.width * 1.05, 40.0), 11, 6)
    wide = max((width(line, 11) for line in lines), default=0.0)
    return Box(box.middle.x - wide / 2, box.y, wide, len(lines) * 11 * LEADING)
