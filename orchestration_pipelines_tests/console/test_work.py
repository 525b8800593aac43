"""My work: what is in hand, what may be taken, and the acts; without a script and with the keyboard alone."""

from __future__ import annotations

import re

import psycopg
import pytest
from playwright.sync_api import expect

from orchestration_pipelines.engine import hands
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.conftest import SignedIn, Window
from orchestration_pipelines_tests.engine.flow import Flow


@pytest.fixture
def tasks(flow: Flow) -> list[int]:
    """Three cases wait: the numbers of their tasks, in order of their keys."""
    for key in "ABC":
        flow.submit(key)
        flow.sweep()
        flow.clock.advance(minutes=10)
    return [row[0] for row in flow.rows("SELECT id FROM review_task ORDER BY id")]


def states(flow: Flow) -> list[tuple[str, str | None]]:
    """How each task stands, in order."""
    return [(status, person) for status, person in flow.rows("SELECT status, assignee FROM review_task ORDER BY id")]


def words(html: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_the_page_shows_what_one_has_and_what_comes_next(flow: Flow, signed_in: SignedIn, tasks: list[int]) -> None:
    """The next task by name, and the first of each queue; what was taken is in hand, and the limit is shown."""
    ann = signed_in("ann")
    page = words(ann.get("/work").text)
    assert "Next comes A" in page
    assert "Nothing is in your hands" in page
    assert "3 waiting" in page
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("UPDATE reviewer SET capacity = 1 WHERE person = 'ann'")
    assert ann.post("/work/next").headers["location"] == f"/tasks/{tasks[0]}"
    page = words(ann.get("/work").text)
    assert "In hand 1 of 1" in page
    assert "decide something or give it back" in page
    refused = ann.post("/work/next")
    assert refused.status_code == 409
    assert "Ann has 1 of 1 in hand: decide or release one." in words(refused.text)
    assert states(flow) == [("claimed", "ann"), ("open", None), ("open", None)]


def test_every_act_is_a_form_that_leads_back(flow: Flow, signed_in: SignedIn, tasks: list[int]) -> None:
    """Take, put aside, go on, give back, decline with a reason: each one act of the engine, then a redirect."""
    ann, (first, second, _) = signed_in("ann"), tasks
    for act, leads_to, stands in (
        ("claim", f"/tasks/{first}", "claimed"),
        ("pause", "/work", "claimed"),
        ("resume", f"/tasks/{first}", "claimed"),
        ("release", "/work", "open"),
    ):
        done = ann.post(f"/tasks/{first}/{act}")
        assert (done.status_code, done.headers["location"]) == (303, leads_to)
        assert states(flow)[0][0] == stands
    assert ann.post(f"/tasks/{second}/decline", {"reason": "I know them"}).status_code == 303
    assert flow.one("SELECT reason FROM decline WHERE person = 'ann'") == "I know them"
    assert f"task-{second}" not in ann.get("/work").text


def test_a_refused_act_says_why_and_changes_nothing(flow: Flow, signed_in: SignedIn, tasks: list[int]) -> None:
    """Taken by somebody else, or without a reason: in the rule's words, on the page to go on from."""
    ann, bob, (first, *_) = signed_in("ann"), signed_in("bob"), tasks
    bob.post(f"/tasks/{first}/claim")
    for act, told in (
        ("claim", f"Task {first} is claimed by bob since"),
        ("release", f"Task {first} is not in the hands of ann: it is claimed by bob"),
        ("pause", f"Task {first} is not in the hands of ann"),
        ("decline", "A reason is needed to decline a task"),
    ):
        refused = ann.post(f"/tasks/{first}/{act}")
        assert refused.status_code == 409
        assert told in words(refused.text)
        assert 'role="alert"' in refused.text
    assert states(flow)[0] == ("claimed", "bob")
    bob.post(f"/tasks/{first}/decline", {"reason": "x" * 2_001})
    assert states(flow)[0] == ("claimed", "bob")


def test_a_task_that_one_does_not_see_is_not_there(flow: Flow, signed_in: SignedIn, tasks: list[int]) -> None:
    """The same answer as for a number that nobody has; nor does the page of anybody show it."""
    with flow.engine.connect() as connection:
        connection.execute("UPDATE review_task SET queue = 'seniors'")
    ann = signed_in("ann")
    for act in ("claim", "release", "decline", "pause", "resume"):
        for task in (tasks[0], 10**9, 2**63):
            assert ann.post(f"/tasks/{task}/{act}", {"reason": "x"}).status_code == 404
    assert "Nothing waits that you may take" in words(ann.get("/work").text)
    assert "Next comes A" in words(signed_in("cleo").get("/work").text)


def test_whoever_decides_nothing_has_no_work(signed_in: SignedIn, tasks: list[int]) -> None:
    """An auditor reads queues and an admin neither; a manager without a queue's role is told what is missing."""
    for person in ("abel", "ada"):
        assert signed_in(person).get("/work").status_code == 403
        assert signed_in(person).post(f"/tasks/{tasks[0]}/claim").status_code == 403
    assert "No queue asks for what you can do" in words(signed_in("mara").get("/work").text)


def test_whoever_submitted_a_case_finds_what_is_asked_of_them(
    flow: Flow, signed_in: SignedIn, tasks: list[int]
) -> None:
    """It waits for their answer, on their own page."""
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("UPDATE review_task SET queue = 'requesters', requested_by = 'ann'")
    page = words(signed_in("ann").get("/work").text)
    assert "Asked of you, who submitted the case" in page
    assert "Asked of you" not in words(signed_in("bob").get("/work").text)


def test_lists_that_reload_themselves_keep_no_session_alive(
    flow: Flow, desk: Desk, signed_in: SignedIn, tasks: list[int]
) -> None:
    """The part of the page is the page's lists; asked for all night long, it does not count as somebody being there."""
    ann = signed_in("ann")
    part = ann.get("/parts/work")
    assert 'data-list="hand"' in part.text
    assert "<html" not in part.text
    for _ in range(4):
        flow.clock.advance(minutes=20)
        answer = ann.get("/parts/work", headers={"sec-fetch-mode": "cors"})
    assert answer.status_code == 401


def test_hostile_keys_and_reasons_are_text(flow: Flow, desk: Desk, signed_in: SignedIn) -> None:
    """Whatever a case or a person is called: never markup."""
    flow.submit("<script>alert(1)</script>", "a'\"&b")
    flow.sweep()
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("UPDATE queue SET title = '<b>bold</b>'; UPDATE review_task SET question = '<i>is it?</i>'")
    with desk.connection() as connection:
        hands.pull(connection, "ann", at=desk.clock())
    for path in ("/work", "/queues", "/queues/flow/reviews", "/search?q=<script>", "/search?q='\"<b>"):
        text = signed_in("ann").get(path).text
        assert "<script>alert" not in text
        assert "<b>" not in text
        assert "<i>" not in text


# ---------------------------------------------------------------- in a browser
def test_everything_is_reached_by_the_keyboard(window: Window, flow: Flow, tasks: list[int]) -> None:
    """j and k go through the lists, Enter opens, n takes, / finds, ? tells the keys; typed letters stay letters."""
    page = window("ann")
    page.goto("/work")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(f"#task-{tasks[1]} .open")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(f"#task-{tasks[0]} .open")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#task-{tasks[1]} .open")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("njk?/")
    expect(page.locator("#q")).to_have_value("njk?/")
    page.keyboard.press("Escape")
    expect(page.locator("#q")).not_to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    for key in ("n", "/", "j", "Enter"):
        expect(page.locator("#keys-list kbd").get_by_text(key, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).not_to_be_visible()
    page.keyboard.press("n")
    page.wait_for_url(f"**/tasks/{tasks[0]}")
    assert states(flow)[0] == ("claimed", "ann")


def test_keys_can_be_switched_off(window: Window, flow: Flow, tasks: list[int]) -> None:
    """WCAG 2.1.4: a single letter does something only for those who want it; the choice stays in the browser."""
    page = window("ann")
    page.goto("/work")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Keys are on").uncheck()
    page.keyboard.press("Escape")
    page.goto("/work")
    page.keyboard.press("n")
    page.keyboard.press("j")
    expect(page.locator(".open:focus")).to_have_count(0)
    assert page.url.endswith("/work")
    assert states(flow)[0] == ("open", None)
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Keys are on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".open:focus")).to_have_count(1)


def test_times_go_on_and_a_phone_shows_everything(window: Window, flow: Flow, tasks: list[int]) -> None:
    """By the server's clock and not the machine's; 390 px wide nothing is cut off, and it works without the script."""
    page = window("ann", viewport={"width": 390, "height": 844})
    page.clock.install()
    for path in ("/work", "/queues", "/queues/flow/reviews", "/search?q=zz"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto("/work")
    line = page.locator(f"#task-{tasks[0]}")
    expect(line.locator("time.ago")).to_have_text("30 min ago")
    page.clock.fast_forward(3 * 60_000)
    expect(line.locator("time.ago")).to_have_text("33 min ago")
    page.clock.fast_forward(72 * 3_600_000)
    expect(line.locator("time.late")).to_have_text("past due by 33 min")
    plain = window("ann", java_script_enabled=False)
    plain.goto("/work")
    plain.get_by_role("button", name="Take the next task").click()
    plain.wait_for_url(f"**/tasks/{tasks[0]}")
