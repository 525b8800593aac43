"""People first: while a sweep works through arrivals, what was decided meanwhile is not kept waiting.

A run of its own would take seconds to start, and longer beside a sweep that keeps every core busy. So the sweep looks
up between two chunks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg

from orchestration_pipelines.engine.station import Station

#: how often one of the lanes looks
EVERY_S = 0.5


class Lookout:
    """Where decided cases and fired timers wait: asked for by every lane, looked for by one at a time."""

    def __init__(self, find: Callable[[psycopg.Connection], list[Station]], every_s: float) -> None:
        self._find, self._every_s = find, every_s
        self._next = time.monotonic() + every_s  # a dispatch has just looked
        self._lock = threading.Lock()

    def look(self, connection: psycopg.Connection) -> list[Station]:
        """The stations at which urgent tokens wait; none if it is not time to look again."""
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return []
            self._next = now + self._every_s
        return self._find(connection)
