"""A drawing as a small SVG text: a frame with two axes, marks in it, and a title that a screen reader says."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 480, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 30
#: readable on white and on black, whichever the page has; told apart by the colour-blind (Okabe and Ito 2008)
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#667085}.t{font-size:12px;font-weight:600}.a{stroke:#98a2b3;fill:none}"
    ".g{stroke:#98a2b3;stroke-opacity:.3}.m{fill:#0072b2}.b{fill:#d55e00}.d,.w{stroke:#0072b2;stroke-width:4.5;stroke-linecap:round}.l{stroke:#0072b2;fill:none;stroke-width:1.5}"
    ".w{stroke:#d55e00}.h{stroke:#d55e00;stroke-dasharray:4 3}"
    ".o{paint-order:stroke;stroke:#fff;stroke-width:3px}"
    "@media(prefers-color-scheme:dark){text{fill:#cbd2dd}.m{fill:#56b4e9}.l,.d{stroke:#56b4e9}.o{stroke:#101828}}"
)


class Frame:
    """A picture under way: values in, positions out."""

    def __init__(self, title: str, summary: str, x: tuple[float, float], y: tuple[float, float]) -> None:
        self._title, self._summary = title, summary
        self._x0, self._x1 = x
        self._y0, self._y1 = y
        self._parts: list[str] = []

    def x(self, value: float) -> float:
        """The horizontal position of a value."""
        return _LEFT + (value - self._x0) / ((self._x1 - self._x0) or 1) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """The vertical position of a value."""
        return HEIGHT - _BOTTOM - (value - self._y0) / ((self._y1 - self._y0) or 1) * (HEIGHT - _TOP - _BOTTOM)

    def bar(self, left: float, right: float, value: float, low: float = 0.0, kind: str = "m") -> None:
        """A bar from the axis, or from ``low``, up to a value."""
        width = max(self.x(right) - self.x(left) - 1, 0.5)
        across = f"M{self.x(left):.1f} {self.y(value):.1f}h{width:.1f}V{self.y(low):.1f}h-{width:.1f}z"
        self._parts.append(f'<path class="{kind}" d="{across}"/>')

    def line(self, points: Sequence[tuple[float, float]], kind: str = "l") -> None:
        """A line through points."""
        path = "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)
        self._parts.append(f'<path class="{kind}" d="M{path}"/>')

    def band(self, points: Sequence[tuple[float, float, float]], shade: float) -> None:
        """The area between two values at each point."""
        there = [f"{self.x(x):.0f} {self.y(high):.0f}" for x, _, high in points]
        back = [f"{self.x(x):.0f} {self.y(low):.0f}" for x, low, _ in reversed(points)]
        self._parts.append(f'<path class="m" fill-opacity="{shade:.2f}" d="M{"L".join(there + back)}z"/>')

    def dots(self, points: Sequence[tuple[float, float]], kind: str = "d") -> None:
        """Points."""
        if points:
            path = "".join(f"M{self.x(x):.0f} {self.y(y):.0f}h0" for x, y in points)
            self._parts.append(f'<path class="{kind}" d="{path}"/>')

    def upright(self, value: float, label: str, row: int = 0) -> None:
        """A dashed line at a horizontal value, with a word beside it."""
        at = self.x(value)
        self._parts.append(f'<path class="h" d="M{at:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>')
        x, anchor = (at - 3, "end") if at > WIDTH - 90 else (at + 3, "start")
        self._parts.append(
            f'<text class="o" x="{x:.1f}" y="{_TOP + 10 + 12 * row}" text-anchor="{anchor}">{escape(label)}</text>'
        )

    def level(self, value: float, label: str) -> None:
        """A dashed line at a vertical value, with a word at its end."""
        at = self.y(value)
        self._parts.append(f'<path class="h" d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}"/>')
        self._parts.append(
            f'<text class="o" x="{WIDTH - _RIGHT}" y="{at - 3:.1f}" text-anchor="end">{escape(label)}</text>'
        )

    def say(self, x: float, y: float, words: str) -> None:
        """A word at a value."""
        self._parts.append(f'<text x="{self.x(x):.1f}" y="{self.y(y):.1f}">{escape(words)}</text>')

    def axes(self, across: str, label: Callable[[float], str]) -> None:
        """Grid lines with round numbers, and what is counted across."""
        for value in round_steps(self._y0, self._y1):
            self._parts.append(f'<path class="g" d="M{_LEFT} {self.y(value):.1f}H{WIDTH - _RIGHT}"/>')
            self._parts.append(
                f'<text x="{_LEFT - 5}" y="{self.y(value) + 4:.1f}" text-anchor="end">{value:,.6g}</text>'
            )
        for value in (self._x0, (self._x0 + self._x1) / 2, self._x1):
            anchor = "start" if value == self._x0 else "end" if value == self._x1 else "middle"
            self._parts.append(
                f'<text x="{self.x(value):.1f}" y="{HEIGHT - 16}" text-anchor="{anchor}">{escape(label(value))}</text>'
            )
        self._parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 3}" text-anchor="middle">{escape(across)}</text>')
        self._parts.append(f'<path class="a" d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}"/>')

    def drawn(self) -> str:
        """The picture."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(self._summary, {chr(34): "&quot;"})}"><style>{_STYLE}</style>'
            f'<text class="t" x="{_LEFT}" y="15">{escape(self._title)}</text>{"".join(self._parts)}</svg>'
        )


def round_steps(low: float, high: float, wanted: int = 4) -> list[float]:
    """About so many round numbers (1, 2 or 5 times a power of ten) between two values."""
    if not high > low:
        return [low]
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    first = math.ceil(low / step)
    return [round(index * step, 10) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def data_uri(picture: str) -> str:
    """The picture as what an ``img`` of Dagster's markdown shows; raw SVG it strips."""
    return "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode()
