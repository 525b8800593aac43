"""What a console works with: connections, the clock, the drawings, where Dagster's UI is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import Self

import psycopg

from orchestration_pipelines.engine.access import Passwords
from orchestration_pipelines.engine.sweep import Clock
from orchestration_pipelines.model import bpmn
from orchestration_pipelines.model.process import Process
from orchestration_pipelines.store import pool, versions
from orchestration_pipelines.store.pool import PoolTimeout

__all__ = ["CONNECTIONS", "Desk", "PoolTimeout"]

#: enough for 50 people at work, and a part of what a small server allows
CONNECTIONS = 12


class Desk:
    """One console's means. Close it, or use it in a ``with``: it holds connections."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] | None = None,
        passwords: Passwords | None = None,
        dagster: str | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self.url = url
        self.clock: Callable[[], datetime] = clock or Clock()
        self.passwords = passwords or Passwords()
        self.dagster = dagster  #: the address of Dagster's UI; None: there is none to link to
        self._pool = pool.opened(url, connections)
        self._drawings: dict[int, Process] = {}
        self._reading = Lock()

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection as the application, in autocommit, for as long as a page needs it."""
        with self._pool.connection() as connection:
            yield connection

    def drawing(self, version_id: int) -> Process:
        """A released version of a workflow, as it was drawn. Raises LookupError where there is none."""
        with self._reading:
            if version_id not in self._drawings:
                with self.connection() as connection:
                    found = versions.drawings(connection, [version_id])
                if not found:
                    raise LookupError(f"there is no version {version_id}")
                self._drawings[version_id] = bpmn.loads(found[0].bpmn, f"version {version_id}")
            return self._drawings[version_id]

    def newest(self) -> Mapping[str, Process]:
        """Each workflow as it was drawn last."""
        with self.connection() as connection:
            ids = versions.newest_ids(connection)
        return {workflow: self.drawing(version_id) for workflow, version_id in ids.items()}

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
