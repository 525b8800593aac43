"""Deciding by one key, in a browser: never by accident."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import Window
from orchestration_pipelines_tests.console.walks import walked
from orchestration_pipelines_tests.engine.flow import Flow

_HELD = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', repeat: true, bubbles: true}))"
_SET_CLOCK = "performance.now = () => window.shown ?? 0"
_LOOKED_AT = "window.shown = 1000"


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    made = walked(tmp_path / "flow", database, clock)
    made.submit("A-1", "A-2", amount=50)
    made.sweep()
    return made


def test_a_key_decides_once_and_not_too_early(flow: Flow, window: Window) -> None:
    """Held down, pressed before the page was looked at, typed into a field, without a reason: nothing is decided."""
    page: Page = window("ann")
    page.add_init_script(_SET_CLOCK)
    page.goto("/tasks/1")
    page.keyboard.press("a")  # meant for the case before
    page.evaluate(_LOOKED_AT)
    page.evaluate(_HELD)
    page.keyboard.press("r")
    expect(page.locator("#rationale")).to_be_focused()
    page.keyboard.type("are there any arrears at all?")
    page.keyboard.press("Escape")
    assert flow.one("SELECT count(*) FROM review_decision") == 0
    assert page.url.endswith("/tasks/1")
    page.keyboard.press("r")
    page.wait_for_url("**/tasks/2?done=1")
    page.keyboard.press("a")
    page.evaluate(_LOOKED_AT)
    assert flow.rows("SELECT outcome, rationale FROM review_decision") == [("reject", "are there any arrears at all?")]


def test_a_slip_is_told_beside_its_field_while_one_types(flow: Flow, window: Window) -> None:
    """And the difference as soon as it can be read; what is typed stays where the hand is."""
    page: Page = window("ann", viewport={"width": 390, "height": 844})
    page.goto("/tasks/1")
    page.locator("#edits summary").click()
    field = page.get_by_label("amount", exact=True)
    field.fill("4o")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#edit-amount-wrong")).to_have_text("Is '4o', not a number")
    field.fill("40")
    expect(page.locator("#difference ins")).to_have_text("40")
    expect(page.locator("#edit-amount-wrong")).to_be_hidden()
    expect(field).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out on a phone"
