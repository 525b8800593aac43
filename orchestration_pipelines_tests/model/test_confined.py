"""The bounds that hostile cases run in are there: what breaks them is seen."""

from __future__ import annotations

import os

from orchestration_pipelines_tests.model.confined import ends


def _greedy() -> tuple[object, object]:
    return bytearray(300 * 1024 * 1024), ()


def _large() -> tuple[object, object]:
    return b"x" * (150 * 1024 * 1024), ()


def _endless() -> tuple[object, object]:
    while True:
        pass


def _deep() -> tuple[object, object]:
    return _deep()


def _dying() -> tuple[object, object]:
    os.abort()


CASES = {
    "greedy": _greedy,
    "large": _large,
    "endless": _endless,
    "deep": _deep,
    "dying": _dying,
    "silent": lambda: (None, ()),
    "told": lambda: (None, ["because"]),
}


def test_what_breaks_the_bounds_is_seen() -> None:
    """Memory, time, the stack, a crash, and a null that nobody explains."""
    ended = ends(__name__)
    assert {name: end.outcome for name, end in ended.items()} == {
        "greedy": "MemoryError",
        "large": "value",
        "endless": "died of signal 9",
        "deep": "RecursionError",
        "dying": "died of signal 6",
        "silent": "null for no reason",
        "told": "null",
    }
    assert not ended["endless"].is_in_bounds
    assert ended["told"].is_in_bounds
    assert 140 < ended["large"].megabytes < 160
