"""Coming in and going out, by the pages."""

from __future__ import annotations

from starlette.testclient import TestClient

from orchestration_pipelines.console.viewer import COOKIE
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.conftest import PASSWORD, SignedIn, Window


def test_somebody_signs_in_and_out(client: TestClient, desk: Desk) -> None:
    """A page leads to sign-in and back; after sign-out the same cookie opens nothing."""
    asked = client.get("/account?x=1")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=%2Faccount%3Fx%3D1"
    came = client.post("/sign-in", data={"person": "ann", "password": PASSWORD, "next": "/account?x=1"})
    assert (came.status_code, came.headers["location"]) == (303, "/account?x=1")
    cookie = came.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    page = client.get("/account")
    assert "Signed in as" in page.text
    token = client.cookies[COOKIE]
    form = page.text.split('name="csrf" value="')[1].split('"')[0]
    left = client.post("/sign-out", data={"csrf": form})
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert client.get("/account", headers={"cookie": f"{COOKIE}={token}"}).status_code == 303
    with desk.connection() as connection:
        acts = connection.execute("SELECT act, person, address FROM access_entry ORDER BY id").fetchall()
    assert acts == [("signed in", "ann", "testclient"), ("signed out", "ann", "testclient")]


def test_what_was_written_too_late_is_not_lost(client: TestClient, desk: Desk) -> None:
    """A form whose session has ended is answered with its sentences, to be taken along; never with a password."""
    late = {"rationale": "The income is <proven> by a letter.", "old": PASSWORD, "new": PASSWORD, "csrf": "x"}
    answer = client.post("/tasks/1/decide", data=late)
    assert answer.status_code == 401
    assert "The income is &lt;proven&gt; by a letter." in answer.text
    assert PASSWORD not in answer.text
    elsewhere = client.post("/tasks/1/decide", data=late, headers={"sec-fetch-site": "cross-site"})
    assert (elsewhere.status_code, "a letter" in elsewhere.text) == (401, False)


def test_a_browser_keeps_the_cookie_on_plain_loopback(window: Window) -> None:
    """``__Host-`` and Secure over http://127.0.0.1: Chromium takes loopback for safe."""
    page = window()
    page.goto("/account")
    page.fill("#person", "ann")
    page.fill("#password", PASSWORD)
    page.click("text=Sign in >> nth=-1")
    page.wait_for_url("**/account")
    assert page.locator("h1").inner_text() == "ann"
    assert page.context.cookies()[0]["name"] == COOKIE


def test_a_signed_in_visitor_has_a_session(signed_in: SignedIn) -> None:
    """What tests use for a session is one."""
    assert "reviewer" in signed_in("ann").get("/account").text


def test_a_browser_is_signed_in_by_its_cookie(window: Window) -> None:
    """What browser tests use for a session is one too."""
    page = window("ada")
    page.goto("/account")
    assert "admin" in page.locator(".lead").inner_text()
