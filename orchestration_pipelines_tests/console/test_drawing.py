"""Drawings on pages: a case's place and way, a workflow's counts, each as far as whoever looks may know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration_pipelines.engine import quality
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.console.conftest import SETTINGS, SignedIn, Window
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.blind import GRID, LINES, POLICY
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow


@pytest.fixture
def flow(tmp_path: Path, database: str, clock: SetClock) -> Flow:
    """A grid that decides small amounts by itself, of which people look at a sample; large ones wait for seniors."""
    folder = workflow_folder(tmp_path / "flow", drawing(*LINES), WORKERS, SETTINGS, grid=GRID)
    (folder / "policy.yaml").write_text(POLICY)
    made = Flow(Engine(database, load_workflow(folder), clock=clock), clock)
    assert made.engine.version
    return made


def marked(page: str, kind: str) -> set[str]:
    """The elements of the picture on a page that have this mark."""
    groups = re.findall(r'<g class="(?:shape|flow)([^"]*)" data-element="([^"]+)"', page)
    return {element for classes, element in groups if kind in classes.split()}


def test_a_case_page_shows_its_place_and_its_way(flow: Flow, signed_in: SignedIn) -> None:
    """In the picture, with a link that leads there, and in words."""
    flow.submit("A", amount=500)
    flow.sweep()
    page = signed_in("cleo").get("/cases/1").text
    assert marked(page, "here") == {"review"}
    assert {"received", "grid", "which"} == marked(page, "seen")
    assert "The case stands at review. Its way: received → grid → which." in page
    assert page.count('id="stands"') == 1 and 'href="#stands"' in page
    assert "style=" not in page.split("<svg")[1].split("</svg>")[0]


def test_a_case_under_a_quality_review_shows_no_way(flow: Flow, signed_in: SignedIn) -> None:
    """Whoever reviews it, or comes by its page, is not led to what the machine chose."""
    flow.submit("A", amount=50)
    flow.sweep()
    with flow.engine.connect() as connection:
        wanted = quality.asked_for(connection, "flow")
        assert wanted is not None
        assert quality.draw_due(connection, flow.engine.workflow, wanted, flow.clock()) == 1
    for person, path in (("ann", "/tasks/1"), ("cleo", "/cases/1"), ("mara", "/cases/1")):
        page = signed_in(person).get(path).text
        assert "A" in page and "<svg" not in page, person


def test_the_queues_page_counts_what_one_may_see(flow: Flow, signed_in: SignedIn) -> None:
    """A reviewer is shown the steps of their queues; a manager all of them."""
    flow.submit("A", "B", amount=500)
    flow.submit("C", amount=150)
    flow.sweep()
    flow.clock.advance(hours=5)
    ann, mara = signed_in("ann").get("/queues").text, signed_in("mara").get("/queues").text
    assert "appeal: 1 open, the oldest for 5 h." in ann and "review: " not in ann
    assert "appeal: 1 open, the oldest for 5 h." in mara and "review: 2 open, the oldest for 5 h." in mara


@pytest.mark.parametrize("script", [True, False])
def test_the_place_that_matters_is_in_sight(flow: Flow, window: Window, script: bool) -> None:
    """On a phone, where the picture is wider than its frame: at once by the script, by a link without one."""
    flow.submit("A", amount=500)
    flow.sweep()
    page = window("cleo", viewport={"width": 360, "height": 700}, java_script_enabled=script)
    page.goto("/cases/1")
    if not script:
        page.get_by_role("link", name="Go to the place").click()
    frame, pin = page.locator(".drawing").bounding_box(), page.locator(".pin").bounding_box()
    assert frame is not None and pin is not None
    assert frame["x"] < pin["x"] < frame["x"] + frame["width"] - pin["width"]
    assert frame["y"] < pin["y"] < frame["y"] + frame["height"]
