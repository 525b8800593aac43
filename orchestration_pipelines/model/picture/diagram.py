"""A BPMN picture as values: what is drawn, where, and how large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from orchestration_pipelines.model.picture.figures import Figure, Line


class DiagramRefused(ValueError):
    """A picture that is not drawn; the message says why."""


class Point(NamedTuple):
    """A place, in pixels to the right and down."""

    x: float
    y: float


class Box(NamedTuple):
    """Where something is and how large."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends to the right."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Where it ends below."""
        return self.y + self.height

    @property
    def middle(self) -> Point:
        """Its centre."""
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def around(self, other: Box) -> Box:
        """The smallest box that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)


@dataclass(frozen=True, slots=True)
class Shape:
    """An element in its place."""

    figure: Figure
    box: Box
    label: Box | None = None  #: where its name stands, if not in or below it
    is_expanded: bool = True  #: of a sub-process: its inside is drawn
    is_marked: bool = True  #: of an exclusive gateway: with its cross
    is_horizontal: bool = True  #: of a pool or lane


@dataclass(frozen=True, slots=True)
class Edge:
    """A line in its place."""

    line: Line
    points: tuple[Point, ...]
    label: Box | None = None


@dataclass(frozen=True, slots=True)
class Diagram:
    """A picture: every shape and edge once."""

    title: str
    shapes: tuple[Shape, ...]
    edges: tuple[Edge, ...]
