"""Who may do what, held by the database: grants, triggers, one point of authority, and the refusal to start without."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from orchestration_pipelines.domain.audit import GENESIS, Entry, broken_at, chained, commitment
from orchestration_pipelines.domain.review import MOVES
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.reviews import may
from orchestration_pipelines_tests.engine.flow import Flow
from orchestration_pipelines_tests.store.conftest import logged_in

CHANGES = {
    "audit_entry": ("UPDATE audit_entry SET body = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"),
    "review_decision": (
        "UPDATE review_decision SET rationale = 'changed'",
        "DELETE FROM review_decision",
        "TRUNCATE review_decision",
    ),
    "assignment": ("UPDATE assignment SET person = 'bob'", "DELETE FROM assignment", "TRUNCATE assignment"),
    "access_entry": ("UPDATE access_entry SET by = ''", "DELETE FROM access_entry", "TRUNCATE access_entry"),
    "decline": ("UPDATE decline SET reason = ''", "DELETE FROM decline", "TRUNCATE decline"),
    "work_policy": ("UPDATE work_policy SET reason = 'changed'", "DELETE FROM work_policy", "TRUNCATE work_policy"),
}
_DECIDE = (
    "INSERT INTO review_decision (task_id, outcome, rationale, digest) "
    "SELECT task, 'approve', 'looks right', digest FROM reviewer_table"
)


def one(connection: psycopg.Connection, statement: str, *parameters: object) -> object:
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("table", ["withheld_outcome", "withheld_protected"])
@pytest.mark.parametrize(
    "role", ["orchestration_app", "orchestration_reviewer", "orchestration_worker", "orchestration_auditor"]
)
def test_nobody_reads_what_was_withheld(database: str, role: str, table: str) -> None:
    """Outcomes and protected attributes: permission denied for everybody who works on or looks at cases."""
    with connect(database, role=role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege) as told:
        connection.execute(f"SELECT * FROM {table}")
    assert f"permission denied for table {table}" in str(told.value)


def test_the_evaluation_reads_what_was_withheld(database: str) -> None:
    """It is there for one purpose: to ask afterwards whether decisions were right and fair."""
    with connect(database, role="orchestration_evaluation") as connection:
        assert one(connection, "SELECT count(*) FROM withheld_outcome, withheld_protected") == 0


@pytest.mark.parametrize("statement", [statement for table in CHANGES.values() for statement in table])
def test_the_application_only_adds_to_the_record(database: str, statement: str) -> None:
    """Decisions and audit entries: no right to change, delete or truncate."""
    with connect(database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("statement", [statement for table in CHANGES.values() for statement in table])
def test_not_even_the_owner_changes_the_record(waiting: Flow, statement: str) -> None:
    """A trigger refuses what the owner's rights would allow."""
    waiting.decide("A")
    with psycopg.connect(waiting.engine.url) as owner, pytest.raises(psycopg.DatabaseError) as told:
        owner.execute(statement)
    assert told.value.sqlstate == "OP006"


@pytest.mark.parametrize("table", ["review_decision", "cases", "audit_entry", "reviewer", "token", "effect"])
def test_a_reviewer_reads_the_reviewer_table_alone(waiting: Flow, login: str, table: str) -> None:
    """Neither others' decisions nor cases that are not theirs to decide."""
    with logged_in(waiting.engine.url, login) as person:
        assert one(person, "SELECT case_key FROM reviewer_table") == "A"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))


def test_a_person_who_logs_in_decides_by_insert(waiting: Flow, login: str) -> None:
    """In any SQL client: the decision is theirs, the case goes on, and the record says who it was."""
    with logged_in(waiting.engine.url, login) as person:
        person.execute(_DECIDE)
        assert person.execute("SELECT * FROM reviewer_table").fetchall() == []
    assert waiting.rows("SELECT decided_by, role, asserted_by FROM review_decision") == [(login, "reviewer", None)]
    waiting.sweep()
    assert waiting.ends() == {"A": "done"}
    assert waiting.one("SELECT actor FROM audit_trail WHERE act = 'signed'") == login
    assert waiting.broken_records() == {}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO review_decision (task_id, outcome, digest, decided_by) "
        "SELECT task, 'approve', digest, 'bob' FROM reviewer_table",
        "SET ROLE orchestration_app",
        "SELECT append_audit(1, 'bob', 'reviewer', 'signed', 'task:1', now(), '{}')",
        "UPDATE token SET status = 'ready'",
        _DECIDE + " RETURNING decided_by",
    ],
)
def test_a_person_who_logs_in_speaks_for_nobody_else(waiting: Flow, login: str, statement: str) -> None:
    """Another's name, the application's role and the functions behind it are out of reach."""
    with logged_in(waiting.engine.url, login) as person, pytest.raises(psycopg.errors.InsufficientPrivilege):
        person.execute(statement)


def test_who_logs_in_without_being_a_reviewer_decides_nothing(waiting: Flow, login: str) -> None:
    """The role lets a person ask; the one function says no."""
    with connect(waiting.engine.url) as application:
        application.execute("UPDATE reviewer SET active = false WHERE person = %s", (login,))
    with logged_in(waiting.engine.url, login) as person, pytest.raises(psycopg.DatabaseError) as told:
        person.execute(_DECIDE)
    assert told.value.sqlstate == "OP002"
    assert "not an active reviewer" in str(told.value)


