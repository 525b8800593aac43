"""The ways of lines between columns: along rows, and up or down in the gaps, where each has a track of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from orchestration_pipelines.model.picture.diagram import Box, Point

_TRACK = 14.0


class Run(NamedTuple):
    """A line to be led: from where it leaves, through gaps, into the left side of its target."""

    start: tuple[Point, ...]
    leaves: int  #: the gap behind the column where it begins
    rows: tuple[float, ...]  #: the heights at which it crosses the columns between
    enters: int  #: the gap in front of the column where it ends
    target: Box
    leads_back: bool


class _Turn(NamedTuple):
    gap: int
    origin: float
    to: float
    run: int


def led(runs: Sequence[Run], gaps: Sequence[tuple[float, float]], low: float) -> tuple[list[tuple[Point, ...]], float]:
    """The points of each run, and how far down they reach. ``gaps``: from where to where each is free."""
    turns: list[_Turn] = []
    ways: list[list[_Turn]] = []
    for number, run in enumerate(runs):
        height = run.start[-1].y
        end = run.target.middle.y
        if run.leads_back:
            low += _TRACK
            way = [_Turn(run.leaves, height, low, number), _Turn(run.enters, low, end, number)]
        else:
            heights = [height, *run.rows, end]
            way = [
                _Turn(run.leaves + place, here, there, number) for place, (here, there) in enumerate(pairwise(heights))
            ]
        ways.append(way)
        turns += [turn for turn in way if turn.origin != turn.to]
    track = _tracks(turns, gaps)
    return [_points(run, way, track) for run, way in zip(runs, ways, strict=True)], low


def _tracks(turns: Sequence[_Turn], gaps: Sequence[tuple[float, float]]) -> Mapping[_Turn, float]:
    """Where in its gap each turn goes up or down: those that come from one height share a track."""
    inside: dict[int, set[tuple[bool, float]]] = defaultdict(set)
    for turn in turns:
        inside[turn.gap].add(_key(turn))
    place: dict[tuple[int, tuple[bool, float]], float] = {}
    for gap, keys in inside.items():
        begin, end = gaps[gap]
        step = min(_TRACK, (end - begin) / (len(keys) + 1))
        # going down, the lowest turns first, going up, the highest: so they do not cross
        order = sorted(keys, key=lambda key: (key[0], key[1] if key[0] else -key[1]))
        place |= {(gap, key): begin + step * number for number, key in enumerate(order, 1)}
    return {turn: place[turn.gap, _key(turn)] for turn in turns}


def _key(turn: _Turn) -> tuple[bool, float]:
    return turn.to < turn.origin, turn.origin


def _points(run: Run, way: Sequence[_Turn], track: Mapping[_Turn, float]) -> tuple[Point, ...]:
    points = list(run.start)
    for turn in way:
        if turn in track:
            points += [Point(track[turn], turn.origin), Point(track[turn], turn.to)]
    points.append(Point(run.target.x, run.target.middle.y))
    return tuple(
        point
        for index, point in enumerate(points)
        if not 0 < index < len(points) - 1 or not _straight_on(points[index - 1], point, points[index + 1])
    )


def _straight_on(before: Point, here: Point, after: Point) -> bool:
    return (before.x == here.x == after.x) or (before.y == here.y == after.y)
