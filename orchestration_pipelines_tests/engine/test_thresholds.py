"""A table that learns from what people said: proposed as a new version, approved by somebody else, rolled back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestration_pipelines.domain.sampling import is_sampled
from orchestration_pipelines.engine import proposing, releases, reviews, thresholds
from orchestration_pipelines.engine.releases import Person
from orchestration_pipelines.engine.report.reliability import reliability
from orchestration_pipelines.engine.thresholds import Learnt
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow
from orchestration_pipelines_tests.engine.learning import GRID, LINES, POLICY, SETTINGS, run, submit


@pytest.fixture
def flow(draw: Draw) -> Flow:
    made = draw(*LINES, grid=GRID, settings=SETTINGS)
    (made.engine.workflow.folder / "policy.yaml").write_text(POLICY)
    return made


def _learnt(flow: Flow) -> Learnt:
    with flow.engine.connect() as connection:
        (found,) = thresholds.learn(connection, flow.engine.workflow, flow.clock())
    return found


def test_a_threshold_goes_as_far_down_as_people_s_judgements_allow(flow: Flow) -> None:
    """They refuse nobody above 0.7: the machine may decide from there on; by the policy's limit, as a new version."""
    run(flow.engine, 700, wrong_below=0.7)
    run(flow.engine, 20, wrong_below=1, name="large", amount=500)
    found = _learnt(flow)
    (band,) = found.bands
    assert (band.threshold.lower, band.threshold.upper, band.limit, band.cases) == ("r2", "r3", 0.1, 700)
    assert found.cases == 720
    drawn = sum(is_sampled("s1", flow.clock().date(), f"c{n}", 0.5) for n in range(700))
    assert 0.4 < drawn / 700 < 0.6
    assert band.now.judged < band.best.judged if band.best else False
    assert band.moves_to is not None and Decimal("0.6") < band.moves_to < Decimal("0.8")
    assert band.best is not None and band.best.bound <= 0.1 < 1 and band.best.automated > band.now.automated + 0.1
    assert found.effect == {"from people to the machine": round((band.best.automated - band.now.automated) * 700)}
    small, then = "Amount is below 100: route is", f"{band.moves_to} and Amount is below 100: route is"
    assert list(found.differences) == [
        f"changed r2: Score is from 0.5 to below 0.9 and {small} review; signatures is 1 → "
        f"Score is from 0.5 to below {then} review; signatures is 1",
        f"changed r3: Score is at least 0.9 and {small} auto; signatures is 1 → "
        f"Score is at least {then} auto; signatures is 1",
    ]
    assert found.calibration is not None and found.calibration.brier < 0.25
    assert "<svg" in reliability(found.calibration)


def test_it_is_active_when_a_second_person_has_approved_it_and_is_rolled_back(flow: Flow) -> None:
    """Like any other release: it loosens, so one person is not enough; and back the same way."""
    run(flow.engine, 700, wrong_below=0.7)
    found = _learnt(flow)
    workflow = flow.engine.workflow
    with flow.engine.connect() as connection:
        made = thresholds.propose(connection, workflow, found, by=Person("ann"), reason="learnt", now=flow.clock())
        assert (made.release.state, made.release.file_name) == ("proposed", found.file_name)
        assert tuple(made.differences) == tuple(found.differences)
        with pytest.raises(Refused, match="second person"):
            releases.approve(connection, made.release.digest, "flow", by=Person("ann"), now=flow.clock())
        releases.approve(connection, made.release.digest, "flow", by=Person("bob"), now=flow.clock())
    run(flow.engine, 40, wrong_below=0, name="then")
    by_machine = flow.one(
        "SELECT count(*) FROM activity a JOIN cases c ON c.id = a.case_id "
        "WHERE c.case_key LIKE 'then%%' AND a.detail ->> 'chosen' = 'approve' "
        "AND (c.variables ->> 'score')::numeric < 0.9"
    )
    assert by_machine > 0
    (band,) = _learnt(flow).bands
    assert found.bands[0].moves_to == band.threshold.at
    with flow.engine.connect() as connection:
        back = proposing.roll_back(
            connection, workflow, found.digest, by=Person("bob"), reason="not yet", now=flow.clock()
        )
    assert back.release.digest == found.digest


