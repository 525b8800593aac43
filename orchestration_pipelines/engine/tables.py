"""The decision tables in force: those that were released, whatever the files on disk say by now."""

from __future__ import annotations

import threading
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace

import psycopg

from orchestration_pipelines.engine.workflow import Table, Workflow
from orchestration_pipelines.model import dmn
from orchestration_pipelines.model.process import Element, Kind
from orchestration_pipelines.store import releases
from orchestration_pipelines.store.releases import ActiveFile


def asked_by(element: Element) -> str | None:
    """The decision that an element asks for: a business rule task's, or what routes a user task."""
    return element.calls or element.id if element.kind is Kind.RULE else element.extra.get("routing") or None


def read_table(file_name: str, content: bytes, beside: Mapping[str, bytes]) -> Table:
    """A released file as a table; what it imports is among those that are active ``beside`` it."""
    return Table(file_name, content, dmn.loads(content, file_name, beside))


class ActiveTables(Mapping[str, Table]):
    """The active tables of a workflow, by decision. A sweep asks at each chunk whether they are still the same."""

    def __init__(self, workflow: str) -> None:
        self._workflow = workflow
        self._releases: list[tuple[int]] = []
        self._tables: dict[str, Table] = {}
        self._lock = threading.Lock()

    def refresh(self, connection: psycopg.Connection) -> None:
        """Take over what was released meanwhile: one look into a small index where nothing was."""
        if releases.active_ids(connection, self._workflow) == self._releases:
            return
        with self._lock:
            files = releases.active_files(connection, self._workflow)
            self._tables = self._read(files)
            self._releases = [(file.release,) for file in files]

    def _read(self, files: list[ActiveFile]) -> dict[str, Table]:
        beside = {file.file_name: file.content for file in files}
        tables = [read_table(file.file_name, file.content, beside) for file in files]
        return {decision: table for table in tables for decision in table.model.decisions}

    def __getitem__(self, decision: str) -> Table:
        return self._tables[decision]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def in_force(connection: psycopg.Connection, workflow: Workflow, version: int, active: ActiveTables) -> Workflow:
    """A version of a workflow with the tables that hold for it."""
    return replace(workflow, tables=of_version(connection, version, active))


def of_version(connection: psycopg.Connection, version: int, active: ActiveTables) -> ChainMap[str, Table]:
    """The tables that hold for a version: those that it is pinned to, then the active ones."""
    pinned = {
        decision: active[decision]
        if decision in active and active[decision].model.digest == digest
        else read_table(f"{decision} as pinned", content, {})  # it imports nothing: versions.release refused that
        for decision, digest, content in releases.pinned(connection, version)
    }
    return ChainMap(pinned, active)  # type: ignore[arg-type]
