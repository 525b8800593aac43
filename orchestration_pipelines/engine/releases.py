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
from orchestration_pipelines.domain.release import ALONE, Meaning, State
from orchestration_pipelines.engine import weighing
from orchestration_pipelines.engine.tables import ActiveTables, read_table
from orchestration_pipelines.engine.workflow import Table, Workflow
from orchestration_pipelines.model import bpmn, dmn
from orchestration_pipelines.model.dmn import checks, wording
from orchestration_pipelines.model.dmn.revision import revised
from orchestration_pipelines.model.process import Kind, Process
from orchestration_pipelines.store import releases as table
from orchestration_pipelines.store import versions
from orchestration_pipelines.store.casework import note
from orchestration_pipelines.store.refusal import Refused, refusals
from orchestration_pipelines.store.releases import Release

TABLE, DRAWING = "table", "drawing"


@dataclass(frozen=True)
class Person:
    """Who acts, and the operating-system user who asserts it where that is somebody else."""

    name: str
    asserted_by: str | None = None


@dataclass(frozen=True)
class Proposed:
    """A proposal, and what it would change."""

    release: Release
    why: str  #: why it needs a second person, or none
    differences: tuple[str, ...]  #: rules added, removed and changed, in words
    findings: tuple[str, ...]  #: gaps, overlaps and the like


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
                _keep(connection, file)
                release = table.propose(connection, proposal)
                table.act(connection, release, "install", by=by.name, asserted_by=by.asserted_by, at=now)
        except Refused:
            continue  # another file has had its decisions: it differs from what is in force, and is told so


def files_of(workflow: Workflow) -> list[Table]:
    """The table files of a workflow's folder, each once."""
    return list({file.file_name: file for file in workflow.tables.values()}.values())


def _keep(connection: psycopg.Connection, file: Table) -> None:
    table.keep_file(connection, file.model.digest, file.content, wording.rules(file.model))


# -- proposing


def propose(
    connection: psycopg.Connection,
    workflow: Workflow,
    file_name: str,
    content: bytes,
    *,
    by: Person,
    reason: str,
    now: datetime,
) -> Proposed:
    """Propose a file of a workflow; it is active at once where that is proved to be no loosening."""
    with connection.transaction():
        record = versions.lock_workflow(connection, workflow.name, workflow.owner)
    with _told(connection, record, "propose", file_name, by, now):
        if not reason.strip():
            raise Refused("a reason is needed to release a file")
        if file_name.endswith(".bpmn"):
            return _propose_drawing(connection, workflow, file_name, content, by=by, reason=reason, now=now)
        return _propose_table(connection, workflow, file_name, content, by=by, reason=reason, now=now)


def _propose_table(
    connection: psycopg.Connection,
    workflow: Workflow,
    file_name: str,
    content: bytes,
    *,
    by: Person,
    reason: str,
    now: datetime,
) -> Proposed:
    files = {found.file_name: found for found in table.active_files(connection, workflow.name)}
    beside = {name: found.content for name, found in files.items()}
    try:
        file = read_table(file_name, content, beside)
    except dmn.DmnRefused as error:
        raise Refused(str(error)) from error
    if file.model.problems:
        listed = "\n".join(f"  - {problem}" for problem in file.model.problems)
        raise Refused(f"{file_name} cannot be evaluated as it is:\n{listed}")
    active = files.get(file_name)
    if active is not None and active.digest == file.model.digest:
        raise Refused(f"{file_name} is active already, with this very content ({file.model.digest[:12]})")
    before = read_table(file_name, active.content, beside) if active else None
    _refuse_missing(connection, workflow, file, before)
    meaning, why = _meaning(connection, workflow, before, file)
    proposal = table.Proposal(
        workflow.name,
        TABLE,
        file_name,
        file.model.digest,
        tuple(sorted(file.model.decisions)),
        meaning,
        active.digest if active else None,
        reason,
        by.name,
        by.asserted_by,
        now,
    )
    with refusals(), _once(proposal), connection.transaction():
        _keep(connection, file)
        number = table.propose(connection, proposal)
        if meaning in ALONE:
            table.act(connection, number, "enact", by=by.name, asserted_by=by.asserted_by, at=now)
    differences = wording.differences(before.model if before else None, file.model)
    findings = tuple(str(finding) for finding in checks.check(file.model))
    return Proposed(_release(connection, number), why, tuple(differences), findings)


def _propose_drawing(
    connection: psycopg.Connection,
    workflow: Workflow,
    file_name: str,
    content: bytes,
    *,
    by: Person,
    reason: str,
    now: datetime,
) -> Proposed:
    try:
        process = bpmn.loads(content, file_name)
    except bpmn.ModelRefused as error:
        raise Refused(str(error)) from error
    if process.extra.get("timeoutMayApprove") != "true":
        raise Refused(
            f"{file_name} does not say orch:timeoutMayApprove: it needs no release by two people, and is released when "
            "the workflow is next started with it"
        )
    active = {found.file_name: found for found in table.active_files(connection, workflow.name, DRAWING)}.get(file_name)
    proposal = table.Proposal(
        workflow.name,
        DRAWING,
        file_name,
        process.digest,
        (),
        Meaning.LOOSENING,
        active.digest if active else None,
        reason,
        by.name,
        by.asserted_by,
        now,
    )
    with refusals(), _once(proposal), connection.transaction():
        table.keep_file(connection, process.digest, content, ())
        number = table.propose(connection, proposal)
    return Proposed(_release(connection, number), "running out of time may approve in it", (), ())


