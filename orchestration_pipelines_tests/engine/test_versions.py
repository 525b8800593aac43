"""A case finishes on the drawing that it started on; what it needs must stay until then."""

from __future__ import annotations

import pytest

from orchestration_pipelines.engine import holds
from orchestration_pipelines.engine.workflow import WorkflowRefused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, STRAIGHT, WORKERS

NEWER = ("service tell", "end told", "received -> tell -> told")


def without(name: str) -> str:
    """The workers, one of them renamed."""
    assert f"\n{name} = " in WORKERS
    return WORKERS.replace(f"\n{name} = ", "\nelse_ = ").replace(f'("{name}"', '("else_"')


def test_a_case_finishes_on_the_version_it_started_on(draw: Draw) -> None:
    """New cases take the new way; the old one still ends as it was drawn, in one sweep, its saga too."""
    old = draw(*REVIEWED)
    old.submit("A", "B")
    old.sweep()
    new = draw(*NEWER)
    new.submit("C")
    new.sweep()
    assert new.ends() == {"A": None, "B": None, "C": "told"}
    old.decide("A")
    old.decide("B", outcome="reject")
    assert new.engine.dispatch().earlier
    new.sweep()
    assert new.ends() == {"A": "done", "B": "rejected", "C": "told"}
    assert new.standing() == {}


def test_a_held_workflow_asks_for_no_sweep_of_its_earlier_versions(draw: Draw) -> None:
    """A decision waits on an earlier version, and the whole workflow is held: a run would find nothing to do."""
    old = draw(*REVIEWED)
    old.submit("A")
    old.sweep()
    new = draw(*NEWER)
    old.decide("A")
    assert new.engine.unserved() is not None
    with new.engine.connect() as connection:
        holds.hold(connection, "flow", None, by="op", reason="audit", at=new.clock())
    assert new.engine.unserved() is None


def test_the_same_drawing_is_the_same_version(draw: Draw) -> None:
    """Starting again releases nothing."""
    assert draw(*STRAIGHT).engine.version == draw(*STRAIGHT).engine.version
    assert draw(*NEWER).engine.version != draw(*STRAIGHT).engine.version


def test_a_release_is_refused_while_a_case_in_flight_needs_a_worker_nothing_binds(draw: Draw) -> None:
    """It names the version and the worker; once the case has ended, the release goes through."""
    old = draw(*REVIEWED)
    old.submit("A")
    old.sweep()
    new = draw(*NEWER, workers=without("commit"))
    with pytest.raises(WorkflowRefused, match="in flight on version 1, which needs the worker 'commit'"):
        assert new.engine.version
    old.decide("A")
    old.sweep()
    assert old.ends() == {"A": "done"}
    assert new.engine.version != old.engine.version


def test_going_back_to_a_known_version_is_refused_for_the_same_reason(draw: Draw) -> None:
    """A drawing released before is no way around it."""
    first = draw(*NEWER)
    assert first.engine.version
    old = draw(*REVIEWED)
    old.submit("A")
    old.sweep()
    again = draw(*NEWER, workers=without("commit"))
    with pytest.raises(WorkflowRefused, match="needs the worker 'commit'"):
        assert again.engine.version


def test_a_queue_that_a_case_in_flight_needs_must_stay(draw: Draw) -> None:
    """Its review would otherwise wait where nobody looks."""
    old = draw(*REVIEWED)
    old.submit("A")
    new = draw(*NEWER, settings="owner: tests\nintake: {key: case_key, fields: {amount: number}}")
    with pytest.raises(WorkflowRefused, match="needs the queue 'reviews'"):
        assert new.engine.version
    old.sweep()
