"""The symbols of BPMN (2.0.2, chapter 7 and annex) as paths around a centre, for an event of 36 and a gateway of 50."""

from __future__ import annotations

import math


def _star(teeth: int, outer: float, inner: float, x: float = 0, y: float = 0) -> str:
    """A cog: each tooth a fifth of a turn's share wide at the top."""
    points = []
    for tooth in range(teeth):
        for share, radius in ((0.0, inner), (0.2, outer), (0.5, outer), (0.7, inner)):
            angle = 2 * math.pi * (tooth + share) / teeth
            points.append(f"{x + radius * math.cos(angle):.1f} {y + radius * math.sin(angle):.1f}")
    return f"M{'L'.join(points)}z"


def _circle(radius: float, x: float = 0, y: float = 0) -> str:
    half = f"a{radius:g} {radius:g} 0 1 0"
    return f"M{x - radius:g} {y:g}{half} {2 * radius:g} 0{half} {-2 * radius:g} 0z"


_ENVELOPE = "M-9-6h18v12h-18z"
_FLAP = "M-9-6L0 1.5 9-6"
_PENTAGON = "M0-9.5L9-2.9 5.6 7.7H-5.6L-9-2.9z"

#: an event's definition to its body, which is filled where the event throws, and the lines on it
EVENTS: dict[str, tuple[str, str]] = {
    "": ("", ""),
    "message": (_ENVELOPE, _FLAP),
    "timer": (_circle(10), "M0-10v3M0 10v-3M10 0h-3M-10 0h3M0-6V0L4.5 2.5"),
    "error": ("M-8.5 8L-3.6-8 2.2.6 8.5-8 3.8 8-2.2-.8z", ""),
    "escalation": ("M0-9.5L7 8.5 0 1.5-7 8.5z", ""),
    "compensate": ("M-1-6v12l-9-6zM8-6v12l-9-6z", ""),
    "conditional": ("M-7-9h14v18h-14z", "M-4.5-5.5h9M-4.5-1.8h9M-4.5 1.8h9M-4.5 5.5h9"),
    "link": ("M-9.5-3.5h10v-4.5l9 8-9 8v-4.5h-10z", ""),
    "signal": ("M0-9.5L9 6.5H-9z", ""),
    "cancel": ("M-8.5-5.5l3-3L0-3l5.5-5.5 3 3L3 0l5.5 5.5-3 3L0 3l-5.5 5.5-3-3L-3 0z", ""),
    "terminate": (_circle(10), ""),
    "multiple": (_PENTAGON, ""),
    "parallel_multiple": ("M-3-9h6v6h6v6h-6v6h-6v-6h-6v-6h6z", ""),
}

#: a gateway's kind to its lines, each with its class
GATEWAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "exclusiveGateway": (("bold", "M-6.5-8L6.5 8M6.5-8L-6.5 8"),),
    "parallelGateway": (("bold", "M0-11v22M-11 0h22"),),
    "inclusiveGateway": (("bold", _circle(11)),),
    "complexGateway": (("bold", "M0-11v22M-11 0h22M-8-8L8 8M8-8L-8 8"),),
    "eventBasedGateway": (
        ("thin", _circle(14)),
        ("thin", _circle(11.5)),
        ("thin", "M0-7L6.7-2.2 4.1 5.7H-4.1L-6.7-2.2z"),
    ),
}

#: a task's type to its body and the lines on it, 18 by 18 around a centre; a third, solid part of its own
TASKS: dict[str, tuple[str, str, str]] = {
    "user": ("M-7 7.5c0-4.6 2-7 4.3-7.6h5.4C5 .5 7 2.9 7 7.5z" + _circle(3.6, 0, -4), "M-3.8 7.5V4.2M3.8 7.5V4.2", ""),
    "service": (
        _star(8, 6.6, 4.9, -1.6, -1.6) + _star(8, 4.8, 3.3, 5, 5),
        _circle(2, -1.6, -1.6) + _circle(1.3, 5, 5),
        "",
    ),
    "script": (
        "M-3.5-8h11c-4 3.3-4 5.3-1.2 8s2.2 5.5-1.3 8h-11c3.5-2.5 3.8-5.3 1.2-8s-2.6-4.7 1.3-8z",
        "M-3.3-5h6M-2.8-1.8h6M-.8 1.6h6M-1 5h5.5",
        "",
    ),
    "rule": ("M-8-6.5h16v13h-16z", "M-8 2.2h16M-3.5-2v8.5", "M-8-6.5h16v4.5h-16z"),
    "send": ("", "", "M-8.5-6h17L0 .6zM-8.5-4.4L0 2.4l8.5-6.8V6h-17z"),
    "receive": ("M-8.5-6h17v12h-17z", "M-8.5-6L0 1 8.5-6", ""),
    "manual": (
        "M-8-1.2c1-3.2 3.4-5.3 5.4-5.3h3.2c1.3 0 1.3 1.9 0 1.9h-1.9 6.5c1.5 0 1.5 2.2 0 2.2h-3 4.4"
        "c1.5 0 1.5 2.2 0 2.2h-4.4 3.7c1.4 0 1.4 2.1 0 2.1h-3.7 2.2c1.3 0 1.3 2 0 2h-5.7c-3.8 0-6.2-1.4-6.7-5.1z",
        "",
        "",
    ),
}

#: what stands at the lower edge of an activity, 14 wide, and its class
MARKERS: dict[str, tuple[str, str]] = {
    "loop": ("thin", "M-3.4 5A6 6 0 1 1 3.4 5M-7.2 5.6l4-.4-.6-4"),
    "parallel": ("bar", "M-4-6v12M0-6v12M4-6v12"),
    "several": ("bar", "M-4-6v12M0-6v12M4-6v12"),
    "sequential": ("bar", "M-6-4h12M-6 0h12M-6 4h12"),
    "compensation": ("thin", "M-.5-5v10l-7-5zM6.5-5v10l-7-5z"),
    "ad_hoc": ("bar", "M-6.5 2c1.6-4.6 4-4.4 6.5-1.6s4.9 2.6 6.5-2"),
    "collapsed": ("thin", "M-7-7h14v14h-14zM0-4v8M-4 0h8"),
}
#: of a data object, at its upper left
INPUT = "M0 3.5h8v-3l5.5 5.5L8 11.5v-3H0z"
