"""Releases of tables and drawings: proposals, acts on them, and what is in force. The database holds the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import texts


class Proposal(NamedTuple):
    """What somebody wants to become active."""

    workflow: str
    kind: str  #: table or drawing
    file_name: str
    digest: str
    decisions: tuple[str, ...]
    meaning: str
    against: str | None  #: the digest that it was compared with: the active one
    reason: str
    requested_by: str
    asserted_by: str | None
    requested_at: datetime


class Release(NamedTuple):
    """A release as people read it."""

    id: int
    workflow: str
    kind: str
    file_name: str
    digest: str
    state: str
    meaning: str
    reason: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None  #: who made it active: another, or the requester where one is enough
    active_since: datetime | None
    became_active_by: str | None  #: install, enact or approve
    ended_by: str | None
    ended_at: datetime | None
    ended_by_act: str | None
    ended_reason: str | None
    against: str | None


class ActiveFile(NamedTuple):
    """A file in force."""

    release: int
    file_name: str
    digest: str
    content: bytes


_COLUMNS = (
    "release, workflow, kind, file_name, digest, state, meaning, reason, requested_by, requested_at, approved_by, "
    "active_since, became_active_by, ended_by, ended_at, ended_by_act, ended_reason, against"
)


def keep_file(
    connection: psycopg.Connection, digest: str, content: bytes, rules: Iterable[tuple[str, str, str]]
) -> None:
    """Keep a content under its digest, and its rules in words (decision, rule id, words). Safe to repeat."""
    connection.execute("INSERT INTO model_file VALUES (%s, %s) ON CONFLICT (digest) DO NOTHING", (digest, content))
    if worded := list(rules):
        decisions, ids, words = zip(*worded, strict=True)
        connection.execute(
            "INSERT INTO release_rule SELECT %s, r.decision, r.rule_id, r.words "
            "FROM unnest(%s::text[], %s::text[], %s::text[]) AS r (decision, rule_id, words) ON CONFLICT DO NOTHING",
            (digest, texts(decisions), texts(ids), texts(words)),
        )


def propose(connection: psycopg.Connection, proposal: Proposal) -> int:
    """Add a proposal; returns its number."""
    row = connection.execute(
        "INSERT INTO model_release (workflow, kind, file_name, digest, decisions, meaning, against, reason, "
        "requested_by, asserted_by, requested_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (*proposal[:4], list(proposal.decisions), *proposal[5:]),
    ).fetchone()
    if row is None:
        raise RuntimeError("the release was not stored")
    return int(row[0])


def act(
    connection: psycopg.Connection,
    release: int,
    act: str,
    *,
    by: str,
    asserted_by: str | None,
    at: datetime,
    reason: str = "",
) -> None:
    """Add an act on a release; the database checks it against every rule (trigger ``guard``) and moves the release."""
    connection.execute(
        "INSERT INTO release_act (release_id, act, acted_by, asserted_by, acted_at, reason) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (release, act, by, asserted_by, at, reason),
    )


def listed(
    connection: psycopg.Connection,
    workflow: str | None = None,
    *,
    digest: str | None = None,
    state: str | None = None,
    number: int | None = None,
    limit: int | None = None,
) -> list[Release]:
    """Releases, newest first; ``digest`` may be the beginning of one."""
    cursor = connection.cursor(row_factory=lambda _: Release._make)
    return cursor.execute(
        f"SELECT {_COLUMNS} FROM releases WHERE (%(workflow)s::text IS NULL OR workflow = %(workflow)s) "
        "AND (%(digest)s::text IS NULL OR starts_with(digest, %(digest)s)) "
        "AND (%(state)s::text IS NULL OR state = %(state)s) AND (%(number)s::bigint IS NULL OR release = %(number)s) "
        "ORDER BY release DESC LIMIT %(limit)s",
        {"workflow": workflow, "digest": digest, "state": state, "number": number, "limit": limit},
    ).fetchall()


def active_ids(connection: psycopg.Connection, workflow: str) -> list[tuple[int]]:
    """The numbers of the tables in force, in order: read once for each chunk, so it is a look into a small index."""
    return connection.execute(
        "SELECT id FROM model_release WHERE workflow = %s AND kind = 'table' AND state = 'active' ORDER BY id",
        (workflow,),
        prepare=True,
    ).fetchall()


def active_files(connection: psycopg.Connection, workflow: str, kind: str = "table") -> list[ActiveFile]:
    """The files in force."""
    cursor = connection.cursor(row_factory=lambda _: ActiveFile._make)
    return cursor.execute(
        "SELECT r.id, r.file_name, r.digest, f.content FROM model_release r JOIN model_file f ON f.digest = r.digest "
        "WHERE r.workflow = %s AND r.kind = %s AND r.state = 'active' ORDER BY r.id",
        (workflow, kind),
    ).fetchall()


def known_files(connection: psycopg.Connection, workflow: str) -> set[str]:
    """The names of the tables that were ever released."""
    rows = connection.execute(
        "SELECT DISTINCT file_name FROM model_release WHERE workflow = %s AND kind = 'table' "
        "AND state IN ('active', 'superseded')",
        (workflow,),
    )
    return {row[0] for row in rows}


def known_decisions(connection: psycopg.Connection, workflow: str) -> set[str]:
    """The decisions of all tables that were ever released."""
    rows = connection.execute(
        "SELECT DISTINCT unnest(decisions) FROM model_release WHERE workflow = %s "
        "AND state IN ('active', 'superseded')",
        (workflow,),
    )
    return {row[0] for row in rows}


def content_of(connection: psycopg.Connection, digest: str) -> bytes | None:
    """A kept content."""
    row = connection.execute("SELECT content FROM model_file WHERE digest = %s", (digest,)).fetchone()
    return None if row is None else bytes(row[0])


def words_of(connection: psycopg.Connection, digests: Sequence[str]) -> dict[tuple[str, str, str], str]:
    """The rules of tables in words, as they were released: by digest, decision and rule id."""
    rows = connection.execute(
        "SELECT digest, decision, rule_id, words FROM release_rule WHERE digest = ANY(%s)", (list(digests),)
    )
    return {(digest, decision, rule): words for digest, decision, rule, words in rows}


def was_approved(connection: psycopg.Connection, workflow: str, digest: str) -> bool:
    """Whether a second person ever approved this content."""
    row = connection.execute(
        "SELECT FROM model_release r JOIN release_act a ON a.release_id = r.id AND a.act = 'approve' "
        "WHERE r.workflow = %s AND r.digest = %s LIMIT 1",
        (workflow, digest),
    ).fetchone()
    return row is not None


def pin(connection: psycopg.Connection, version: int, pinned: Sequence[tuple[str, str]]) -> None:
    """Bind decisions of a drawing's version to the digests (decision, digest) that are active now. Never changes."""
    connection.cursor().executemany(
        "INSERT INTO pinned_table VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [(version, decision, digest) for decision, digest in pinned],
    )


def pinned(connection: psycopg.Connection, version: int) -> list[tuple[str, str, bytes]]:
    """What a drawing's version is bound to: decision, digest, content."""
    return connection.execute(
        "SELECT p.decision, p.digest, f.content FROM pinned_table p JOIN model_file f ON f.digest = p.digest "
        "WHERE p.version_id = %s",
        (version,),
    ).fetchall()
