"""The four pictures of flow: how long it takes, whether that is stable, how much is under way, how old that is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np

from orchestration_pipelines.domain.spread import Floats
from orchestration_pipelines.engine.report.svg import Frame

_BINS = 40
#: so many points are drawn at the most; the picture stays small
_POINTS = 100
#: natural process limits are this many average moving ranges from the mean (Shewhart; Wheeler 1993, XmR)
XMR = 2.66
_FEW = 5


def histogram(title: str, values: Floats, unit: str) -> str:
    """How values are spread, with the percentiles p50, p85 and p95; what lies beyond p99 is in the last bar."""
    if not values.size:
        return _nothing(title)
    p50, p85, p95, p99 = (float(each) for each in np.percentile(values, [50, 85, 95, 99]))
    most = p99 if p99 > 1e-9 else 1.0  # all at once: one bar
    counts, edges = np.histogram(np.clip(values, 0, most), bins=_BINS, range=(0, most))
    summary = (
        f"{title}: half within {p50:.3g} {unit}, 85 % within {p85:.3g}, 95 % within {p95:.3g}; {values.size:,} values"
    )
    frame = Frame(title, summary, (0, most), (0, float(counts.max())))
    frame.axes(unit, lambda value: f"{value:,.3g}")
    for count, left, right in zip(counts, edges, edges[1:], strict=False):
        if count:
            frame.bar(float(left), float(right), float(count))
    for row, (name, value) in enumerate((("p50", p50), ("p85", p85), ("p95", p95))):
        frame.upright(min(value, most), f"{name} {value:.3g}", row)
    return frame.drawn()


def control_chart(title: str, days: Sequence[date], values: Sequence[float], unit: str) -> str:
    """A value by day with its natural process limits (XmR); a day beyond them is marked: something happened there."""
    days, values = days[-_POINTS:], values[-_POINTS:]
    if not values:
        return _nothing(title)
    mean, low, high = limits(values)
    beyond = [index for index, value in enumerate(values) if not low <= value <= high]
    summary = (
        f"{title}: mean {mean:.3g} {unit}, limits {low:.3g} and {high:.3g}; {len(beyond)} of {len(values)} days beyond"
    )
    top = max(high, *values) * 1.05
    frame = Frame(title, summary, (0, max(len(values) - 1, 1)), (min(0.0, low), top or 1.0))
    frame.axes(unit, _by_day(days))
    frame.line(list(enumerate(values)))
    frame.dots(list(enumerate(values)) if len(values) < _FEW else [])
    frame.level(mean, f"mean {mean:.3g}")
    if len(values) >= _FEW:  # the limits of a few days say nothing yet
        frame.level(high, f"upper limit {high:.3g}")
        if low > 0:
            frame.level(low, f"lower limit {low:.3g}")
    frame.dots([(index, values[index]) for index in beyond], "w")
    return frame.drawn()


def limits(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean and the natural process limits of values in their order; none lies below zero."""
    mean = sum(values) / len(values)
    ranges = [abs(later - earlier) for earlier, later in itertools.pairwise(values)]
    wide = XMR * (sum(ranges) / len(ranges)) if ranges else 0.0
    return mean, max(0.0, mean - wide), mean + wide


def cumulative_flow(title: str, days: Sequence[date], arrived: Sequence[int], left: Sequence[int]) -> str:
    """Arrivals and departures summed up: their distance is what is under way, and how long it takes."""
    if not days:
        return _nothing(title)
    chosen = sorted({*range(0, len(days), max(1, len(days) // _POINTS)), len(days) - 1})
    days = [days[index] for index in chosen]
    arrived, left = [arrived[index] for index in chosen], [left[index] for index in chosen]
    under_way = arrived[-1] - left[-1]
    summary = f"{title}: {arrived[-1]:,} arrived, {left[-1]:,} done, {under_way:,} under way on {days[-1]}"
    frame = Frame(title, summary, (0, max(len(days) - 1, 1)), (0, float(max(arrived[-1], 1))))
    frame.axes("cases, summed up", _by_day(days))
    frame.band([(index, 0, value) for index, value in enumerate(left)], 0.35)
    frame.band([(index, low, high) for index, (low, high) in enumerate(zip(left, arrived, strict=True))], 0.9)
    frame.upright(len(days) - 1, f"{under_way:,} under way")
    return frame.drawn()


def ageing(title: str, ages: Mapping[str, Floats], unit: str) -> str:
    """How old what is under way is, station by station; the percentiles are of all together."""
    stations = [name for name, values in ages.items() if values.size]
    if not stations:
        return _nothing(title)
    everything = np.concatenate([ages[name] for name in stations])
    p50, p85, oldest = float(np.median(everything)), float(np.percentile(everything, 85)), float(everything.max())
    summary = (
        f"{title}: {everything.size:,} under way, half older than {p50:.3g} {unit}, the oldest {oldest:.3g} {unit}"
    )
    frame = Frame(title, summary, (-0.5, len(stations) - 0.5), (0, oldest * 1.05 or 1.0))
    frame.axes(f"{unit}, by station", lambda _: "")
    each = max(3, _POINTS // len(stations))
    for place, name in enumerate(stations):
        values = np.sort(ages[name])
        shown = values if values.size <= each else np.quantile(values, np.linspace(0, 1, each))
        points = [(place + ((index * 7) % 11 - 5) / 22, float(value)) for index, value in enumerate(shown)]
        frame.dots([point for point in points if point[1] <= p85])
        frame.dots([point for point in points if point[1] > p85], "w")
        frame.say(place - 0.4, -0.07 * oldest, f"{name} · {values.size:,}")
    frame.level(p85, f"p85 {p85:.3g}")
    return frame.drawn()


def _by_day(days: Sequence[date]) -> Callable[[float], str]:
    return lambda value: f"{days[min(round(value), len(days) - 1)]:%-d %b %Y}"


def _nothing(title: str) -> str:
    frame = Frame(title, f"{title}: nothing to show yet", (0, 1), (0, 1))
    frame.say(0.35, 0.5, "nothing to show yet")
    return frame.drawn()
