"""Cases over the interface: submitted with exact numbers, found, told whole, with their documents."""

from __future__ import annotations

import pytest

from orchestration_pipelines_tests.console.api.conftest import Program, Programs, problem
from orchestration_pipelines_tests.engine.flow import Flow

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def submit(client: Program, *rows: object, **settings: str) -> dict[str, object]:
    answer = client.post("/cases", {"workflow": "flow", "rows": list(rows)}, **settings)
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def test_rows_become_cases_in_the_name_of_the_person(program: Programs, flow: Flow) -> None:
    """Good rows go on; duplicates, conflicts and bad rows are told with their reasons."""
    cleo = program("cleo")
    assert submit(cleo, {"case_key": "A", "amount": 50})["accepted"] == 1
    told = submit(
        cleo,
        {"case_key": "A", "amount": 50.0},
        {"case_key": "B", "amount": "1.5"},
        {"case_key": "C", "amount": "many"},
        {"case_key": "D", "amount": 1, "other": 2},
        {"case_key": "A", "amount": 51},
    )
    assert (told["accepted"], told["duplicates"], told["conflicts"], told["quarantined"]) == (1, 1, 1, 2)
    assert "unknown column 'other'" in str(told["problems"])
    assert flow.rows("SELECT case_key, requested_by FROM cases ORDER BY 1") == [("A", "cleo"), ("B", "cleo")]
    assert flow.one("SELECT min(source) FROM quarantine").startswith("client:for-cleo-")


def test_numbers_stay_exact(program: Programs, flow: Flow) -> None:
    """What a float cannot hold comes out as it went in, digit for digit."""
    cleo = program("cleo")
    body = b'{"workflow": "flow", "rows": [{"case_key": "A", "amount": 0.1234567890123456789}]}'
    sent = cleo.client.post(
        "/api/v1/cases",
        content=body,
        headers={
            "authorization": f"Bearer {cleo.token}",
            "idempotency-key": "k",
            "content-type": "application/json",
        },
    )
    assert sent.json()["accepted"] == 1
    flow.sweep()
    task = flow.one("SELECT id FROM review_task")
    assert b'"amount":0.1234567890123456789' in program("ann").get(f"/tasks/{task}").content


def test_the_same_submission_is_taken_once(program: Programs, flow: Flow) -> None:
    """Under its key the first answer comes again, however the JSON is laid out; other rows under it are refused."""
    cleo = program("cleo")
    row = {"case_key": "A", "amount": 50}
    first = submit(cleo, row, key="k")
    assert submit(cleo, dict(reversed(row.items())), key="k") == first
    other = cleo.post("/cases", {"workflow": "flow", "rows": [{"case_key": "B", "amount": 50}]}, key="k")
    assert problem(other) == (422, "key-used")
    assert flow.one("SELECT count(*) FROM cases") == 1


def test_a_workflow_that_is_not_here_is_told(program: Programs) -> None:
    """And rows are counted: none, or more than are taken at once, do not fit."""
    cleo = program("cleo")
    row = {"case_key": "A", "amount": 50}
    answer = cleo.post("/cases", {"workflow": "other", "rows": [row]})
    assert problem(answer) == (404, "not-found")
    assert "--workflow" in answer.json()["detail"]
    assert problem(cleo.post("/cases", {"workflow": "flow", "rows": []})) == (422, "invalid")
    assert problem(cleo.post("/cases", {"workflow": "flow", "rows": [row] * 1_001})) == (422, "invalid")


@pytest.mark.parametrize("person", ["abel", "ada"])
def test_who_changes_nothing_submits_nothing(program: Programs, person: str) -> None:
    """Neither an auditor nor an admin, whatever the client's scopes are."""
    answer = program(person).post("/cases", {"workflow": "flow", "rows": [{"case_key": "A", "amount": 1}]})
    assert problem(answer) == (403, "forbidden")


def test_a_case_is_found_and_told_whole(program: Programs, flow: Flow) -> None:
    """By the beginning of its key; with its facts and what they stand on, its tasks and its timeline."""
    submit(program("cleo"), {"case_key": "LOAN-1", "amount": 50})
    flow.sweep()
    ann = program("ann")
    [hit] = ann.get("/cases", params={"key": "loan"}).json()["cases"]
    told = ann.get(f"/cases/{hit['case']}").json()
    assert (told["case_key"], told["requested_by"], told["outcome"]) == ("LOAN-1", "cleo", None)
    facts = {fact["name"]: fact for group in told["groups"] for fact in group["facts"]}
    assert (facts["amount"]["value"], facts["amount"]["source"]) == ("50", "submitted")
    assert [task["status"] for task in told["tasks"]] == ["open"]
    assert told["timeline"][0]["who"] == "cleo"


def test_a_case_that_somebody_does_not_see_is_not_there(program: Programs, flow: Flow) -> None:
    """The same answer as for a number that no case has."""
    submit(program("cleo"), {"case_key": "A", "amount": 50})  # nobody is asked yet: it is none of ann's
    case = flow.one("SELECT id FROM cases")
    assert program("cleo").get(f"/cases/{case}").status_code == 200
    ann = program("ann")
    unseen, nothing = ann.get(f"/cases/{case}"), ann.get("/cases/999")
    assert problem(unseen) == problem(nothing) == (404, "not-found")
    assert unseen.json()["detail"].replace(str(case), "999") == nothing.json()["detail"]
    assert ann.get("/cases", params={"key": "A"}).json()["cases"] == []


def test_documents_are_added_once_and_handed_out(program: Programs, flow: Flow) -> None:
    """Under its key a file is added once; it comes back byte for byte, as an attachment."""
    cleo = program("cleo")
    submit(cleo, {"case_key": "A", "amount": 50})
    case = flow.one("SELECT id FROM cases")

    def add(name: str, content: bytes, key: str) -> tuple[int, dict[str, object]]:
        headers = {"authorization": f"Bearer {cleo.token}", "idempotency-key": key}
        answer = cleo.client.post(
            f"/api/v1/cases/{case}/documents", params={"name": name}, content=content, headers=headers
        )
        return answer.status_code, answer.json()

    status, added = add("../pay slip.pdf", PDF, "k")
    assert (status, added["type"], added["size"]) == (201, "application/pdf", len(PDF))
    assert add("../pay slip.pdf", PDF, "k") == (status, added)
    assert add("../pay slip.pdf", PDF + b"\n", "k")[0] == 422
    assert add("x.exe", b"MZ" + bytes(100), "k2")[0] in (409, 422)
    assert flow.one("SELECT count(*) FROM document") == 1
    held = cleo.get(f"/documents/{added['document']}")
    assert held.content == PDF
    assert held.headers["content-disposition"].startswith("attachment;")
    assert problem(program("ann").get(f"/documents/{added['document']}")) == (404, "not-found")
    assert problem(cleo.get("/documents/999")) == (404, "not-found")
