"""What somebody with bad intentions would try: other people's forms, old cookies, crooked paths, too much of all."""

from __future__ import annotations

import http.client
import re
from urllib.parse import quote, unquote, urlsplit

import psycopg
import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from orchestration_pipelines.console import pages
from orchestration_pipelines.console.app import create_app
from orchestration_pipelines.console.headers import CONTENT_SECURITY_POLICY
from orchestration_pipelines.console.router import create_router
from orchestration_pipelines.console.viewer import COOKIE, csrf_of
from orchestration_pipelines.engine import access, accounts
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import PASSWORD, SignedIn, Visitor, session_of
from orchestration_pipelines_tests.engine.flow import Flow

_STATE = "SELECT (SELECT string_agg(t::text, '|' ORDER BY id) FROM review_task t), count(*) FROM review_decision"


@pytest.fixture
def task(flow: Flow) -> int:
    """A task that waits for ann, of two."""
    flow.submit("A", "B")
    flow.sweep()
    return int(flow.one("SELECT min(id) FROM review_task"))


FORGERIES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "no token": ({"csrf": ""}, {}),
    "a made-up token": ({"csrf": "0" * 64}, {}),
    "a token that is no ASCII": ({"csrf": "é" * 64}, {}),
    "an empty header beside the right field": ({}, {"x-csrf-token": ""}),
    "from another site": ({}, {"sec-fetch-site": "cross-site"}),
    "from a neighbour of the host": ({}, {"sec-fetch-site": "same-site"}),
    "from another origin, in an old browser": ({}, {"origin": "https://evil.example"}),
    "from nowhere that is said": ({}, {"origin": "null"}),
    "from the same name on another port": ({}, {"origin": "https://localhost:8443"}),
}


def test_a_forged_form_is_refused_and_recorded(flow: Flow, desk: Desk, task: int, signed_in: SignedIn) -> None:
    """The token must be that of the very session, and the page that sent it one of ours."""
    ann, other, bob = signed_in("ann"), signed_in("ann"), signed_in("bob")
    tried = {**FORGERIES, "of her other session": ({"csrf": other.csrf}, {}), "of another": ({"csrf": bob.csrf}, {})}
    before = flow.rows(_STATE)
    for how, (form, headers) in tried.items():
        assert ann.post(f"/tasks/{task}/claim", form, headers=headers).status_code == 403, how
    assert flow.rows(_STATE) == before
    with desk.connection() as connection:
        last = access.recorded(connection, person="ann", at_most=len(tried))
    assert {(entry.act, entry.detail) for entry in last} == {("forged", f"POST /tasks/{task}/claim")}
    assert ann.post(f"/tasks/{task}/claim").status_code == 303, "the honest one is taken"


def test_a_token_twice_is_taken_once(flow: Flow, task: int, signed_in: SignedIn) -> None:
    """Of parameters that come twice the last counts for everybody alike; what the query says counts for nothing."""
    ann = signed_in("ann")
    assert ann.post(f"/tasks/{task}/claim", {"csrf": [ann.csrf, "wrong"]}).status_code == 403
    assert ann.post(f"/tasks/{task}/claim?csrf={ann.csrf}", {"csrf": ""}).status_code == 403
    other = flow.one("SELECT id FROM review_task WHERE id <> %s", task)
    assert ann.post(f"/tasks/{task}/claim?task={other}", {"task": str(other)}).status_code == 303
    assert flow.rows("SELECT id FROM review_task WHERE assignee = 'ann'") == [(task,)]


def _signs_out(desk: Desk, ann: Visitor, _: SetClock) -> None:
    ann.post("/sign-out")


def _is_put_out(desk: Desk, _: Visitor, clock: SetClock) -> None:
    with desk.connection() as connection:
        assert access.end_sessions(connection, "ann", by="ada", address="test", at=clock()) >= 1


def _is_disabled(desk: Desk, _: Visitor, clock: SetClock) -> None:
    with desk.connection() as connection:
        accounts.disable(connection, "ann", by="ada", address="test", at=clock())


def _is_disabled_at_that_moment(desk: Desk, _: Visitor, clock: SetClock) -> None:
    with psycopg.connect(desk.url) as owner:  # as if the session had begun while the account was closed
        owner.execute("UPDATE account SET disabled_by = 'ada', disabled_at = %s WHERE person = 'ann'", (clock(),))


def _gets_a_new_password(desk: Desk, _: Visitor, clock: SetClock) -> None:
    with desk.connection() as connection:
        accounts.set_password(connection, desk.passwords, "ann", by="ada", address="test", at=clock())


def _changes_it_elsewhere(desk: Desk, ann: Visitor, _: SetClock) -> None:
    elsewhere = Visitor(ann.client, session_of(desk, "ann"))
    new = "seven other slow rivers"
    assert elsewhere.post("/account/password", {"old": PASSWORD, "new": new, "again": new}).status_code == 303
    assert elsewhere.get("/account").status_code == 200


