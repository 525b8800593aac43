"""The page of a workflow: it stands alone, says what there is to say, and takes nobody's text for markup."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser

from orchestration_pipelines.engine import holds, reviews
from orchestration_pipelines.engine.report.executive import executive
from orchestration_pipelines.engine.report.flow import flow_report
from orchestration_pipelines.engine.report.page import page
from orchestration_pipelines.engine.report.tables import SHORT, duration, markdown, unit_of
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.deciding import DECIDING, SETTINGS, claimed, with_reasons
from orchestration_pipelines_tests.engine.deciding import GRID as DECIDING_GRID

_LINES = (
    "service check",
    "user review orch:queue=reviews",
    "end done",
    "received -> check -> large",
    "large -> review if amount > 100",
    "large -> done default",
    "review -> done",
    "timer late on review P3D -> done",
)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "path"):
            self.open.append(tag)
        self.fetched += [str(value) for name, value in attributes if name in ("src", "href")]

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_how_a_workflow_runs_and_what_is_late(draw: Draw) -> None:
    """Closed and waiting cases, the four pictures, the queue's owner who must be asked; whole, and nothing fetched."""
    flow = draw(*_LINES)
    flow.submit("a", "b")
    flow.submit("<script>alert(1)</script>", amount=500)
    flow.sweep()
    flow.clock.advance(days=4)
    with flow.engine.connect() as connection:
        holds.hold(connection, "flow", None, by="<script>x</script>", reason="<script>y</script>", at=flow.clock())
        report = flow_report(connection, "flow", flow.clock())
        status = executive(connection, report, flow.clock())
    assert (report.last, report.figures.closed, report.figures.under_way) == (date(2026, 3, 6), 2, 1)
    assert report.first == report.last - timedelta(days=89)
    assert [(late["queue"], late["owner"], late["tasks"]) for late in report.tables["Late now"]] == [
        ("reviews", "tests", 1)
    ]
    html = page(report, status, flow.clock())
    tags = _Tags()
    tags.feed(html)
    assert tags.open == [] and tags.fetched == [] and "script" not in tags.seen
    assert html.count("<svg") == 4 and "1 under way, half older than" in html
    assert re.search(r"<b>2</b>closed", html)
    assert "all is held by &lt;script&gt;x&lt;/script&gt;: &lt;script&gt;y" in html
    assert re.search(r"<td>tests</td><td>1</td><td>2026-03-05 09:00</td>", html)


def test_decisions_are_counted_by_reason_and_rule(draw: Draw) -> None:
    """Which rule sends people the most work, and why they decide as they do."""
    flow = with_reasons(draw(*DECIDING, settings=SETTINGS, grid=DECIDING_GRID))
    flow.submit("a", "b")
    flow.sweep()
    for key, reasons in (("a", ["no_invoice"]), ("b", [])):
        task = claimed(flow, "ann", key)
        flow.clock.advance(minutes=3)
        with flow.engine.connect() as connection:
            reviews.decide(
                connection,
                task.task,
                person="ann",
                seen=task.digest,
                outcome="reject",
                reasons=reasons,
                rationale="looked",
                at=flow.clock(),
            )
    with flow.engine.connect() as connection:
        rows = flow_report(connection, "flow", flow.clock()).tables["Decisions by reason"]
    assert [tuple(row.values()) for row in rows] == [
        ("review", "Amount is at least 45: much", "reject", "There is no invoice", 1, "3 min"),
        ("review", "Amount is at least 45: much", "reject", None, 1, "3 min"),
    ]


def test_a_table_of_markdown_is_short_and_counts_what_it_leaves_out() -> None:
    """Whatever is in a cell stays in its cell."""
    rows = [{"name": f"a|b\n{number}", "work_s": None, "late": True, "share": 0.5} for number in range(100)]
    table = markdown(rows)
    assert len(table) <= SHORT and re.search(r"… and \d+ more$", table)
    assert table.splitlines()[0] == "|name|work|late|share|"
    assert table.splitlines()[2] == "|a\\|b 0|–|yes|0.5|"
    assert markdown([]) == "nothing yet"


def test_durations_are_said_in_the_unit_that_reads_best() -> None:
    """Seconds, minutes, hours and days."""
    said = [duration(seconds) for seconds in (0.085, 45, 600, 7_200, 3 * 86_400)]
    assert said == ["0.085 s", "45 s", "10 min", "2 h", "3 d"]
    assert [unit_of(seconds)[1] for seconds in (1, 600, 7_200, 3e5)] == ["seconds", "minutes", "hours", "days"]
