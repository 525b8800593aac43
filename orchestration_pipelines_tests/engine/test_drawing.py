"""The marks on a drawing: where a case stands and came by, and what waits at the stations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestration_pipelines.engine import drawing, quality
from orchestration_pipelines.model import picture
from orchestration_pipelines.model.bpmn import template
from orchestration_pipelines_tests.engine.blind import blind_flow
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, Flow


def marks(flow: Flow, key: str) -> picture.Marks:
    """The marks of one case."""
    with flow.engine.connect() as connection:
        row = connection.execute("SELECT id FROM cases WHERE case_key = %s", (key,)).fetchone()
        assert row is not None
        return drawing.case_marks(connection, row[0], flow.engine.workflow.process)


def taken(flow: Flow, found: picture.Marks) -> set[tuple[str, str]]:
    """The flows on a trail by their ends."""
    return {(f.source, f.target) for f in flow.engine.workflow.process.flows if f.id in found.flows}


def test_a_case_that_waits_is_marked_where_it_stands(draw: Draw) -> None:
    """With the way that it came, and nothing behind."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    found = marks(flow, "A")
    assert found.here == {"review"} and not found.failed and found.ended is None
    assert found.path == ("received", "reserve")
    assert taken(flow, found) == {("received", "reserve"), ("reserve", "review")}


def test_a_case_that_was_undone_is_marked_where_it_ended(draw: Draw) -> None:
    """The handler was visited too; what was called and not led to has no flow."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    flow.decide("A", outcome="reject")
    flow.sweep()
    found = marks(flow, "A")
    assert found.ended == "rejected" and not found.here
    assert {"review", "which", "undo_all", "release"} <= set(found.path)
    assert {("review", "which"), ("which", "undo_all"), ("undo_all", "rejected")} <= taken(flow, found)
    assert ("which", "commit") not in taken(flow, found)


def test_a_timer_that_fired_is_on_the_way(draw: Draw) -> None:
    """By its event, and not by the gateway."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    flow.clock.advance(days=4)
    flow.engine.tick()
    flow.sweep()
    found = marks(flow, "A")
    assert ("late", "undo_all") in taken(flow, found)
    assert "which" not in found.path


def test_what_failed_is_marked(draw: Draw) -> None:
    """A dead letter, at its station; and it counts among those that a person must mend."""
    flow = draw(*REVIEWED)
    flow.script["reserve"] = lambda case, bank: 1 / 0
    flow.submit("A")
    for _ in range(4):
        flow.engine.sweep()
        flow.clock.advance(minutes=5)
    assert marks(flow, "A").failed == {"reserve"}
    with flow.engine.connect() as connection:
        waiting = drawing.station_marks(connection, "flow", flow.clock()).waiting
    assert (waiting["reserve"].count, waiting["reserve"].failed) == (1, 1)


def test_stations_show_counts_ages_and_what_is_late(draw: Draw) -> None:
    """Of all that stands there, on whatever version."""
    settings = "owner: tests\nintake: {key: case_key, fields: {amount: number}}\n" + (
        "queues:\n  reviews: {owner: tests, role: reviewer}\nreviewers: {ann: [reviewer], bob: [reviewer]}\n"
    )
    flow = draw(*REVIEWED[:1], REVIEWED[1] + " orch:due=P1D", *REVIEWED[2:], settings=settings)
    flow.submit("A", "B")
    flow.sweep()
    flow.clock.advance(days=2)
    flow.submit("C")
    flow.sweep()
    with flow.engine.connect() as connection:
        waiting = drawing.station_marks(connection, "flow", flow.clock()).waiting
    assert waiting == {"review": picture.Waiting(3, timedelta(days=2), late=2)}


def test_while_a_quality_review_is_open_nothing_is_marked(draw: Draw) -> None:
    """Who reviews blind must not see the way that the machine chose."""
    flow = blind_flow(draw)
    flow.submit("A", amount=50)
    flow.sweep()
    assert marks(flow, "A").ended == "done"
    with flow.engine.connect() as connection:
        wanted = quality.asked_for(connection, "flow")
        assert wanted is not None
        assert quality.draw_due(connection, flow.engine.workflow, wanted, flow.clock()) == 1
    assert marks(flow, "A") == picture.Marks()


def test_no_such_case(draw: Draw) -> None:
    """Is an error, not an empty picture."""
    flow = draw(*REVIEWED)
    with flow.engine.connect() as connection, pytest.raises(LookupError, match="no case 99"):
        drawing.case_marks(connection, 99, flow.engine.workflow.process)


def test_a_drawing_whose_picture_makes_no_sense_is_laid_out() -> None:
    """A page must have one; and what is too large for that has none."""
    broken = template("small", "tests").replace(b'x="190"', b'x="NaN"', 1)
    found = drawing.diagram_of(broken, "small")
    assert found is not None and len(found.shapes) == 8
    tasks = b"".join(b'<serviceTask id="n%d"/>' % number for number in range(3_000))
    assert drawing.diagram_of(broken.replace(b"</process>", tasks + b"</process>"), "small") is None
