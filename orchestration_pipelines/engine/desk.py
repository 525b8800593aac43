"""What a console works with: connections, the clock, the drawings, where Dagster's UI is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import psycopg

from orchestration_pipelines.engine.access import Passwords
from orchestration_pipelines.engine.backlog import Backlog
from orchestration_pipelines.engine.drawing import diagram_of
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.sweep import Clock
from orchestration_pipelines.engine.watch import Watch
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.model import bpmn, picture
from orchestration_pipelines.model.picture import Diagram, Marks
from orchestration_pipelines.model.process import Process
from orchestration_pipelines.store import pool, versions
from orchestration_pipelines.store.pool import PoolTimeout

__all__ = ["CONNECTIONS", "Desk", "PoolTimeout"]

#: enough for 50 people at work, and a part of what a small server allows
CONNECTIONS = 12
_PICTURES = 256


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
        folders: Sequence[Path] = (),
    ) -> None:
        self.url = url
        self.clock: Callable[[], datetime] = clock or Clock()
        self.passwords = passwords or Passwords()
        self.dagster = dagster  #: the address of Dagster's UI; None: there is none to link to
        self.backlog = Backlog()
        self.watch = Watch(url)  #: one connection beside the others, as soon as a page is open that wants to be told
        self._pool = pool.opened(url, connections)
        self._drawings: dict[int, Process] = {}
        self._diagrams: dict[int, Diagram | None] = {}
        self._reading = Lock()
        self._folders = list(folders)  #: of workflows that take cases in here, and that nobody has asked for yet
        self._engines: dict[str, Engine] = {}
        self._loading = Lock()
        #: a version with the marks of a case, as svg and in words: most cases came the same way to the same place
        self.picture = lru_cache(maxsize=_PICTURES)(self._picture)

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

    def diagram(self, version_id: int) -> Diagram | None:
        """The picture of a released version; None where it is too large for one. Raises LookupError likewise."""
        with self._reading:
            if version_id not in self._diagrams:
                with self.connection() as connection:
                    found = versions.drawings(connection, [version_id])
                if not found:
                    raise LookupError(f"there is no version {version_id}")
                self._diagrams[version_id] = diagram_of(found[0].bpmn, f"version {version_id}")
            return self._diagrams[version_id]

    def _picture(self, version_id: int, marks: Marks, anchor: str) -> tuple[str, str]:
        diagram = self.diagram(version_id)
        if diagram is None:
            raise LookupError(f"version {version_id} is too large for a picture")
        return picture.svg(diagram, marks, anchor=anchor), picture.told(diagram, marks)

    def newest(self) -> Mapping[str, Process]:
        """Each workflow as it was drawn last."""
        with self.connection() as connection:
            ids = versions.newest_ids(connection)
        return {workflow: self.drawing(version_id) for workflow, version_id in ids.items()}

    def pictures(self) -> Mapping[str, Diagram]:
        """The picture of each workflow as it was drawn last, without those that are too large for one."""
        with self.connection() as connection:
            ids = versions.newest_ids(connection)
        found = {workflow: self.diagram(version_id) for workflow, version_id in ids.items()}
        return {workflow: diagram for workflow, diagram in found.items() if diagram is not None}

    def engine(self, workflow: str) -> Engine:
        """The engine of a workflow, to submit cases to. Raises LookupError where its folder is none of the desk's.

        A folder is loaded when it is first needed: its workers may import much, and most consoles take no cases in.
        """
        with self._loading:
            while workflow not in self._engines and self._folders:
                engine = Engine(self.url, load_workflow(self._folders[-1]), clock=self.clock)
                self._engines[engine.workflow.name] = engine
                self._folders.pop()
        if workflow not in self._engines:
            raise LookupError(f"no cases of {workflow!r} are taken in here: start it with --workflow and its folder")
        return self._engines[workflow]

    def close(self) -> None:
        """Tell open pages that it is over, and give the connections back."""
        self.watch.close()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
