"""Documents of cases: what is known of each, and apart from it what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg


class Document(NamedTuple):
    """A file that was added to a case."""

    id: int
    case_id: int
    name: str
    type: str  #: as its content shows
    size: int
    digest: str  #: SHA-256 of its content
    about: str | None  #: the fact that it shows
    added_by: str
    role: str  #: requester or reviewer
    added_at: datetime


_COLUMNS = "id, case_id, name, type, size, digest, about, added_by, role, added_at"


def of_case(connection: psycopg.Connection, case_id: int) -> Sequence[Document]:
    """The documents of a case, in order."""
    cursor = connection.cursor(row_factory=lambda _: Document._make)
    return cursor.execute(f"SELECT {_COLUMNS} FROM document WHERE case_id = %s ORDER BY id", (case_id,)).fetchall()


def find(connection: psycopg.Connection, document: int) -> Document | None:
    """A document by its number."""
    cursor = connection.cursor(row_factory=lambda _: Document._make)
    return cursor.execute(f"SELECT {_COLUMNS} FROM document WHERE id = %s", (document,)).fetchone()


def content(connection: psycopg.Connection, document: int) -> bytes:
    """What a document holds. Raises LookupError where there is none."""
    row = connection.execute("SELECT content FROM document_content WHERE document_id = %s", (document,)).fetchone()
    if row is None:
        raise LookupError(f"there is no document {document}")
    return bytes(row[0])


def may_add(connection: psycopg.Connection, person: str, case_id: int) -> tuple[bool, str]:
    """Whether a person may add a document to a case; and as what, or the rule that says no."""
    row = connection.execute("SELECT allowed, rule FROM may_add_document(%s, %s)", (person, case_id)).fetchone()
    if row is None:
        raise RuntimeError("may_add_document() gave no answer")
    return bool(row[0]), str(row[1])


def add(
    connection: psycopg.Connection,
    case_id: int,
    *,
    name: str,
    kind: str,
    digest: str,
    held: bytes,
    about: str | None,
    by: str,
    asserted_by: str | None,
    at: datetime,
) -> int:
    """Add a document with its content; the database checks who may, and writes it into the case's record."""
    row = connection.execute(
        "INSERT INTO document (case_id, name, type, size, digest, about, added_by, asserted_by, added_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (case_id, name, kind, len(held), digest, about, by, asserted_by, at),
    ).fetchone()
    if row is None:
        raise RuntimeError("the document was not stored")
    connection.execute(
        "INSERT INTO document_content (document_id, content) VALUES (%s, %s)", (row[0], held), binary=True
    )
    return int(row[0])
