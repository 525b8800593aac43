"""Python's cycle collector, kept from walking every case in flight while many are worked on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep Python's cycle collector from walking every case in flight, over and over: a third of a sweep's time.

    Chunks are freed by their reference counts; what does form cycles (errors with tracebacks) is collected at the end.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
            gc.collect(1)