def test_a_threshold_that_is_too_low_goes_up_and_one_person_is_enough(flow: Flow) -> None:
    """People refuse a third up to 0.95: the machine should begin there. That only tightens."""
    run(flow.engine, 1_200, wrong_below=0.95)
    found = _learnt(flow)
    (band,) = found.bands
    assert band.moves_to is not None and Decimal("0.9") < band.moves_to < Decimal("0.96")
    assert set(found.effect) == {"from the machine to people"}
    with flow.engine.connect() as connection:
        made = thresholds.propose(
            connection, flow.engine.workflow, found, by=Person("ann"), reason="too low", now=flow.clock()
        )
    assert (made.release.state, str(made.release.meaning)) == ("active", "tightening")


def test_few_judgements_move_nothing(flow: Flow) -> None:
    """What is not proved stays as it is, and is not proposed."""
    run(flow.engine, 40, wrong_below=0.6)
    found = _learnt(flow)
    assert (found.content, list(found.differences), found.bands[0].moves_to) == (None, [], None)
    with flow.engine.connect() as connection, pytest.raises(Refused, match="stays as it is"):
        thresholds.propose(connection, flow.engine.workflow, found, by=Person("ann"), reason="x", now=flow.clock())


def test_what_comes_in_is_held_against_what_came_before(flow: Flow) -> None:
    """Amounts have moved in the last four weeks, scores have not."""
    run(flow.engine, 200, wrong_below=0)
    flow.clock.advance(days=40)
    run(flow.engine, 200, wrong_below=0, name="late", amount=70)
    drifts = {each.name: each for each in _learnt(flow).drifts}
    assert (drifts["amount"].says, drifts["score"].says) == ("shifted", "stable")
    assert (drifts["amount"].reference, drifts["amount"].now) == (200, 200)


def test_without_a_limit_nothing_is_learnt(flow: Flow) -> None:
    """Which error is allowed, the policy says."""
    (flow.engine.workflow.folder / "policy.yaml").unlink()
    flow.submit("a")
    with flow.engine.connect() as connection, pytest.raises(Refused, match="no section quality"):
        thresholds.learn(connection, flow.engine.workflow, flow.clock())


def test_a_case_is_judged_when_people_have_said_something(flow: Flow) -> None:
    """One that waits, or ran out of time, says nothing."""
    submit(flow.engine, {"a": 0.7, "late": 0.8})
    flow.sweep()
    assert (_learnt(flow).cases, _learnt(flow).judged) == (2, 0)
    flow.decide("a", outcome="reject")
    flow.sweep()
    assert _learnt(flow).judged == 1
    flow.clock.advance(days=4)
    flow.sweep()
    assert flow.ends() == {"a": "declined", "late": "declined"}
    assert _learnt(flow).judged == 1


def test_who_submitted_a_case_judges_nothing(draw: Draw) -> None:
    """They are asked for something and decline: that says nothing of the machine."""
    asked = [line.replace("which -> review default", "which -> ask default") for line in LINES]
    asked += ["user ask orch:queue=requesters", "ask -> review", "timer lapsed on ask P3D -> declined"]
    settings = SETTINGS.replace("queues:\n", "queues:\n  requesters: {owner: tests, role: requester}\n")
    flow = draw(*asked, grid=GRID, settings=settings)
    (flow.engine.workflow.folder / "policy.yaml").write_text(POLICY)
    submit(flow.engine, {"a": 0.7})
    flow.sweep()
    with flow.engine.connect() as connection:
        (task,) = reviews.open_tasks(connection)
        reviews.answer(connection, task.task, person="broker", declines=True, at=flow.clock())
    flow.sweep()
    assert (_learnt(flow).cases, _learnt(flow).judged) == (1, 0)
    flow.decide("a", outcome="approve")
    flow.sweep()
    assert _learnt(flow).judged == 1