def _meaning(
    connection: psycopg.Connection, workflow: Workflow, before: Table | None, after: Table
) -> tuple[Meaning, str]:
    """What a table changes, and why it is taken for that."""
    if before is None:
        return Meaning.FIRST, "nothing of that name is active, and the workflow was installed without it"
    active = ActiveTables(workflow.name)
    active.refresh(connection)
    if any(_imports(table.model, before.model.namespace) for table in active.values()):
        return Meaning.LOOSENING, "other tables import it: no proof goes through"
    cares = weighing.cares(_drawings(connection, workflow))
    found = revised(after.file_name, (before.content, before.model), (after.content, after.model), cares)
    return Meaning(found.change), found.why


def _imports(model: dmn.Model, namespace: str) -> bool:
    return any(each.namespace == namespace or _imports(each, namespace) for each in model.imports.values())


def _drawings(connection: psycopg.Connection, workflow: Workflow) -> list[Process]:
    """The drawings that say what their tables' answers mean: the one released last, and those in flight.

    Not the one in the folder, which anybody may edit.
    """
    last = versions.latest(connection, workflow.name)
    drawn = [last] if last is not None else []
    drawn += versions.in_flight(connection, workflow.name, but="")
    read = [bpmn.loads(each.bpmn, f"{workflow.name} version {each.version}") for each in drawn]
    return read or [workflow.process]


def _refuse_missing(connection: psycopg.Connection, workflow: Workflow, file: Table, before: Table | None) -> None:
    """A table may not lose a decision that a drawing asks for."""
    had = set(before.model.decisions) if before else set()
    gone = had - set(file.model.decisions)
    drawn = [workflow.process]
    drawn += [
        bpmn.loads(flight.bpmn, f"{workflow.name} version {flight.version}")
        for flight in versions.in_flight(connection, workflow.name, but=workflow.process.digest)
    ]
    asked = {e.calls or e.id for process in drawn for e in process.elements.values() if e.kind is Kind.RULE}
    if missing := sorted(gone & asked):
        raise Refused(f"{file.file_name} has lost the decision {missing[0]!r}, which the workflow asks for: keep it")


@contextmanager
def _once(proposal: table.Proposal) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UniqueViolation:
        raise Refused(
            f"{proposal.file_name} is proposed already: approve it with orchestrate model approve "
            f"{proposal.digest[:12]} --as SOMEBODY_ELSE"
        ) from None


# -- acting on a proposal


def approve(connection: psycopg.Connection, digest: str, workflow: str | None, *, by: Person, now: datetime) -> Release:
    """A second person agrees: the proposal is active."""
    return _act(connection, _proposal(connection, digest, workflow), "approve", by, now)


def reject(
    connection: psycopg.Connection, digest: str, workflow: str | None, *, by: Person, reason: str, now: datetime
) -> Release:
    """A proposal is turned down; by who made it, it is withdrawn."""
    release = _proposal(connection, digest, workflow)
    own = by.name.strip().lower() == release.requested_by.strip().lower()
    return _act(connection, release, "withdraw" if own else "reject", by, now, reason)


def roll_back(
    connection: psycopg.Connection, workflow: Workflow, digest: str, *, by: Person, reason: str, now: datetime
) -> Proposed:
    """Propose a content that was released before, by the same path."""
    found = {r.digest: r for r in table.listed(connection, workflow.name, digest=digest) if r.state != State.PROPOSED}
    release = _only(list(found.values()), digest, "release")
    content = table.content_of(connection, release.digest)
    if content is None:
        raise RuntimeError("a release without its content")
    return propose(connection, workflow, release.file_name, content, by=by, reason=reason, now=now)


def _act(
    connection: psycopg.Connection, release: Release, act: str, by: Person, now: datetime, reason: str = ""
) -> Release:
    record = versions.record_of(connection, release.workflow)
    with _told(connection, record, act, release.file_name, by, now), refusals(), connection.transaction():
        table.act(connection, release.id, act, by=by.name, asserted_by=by.asserted_by, at=now, reason=reason)
    return _release(connection, release.id)


def _proposal(connection: psycopg.Connection, digest: str, workflow: str | None) -> Release:
    return _only(table.listed(connection, workflow, digest=digest, state=State.PROPOSED), digest, "proposal")


def _only(found: list[Release], digest: str, what: str) -> Release:
    if not found:
        raise Refused(f"there is no {what} {digest!r}: see orchestrate model releases")
    if len(found) > 1:
        named = ", ".join(f"{r.workflow}/{r.file_name} {r.digest[:12]}" for r in found)
        raise Refused(f"{digest!r} is the beginning of several ({named}): write more of it, or --workflow NAME")
    return found[0]


def _release(connection: psycopg.Connection, number: int) -> Release:
    return next(release for release in table.listed(connection) if release.id == number)


@contextmanager
def _told(
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


def listed(connection: psycopg.Connection, workflow: str | None = None, limit: int | None = None) -> list[Release]:
    """Every release, newest first."""
    return table.listed(connection, workflow, limit=limit)


def differing(connection: psycopg.Connection, workflow: Workflow) -> list[Differing]:
    """The table files of a folder that are not the ones in force."""
    active = {file.file_name: file.digest for file in table.active_files(connection, workflow.name)}
    return [
        Differing(file.file_name, file.model.digest, active.get(file.file_name))
        for file in files_of(workflow)
        if active.get(file.file_name) != file.model.digest
    ]


def approved_by_two(connection: psycopg.Connection, workflow: Workflow) -> bool:
    """Whether two people released this very drawing."""
    return table.was_approved(connection, workflow.name, workflow.process.digest)
