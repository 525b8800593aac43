"""Everything that may be read of one case, in one look. What blindness hides is not read at all.

Reading needs the database, telling (``engine.casefile``) the drawing: a page reads, gives its
connection back, and tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from orchestration_pipelines.domain.facts import FactSheet, from_json
from orchestration_pipelines.engine import likeness
from orchestration_pipelines.store import access, documents, releases, versions
from orchestration_pipelines.store import casefile as table
from orchestration_pipelines.store.casefile import Decided, Happening, Head, Promised, Sampled, Standing, Task, Worked
from orchestration_pipelines.store.documents import Document
from orchestration_pipelines.store.reviews import may
from orchestration_pipelines.store.similar import Alike

#: of a case on which more happened, the page shows the beginning
HAPPENINGS = 1_000
#: the role of whoever submitted a case
REQUESTER = "requester"


@dataclass(frozen=True)
class Dossier:
    """What was read of a case, as far as blindness lets anybody read it."""

    head: Head
    sheet: FactSheet
    task: Task | None
    is_blind: bool  #: a quality review: nothing but what was submitted
    #: for whoever submitted it: neither others' cases nor what reviewers say among themselves
    is_own: bool = False
    sampled: Sampled | None = None
    standing: Sequence[Standing] = ()
    tasks: Sequence[Task] = ()
    decided: Sequence[Decided] = ()
    worked: Sequence[Worked] = ()
    promised: Sequence[Promised] = ()
    happenings: Sequence[Happening] = ()
    effects: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    words: Mapping[tuple[str, str, str], str] = field(default_factory=dict)  #: of rules: table, decision, id
    alike: Sequence[Alike] = ()
    seen: frozenset[int] = frozenset()  #: those of them that the viewer may open
    documents: Sequence[Document] = ()


def of_case(connection: psycopg.Connection, case_id: int, person: str) -> Dossier | None:
    """A case as this person may see it; None where there is none that they see."""
    return _read(connection, case_id, person) if access.seen_by(connection, person, [case_id]) else None


def of_task(connection: psycopg.Connection, task: int, person: str) -> Dossier | None:
    """The case of a task, with what its reviewer is shown; None where there is none that this person sees."""
    case_id = table.case_of(connection, task)
    return _read(connection, case_id, person, task) if case_id and may(connection, person, "see", task)[0] else None


def _read(connection: psycopg.Connection, case_id: int, person: str, task: int | None = None) -> Dossier | None:
    head = table.head(connection, case_id)
    if head is None:
        return None
    sheet = sheet_of(connection, head.workflow)
    tasks = table.tasks(connection, case_id)
    shown = next((each for each in tasks if each.task == task), None)
    files = documents.of_case(connection, case_id)
    if _is_blind(head, shown):
        return _blind(connection, head, sheet, shown, files)
    if head.requested_by == person:
        return _own(connection, head, sheet, shown, tasks, files)
    worked = table.worked(connection, case_id)
    digests = {said["table"] for visit in worked for said in asked(visit.detail)}
    alike = likeness.rows_of(connection, head, sheet)
    return Dossier(
        head,
        sheet,
        shown,
        is_blind=False,
        standing=table.standing(connection, case_id),
        tasks=tasks,
        decided=table.decided(connection, case_id),
        worked=worked,
        promised=table.promised(connection, case_id),
        happenings=table.timeline(connection, case_id, HAPPENINGS),
        effects=table.effects(connection, case_id),
        words=releases.words_of(connection, sorted(digests)),
        alike=alike,
        seen=frozenset(access.seen_by(connection, person, [row.case_id for row in alike])),
        documents=files,
    )


def sheet_of(connection: psycopg.Connection, workflow: str) -> FactSheet:
    """How the facts of a workflow are shown, as last released."""
    stored = versions.fact_sheet(connection, workflow)
    return FactSheet() if stored is None else from_json(stored)


def _is_blind(head: Head, task: Task | None) -> bool:
    """A quality review shows what was submitted alone; and until it is in, so does the page of the case.

    Whoever decides on a case that waits for people is shown what they decide on.
    """
    if task is not None and task.ended_at is None:
        return task.kind == "quality"
    return head.is_blind


def _blind(
    connection: psycopg.Connection, head: Head, sheet: FactSheet, task: Task | None, files: Sequence[Document]
) -> Dossier:
    sampled = table.sampled(connection, head.case_id, task.task if task is not None else None)
    if sampled is None:
        raise LookupError(f"case {head.case_id} has no quality review")
    submitted = [happening for happening in table.timeline(connection, head.case_id, 1) if happening.act == "submitted"]
    return Dossier(
        head._replace(
            state="",
            outcome=None,
            closed_at=None,
            cancel_reason=None,
            variables=sampled.facts,
            digest=task.digest if task is not None else "",
        ),
        sheet,
        task,
        is_blind=True,
        sampled=sampled,
        tasks=[task] if task is not None else [],
        happenings=submitted,
        documents=[each for each in files if each.role == REQUESTER and each.added_at <= sampled.decided_at],
    )


def _own(
    connection: psycopg.Connection,
    head: Head,
    sheet: FactSheet,
    task: Task | None,
    tasks: Sequence[Task],
    files: Sequence[Document],
) -> Dossier:
    """What whoever submitted a case is shown of it: what they sent, what became of that, and what they are asked."""
    told = replace(sheet, facts=tuple(f for f in sheet.facts if f.is_submitted or f.name in sheet.told))
    return Dossier(
        head._replace(variables={name: value for name, value in head.variables.items() if name in told.known}),
        told,
        task,
        is_blind=False,
        is_own=True,
        standing=table.standing(connection, head.case_id),
        tasks=tasks,
        worked=table.worked(connection, head.case_id),
        decided=[
            each if each.role == REQUESTER else each._replace(by="", rationale="")
            for each in table.decided(connection, head.case_id)
        ],
        promised=[each for each in table.promised(connection, head.case_id) if each.visit is None],
        happenings=[
            happening
            for happening in table.timeline(connection, head.case_id, HAPPENINGS)
            if happening.actor == head.requested_by
        ],
        documents=[each for each in files if each.role == REQUESTER],
    )


def asked(detail: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A decision as a table answered it, and the tables that it stands on."""
    if "table" in detail:
        yield detail
        yield from detail.get("asked", ())
