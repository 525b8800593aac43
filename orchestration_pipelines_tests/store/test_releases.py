"""A release at the level of SQL: the database itself refuses what breaks a rule, whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import psycopg
import pytest
import sqlalchemy
from alembic import command
from psycopg import sql

from orchestration_pipelines.domain.release import MOVES
from orchestration_pipelines.store import releases, schema, urls, versions
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.releases import Proposal

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FIRST, SECOND = b"first", b"second"
EVIDENCE = ("model_file", "model_release", "release_act", "release_rule", "pinned_table")


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


@pytest.fixture
def app(database: str) -> psycopg.Connection:
    """The application, and a workflow whose first table ann has installed."""
    connection = connect(database)
    versions.lock_workflow(connection, "flow", "tests")
    act(connection, propose(connection, FIRST, meaning="first"), "install")
    return connection


def propose(
    connection: psycopg.Connection,
    content: bytes,
    *,
    meaning: str = "loosening",
    by: str = "ann",
    against: bytes | None = None,
    file_name: str = "grid.dmn",
    asserted_by: str | None = None,
    decisions: tuple[str, ...] = ("grid",),
) -> int:
    releases.keep_file(connection, digest(content), content, [("grid", "r1", "always: auto")])
    against_digest = None if against is None else digest(against)
    proposal = Proposal(
        "flow", "table", file_name, digest(content), decisions, meaning, against_digest, "why", by, asserted_by, NOW
    )
    return releases.propose(connection, proposal)


def act(connection: psycopg.Connection, release: int, what: str, by: str = "ann", reason: str = "") -> None:
    releases.act(connection, release, what, by=by, asserted_by=None, at=NOW, reason=reason)


def states(connection: psycopg.Connection) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT digest, state FROM model_release ORDER BY id").fetchall()
    named = {digest(FIRST): "first", digest(SECOND): "second"}
    return [(named[found], state) for found, state in rows]


def refused(connection: psycopg.Connection, statement: str, *parameters: object) -> str | None:
    with pytest.raises(psycopg.DatabaseError) as told:
        connection.execute(statement, parameters)
    return told.value.sqlstate


def test_the_legal_moves_are_the_domains(app: psycopg.Connection) -> None:
    """The table that the trigger reads is the one in domain/release.py."""
    rows = app.execute("SELECT from_state, act, to_state, whose FROM release_move").fetchall()
    assert set(rows) == {(move.source.value, move.act, move.target.value, move.whose) for move in MOVES}


def test_a_second_person_makes_it_active_and_the_first_is_superseded(app: psycopg.Connection) -> None:
    """One act, one audit entry for each release that moved, and never two in force."""
    act(app, propose(app, SECOND, against=FIRST), "approve", "bob")
    assert states(app) == [("first", "superseded"), ("second", "active")]
    trail = app.execute("SELECT act, actor FROM audit_trail WHERE role = 'releaser' ORDER BY seq").fetchall()
    assert trail == [
        ("propose", "ann"),
        ("install", "ann"),
        ("propose", "ann"),
        ("supersede", "bob"),
        ("approve", "bob"),
    ]


@pytest.mark.parametrize("name", ["ann", " Ann ", "ANN", "root"])
def test_the_proposer_does_not_approve(app: psycopg.Connection, name: str) -> None:
    """However the name is written, nor the account that said whose proposal it is."""
    release = propose(app, SECOND, against=FIRST, asserted_by="root")
    with pytest.raises(psycopg.DatabaseError, match="a second person must approve") as told:
        act(app, release, "approve", name)
    assert told.value.sqlstate == "OP002"
    assert states(app) == [("first", "active"), ("second", "proposed")]


@pytest.mark.parametrize(
    ("meaning", "what", "by"),
    [
        ("loosening", "enact", "ann"),
        ("tightening", "enact", "bob"),
        ("loosening", "install", "ann"),
        ("tightening", "supersede", "ann"),
        ("tightening", "withdraw", "bob"),
        ("tightening", "reject", "ann"),
        ("tightening", "nonsense", "ann"),
    ],
)
def test_no_other_move_is_made(app: psycopg.Connection, meaning: str, what: str, by: str) -> None:
    """Alone what loosens, another's proposal, a first one that is not the first, a move that nobody makes by hand."""
    release = propose(app, SECOND, meaning=meaning, against=FIRST)
    with pytest.raises(psycopg.DatabaseError) as told:
        act(app, release, what, by, reason="why")
    assert told.value.sqlstate in ("OP002", "OP005")
    assert states(app) == [("first", "active"), ("second", "proposed")]


