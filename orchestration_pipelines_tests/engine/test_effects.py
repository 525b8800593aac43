"""External effects: noted before they are tried, settled with the advance, undone by key when a case is given up."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration_pipelines.engine import casework, dead_letters
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import STRAIGHT, Flow

REFUSABLE = (*STRAIGHT, "end refused", "error no on reserve NO -> refused")
SHOUT = ("service shout", "end done", "received -> shout -> done")
TWO_STEPS = (
    "service reserve undone by release",
    "service commit undone by uncommit",
    "end done",
    "received -> reserve -> commit -> done",
)
LOOP = (
    "service reserve undone by release",
    "service check",
    "end done",
    "received -> reserve -> check -> again",
    "again -> reserve if ok = false",
    "again -> done default",
)


def fail(*_: Any) -> None:
    raise OSError("the line is down")


def test_an_effect_is_noted_before_it_is_tried(draw: Draw) -> None:
    """While the worker works, its effect is in the table as intended, under the key that it was given."""
    flow = draw(*STRAIGHT)
    seen: list[Any] = []

    def reserve(case: Any, bank: Any) -> dict[str, Any]:
        seen.extend(flow.rows("SELECT status, tool, key FROM effect"))
        assert seen == [("intended", "bank", case.idempotency_key)]
        return {"receipt": bank.put(case.idempotency_key)}

    flow.script["reserve"] = reserve
    flow.submit("A")
    flow.sweep()
    assert len(seen) == 1
    assert flow.effects() == [("A", "reserve", "done")]


def test_a_refused_effect_is_settled_as_refused(draw: Draw) -> None:
    """A business error from outside says that nothing stands there."""
    flow = draw(*REFUSABLE)
    error = flow.error("NO")

    def reserve(case: Any, bank: Any) -> None:
        raise error

    flow.script["reserve"] = reserve
    flow.submit("A")
    flow.sweep()
    assert flow.ends() == {"A": "refused"}
    assert flow.effects() == [("A", "reserve", "refused")]


def test_an_effect_that_failed_is_unknown_until_a_retry_settles_it_under_the_same_key(draw: Draw) -> None:
    """Nobody can say whether it landed: the retry asks with the same key, and it lands once."""
    flow = draw(*STRAIGHT)
    keys: list[str] = []

    def reserve(case: Any, bank: Any) -> dict[str, Any]:
        keys.append(case.idempotency_key)
        receipt = bank.put(case.idempotency_key)  # it landed, but the answer was lost
        if len(keys) == 1:
            fail()
        return {"receipt": receipt}

    flow.script["reserve"] = reserve
    flow.submit("A")
    flow.sweep()
    assert flow.effects() == [("A", "reserve", "unknown")]
    assert flow.standing() == {"A": ("reserve", "backoff")}
    flow.clock.advance(minutes=2)
    flow.sweep()
    assert flow.effects() == [("A", "reserve", "done")]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert flow.bank.kept == {keys[0]: "R1"}


def test_another_visit_has_another_key(draw: Draw) -> None:
    """A loop's second time is a second effect, not a repetition of the first."""
    flow = draw(*LOOP)
    flow.script["check"] = lambda case: {"ok": len(flow.bank.kept) > 1}
    flow.submit("A")
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert len({key for _, key in flow.bank.asked}) == 2


def test_a_case_cannot_close_over_an_unsettled_effect(draw: Draw) -> None:
    """If one should ever be left, the closing is refused, loudly."""
    flow = draw(*SHOUT)
    flow.submit("A")
    case_id, version = flow.rows("SELECT id, version_id FROM cases")[0]
    flow.rows(
        "INSERT INTO effect VALUES (%s, 99, 'shout', 'deaf', 'k', 'unknown', now()) RETURNING 1",
        case_id,
    )
    assert version == flow.engine.version
    flow.sweep()
    assert flow.ends() == {"A": None}
    assert "would close with an effect that nobody has settled" in flow.letters()["A"]


# -- a case that is given up in the middle of a step


def give_up(flow: Flow, key: str) -> None:
    with flow.engine.connect() as connection:
        casework.cancel(connection, key, by="olga", reason="given up", at=flow.clock())


@pytest.mark.parametrize("landed", [True, False])
def test_an_effect_in_doubt_is_undone_by_its_key(draw: Draw, landed: bool) -> None:
    """Whether it had landed or not: after the cancellation it does not stand, and the case says so."""
    flow = draw(*STRAIGHT)

    def reserve(case: Any, bank: Any) -> None:
        if landed:
            bank.put(case.idempotency_key)
        fail()

    flow.script["reserve"] = reserve
    flow.submit("A")
    flow.sweep()
    give_up(flow, "A")
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}
    assert flow.effects() == [("A", "reserve", "voided")]
    assert flow.bank.kept == {}
    assert flow.one("SELECT b -> 'voided' FROM audit_trail WHERE b ->> 'element' = 'cancellation'") == b"[2]"


def test_what_is_in_doubt_is_undone_before_what_was_completed(draw: Draw) -> None:
    """The step in flight was the last: it is undone first, then the completed ones in reverse."""
    flow = draw(*TWO_STEPS)
    flow.script["commit"] = fail
    flow.submit("A")
    flow.sweep()
    flow.bank.asked.clear()
    give_up(flow, "A")
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}
    assert [what for what, _ in flow.bank.asked] == ["void", "take back"]
    assert flow.effects() == [
        ("A", "reserve", "done"),
        ("A", "commit", "voided"),
        ("A", "release", "done"),
    ]


