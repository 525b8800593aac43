"""Every page in a real browser, from the table of routes: accessible in light and dark, and no wider than a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page

from orchestration_pipelines.domain.standing import Right
from orchestration_pipelines.engine import hands, holds
from orchestration_pipelines.store import releases
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import Window
from orchestration_pipelines_tests.console.matrix import ENTRIES
from orchestration_pipelines_tests.console.walks import CONTRAST, TWO, WCAG, violations, walked
from orchestration_pipelines_tests.engine.flow import Flow

#: pictures of every page, for whoever wants to look; not kept in the repository
ARTEFACTS = Path(__file__).parents[2] / ".artefacts" / "console"
#: who looks at a page that asks for a right
WHO = {
    None: None,
    Right.OWN: "ann",
    Right.WORK: "ann",
    Right.READ: "ann",
    Right.OVERSEE: "mara",
    Right.MANAGE: "mara",
    Right.PEOPLE: "mara",
    Right.ACCOUNTS: "ada",
    Right.ACCESS: "ada",
}
#: no page of their own: parts of one, files, what goes on and on, what leads elsewhere
NO_PAGE = re.compile(r"^/$|^/(static|parts|live|documents)")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 860}


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """Something on every page: cases that wait, one that failed, one in quarantine, a hold, a proposal."""
    made = walked(tmp_path / "flow", database, clock)
    made.submit("P-1", "P-2", amount=TWO + 90)
    made.submit("P-3", amount="a lot")
    made.sweep()
    made.script["reserve"] = lambda case, bank: 1 / 0
    made.submit("P-4")
    for _ in range(4):
        made.engine.sweep()
        clock.advance(minutes=5)
    clock.advance(days=1)
    drawn = sha256(b"a drawing").hexdigest()
    proposal = releases.Proposal(
        "flow", "drawing", "flow.bpmn", drawn, (), "loosening", None, "?", "zed", None, clock()
    )
    with made.engine.connect() as connection:
        hands.pull(connection, "ann", at=clock())
        holds.hold(connection, "flow", "commit", by="mara", reason="the bank is closed", at=clock())
        releases.keep_file(connection, drawn, b"a drawing", ())
        releases.propose(connection, proposal)
    return made


def paths(flow: Flow, person: str | None) -> Iterator[str]:
    """The pages that somebody looks at."""
    inside: dict[str, object] = {
        "case": 1,
        "task": 1,
        "workflow": "flow",
        "queue:path": "reviews",
        "row": flow.one("SELECT id FROM quarantine"),
        "number": flow.one("SELECT id FROM model_release"),
    }
    for (method, path), entry in ENTRIES.items():
        if method == "GET" and not NO_PAGE.match(path) and WHO[entry.right] == person:
            filled = re.sub(r"\{([^}]+)\}", lambda found: str(inside[found[1]]), path)
            yield filled + ("?q=P-" if path == "/search" else entry.query)


@pytest.mark.parametrize("person", [None, "ann", "mara", "ada"])
def test_every_page_is_fit_to_be_read(flow: Flow, window: Window, person: str | None) -> None:
    """By axe's rules for WCAG 2.2 AA, in light and dark; in 360 pixels nothing must be scrolled sideways."""
    page = window(person, viewport=DESK, reduced_motion="reduce")
    found = [wrong for path in paths(flow, person) for wrong in _wrong(page, path)]
    assert found == []


def _wrong(page: Page, path: str) -> Iterator[str]:
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    answer = page.goto(path)
    assert answer is not None
    if answer.status != 200:
        yield f"{path}: {answer.status}"
        return
    name = re.sub(r"\W+", "_", path).strip("_")
    _keep(page, f"{name}_light")
    yield from violations(page, path, WCAG)
    page.emulate_media(color_scheme="dark")
    yield from violations(page, f"{path} (dark)", CONTRAST)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
        yield f"{path}: {wide} pixels wide, by {_widest(page)}"
    _keep(page, f"{name}_phone_dark")


def _widest(page: Page) -> str:
    told: str = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1 "
        "&& !one.closest('svg')).slice(0, 3).map(one => one.outerHTML.slice(0, 80)).join(' | ')"
    )
    return told


def _keep(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"{name}.png"), full_page=True)
