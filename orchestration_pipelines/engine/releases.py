"""Releasing tables and drawings: one person proposes, another approves; what tightens needs nobody else.

Each act is one transaction with its audit entry; the database holds the rules (0002_releases.sql). What was refused is
on the record too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.release import Meaning, State
from orchestration_pipelines.engine.workflow import Table, Workflow
from orchestration_pipelines.model.dmn import wording
from orchestration_pipelines.store import releases as table
from orchestration_pipelines.store import versions
from orchestration_pipelines.store.casework import note
from orchestration_pipelines.store.refusal import Refused, refusals
from orchestration_pipelines.store.releases import Release

__all__ = [
    "DRAWING",
    "TABLE",
    "Differing",
    "Person",
    "Refused",
    "Release",
    "approve",
    "approved_by_two",
    "differing",
    "files_of",
    "install",
    "keep",
    "listed",
    "only",
    "recorded",
    "reject",
    "release_of",
]

TABLE, DRAWING = "table", "drawing"


@dataclass(frozen=True)
class Person:
    """Who acts, and the operating-system user who asserts it where that is somebody else."""

    name: str
    asserted_by: str | None = None


@dataclass(frozen=True)
class Differing:
    """A file on disk that is not the one in force."""

    file_name: str
    digest: str  #: on disk
    active: str | None  #: None: nothing of that name is in force

    def __str__(self) -> str:
        held = f"the active release is {self.active[:12]}" if self.active else "nothing of that name is active"
        return (
            f"{self.file_name} in the folder ({self.digest[:12]}) is not in force: {held}. "
            "Release it with orchestrate model release, or put the released file back"
        )


# -- the first release


def install(connection: psycopg.Connection, workflow: Workflow, by: Person, now: datetime) -> None:
    """Make the files of a folder active that are the first with their decisions; others wait for their release."""
    known = table.known_files(connection, workflow.name)
    for file in files_of(workflow):
        if file.file_name in known:
            continue
        decisions = tuple(sorted(file.model.decisions))
        proposal = table.Proposal(
            workflow.name,
            TABLE,
            file.file_name,
            file.model.digest,
            decisions,
            Meaning.FIRST,
            None,
            "the first release: the file that the workflow came with",
            by.name,
            by.asserted_by,
            now,
        )
        try:
            with refusals(), connection.transaction():
                keep(connection, file)
                release = table.propose(connection, proposal)
                table.act(connection, release, "install", by=by.name, asserted_by=by.asserted_by, at=now)
        except Refused:
            continue  # another file has had its decisions: it differs from what is in force, and is told so


def files_of(workflow: Workflow) -> list[Table]:
    """The table files of a workflow's folder, each once."""
    return list({file.file_name: file for file in workflow.tables.values()}.values())


def keep(connection: psycopg.Connection, file: Table) -> None:
    """Keep a table's content and its rules in words, for whoever asks later."""
    table.keep_file(connection, file.model.digest, file.content, wording.rules(file.model))


# -- acting on a proposal


def approve(
    connection: psycopg.Connection, digest: str, workflow: str | None, *, by: Person, now: datetime, reason: str = ""
) -> Release:
    """A second person agrees: the proposal is active."""
    return _act(connection, _proposal(connection, digest, workflow), "approve", by, now, reason)


def reject(
    connection: psycopg.Connection, digest: str, workflow: str | None, *, by: Person, reason: str, now: datetime
) -> Release:
    """A proposal is turned down; by who made it, it is withdrawn."""
    release = _proposal(connection, digest, workflow)
    own = by.name.strip().lower() == release.requested_by.strip().lower()
    return _act(connection, release, "withdraw" if own else "reject", by, now, reason)


def _act(
    connection: psycopg.Connection, release: Release, act: str, by: Person, now: datetime, reason: str = ""
) -> Release:
    record = versions.record_of(connection, release.workflow)
    with recorded(connection, record, act, release.file_name, by, now), refusals(), connection.transaction():
        table.act(connection, release.id, act, by=by.name, asserted_by=by.asserted_by, at=now, reason=reason)
    return release_of(connection, release.id)


def _proposal(connection: psycopg.Connection, digest: str, workflow: str | None) -> Release:
    return only(table.listed(connection, workflow, digest=digest, state=State.PROPOSED), digest, "proposal")


def only(found: list[Release], digest: str, what: str) -> Release:
    """The one that was meant; :class:`Refused` where it is none, or several."""
    if not found:
        raise Refused(f"there is no {what} {digest!r}: see orchestrate model releases")
    if len(found) > 1:
        named = ", ".join(f"{r.workflow}/{r.file_name} {r.digest[:12]}" for r in found)
        raise Refused(f"{digest!r} is the beginning of several ({named}): write more of it, or --workflow NAME")
    return found[0]


def release_of(connection: psycopg.Connection, number: int) -> Release:
    """A release by its number; raises LookupError where there is none."""
    for release in table.listed(connection, number=number):
        return release
    raise LookupError(f"there is no release {number}")


@contextmanager
def recorded(
    connection: psycopg.Connection, record: int, act: str, file_name: str, by: Person, now: datetime
) -> Iterator[None]:
    """What is refused is recorded, too: somebody tried."""
    try:
        yield
    except Refused as error:
        detail = encode({"tried": act, "reason": str(error)[:2000], "asserted_by": by.asserted_by})
        note(connection, record, actor=by.name, role="releaser", act="refused", record=file_name, at=now, detail=detail)
        raise


# -- what is in force


def listed(
    connection: psycopg.Connection, workflow: str | None = None, limit: int | None = None, state: State | None = None
) -> list[Release]:
    """Every release, or those in a state; newest first."""
    return table.listed(connection, workflow, limit=limit, state=state)


def differing(connection: psycopg.Connection, workflow: Workflow) -> list[Differing]:
    """The table files of a folder that are not the ones in force; not those that the next start installs."""
    active = {file.file_name: file.digest for file in table.active_files(connection, workflow.name)}
    decided = table.known_decisions(connection, workflow.name)
    return [
        Differing(file.file_name, file.model.digest, active.get(file.file_name))
        for file in files_of(workflow)
        if active.get(file.file_name) != file.model.digest
        and (file.file_name in active or decided & set(file.model.decisions))
    ]


def approved_by_two(connection: psycopg.Connection, workflow: Workflow) -> bool:
    """Whether two people released this very drawing."""
    return table.was_approved(connection, workflow.name, workflow.process.digest)
