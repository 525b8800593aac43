"""Work in hand, and its limits: who has how much, what may be given to somebody else, which limit is full."""

from __future__ import annotations

from orchestration_pipelines.store.load import Burden, Limit, OpenTask, Wanted, burdens, limits, tasks

__all__ = ["Burden", "Limit", "OpenTask", "Wanted", "burdens", "limits", "tasks"]
