"""SVG text, element by element: paths and lines of words in a group."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from orchestration_pipelines.model.picture.diagram import Box, Point

LEADING = 1.2  #: from line to line, of the size


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def path(kind: str, way: str, at: Point | None = None, scale: float = 1.0) -> str:
    """A path with its class, moved to a point."""
    moved = ""
    if at is not None:
        grown = "" if abs(scale - 1) < 0.01 else f" scale({scale:.2f})"
        moved = f' transform="translate({number(at.x)} {number(at.y)}){grown}"'
    return f'<path class="{kind}" d="{way}"{moved}/>'


def rectangle(kind: str, box: Box, radius: float = 0.0) -> str:
    """A rectangle, its corners rounded."""
    x, y, width, height = map(number, box)
    round_ = f' rx="{number(radius)}"' if radius else ""
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"{round_}/>'


def circle(kind: str, at: Point, radius: float) -> str:
    """A circle."""
    return f'<circle class="{kind}" cx="{number(at.x)}" cy="{number(at.y)}" r="{number(radius)}"/>'


def words(kind: str, lines: Iterable[str], at: Point, size: float, anchor: str = "middle") -> str:
    """Lines of text under each other, the first one's base at a point."""
    told = list(lines)
    if not told:
        return ""
    x = number(at.x)
    spans = "".join(
        f'<tspan x="{x}" y="{number(at.y + place * size * LEADING)}">{escape(line)}</tspan>'
        for place, line in enumerate(told)
    )
    kind = f' class="{kind}"' if kind else ""
    return f'<text{kind} text-anchor="{anchor}">{spans}</text>'


def upright(kind: str, line: str, at: Point) -> str:
    """A line of text that reads upwards, around a point."""
    where = f"{number(at.x)} {number(at.y)}"
    turned = f'transform="translate({where}) rotate(-90)"'
    return f'<text class="{kind}" text-anchor="middle" y="4" {turned}>{escape(line)}</text>' if line else ""


def group(kind: str, parts: Iterable[str], element: str = "", title: str = "") -> str:
    """A group with its class, the element that it shows, and what is told where the pointer rests."""
    named = f" data-element={quoteattr(element)}" if element else ""
    told = f"<title>{escape(title)}</title>" if title else ""
    return f'<g class="{kind}"{named}>{told}{"".join(parts)}</g>'
