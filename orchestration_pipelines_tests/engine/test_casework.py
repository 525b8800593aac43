"""Cases as people ask for them; cancelling undoes what was done."""

from __future__ import annotations

import pytest

from orchestration_pipelines.engine import casework, holds
from orchestration_pipelines.engine.casework import Refused
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED, STRAIGHT


def test_a_case_tells_everything_that_happened_to_it_in_order(draw: Draw) -> None:
    """Submitted, reserved, signed, taken on, committed: dense numbers, who and in which role."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    flow.decide("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        told = casework.history(connection, "A")
    assert [entry.seq for entry in told.entries] == [1, 2, 3, 4, 5]
    assert [(entry.actor, entry.role, entry.act) for entry in told.entries] == [
        ("broker", "requester", "submitted"),
        ("engine", "machine", "completed"),
        ("ann", "reviewer", "signed"),
        ("ann", "reviewer", "approve"),
        ("engine", "machine", "completed"),
    ]
    assert (told.case.state, told.case.outcome, told.case.version) == ("closed", "done", 1)


def test_a_list_can_be_narrowed(draw: Draw) -> None:
    """By state and by the step where the token stands."""
    flow = draw(*REVIEWED)
    flow.submit("A", "B")
    flow.sweep()
    flow.decide("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        assert [case.key for case in casework.listed(connection, "flow", state="closed")] == ["A"]
        assert [(case.key, case.status) for case in casework.listed(connection, at="review")] == [("B", "waiting")]
        assert [case.key for case in casework.listed(connection, limit=1)] == ["A"]
        with pytest.raises(Refused, match="there is no case 'Z'"):
            casework.history(connection, "Z")


def test_cancelling_a_waiting_case_undoes_it(draw: Draw) -> None:
    """The reservation is released, the task leaves the list, the deadline never fires, and the reason is kept."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        with pytest.raises(Refused, match="a reason is needed"):
            casework.cancel(connection, "A", by="op", reason=" ", at=flow.clock())
        assert casework.cancel(connection, "A", by="op", reason="sent twice", at=flow.clock())
    assert flow.rows("SELECT status FROM review_task") == [("cancelled",)]
    flow.clock.advance(days=4)
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}
    assert [what for what, _ in flow.bank.asked] == ["put", "take back"]
    assert flow.rows("SELECT status FROM compensation") == [("consumed",)]
    with flow.engine.connect() as connection:
        with pytest.raises(Refused, match="case A is cancelled"):
            casework.cancel(connection, "A", by="op", reason="again", at=flow.clock())
        acts = [(entry.act, entry.body.get("reason")) for entry in casework.history(connection, "A").entries]
    assert ("cancelled", "sent twice") in acts


def test_cancelling_a_case_under_work_waits_for_its_visit(draw: Draw) -> None:
    """A machine is at work on it: the visit ends, and only then is everything undone."""
    flow = draw(*STRAIGHT)

    def cancel_meanwhile(case: object, bank: object) -> dict[str, str]:
        with flow.engine.connect() as connection:
            assert not casework.cancel(connection, "A", by="op", reason="changed my mind", at=flow.clock())
        return {"receipt": bank.put(case.idempotency_key)}  # type: ignore[attr-defined] # the flow's own

    flow.script["reserve"] = cancel_meanwhile
    flow.submit("A")
    flow.sweep()
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}
    assert [what for what, _ in flow.bank.asked] == ["put", "take back"]


def test_a_cancelled_case_that_fails_is_undone_and_not_tried_again(draw: Draw) -> None:
    """Its last visit failed while the cancellation waited: there is nothing to wait for any more."""
    flow = draw(*STRAIGHT)

    def cancel_and_fail(case: object, bank: object) -> None:
        with flow.engine.connect() as connection:
            casework.cancel(connection, "A", by="op", reason="wrong", at=flow.clock())
        raise RuntimeError("down")

    flow.script["reserve"] = cancel_and_fail
    flow.submit("A")
    flow.sweep()
    flow.sweep()  # at the same instant: no backoff is waited for
    assert flow.ends() == {"A": "cancelled"}
    assert [what for what, _ in flow.bank.asked] == ["void"]


def test_a_hold_stops_machines_and_not_people(draw: Draw) -> None:
    """Nothing is claimed on a held workflow or step; a second hold and a second lift are refused."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    with flow.engine.connect() as connection:
        holds.hold(connection, "flow", "commit", by="op", reason="audit", at=flow.clock())
        with pytest.raises(Refused, match="flow/commit is held already"):
            holds.hold(connection, "flow", "commit", by="op", reason="audit", at=flow.clock())
    flow.decide("A")
    flow.sweep()
    assert flow.standing() == {"A": ("commit", "ready")}
    with flow.engine.connect() as connection:
        assert [(h.workflow, h.element, h.reason) for h in holds.standing(connection)] == [("flow", "commit", "audit")]
        holds.hold(connection, "flow", None, by="op", reason="all of it", at=flow.clock())
        holds.resume(connection, "flow", "commit", by="op", reason="done", at=flow.clock())
    flow.sweep()
    assert flow.standing() == {"A": ("commit", "ready")}
    with flow.engine.connect() as connection:
        holds.resume(connection, "flow", None, by="op", reason="done", at=flow.clock())
        with pytest.raises(Refused, match="flow is not held"):
            holds.resume(connection, "flow", None, by="op", reason="done", at=flow.clock())
        with pytest.raises(Refused, match="no case was ever submitted to a workflow 'other'"):
            holds.hold(connection, "other", None, by="op", reason="x", at=flow.clock())
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    acts = [row[0] for row in flow.rows("SELECT act FROM audit_trail WHERE case_id < 0 ORDER BY seq")]
    assert acts == ["released", "held", "held", "resumed", "resumed"]
