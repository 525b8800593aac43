"""Documents: who may add one, what is kept of it, and that nothing of a decision hangs on it."""

from __future__ import annotations

import psycopg
import pytest

from orchestration_pipelines.engine import documents, reviews
from orchestration_pipelines.engine.documents import Document, Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, Flow

PDF = b"%PDF-1.7\nwords\n%%EOF\n"


@pytest.fixture
def flow(draw: Draw) -> Flow:
    """Case A waits for a person."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    return flow


def add(
    flow: Flow, by: str = "ann", content: bytes = PDF, name: str = "slip.pdf", about: str | None = None
) -> Document:
    with flow.engine.connect() as connection:
        case = int(flow.one("SELECT id FROM cases WHERE case_key = 'A'"))
        return documents.add(connection, case, name=name, content=content, by=by, at=flow.clock(), about=about)


def test_a_document_is_kept_with_who_when_and_its_digest(flow: Flow) -> None:
    """In a table of its own and in the record of the case; what it holds comes back byte by byte."""
    added = add(flow, about="amount")
    assert (added.name, added.type, added.size, added.added_by, added.role, added.about) == (
        "slip.pdf",
        "application/pdf",
        len(PDF),
        "ann",
        "reviewer",
        "amount",
    )
    with flow.engine.connect() as connection:
        found = documents.find(connection, added.id, "bob")
        assert found == (added, PDF)
        assert documents.of_case(connection, added.case_id) == [added]
    assert flow.rows("SELECT actor, role, act, b ->> 'digest' FROM audit_trail ORDER BY seq DESC LIMIT 1") == [
        ("ann", "reviewer", "document added", added.digest)
    ]


def test_what_is_decided_on_is_the_same_before_and_after(flow: Flow) -> None:
    """A document is no fact of the case: a decision on the digest that was shown before it stands."""
    with flow.engine.connect() as connection:
        task = reviews.open_tasks(connection)[0]
    add(flow)
    with flow.engine.connect() as connection:
        reviews.decide(connection, task.task, person="bob", seen=task.digest, outcome="approve", at=flow.clock())
    flow.sweep()
    assert flow.one("SELECT outcome FROM cases") == "done"


def test_whoever_submitted_a_case_adds_to_it(flow: Flow) -> None:
    """From outside, too: they are no reviewer."""
    assert add(flow, by="broker").role == "requester"


def test_others_add_nothing(flow: Flow) -> None:
    """Whoever does not see the case, and whoever only reads."""
    with flow.engine.connect() as connection:
        connection.execute(
            "INSERT INTO reviewer (person, roles) VALUES ('otto', '{clerk}'), ('abel', '{auditor}'), ('ada', '{admin}')"
        )
    for by, why in (
        ("otto", "sees no case"),
        ("abel", "an admin or an auditor"),
        ("ada", "sees no case"),
        ("nobody", "sees no case"),
    ):
        with pytest.raises(Refused, match=why):
            add(flow, by=by)
    assert flow.one("SELECT count(*) FROM document") == 0


def test_what_is_not_taken_leaves_nothing(flow: Flow) -> None:
    """No row, no entry in the record."""
    before = flow.one("SELECT max(seq) FROM audit_trail")
    for content, about, why in (
        (b"MZ\x90", None, "none of what is taken"),
        (PDF, "nonsense", "no fact"),
        (b"", None, "empty"),
    ):
        with pytest.raises(Refused, match=why):
            add(flow, content=content, about=about)
    assert flow.one("SELECT count(*) FROM document") == 0
    assert flow.one("SELECT max(seq) FROM audit_trail") == before


def test_the_same_file_is_one_document(flow: Flow) -> None:
    """Whatever it is called."""
    add(flow)
    with pytest.raises(Refused, match="has this very file already"):
        add(flow, name="other.pdf", by="bob")


def test_nothing_is_added_to_a_case_that_has_ended(flow: Flow) -> None:
    """Its record is over."""
    with flow.engine.connect() as connection:
        task = reviews.open_tasks(connection)[0]
        reviews.decide(connection, task.task, person="bob", seen=task.digest, outcome="approve", at=flow.clock())
    flow.sweep()
    with pytest.raises(Refused, match="is closed: nothing is added"):
        add(flow, by="bob")


def test_a_case_holds_so_many_and_no_more(flow: Flow) -> None:
    """A hundred: the next is refused."""
    case = int(flow.one("SELECT id FROM cases"))
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "INSERT INTO document (case_id, name, type, size, digest, added_by, added_at) "
            "SELECT %s, 'x.txt', 'text/plain', 1, n::text, 'ann', now() FROM generate_series(1, 100) n",
            (case,),
        )
    with pytest.raises(Refused, match="a case holds 100"):
        add(flow)


def test_not_even_the_owner_changes_a_document(flow: Flow) -> None:
    """Append only, the content too."""
    add(flow)
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        for statement in (
            b"UPDATE document SET name = 'other'",
            b"DELETE FROM document",
            b"TRUNCATE document CASCADE",
            b"UPDATE document_content SET content = '\\x00'",
            b"DELETE FROM document_content",
        ):
            with pytest.raises(psycopg.Error, match="append-only") as told:
                owner.execute(statement)
            assert told.value.sqlstate == "OP006"


def test_a_content_that_is_not_the_documents_is_refused(flow: Flow) -> None:
    """The database compares the hash: whatever is kept under a digest has it."""
    with flow.engine.connect() as connection, connection.transaction() as transaction:
        connection.execute(
            "INSERT INTO document (case_id, name, type, size, digest, added_by, added_at) "
            "SELECT id, 'x.txt', 'text/plain', 1, 'd', 'ann', now() FROM cases"
        )
        with pytest.raises(psycopg.Error) as told:
            connection.execute("INSERT INTO document_content SELECT id, 'x' FROM document")
        assert told.value.sqlstate == "OP003"
        raise psycopg.Rollback(transaction)


def test_a_document_is_handed_to_those_who_see_its_case(flow: Flow) -> None:
    """To nobody else, and there is none of another number."""
    added = add(flow)
    with flow.engine.connect() as connection:
        connection.execute("INSERT INTO reviewer (person, roles) VALUES ('otto', '{clerk}')")
        assert documents.find(connection, added.id, "otto") is None
        assert documents.find(connection, added.id + 1, "ann") is None
        assert documents.find(connection, added.id, "ann") is not None
