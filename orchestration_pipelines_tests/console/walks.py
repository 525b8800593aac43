"""A workflow that browser tests walk through: a person or two decide, on facts that they may edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import PASSWORD
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

#: axe's rules for WCAG 2.2, levels A and AA; and the one rule that another scheme of colours can break
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
QUESTION = "Should this be paid?"
#: above this, two people sign
TWO = 500
LINES = (
    "service reserve undone by release",
    f"user review orch:queue=reviews orch:approves=true orch:editable=amount 'orch:question={QUESTION}' "
    f"'orch:signatures==if amount > {TWO} then 2 else 1' orch:due=P2D",
    "service commit orch:requiresApproval=true",
    "throw undo_all",
    "end done",
    "end rejected",
    "received -> reserve -> review -> which",
    'which -> commit if review.outcome = "approve"',
    "which -> undo_all default",
    "undo_all -> rejected",
    "commit -> done",
    "timer late on review P3D -> undo_all",
)
SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
reviewers:
  {mara: [manager], abel: [auditor], ada: [admin], ann: [reviewer], bob: [reviewer], cleo: [reviewer, senior]}
"""


def walked(place: Path, database: str, clock: SetClock) -> Flow:
    """The workflow, released."""
    made = Flow(
        Engine(database, load_workflow(workflow_folder(place, drawing(*LINES), WORKERS, SETTINGS)), clock=clock), clock
    )
    assert made.engine.version
    return made


def sign_in(page: Page, person: str, path: str = "/work") -> None:
    """By the form, with the keyboard alone: it begins in the first field."""
    page.goto(path)
    page.keyboard.type(person)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")


def violations(page: Page, where: str, only: dict[str, Any]) -> Iterator[str]:
    """What axe-core finds on a page that is serious or critical."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], "runOnly": only}
    for violation in page.evaluate("options => axe.run(document, options)", options)["violations"]:
        if violation["impact"] in ("serious", "critical"):
            yield from (f"{where}: {violation['id']}: {node['html'][:160]}" for node in violation["nodes"])