def _leaves(desk: Desk, _: Visitor, __: SetClock) -> None:
    with psycopg.connect(desk.url) as owner:
        owner.execute("UPDATE reviewer SET active = false WHERE person = 'ann'")


def _is_idle(_: Desk, __: Visitor, clock: SetClock) -> None:
    clock.advance(hours=1, seconds=1)


def _works_all_day(_: Desk, ann: Visitor, clock: SetClock) -> None:
    for _hour in range(13):
        clock.advance(minutes=55)
        ann.get("/account")
    clock.advance(minutes=6)


ENDS = [
    _signs_out,
    _is_put_out,
    _is_disabled,
    _is_disabled_at_that_moment,
    _gets_a_new_password,
    _changes_it_elsewhere,
    _leaves,
    _is_idle,
    _works_all_day,
]


def test_a_cookie_of_a_session_that_is_over_opens_nothing(
    flow: Flow, desk: Desk, task: int, signed_in: SignedIn, clock: SetClock
) -> None:
    """Whatever ended it, at once, for pages and for acts."""
    before = flow.rows(_STATE)
    with psycopg.connect(desk.url, autocommit=True) as owner:
        kept = owner.execute("SELECT password FROM account WHERE person = 'ann'").fetchone()
        for end in ENDS:
            ann = signed_in("ann")
            assert ann.get("/account").status_code == 200
            end(desk, ann, clock)
            assert ann.get("/account").headers.get("location", "").startswith("/sign-in"), end.__name__
            assert ann.post(f"/tasks/{task}/claim").status_code == 401, end.__name__
            owner.execute("UPDATE reviewer SET active = true")
            owner.execute(
                "UPDATE account SET disabled_at = NULL, disabled_by = NULL, temporary = false, password = %s "
                "WHERE person = 'ann'",
                kept,
            )
    assert flow.rows(_STATE) == before


def test_a_page_that_asks_by_itself_keeps_no_session_alive(flow: Flow, desk: Desk, clock: SetClock) -> None:
    """Who has gone is out after an hour, whatever their browser goes on asking."""
    token = session_of(desk, "ann")
    with desk.connection() as connection:
        for _ in range(2):
            clock.advance(minutes=40)
            found = access.session_of(connection, token, clock(), counts=False)
    assert found is None


def test_a_session_cannot_be_foisted_on_anybody(client: TestClient, desk: Desk) -> None:
    """Signing in begins a new one; the one that the browser came with is over."""
    planted = session_of(desk, "bob")
    came = client.post(
        "/sign-in", data={"person": "ann", "password": PASSWORD}, headers={"cookie": f"{COOKIE}={planted}"}
    )
    assert client.cookies[COOKIE] != planted
    assert came.status_code == 303
    bob = Visitor(client, planted)
    client.cookies.clear()
    assert bob.get("/account").status_code == 303


CROOKED = (
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e%2fapp.py",
    "/static/%2fetc%2fpasswd",
    "/static/console.css%00.html",
    "/static/.console.css.swp",
    "/tasks/0",
    "/tasks/-1",
    "/tasks/1.0",
    "/tasks/1e3",
    "/tasks/%D9%A1",
    "/tasks/9223372036854775808",
    "/tasks/" + "9" * 400,
    "/tasks/1%00",
    "/tasks/1;drop",
    "/tasks/{task}/",
    "/cases/1%27%20OR%201=1",
    "/queues/%00/%ff%fe",
    "/queues/x/" + "%2e%2e%2f" * 20,
    "/%5c%5cevil.example",
    "/sign-in/..%2f..%2faccount",
)


def test_a_crooked_path_is_not_there(task: int, signed_in: SignedIn) -> None:
    """404 in a page of ours, and nothing of the machine."""
    ann = signed_in("ann")
    for path in CROOKED:
        answer = ann.get(path.replace("{task}", str(task)))
        assert answer.status_code in (404, 422), path
        assert "import" not in answer.text, path
        assert "Traceback" not in answer.text, path