@pytest.mark.parametrize("person", ["ann", "broker", "nobody", "dora"])
def test_h09_python_and_the_trigger_ask_the_same_function(waiting: Flow, person: str) -> None:
    """What ``can`` says beforehand is what happens, with the same words; pages and bulk acts come with later work."""
    with connect(waiting.engine.url) as application:
        application.execute("INSERT INTO reviewer VALUES ('dora', '{other}') ON CONFLICT DO NOTHING")
        task = one(application, "SELECT id FROM review_task")
        assert isinstance(task, int)
        allowed, rule = may(application, person, "decide", task)
        try:
            waiting.decide("A", by=person)
        except psycopg.DatabaseError as error:
            assert not allowed
            assert rule in str(error)
        else:
            assert allowed
    assert (waiting.one("SELECT count(*) FROM review_decision") == 1) is allowed


OPENINGS = {
    "directly": "GRANT UPDATE ON audit_entry TO orchestration_app",
    "one column": "GRANT UPDATE (rationale) ON review_decision TO orchestration_app",
    "through PUBLIC": "GRANT SELECT ON withheld_outcome TO PUBLIC",
    "to the auditor": "GRANT SELECT ON withheld_protected TO orchestration_auditor",
    "to the reviewer": "GRANT DELETE ON review_decision TO orchestration_reviewer",
    "to the worker": "GRANT SELECT (columns) ON withheld_outcome TO orchestration_worker",
    "by ownership": "GRANT CREATE ON SCHEMA public TO orchestration_app; "
    "ALTER TABLE audit_entry OWNER TO orchestration_app",
    "a trigger off": "ALTER TABLE review_decision DISABLE TRIGGER guard",
    "no rule left": "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
}


@pytest.mark.parametrize("opening", OPENINGS)
def test_starting_is_refused_where_somebody_opened_the_record(database: str, opening: str) -> None:
    """Whatever the way: a grant, a column's, PUBLIC's, an owner's, a trigger that is off."""
    with psycopg.connect(database) as owner:
        schema.refuse_unprotected(owner)
        owner.execute(OPENINGS[opening])
        with pytest.raises(schema.UnprotectedRecord, match="and start again"):
            schema.refuse_unprotected(owner)


@pytest.mark.parametrize("inherit", ["TRUE", "FALSE"])
def test_starting_is_refused_where_membership_opens_the_record(database: str, inherit: str) -> None:
    """A membership counts even where its rights must be taken up by SET ROLE; roles are the server's, so roll back."""
    with psycopg.connect(database) as owner:
        owner.execute(f"GRANT orchestration_evaluation TO orchestration_app WITH INHERIT {inherit}")
        with pytest.raises(schema.UnprotectedRecord, match="as a member of orchestration_evaluation"):
            schema.refuse_unprotected(owner)
        owner.rollback()


def test_migrating_is_repeatable(database: str) -> None:
    """The second time there is nothing to do, and nothing is lost."""
    schema.migrate(database)
    with psycopg.connect(database) as owner:
        assert one(owner, "SELECT count(*) FROM review_move") == len(MOVES)
        assert schema.known(schema.revision(owner))
    assert not schema.known("from the future")


def test_two_processes_migrate_at_once(database: str) -> None:
    """One does it, the other waits and finds it done."""
    raced = urls.sibling(database, "raced")
    urls.ensure_database(raced)
    code = "import sys; from orchestration_pipelines.store import schema; schema.migrate(sys.argv[1])"
    racing = [subprocess.Popen([sys.executable, "-c", code, raced], stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate(timeout=60)[1] for process in racing]
    try:
        assert [process.returncode for process in racing] == [0, 0, 0], said
        with psycopg.connect(raced) as owner:
            assert one(owner, "SELECT count(*) FROM review_move") == len(MOVES)
    finally:
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(urls.database_of(raced))))


def test_the_legal_moves_are_the_domains(database: str) -> None:
    """The table that the trigger reads is the one in domain/review.py."""
    with connect(database) as connection:
        rows = connection.execute("SELECT from_status, act, to_status FROM review_move").fetchall()
    assert set(rows) == {(move.source.value, move.act, move.target.value) for move in MOVES}


def test_a_task_makes_no_other_move(waiting: Flow) -> None:
    """What the table does not list is refused, whoever asks."""
    waiting.decide("A")
    with psycopg.connect(waiting.engine.url) as owner, pytest.raises(psycopg.DatabaseError) as told:
        owner.execute("UPDATE review_task SET status = 'open', ended_at = NULL")
    assert told.value.sqlstate == "OP005"


def test_the_record_in_sql_is_the_record_in_python(waiting: Flow) -> None:
    """append_audit and domain.audit compute the same commitments, links and head; a changed body is found."""
    with connect(waiting.engine.url) as connection:
        before = [row[0] for row in connection.execute("SELECT id FROM cases")]
        for number in range(3):
            at = waiting.clock() + timedelta(microseconds=number)
            connection.execute(
                "SELECT append_audit(%s, 'ann', 'reviewer', 'noted', 'task:1', %s, %s)",
                (before[0], at, Jsonb({"note": 'a "quoted" ü', "n": number})),
            )
        rows = connection.execute(
            "SELECT seq, salt, body, commitment, prev FROM audit_entry WHERE case_id = %s ORDER BY seq", before
        ).fetchall()
        head = one(connection, "SELECT audit_head FROM cases")
    prev = GENESIS
    for seq, (number, salt, body, committed, linked) in enumerate(rows, 1):
        assert (number, committed, linked) == (seq, commitment(salt, body), prev)
        prev = chained(prev, committed)
    assert prev == head
    entries = [Entry(*row) for row in rows]
    forged = [*entries[:-1], entries[-1]._replace(body=entries[-1].body.replace(b"noted", b"never"))]
    assert isinstance(head, bytes)
    assert broken_at(entries, head) is None
    assert "was changed" in str(broken_at(forged, head))
