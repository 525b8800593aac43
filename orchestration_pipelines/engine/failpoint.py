"""Places where a trial may kill the process: named, counted, and inert unless a trial asks.

``ORCHESTRATION_FAILPOINT=claimed:3`` kills the process (SIGKILL, itself) the third time it reaches ``claimed``.
"""

from __future__ import annotations

import os
import signal
import threading

WINDOWS = ("claimed", "effect-done", "mid-advance", "decided", "compensating")

_wanted = os.environ.get("ORCHESTRATION_FAILPOINT", "")
_window, _, _nth = _wanted.partition(":")
_left = int(_nth or "1")
_lock = threading.Lock()


def reached(window: str) -> None:
    """Say that the process is at a window; where a trial asked for it, this is its end."""
    global _left
    if window != _window:
        return
    with _lock:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
