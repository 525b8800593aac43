"""Proposing a table or a drawing: what it changes is told, and what is proved to loosen nothing is in force at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from orchestration_pipelines.domain.release import ALONE, Meaning, State
from orchestration_pipelines.engine import weighing
from orchestration_pipelines.engine.releases import DRAWING, TABLE, Person, keep, only, recorded, release_of
from orchestration_pipelines.engine.tables import ActiveTables, asked_by, read_table
from orchestration_pipelines.engine.workflow import Table, Workflow
from orchestration_pipelines.model import bpmn, dmn
from orchestration_pipelines.model.dmn import checks, wording
from orchestration_pipelines.model.dmn.revision import revised
from orchestration_pipelines.model.process import Process
from orchestration_pipelines.store import releases as table
from orchestration_pipelines.store import versions
from orchestration_pipelines.store.refusal import Refused, refusals
from orchestration_pipelines.store.releases import Release


@dataclass(frozen=True)
class Proposed:
    """A proposal, and what it would change."""

    release: Release
    why: str  #: why it needs a second person, or none
    differences: tuple[str, ...]  #: rules added, removed and changed, in words
    findings: tuple[str, ...]  #: gaps, overlaps and the like


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
    with recorded(connection, record, "propose", file_name, by, now):
        if not reason.strip():
            raise Refused("a reason is needed to release a file")
        if file_name.endswith(".bpmn"):
            return _propose_drawing(connection, workflow, file_name, content, by=by, reason=reason, now=now)
        return _propose_table(connection, workflow, file_name, content, by=by, reason=reason, now=now)


def differences(connection: psycopg.Connection, release: Release) -> list[str]:
    """What a release changes, in words: rules added, removed and changed, against what it was compared with."""
    if release.kind == DRAWING:
        return ["running out of time may approve in it"]
    beside = {found.file_name: found.content for found in table.active_files(connection, release.workflow)}
    contents = [
        table.content_of(connection, digest) if digest else None for digest in (release.against, release.digest)
    ]
    before, after = (read_table(release.file_name, content, beside) if content else None for content in contents)
    if after is None:
        raise RuntimeError("a release without its content")
    return wording.differences(before.model if before else None, after.model)


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
    in_force = ActiveTables(workflow.name)
    in_force.refresh(connection)
    for decision, other in in_force.items():
        if decision in file.model.decisions and other.file_name != file_name:
            raise Refused(f"{other.file_name} has the decision {decision!r} and is active: release it under that name")
    active = files.get(file_name)
    if active is not None and active.digest == file.model.digest:
        raise Refused(f"{file_name} is active already, with this very content ({file.model.digest[:12]})")
    before = read_table(file_name, active.content, beside) if active else None
    _refuse_missing(connection, workflow, file, before)
    meaning, why = _meaning(before, file, in_force, _drawings(connection, workflow))
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
        keep(connection, file)
        number = table.propose(connection, proposal)
        if meaning in ALONE:
            table.act(connection, number, "enact", by=by.name, asserted_by=by.asserted_by, at=now)
    changed = wording.differences(before.model if before else None, file.model)
    findings = tuple(str(finding) for finding in checks.check(file.model))
    return Proposed(release_of(connection, number), why, tuple(changed), findings)


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
    return Proposed(release_of(connection, number), "running out of time may approve in it", (), ())


def _meaning(
    before: Table | None, after: Table, in_force: ActiveTables, drawings: Sequence[Process]
) -> tuple[Meaning, str]:
    """What a table changes, and why it is taken for that."""
    if before is None:
        return Meaning.FIRST, "nothing of that name is active, and the workflow was installed without it"
    if any(_imports(other.model, before.model.namespace) for other in in_force.values()):
        return Meaning.LOOSENING, "other tables import it: no proof goes through"
    old, new = ((each.content, each.model) for each in (before, after))
    comparison = revised(after.file_name, old, new, weighing.cares(drawings))
    return Meaning(comparison.change), comparison.why


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
    asked = {asked_by(element) for process in drawn for element in process.elements.values()}
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


def roll_back(
    connection: psycopg.Connection, workflow: Workflow, digest: str, *, by: Person, reason: str, now: datetime
) -> Proposed:
    """Propose a content that was released before, by the same path."""
    found = {r.digest: r for r in table.listed(connection, workflow.name, digest=digest) if r.state != State.PROPOSED}
    release = only(list(found.values()), digest, "release")
    content = table.content_of(connection, release.digest)
    if content is None:
        raise RuntimeError("a release without its content")
    return propose(connection, workflow, release.file_name, content, by=by, reason=reason, now=now)