def test_headers_change_nothing(flow: Flow, task: int, client: TestClient, signed_in: SignedIn, desk: Desk) -> None:
    """Neither the method, nor the path, nor the host, nor where somebody comes from."""
    ann = signed_in("ann")
    for headers in (
        {"x-http-method-override": "POST"},
        {"x-method-override": "DELETE"},
        {"x-original-url": "/admin/accounts", "x-rewrite-url": "/admin/accounts"},
        {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=evil.example"},
    ):
        answer = ann.get("/account", headers=headers)
        assert answer.status_code == 200
        assert "evil.example" not in answer.text
    leads = client.get("/account", headers={"x-forwarded-host": "evil.example", "x-forwarded-prefix": "//evil.example"})
    assert leads.headers["location"] == "/sign-in?next=%2Faccount"
    client.post("/sign-in", data={"person": "ann", "password": "wrong"}, headers={"x-forwarded-for": "203.0.113.9"})
    with desk.connection() as connection:
        assert access.recorded(connection, person="ann", at_most=1)[0].address == "testclient"
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"):
        assert client.request(method, "/account", headers={"cookie": f"{COOKIE}={ann.token}"}).status_code == 405
    before = flow.rows(_STATE)
    assert ann.get(f"/tasks/{task}/claim").status_code in (404, 405)
    assert ann.post("/account", {"_method": "GET"}).status_code == 405
    assert flow.rows(_STATE) == before


def test_another_host_is_refused(client: TestClient) -> None:
    """A name of somebody else's that leads here (DNS rebinding) gets no page, and its refusal the same headers."""
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "localhost@evil.example"):
        answer = client.get("/sign-in", headers={"host": host})
        assert answer.status_code == 400, host
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_a_megabyte_of_rationale_is_too_much(flow: Flow, task: int, signed_in: SignedIn) -> None:
    """Refused before anything is done; half of it is answered in words, and nobody's page breaks."""
    ann = signed_in("ann")
    before = flow.rows(_STATE)
    seen = flow.one("SELECT digest FROM review_task WHERE id = %s", task)
    form = {"outcome": "reject", "seen": seen}
    assert ann.post(f"/tasks/{task}/decide", {**form, "rationale": "x" * 1_000_000}).status_code == 413
    assert flow.rows(_STATE) == before
    assert ann.post(f"/tasks/{task}/decide", {**form, "rationale": "é" * 80_000}).status_code < 500
    assert ann.get(f"/tasks/{task}").status_code < 500
    many = {f"edit.{number}": "x" for number in range(2000)}
    assert ann.post(f"/tasks/{task}/decide", {**form, **many}).status_code in (400, 422)


def test_a_body_without_a_length_is_too_much_all_the_same(served: str, desk: Desk, task: int) -> None:
    """Sent in pieces that say nothing of the whole, over a real connection."""
    token = session_of(desk, "ann")
    connection = http.client.HTTPConnection(urlsplit(served).netloc, timeout=20)
    pieces = (b"x" * 65_536 for _ in range(20))
    headers = {"cookie": f"{COOKIE}={token}", "content-type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", f"/tasks/{task}/claim", pieces, headers, encode_chunked=True)
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # it hung up in the middle
    finally:
        connection.close()
    assert status == 413


def test_headers_without_end_are_cut_off(served: str) -> None:
    """By the server, before any of it is ours."""
    connection = http.client.HTTPConnection(urlsplit(served).netloc, timeout=20)
    connection.request("GET", "/sign-in", headers={"x-long": "x" * 200_000})
    assert connection.getresponse().status in (400, 431)
    connection.close()


ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    " //evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/account\r\nset-cookie: a=b",
    "account",
    "",
)


def test_nobody_is_led_elsewhere(client: TestClient) -> None:
    """After sign-in somebody goes on to a page of ours, or to the first one."""
    for onward in ELSEWHERE:
        came = client.post("/sign-in", data={"person": "ann", "password": PASSWORD, "next": onward})
        assert (came.status_code, came.headers["location"]) == (303, "/"), onward
        assert set(client.cookies) == {COOKIE}


def test_characters_that_are_no_text_break_nothing(flow: Flow, task: int, signed_in: SignedIn) -> None:
    """They are refused in words, or kept as they are."""
    ann = signed_in("ann")
    seen = flow.one("SELECT digest FROM review_task WHERE id = %s", task)
    for text in ("\x00", "%ED%A0%80", "%FF%FE", "\u202e\u0007", "%s%d{}"):
        raw = text if text.startswith("%") else quote(text)  # a lone surrogate and no UTF-8 come as the bytes they are
        for path, form in (
            ("/sign-in", f"person={raw}&password={raw}"),
            (f"/tasks/{task}/decline", f"reason={raw}"),
            (f"/tasks/{task}/decide", f"outcome=reject&rationale={raw}&seen={seen}"),
            (f"/tasks/{task}/decide", f"outcome={raw}&rationale=x&seen={raw}"),
        ):
            headers = {"content-type": "application/x-www-form-urlencoded", "cookie": f"{COOKIE}={ann.token}"}
            answer = ann.client.post(path, content=f"csrf={ann.csrf}&{form}", headers=headers)
            assert answer.status_code < 500, f"{path} {form}"
        assert ann.get(f"/search?q={raw}").status_code < 500, raw


