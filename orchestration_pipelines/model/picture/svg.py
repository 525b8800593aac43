"""A diagram as SVG: one text, the same for the same picture, with what it shows told in words as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import reduce
from xml.sax.saxutils import escape

from orchestration_pipelines.model.picture import figures, lines, shapes, style
from orchestration_pipelines.model.picture.diagram import Box, Diagram, Point, Shape
from orchestration_pipelines.model.picture.ink import group, number, path, rectangle, words
from orchestration_pipelines.model.picture.lettering import width
from orchestration_pipelines.model.picture.marks import Marks, Waiting, age

_MARGIN = 20.0
_PIN = "M-9-15h18v7L0 1-9-8z"
_NO_MARKS = Marks()
#: what a link brings into sight, beside the place itself
_AROUND = 80.0
#: a way of more visits is told by its beginning and end
_TOLD = 40


def svg(diagram: Diagram, marks: Marks = _NO_MARKS, *, alone: bool = False, anchor: str = "") -> str:
    """The picture with its marks. ``alone``: a file of its own, with its style and paper; else a part of a page.

    ``anchor`` is the id of where the case stands, for a link that leads there.
    """
    sheet = _sheet(diagram)
    x, y, across, down = map(number, sheet)
    inside = "".join(_parts(diagram, marks, anchor))
    styled = f"<style>{style.sheet()}</style>{rectangle('paper', sheet)}" if alone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bpmn" role="img" viewBox="{x} {y} {across} {down}" '
        f'width="{across}" height="{down}"><title>{escape(diagram.title)}</title>'
        f"<desc>{escape(told(diagram, marks))}</desc>{styled}{inside}</svg>"
    )


def told(diagram: Diagram, marks: Marks = _NO_MARKS) -> str:
    """What the marks show, in words; without marks, what the drawing has."""
    names = {shape.figure.id: shape.figure.name or shape.figure.id for shape in diagram.shapes}

    def listed(elements: Iterable[str], between: str = ", ") -> str:
        return between.join(names[element] for element in elements if element in names)

    ordered = [shape.figure.id for shape in diagram.shapes]
    sentences = []
    if at := listed([element for element in ordered if element in marks.here]):
        sentences.append(f"The case stands at {at}.")
    if at := listed([element for element in ordered if element in marks.failed]):
        sentences.append(f"It cannot go on by itself at {at}.")
    if marks.ended in names:
        sentences.append(f"It ended at {names[marks.ended or '']}.")
    if way := [element for element in marks.path if element in names]:
        short = [way] if len(way) <= _TOLD else [way[: _TOLD // 2], way[-_TOLD // 2 :]]
        sentences.append(f"Its way: {' → … → '.join(listed(part, ' → ') for part in short)}.")
    sentences += [f"{names[e]}: {_in_words(marks.waiting[e])}." for e in ordered if e in marks.waiting]
    if not sentences:
        steps = [s.figure for s in diagram.shapes if s.figure.kind in figures.ACTIVITIES]
        sentences.append(f"{len(steps)} steps: {listed([step.id for step in steps])}." if steps else "No steps.")
    return " ".join(sentences)


def _in_words(waiting: Waiting) -> str:
    said = [f"{waiting.count:,} open"]
    if waiting.oldest is not None:
        said.append(f"the oldest for {age(waiting.oldest)}")
    if waiting.late:
        said.append(f"{waiting.late:,} past due")
    if waiting.failed:
        said.append(f"{waiting.failed:,} for a person to mend")
    return ", ".join(said)


def _sheet(diagram: Diagram) -> Box:
    boxes = [shapes.extent(shape) for shape in diagram.shapes] + [lines.extent(edge) for edge in diagram.edges]
    whole = reduce(Box.around, boxes)
    return Box(whole.x - _MARGIN, whole.y - _MARGIN, whole.width + 2 * _MARGIN, whole.height + 2 * _MARGIN)


def _parts(diagram: Diagram, marks: Marks, anchor: str) -> Iterator[str]:
    """From the back to the front: what holds others, lines, what stands in it, names, badges."""
    ordered = sorted(diagram.shapes, key=_depth)
    front = next((at for at, shape in enumerate(ordered) if _depth(shape)[0] > 0), len(ordered))
    for shape in ordered[:front]:
        yield _shape(shape, marks)
    for edge in diagram.edges:
        kind = "flow" if edge.line.kind == "sequenceFlow" else "quiet"
        taken = " taken" if edge.line.id in marks.flows else ""
        yield group(f"{kind}{taken}", lines.drawn(edge), edge.line.id, edge.line.name)
    for shape in ordered[front:]:
        yield _shape(shape, marks)
    yield from (name for edge in diagram.edges if (name := lines.named(edge)))
    for shape in ordered:
        yield from shapes.named(shape)
    stands = [shape for shape in ordered if shape.figure.id in marks.here or shape.figure.id == marks.ended]
    if anchor and stands:
        x, y, across, down = stands[0].box
        around = Box(x - _AROUND, y - _AROUND, across + 2 * _AROUND, down + 2 * _AROUND)
        yield f'<g id="{anchor}">{rectangle("none", around)}</g>'
    attached: dict[str, list[Box]] = defaultdict(list)
    for shape in ordered:
        attached[shape.figure.attached_to].append(shape.box)
    for shape in ordered:
        yield from _badges(shape, marks, attached[shape.figure.id])


def _depth(shape: Shape) -> tuple[int, float]:
    """What is drawn first: pools, lanes, open sub-processes the larger the sooner; boundary events last."""
    kind = shape.figure.kind
    area = -shape.box.width * shape.box.height
    order = {"participant": -4, "lane": -3, "group": -1, "boundaryEvent": 2}
    if shapes.is_open(shape):
        return -2, area
    return order.get(kind, 1), area if kind in ("lane", "participant") else 0


def _shape(shape: Shape, marks: Marks) -> str:
    element = shape.figure.id
    kind = "shape"
    if element in marks.visits or element == marks.ended:
        kind += " seen"
    if element in marks.here or element == marks.ended:
        kind += " here"
    if element in marks.failed:
        kind += " failed"
    waiting = marks.waiting.get(element)
    said = [shape.figure.name or element]
    if waiting is not None:
        said.append(_in_words(waiting))
    if visits := marks.visits.get(element, 0):
        said.append("visited once" if visits == 1 else f"visited {visits} times")
    return group(kind, shapes.drawn(shape), element, ": ".join([said[0], ", ".join(said[1:])] if said[1:] else said))


def _badges(shape: Shape, marks: Marks, attached: list[Box]) -> Iterator[str]:
    element = shape.figure.id
    visits, waiting = marks.visits.get(element, 0), marks.waiting.get(element)
    if visits > 1:
        yield group("count", _pill(f"{visits}×", _corner(shape, attached)))
    if waiting is not None:
        said = f"{waiting.count:,}" + (f" · {age(waiting.oldest)}" if waiting.oldest is not None else "")
        bad = waiting.late or waiting.failed
        pill = _pill(f"{said} !" if bad else said, _corner(shape, attached))
        yield group("count late" if bad else "count", pill)
    top = Point(shape.box.middle.x, shape.box.y)
    if element in marks.failed:
        yield group("failed", [path("pin", _PIN, top), words("told", ["!"], Point(top.x, top.y - 4.5), 11)])
    elif element in marks.here or element == marks.ended:
        yield group("position", [path("pin", _PIN, top)])


def _corner(shape: Shape, attached: list[Box]) -> Point:
    """The middle of a count: at the upper right, or at the first corner where no boundary event or name is."""
    box = shape.box
    inside = min(10.0, box.width / 2 - 20)  # a small symbol is not covered
    right, left = box.right - inside, box.x + inside
    corners = [Point(right, box.y), Point(right, box.bottom), Point(left, box.bottom), Point(left, box.y)]
    names = [shapes.name_extent(shape)] if shape.figure.kind not in figures.ACTIVITIES else []
    taken = [*attached, *names]
    free = (at for at in corners if not any(_meet(Box(at.x - 16, at.y - 10, 32, 20), one) for one in taken))
    return next(free, corners[0])


def _meet(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def _pill(said: str, at: Point) -> list[str]:
    """A count around a corner, in the middle of a box with round ends."""
    wide = max(width(said, 11) * 1.1 + 12, 20.0)
    box = Box(at.x - wide / 2, at.y - 9, wide, 18)
    return [rectangle("pill", box, 9), words("told", [said], Point(box.middle.x, box.middle.y + 4), 11)]