def test_what_tightens_is_active_at_once(app: psycopg.Connection) -> None:
    """By its proposer alone."""
    act(app, propose(app, SECOND, meaning="tightening", against=FIRST), "enact")
    assert states(app) == [("first", "superseded"), ("second", "active")]


def test_it_was_compared_with_what_is_active_now(app: psycopg.Connection) -> None:
    """Another release came between: whoever approves has not seen the difference."""
    stale = propose(app, SECOND, against=None)
    with pytest.raises(psycopg.DatabaseError, match="has changed since it was proposed"):
        act(app, stale, "approve", "bob")


def test_a_new_name_is_no_way_around(app: psycopg.Connection) -> None:
    """The same decision in another file is neither a first release nor a second one in force."""
    release = propose(app, SECOND, meaning="first", file_name="other.dmn")
    for what, by in (("install", "ann"), ("approve", "bob")):
        with pytest.raises(psycopg.DatabaseError) as told:
            act(app, release, what, by)
        assert told.value.sqlstate == "OP002"


def test_a_rejection_needs_a_reason_and_ends_it(app: psycopg.Connection) -> None:
    """And what is rejected stays rejected."""
    release = propose(app, SECOND, against=FIRST)
    with pytest.raises(psycopg.DatabaseError, match="a reason is needed"):
        act(app, release, "reject", "bob")
    act(app, release, "reject", "bob", "too loose")
    assert states(app)[-1] == ("second", "rejected")
    with pytest.raises(psycopg.DatabaseError, match="that is rejected"):
        act(app, release, "approve", "bob")


def test_a_content_is_what_its_digest_says(app: psycopg.Connection) -> None:
    """Nobody keeps one table under another's digest."""
    assert refused(app, "INSERT INTO model_file VALUES (%s, %s)", digest(SECOND), b"third") == "23514"


@pytest.mark.parametrize("table", EVIDENCE)
def test_the_application_only_adds(app: psycopg.Connection, table: str) -> None:
    """No right to change, delete or truncate, and none to say that a release is active."""
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        assert refused(app, statement) == "42501"
    column = {"model_file": "content", "release_rule": "words", "pinned_table": "digest"}.get(table, "reason")
    assert refused(app, f"UPDATE {table} SET {column} = ''") == "42501"
    if table == "model_release":
        assert refused(app, "UPDATE model_release SET state = 'active'") == "42501"


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        *((f"DELETE FROM {table}", "OP006") for table in EVIDENCE),
        ("UPDATE model_file SET content = ''", "OP006"),
        ("UPDATE release_act SET acted_by = 'bob'", "OP006"),
        ("UPDATE release_rule SET words = ''", "OP006"),
        ("UPDATE model_release SET requested_by = 'bob'", "OP006"),
        ("UPDATE model_release SET state = 'rejected'", "OP005"),
    ],
)
def test_not_even_the_owner_changes_what_was_released(
    app: psycopg.Connection, database: str, statement: str, sqlstate: str
) -> None:
    """A trigger refuses what the owner's rights would allow."""
    with psycopg.connect(database) as owner:
        assert refused(owner, statement) == sqlstate


def test_what_was_active_before_there_were_releases_stays_so(database: str) -> None:
    """An upgrade carries the tables over, and who had released them; the next one goes the new way."""
    older = urls.sibling(database, "older")
    urls.ensure_database(older)
    try:
        with sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(older)).connect() as at:
            config = schema._config()
            config.attributes["connection"] = at
            command.upgrade(config, "0001")
        with psycopg.connect(older) as owner:
            owner.execute("INSERT INTO workflow (name, owner) VALUES ('flow', 'tests')")
            for content, active in ((SECOND, False), (FIRST, True)):
                owner.execute(
                    "INSERT INTO decision_table VALUES ('flow', 'grid.dmn', %s, %s, %s, %s, 'ann')",
                    (digest(content), content, active, NOW),
                )
        schema.migrate(older)
        with connect(older) as connection:
            assert sorted(states(connection)) == [("first", "active"), ("second", "superseded")]
            assert [file.content for file in releases.active_files(connection, "flow")] == [FIRST]
            with pytest.raises(psycopg.DatabaseError, match="is not the first release"):
                act(connection, propose(connection, b"third", meaning="first", file_name="other.dmn"), "install")
    finally:
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(urls.database_of(older))))


def test_who_is_not_the_application_acts_as_itself(app: psycopg.Connection, database: str) -> None:
    """An owner's approval is the owner's, whatever name the row gives."""
    release = propose(app, SECOND, against=FIRST)
    with psycopg.connect(database, autocommit=True) as owner:
        act(owner, release, "approve", "bob")
        row = owner.execute("SELECT approved_by, session_user::text FROM releases WHERE state = 'active'").fetchone()
    assert row is not None and row[0] == row[1]