def test_an_effect_done_in_a_visit_that_got_stuck_is_undone_too(draw: Draw) -> None:
    """No gateway was true behind it: its compensation was never armed, and still nothing of it stands."""
    flow = draw(
        "service reserve undone by release",
        "end done",
        "end other",
        "received -> reserve -> which",
        "which -> done if amount = 1",
        "which -> other if amount = 2",
    )
    flow.submit("A")
    flow.sweep()
    assert flow.standing() == {"A": ("reserve", "stuck")}
    assert len(flow.bank.kept) == 1
    give_up(flow, "A")
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}
    assert flow.bank.kept == {}


def test_a_tool_that_cannot_undo_by_key_is_an_incident_and_the_case_stays(draw: Draw) -> None:
    """Nobody may pretend: the case stays open until a person has mended it."""
    flow = draw(*SHOUT)
    flow.script["shout"] = fail
    flow.submit("A")
    flow.sweep()
    give_up(flow, "A")
    flow.sweep()
    assert flow.ends() == {"A": None}
    assert flow.standing() == {"A": (CANCELLATION, "dead")}
    assert flow.effects() == [("A", "shout", "unknown")]
    ((key, element, kind, reason),) = flow.incidents()
    assert (key, element, kind) == ("A", CANCELLATION, "effect in doubt")
    assert "the tool deaf has no void(key)" in reason


def test_an_undoing_that_fails_is_retried_and_then_an_incident(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is down for a while delays; one that stays down is a person's to mend, and the case stays open."""
    flow = draw(*STRAIGHT)
    flow.script["reserve"] = fail
    flow.submit("A", "B")
    flow.sweep()
    with monkeypatch.context() as broken:
        broken.setattr(type(flow.bank), "void", fail)
        give_up(flow, "A")
        flow.sweep()
        assert flow.standing()["A"] == (CANCELLATION, "backoff")
        assert flow.incidents() == []
        for _ in range(4):
            flow.clock.advance(minutes=10)
            flow.sweep()
    ((key, element, kind, reason),) = [one for one in flow.incidents() if one[0] == "A"]
    assert (key, element, kind) == ("A", CANCELLATION, "effect in doubt")
    assert "the line is down" in reason
    assert flow.ends()["A"] is None


def test_a_compensation_finished_by_hand_lets_the_case_end(draw: Draw) -> None:
    """A person undid the step outside and abandons the dead letter: the rest of the saga goes on."""
    flow = draw(*TWO_STEPS)
    flow.script["commit"] = fail
    flow.script["release"] = fail
    flow.submit("A")
    flow.sweep()
    give_up(flow, "A")
    for _ in range(4):
        flow.sweep()
        flow.clock.advance(minutes=10)
    assert flow.standing() == {"A": ("release", "dead")}
    assert [kind for _, _, kind, _ in flow.incidents()] == ["compensation"]
    with flow.engine.connect() as connection:
        (letter,) = dead_letters.listed(connection)
        dead_letters.abandon(connection, letter.id, by="olga", reason="released by telephone", at=flow.clock())
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}


def test_cancelling_over_a_compensation_that_failed_keeps_its_dead_letter(draw: Draw) -> None:
    """What must be undone is due all the same: the letter stands, and replayed it lets the case end."""
    flow = draw(*TWO_STEPS)
    flow.script["commit"] = flow.script["release"] = fail
    flow.submit("A")
    flow.sweep()
    give_up(flow, "A")
    for _ in range(4):
        flow.sweep()
        flow.clock.advance(minutes=10)
    give_up(flow, "A")
    flow.sweep()
    assert flow.standing() == {"A": ("release", "dead")}
    del flow.script["release"]
    with flow.engine.connect() as connection:
        (letter,) = dead_letters.listed(connection)
        dead_letters.replay(connection, letter.id, by="olga", reason="the line is back", at=flow.clock())
    flow.sweep()
    assert flow.ends() == {"A": "cancelled"}
    assert [what for what, _ in flow.bank.asked][-1] == "take back"


def test_a_case_cancelled_under_work_is_undone_when_the_work_ends(draw: Draw) -> None:
    """Whether the work ends well or not: the case goes no further, and nothing of it stands."""
    flow = draw(*TWO_STEPS)

    def commit(case: Any, bank: Any) -> dict[str, Any]:
        receipt = bank.put(case.idempotency_key)
        give_up(flow, case.key)
        if case.key == "B":
            fail()
        return {"receipt": receipt}

    flow.script["commit"] = commit
    flow.submit("A", "B")
    flow.sweep()
    assert flow.ends() == {"A": "cancelled", "B": "cancelled"}
    assert [status for key, element, status in flow.effects() if (key, element) == ("B", "commit")] == ["voided"]
    assert [what for what, _ in flow.bank.asked].count("take back") == 3


def test_a_case_cancelled_under_a_dead_holder_is_not_worked_on_again(draw: Draw) -> None:
    """The lease was still there when it was cancelled: the next sweep undoes what may stand, and begins nothing."""
    flow = draw(*TWO_STEPS)
    flow.submit("A")
    with flow.engine.open_sweep("dying") as dying, flow.engine.connect() as lane:
        assert len(dying._claim(lane, flow.engine.station("reserve"), 10, False, False)) == 1
        flow.bank.put(flow.one("SELECT key FROM effect"))
        give_up(flow, "A")
    called: list[Any] = []
    flow.script["reserve"] = lambda case, bank: called.append(case)
    flow.sweep()
    assert called == []
    assert flow.ends() == {"A": "cancelled"}
    assert flow.bank.kept == {}
    assert flow.effects() == [("A", "reserve", "voided")]