def test_every_answer_says_how_it_may_be_used(flow: Flow, task: int, client: TestClient, signed_in: SignedIn) -> None:
    """Pages, files, redirects, refusals and faults; and nothing is left to a browser's guess."""
    ann = signed_in("ann")
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        answers = [
            ann.get("/account"),
            ann.get(f"/tasks/{task}"),
            ann.get("/static/console.css"),
            ann.get("/nothing"),
            ann.get("/admin/accounts"),
            client.get("/account"),
            ann.post(f"/tasks/{task}/claim", {"csrf": "x"}),
            ann.post("/sign-in", {"person": "x" * 600_000}),
        ]
        owner.execute("ALTER TABLE access_entry RENAME TO away")
        fault = ann.get("/nothing-at-all")
        owner.execute("ALTER TABLE away RENAME TO access_entry")
    for answer in [*answers, fault]:
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert "server" not in answer.headers
        static = answer.headers["content-type"].startswith("text/css") if answer.content else False
        assert static or answer.headers["cache-control"] == "no-store"
        assert not answer.content or "charset" in answer.headers["content-type"]
    assert answers[2].headers["content-type"].startswith("text/css")


def test_a_fault_is_a_number_and_no_trace(
    flow: Flow, desk: Desk, signed_in: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the rest, under the same number."""
    ann = signed_in("ann")
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("ALTER TABLE session RENAME TO away")
    answer = ann.get("/account")
    assert answer.status_code == 500
    number = re.findall(r"<code>([0-9a-f]{12})</code>", answer.text)
    assert len(number) == 1
    for word in ("psycopg", "Traceback", "relation", "SELECT", "away"):
        assert word not in answer.text
    assert f"fault {number[0]}: GET /account" in caplog.text
    assert "UndefinedTable" in caplog.text


def test_connections_that_died_are_replaced(flow: Flow, signed_in: SignedIn) -> None:
    """A database that was started again costs nobody a page."""
    ann = signed_in("ann")
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    assert ann.get("/account").status_code == 200


def test_a_database_that_is_away_is_told(desk: Desk, signed_in: SignedIn) -> None:
    """In words, with the same headers; what was to be done was not."""
    ann = signed_in("ann")
    desk.close()
    for answer in (ann.get("/account"), ann.post("/sign-out"), ann.client.get("/sign-in")):
        assert answer.status_code == 503
        assert "does not answer" in answer.text
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_it_can_be_mounted_below_a_path(flow: Flow, desk: Desk) -> None:
    """In somebody's own application: every link and redirect stays below it."""
    own = FastAPI()
    own.mount("/review", create_router(desk))
    with TestClient(own, base_url="https://own.example", follow_redirects=False) as client:
        assert client.get("/review/account").headers["location"] == "/review/sign-in?next=%2Freview%2Faccount"
        form = {"person": "ann", "password": PASSWORD, "next": "/review/account"}
        assert client.post("/review/sign-in", data=form).headers["location"] == "/review/account"
        page = client.get("/review/account")
        assert page.status_code == 200
        links = re.findall(r'(?:href|src|action)="([^"]+)"', page.text)
        assert links
        assert all(link.startswith(("/review/", "#")) for link in links)
        for link in links:
            if "static" in link:
                assert client.get(link).status_code == 200


def test_a_name_in_a_path_stays_a_name(desk: Desk) -> None:
    """Whatever a workflow or a queue is called: it is no query, no fragment and no other path."""
    request = Request({"type": "http", "app": create_app(desk), "root_path": ""})
    for workflow, queue in (("w?x#", "a?b#c%2Fd e"), ("%", "ü/x"), ("\"'<>", "a&b;c")):
        parts = urlsplit(pages.link(request, "queue", workflow=workflow, queue=queue))
        assert unquote(parts.path) == f"/queues/{workflow}/{queue}"
        assert (parts.query, parts.fragment, parts.netloc) == ("", "", "")


def test_a_console_and_its_app_are_told_apart_by_hosts(desk: Desk) -> None:
    """Alone it answers to the names it was given, and to no other."""
    with TestClient(create_app(desk, ["reviews.example.org"]), base_url="https://reviews.example.org") as client:
        assert client.get("/sign-in").status_code == 200
        assert client.get("/sign-in", headers={"host": "localhost"}).status_code == 400


def test_a_session_is_known_by_its_hash_alone(desk: Desk) -> None:
    """Who reads the database, or a backup of it, cannot sign in by what is there; nor make a form's token."""
    token = session_of(desk, "ann")
    with psycopg.connect(desk.url) as owner:
        kept = owner.execute("SELECT s::text, encode(token, 'hex') FROM session s").fetchone()
        passwords = owner.execute("SELECT password FROM account").fetchall()
    assert kept is not None
    assert token not in kept[0]
    assert len(token) >= 43
    assert csrf_of(kept[1]) != csrf_of(token)
    assert all(password.startswith("$argon2id$v=19$") for (password,) in passwords)
