"""Documents by the page: added by a form, listed with their sources, handed out and never shown."""

from __future__ import annotations

import httpx
import pytest

from orchestration_pipelines.domain.upload import MOST_BYTES
from orchestration_pipelines_tests.console.conftest import SignedIn
from orchestration_pipelines_tests.engine.flow import Flow

PDF = b"%PDF-1.7\nwords\n%%EOF\n"


@pytest.fixture
def case(flow: Flow) -> int:
    """Case A waits for a person."""
    flow.submit("A")
    flow.sweep()
    return int(flow.one("SELECT id FROM cases"))


def add(
    signed_in: SignedIn, case: int, by: str = "ann", name: str = "slip.pdf", content: bytes = PDF
) -> httpx.Response:
    return signed_in(by).post(f"/cases/{case}/documents", {}, files={"file": (name, content, "text/html")})


def test_a_document_is_added_and_listed_with_its_source(flow: Flow, case: int, signed_in: SignedIn) -> None:
    """Then the page again, which says who added what; the type is what it holds and not what the sender says."""
    task = flow.one("SELECT id FROM review_task")
    answer = signed_in("ann").post(
        f"/cases/{case}/documents",
        {"about": "amount", "task": str(task)},
        files={"file": ("../slip.pdf", PDF, "text/html")},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tasks/{task}#case-documents")
    page = signed_in("bob").get(f"/tasks/{task}").text
    assert "by ann (reviewer)" in page
    assert "application/pdf" in page
    assert "shown by <a" in page, "the fact that it shows names it"
    assert "added the document slip.pdf" in page


def test_a_document_is_an_attachment_that_runs_nothing(case: int, signed_in: SignedIn) -> None:
    """Its name in full and in ASCII, no sniffing, a sandbox, no cache."""
    add(signed_in, case, name="Gehalt März.pdf")
    answer = signed_in("bob").get("/documents/1")
    assert answer.content == PDF
    headers = answer.headers
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == (
        "attachment; filename=\"Gehalt M_rz.pdf\"; filename*=UTF-8''Gehalt%20M%C3%A4rz.pdf"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cache-control"] == "private, no-store"


def test_what_is_not_taken_is_told_on_the_page(case: int, signed_in: SignedIn) -> None:
    """422, in words."""
    for content, told in (
        (b"<html><script>1</script>", "The file is markup"),
        (b"MZ\x90\x00", "none of what is taken"),
        (b"", "The file is empty"),
        (b"%PDF-1.7 cut", "cut short"),
    ):
        answer = add(signed_in, case, content=content)
        assert answer.status_code == 422
        assert told in answer.text


def test_a_file_that_is_too_large_is_not_read_to_its_end(case: int, signed_in: SignedIn) -> None:
    """The body is limited while it comes in; a file over the limit by a byte is told so."""
    assert add(signed_in, case, content=b"a" * (MOST_BYTES + 1)).status_code == 422
    assert add(signed_in, case, content=b"a" * (MOST_BYTES + 1024 * 1024)).status_code == 413


def test_no_file_is_told(case: int, signed_in: SignedIn) -> None:
    """A form that was sent without one."""
    answer = signed_in("ann").post(f"/cases/{case}/documents", {})
    assert answer.status_code == 422
    assert "No file was chosen" in answer.text


def test_who_only_reads_adds_nothing(case: int, signed_in: SignedIn) -> None:
    """Auditors and admins have no such right."""
    for by, status in (("mara", 303), ("abel", 403), ("ada", 403)):
        assert add(signed_in, case, by).status_code == status, by


def test_a_form_without_its_token_is_refused(flow: Flow, case: int, signed_in: SignedIn) -> None:
    """From elsewhere, or from another session."""
    answer = signed_in("ann").post(f"/cases/{case}/documents", {"csrf": "x"}, files={"file": ("a.pdf", PDF, "x")})
    assert answer.status_code == 403
    assert flow.one("SELECT count(*) FROM document") == 0


def test_nobody_gets_a_document_of_a_case_that_they_do_not_see(flow: Flow, case: int, signed_in: SignedIn) -> None:
    """404, as if there were none."""
    add(signed_in, case)
    with flow.engine.connect() as connection:
        connection.execute("UPDATE reviewer SET roles = '{clerk}' WHERE person = 'bob'")
    assert signed_in("bob").get("/documents/1").status_code == 404
    assert add(signed_in, case, "bob").status_code == 404
