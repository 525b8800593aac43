"""Reviewers in real browsers: by keyboard alone, two of them, on a page that is out of date, without a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import PASSWORD, Window
from orchestration_pipelines_tests.console.walks import QUESTION, TWO, WCAG, sign_in, violations, walked
from orchestration_pipelines_tests.engine.flow import Flow


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    return walked(tmp_path / "flow", database, clock)


def test_a_day_by_keyboard_alone(flow: Flow, window: Window) -> None:
    """Sign in, take the next, read, edit, look at the difference, say why, decide, and be on the next: no mouse."""
    flow.submit("A-1", "A-2", amount=50)
    flow.sweep()
    page = window()
    sign_in(page, "ann")
    expect(page.get_by_role("heading", name="My work")).to_be_visible()
    page.keyboard.press("n")
    page.wait_for_url("**/tasks/*")
    expect(page.locator("main")).to_contain_text(QUESTION)
    expect(page).to_have_title(re.compile("^A-1"))
    page.keyboard.press("i")
    field = page.get_by_label("amount", exact=True)
    expect(field).to_be_visible()
    for _ in range(12):
        if field.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("45")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # looks at the difference; it never decides
    expect(page.locator("#difference del")).to_have_text("50")
    expect(page.locator("#difference ins")).to_have_text("45")
    assert flow.one("SELECT count(*) FROM review_decision") == 0
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.keyboard.type("the invoice says 45")
    page.keyboard.press("Escape")
    page.evaluate("performance.now = () => 1e9")  # later: a key that was meant for the page before decides nothing
    page.keyboard.press("a")
    expect(page).to_have_title(re.compile("^A-2"))
    expect(page.get_by_role("status").first).to_contain_text("A-1")
    made = flow.rows("SELECT outcome, rationale, decided_by, edits FROM review_decision")
    assert made[0][:3] == ("approve", "the invoice says 45", "ann")
    assert b"45" in made[0][3]
    flow.sweep()
    assert flow.ends()["A-1"] == "done"


def test_four_eyes_in_two_browsers(flow: Flow, window: Window) -> None:
    """The second is told that somebody signed, and nothing of what they chose, on any page, until both have."""
    flow.submit("B-1", amount=TWO + 400)
    flow.sweep()
    ann, bob = window("ann"), window("bob")
    _take(ann)
    ann.fill("#rationale", "ann-thinks-this-of-it")
    ann.get_by_role("button", name=re.compile("^Reject")).click()
    ann.wait_for_load_state()
    _take(bob)
    expect(bob.locator("#decision")).to_contain_text("Signed: ann")
    for path in (bob.url, "/cases/1", "/work", "/queues", "/queues/flow/reviews", "/search?q=B-"):
        bob.goto(path)
        assert "ann-thinks-this-of-it" not in bob.content(), path
        assert not re.search(r"ann\W+(\w+\W+){0,3}reject", bob.locator("main").inner_text(), re.IGNORECASE), path
    bob.goto("/tasks/2")
    bob.get_by_role("button", name=re.compile("^Approve")).click()
    bob.wait_for_load_state()
    flow.sweep()
    bob.goto("/cases/1")
    assert "ann-thinks-this-of-it" in bob.content()
    assert re.search(r"ann\W+(\w+\W+){0,3}reject", bob.locator("main").inner_text(), re.IGNORECASE)


def test_a_page_that_is_out_of_date_is_refused(flow: Flow, window: Window) -> None:
    """What changed since it was shown is shown, nothing that was typed is lost, nothing was decided."""
    flow.submit("C-1", amount=TWO + 400)
    flow.sweep()
    ann, bob = window("ann"), window("bob")
    _take(ann)
    _take(bob)
    bob.locator("#edits summary").click()
    bob.get_by_label("amount", exact=True).fill(str(TWO + 100))
    bob.fill("#rationale", "too much")
    bob.get_by_role("button", name=re.compile("^Approve")).click()
    bob.get_by_role("button", name=re.compile("^Approve")).click()  # the difference was shown first
    bob.wait_for_load_state()
    assert flow.one("SELECT count(*) FROM review_decision") == 1
    ann.fill("#rationale", "as it should be")
    ann.get_by_role("button", name=re.compile("^Reject")).click()
    told = ann.get_by_role("alert").filter(has_text="has changed since")
    expect(told).to_be_visible()
    expect(told.locator("del")).to_have_text(str(TWO + 400))
    expect(told.locator("ins")).to_have_text(str(TWO + 100))
    assert ann.input_value("#rationale") == "as it should be"
    assert list(violations(ann, "out of date", WCAG)) == []
    assert flow.one("SELECT count(*) FROM review_decision") == 1


def test_a_session_that_was_ended_opens_nothing(flow: Flow, window: Window) -> None:
    """Ended from another browser; signing in again leads back to where one was."""
    flow.submit("D-1")
    flow.sweep()
    lost, other = window("ann"), window("ann")
    lost.goto("/queues")
    other.goto("/account")
    other.get_by_role("button", name="End", exact=True).first.click()
    other.wait_for_load_state()
    lost.goto("/queues")
    assert "/sign-in?next=%2Fqueues" in lost.url
    lost.fill("#person", "ann")
    lost.fill("#password", PASSWORD)
    lost.keyboard.press("Enter")
    lost.wait_for_url("**/queues")
    other.goto("/work")
    assert other.url.endswith("/work")


def test_everything_goes_without_a_script(flow: Flow, window: Window) -> None:
    """Sign in, take, look at a difference, decide: forms alone."""
    flow.submit("F-1")
    flow.sweep()
    page = window(java_script_enabled=False)
    page.goto("/work")
    page.fill("#person", "ann")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    _take(page)
    expect(page.locator(".drawing svg")).to_be_visible()
    page.locator("#edits summary").click()
    page.get_by_label("amount", exact=True).fill("abc")
    page.get_by_role("button", name="Look at the difference").last.click()
    expect(page.locator("#edit-amount-wrong")).to_be_visible()
    page.get_by_label("amount", exact=True).fill("40")
    page.get_by_role("button", name="Look at the difference").last.click()
    expect(page.locator("#difference ins")).to_have_text("40")
    page.get_by_label("Rationale").fill("the receipt says so")
    page.get_by_role("button", name=re.compile("^Approve")).click()
    assert flow.rows("SELECT outcome, decided_by FROM review_decision") == [("approve", "ann")]
    expect(page.get_by_role("status").first).to_contain_text("F-1")


def _take(page: Page) -> None:
    """Take the next task, from the page of one's work."""
    page.goto("/work")
    page.get_by_role("button", name=re.compile("^Take the next task")).click()
    page.wait_for_url("**/tasks/*")
