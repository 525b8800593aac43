"""Documents of a case: added by whoever submitted it or reviews it, kept for ever, and no part of what is decided on.

A document is evidence beside the facts, not one of them: the digest that a decision names is the same before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import psycopg

from orchestration_pipelines.domain.upload import BadFile, clean_name, kind_of
from orchestration_pipelines.engine.dossier import REQUESTER, sheet_of
from orchestration_pipelines.store import access
from orchestration_pipelines.store import casefile as cases
from orchestration_pipelines.store import documents as table
from orchestration_pipelines.store.documents import Document
from orchestration_pipelines.store.refusal import Refused, refusals

__all__ = ["Document", "Refused", "add", "find", "may_add", "of_case"]

may_add = table.may_add


def of_case(connection: psycopg.Connection, case_id: int) -> Sequence[Document]:
    """The documents of a case, in order."""
    return table.of_case(connection, case_id)


def add(
    connection: psycopg.Connection,
    case_id: int,
    *,
    name: str,
    content: bytes,
    by: str,
    at: datetime,
    about: str | None = None,
    asserted_by: str | None = None,
) -> Document:
    """Add a file to a case; :class:`Refused` says why not. ``about`` names the fact that it shows."""
    try:
        kind = kind_of(content)
    except BadFile as error:
        raise Refused(str(error)) from None
    with refusals(), connection.transaction():
        head = cases.head(connection, case_id)
        if head is None:
            raise Refused(f"there is no case {case_id}")
        if about is not None and about not in {fact.name for fact in sheet_of(connection, head.workflow).facts}:
            raise Refused(f"a case of {head.workflow} has no fact {about[:40]!r} that a document could show")
        number = table.add(
            connection,
            case_id,
            name=clean_name(name, kind),
            kind=kind,
            digest=sha256(content).hexdigest(),
            held=content,
            about=about,
            by=by,
            asserted_by=asserted_by,
            at=at,
        )
        added = table.find(connection, number)
    if added is None:
        raise RuntimeError(f"document {number} is not there")
    return added


def find(connection: psycopg.Connection, document: int, person: str) -> tuple[Document, bytes] | None:
    """A document and what it holds; None where there is none that this person may see.

    Whoever submitted the case gets their own back, not what reviewers added. Until the quality review of a case is in,
    nobody is handed what was added to it after the machine decided.
    """
    found = table.find(connection, document)
    if found is None or found.case_id not in access.seen_by(connection, person, [found.case_id]):
        return None
    head = cases.head(connection, found.case_id)
    if head is not None and head.requested_by == person and found.role != REQUESTER:
        return None
    if head is not None and head.is_blind:
        sampled = cases.sampled(connection, found.case_id, None)
        if sampled is not None and (found.role != REQUESTER or found.added_at > sampled.decided_at):
            return None
    return found, table.content(connection, document)
