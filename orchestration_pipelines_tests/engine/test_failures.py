"""One case fails: the others of its chunk finish, and it ends where a person finds it, with the reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import STRAIGHT, Flow

HASTY = ("service hasty", "end done", "received -> hasty -> done")
BULK = ("service bulk", "end done", "received -> bulk -> done")
CHECKED = ("service check", "end done", "received -> check -> done")


def only(key: str, act: Any, otherwise: Any = None) -> Any:
    """A script that does ``act`` for one case and returns ``otherwise`` for the rest."""
    return lambda case: act(case) if case.key == key else otherwise


def raising(error: BaseException) -> Any:
    def act(*_: Any) -> None:
        raise error

    return act


def test_a_failure_is_tried_again_after_a_backoff_and_then_a_dead_letter(draw: Draw) -> None:
    """Three attempts by the injected clock; not before their time, and never more."""
    flow = draw(*STRAIGHT)
    attempts: list[int] = []

    def check(case: Any) -> None:
        attempts.append(case.attempt)
        raise OSError("the line is down")

    flow.script["check"] = check
    flow.submit("A")
    flow.sweep()
    assert flow.standing() == {"A": ("check", "backoff")}
    due = flow.one("SELECT due_at FROM token")
    assert flow.clock() <= due <= flow.clock().replace(second=10)
    for expected in (1, 2, 3, 3):
        flow.sweep()  # not yet due, unless the jitter was nothing
        assert attempts == list(range(1, expected + 1))
        flow.clock.advance(minutes=1)
        flow.sweep()
    assert flow.letters() == {"A": "OSError: the line is down"}
    assert "the line is down" in flow.one("SELECT traceback FROM dead_letter")
    assert flow.one("SELECT attempts FROM dead_letter") == 3


def test_a_case_that_fails_once_finishes(draw: Draw) -> None:
    """A retry that succeeds leaves nothing for a person to mend."""
    flow = draw(*STRAIGHT)
    flow.script["check"] = lambda case: {"ok": True} if case.attempt == 2 else raising(OSError("once"))()
    flow.submit("A")
    flow.sweep()
    flow.clock.advance(minutes=1)
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    assert flow.letters() == {}


def test_a_business_error_follows_its_boundary_and_keeps_its_patch(draw: Draw) -> None:
    """It is no failure: it is not tried again."""
    flow = draw(*CHECKED, "end refused", "error incomplete on check INCOMPLETE -> refused")
    error = flow.engine.workflow.package.BpmnError("INCOMPLETE", "no amount", patch={"note": "amount"})
    flow.script["check"] = only("A", raising(error))
    flow.submit("A", "B")
    flow.sweep()
    assert flow.ends() == {"A": "refused", "B": "done"}
    assert flow.rows("SELECT outcome, attempt FROM activity ORDER BY case_id") == [
        ("error:INCOMPLETE", 1),
        ("completed", 1),
    ]
    assert flow.one("SELECT variables ->> 'note' FROM cases WHERE case_key = 'A'") == "amount"


def test_a_business_error_that_nobody_catches_is_a_dead_letter(draw: Draw) -> None:
    """It says which boundary event to draw; the others go on."""
    flow = draw(*CHECKED)
    flow.script["check"] = only("A", raising(flow.error("SURPRISE")))
    flow.submit("A", "B")
    flow.sweep()
    assert flow.ends() == {"A": None, "B": "done"}
    assert "nobody catches the business error SURPRISE" in flow.letters()["A"]


def test_a_worker_that_hangs_is_left_behind(draw: Draw) -> None:
    """Its time over, the others finish; what it says later is not listened to."""
    flow = draw(*HASTY)
    released, answered = threading.Event(), threading.Event()

    def hang(case: Any) -> dict[str, bool]:
        released.wait(30)
        answered.set()
        return {"ok": False}

    flow.script["hasty"] = only("B", hang, {"ok": True})
    flow.submit("A", "B", "C")
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": None, "C": "done"}
    assert flow.standing() == {"B": ("hasty", "backoff")}
    released.set()
    assert answered.wait(10)
    del flow.script["hasty"]
    flow.clock.advance(minutes=1)
    flow.sweep()
    assert flow.ends()["B"] == "done"
    assert flow.one("SELECT variables -> 'ok' FROM cases WHERE case_key = 'B'") is None


def test_a_worker_that_ends_its_thread_is_a_failure_at_once(draw: Draw) -> None:
    """``sys.exit`` in a worker neither ends the process nor waits for a timeout."""
    flow = draw(*CHECKED)
    flow.script["check"] = only("A", raising(SystemExit("enough")))
    flow.submit("A", "B")
    flow.sweep()
    assert flow.standing() == {"A": ("check", "backoff")}
    assert flow.one("SELECT b ->> 'error' FROM audit_trail WHERE act = 'failed'") == "SystemExit: enough"
    assert flow.ends()["B"] == "done"


class Odd:
    """Nothing that JSON knows."""


def endless() -> dict[str, Any]:
    inner: list[Any] = []
    inner.append(inner)
    return {"note": inner}


NONSENSE: dict[str, tuple[Callable[[], Any], str]] = {
    "a wrong type": (lambda: 7, "returned a int"),
    "undeclared": (lambda: {"surprise": 1}, "does not declare"),
    "not a number": (lambda: {"note": float("nan")}, "not a number"),
    "infinite": (lambda: {"note": float("inf")}, "not a number"),
    "huge": (lambda: {"note": "x" * 5_000_000}, "5,000,011 bytes"),
    "beyond numbers": (lambda: {"note": 10**9_000}, ""),
    "not JSON": (lambda: {"note": Odd()}, "Odd cannot be kept"),
    "endless": (endless, "RecursionError"),
    "half a character": (lambda: {"note": "\ud800"}, "surrogate"),
    "a NUL byte": (lambda: {"note": "a\x00b"}, "\\u0000"),
    "a key that is no text": (lambda: {"note": {1: 2}}, "is not text"),
    "a name that is no text": (lambda: {3: 2}, "does not declare"),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_refused_with_the_reason_and_the_others_finish(draw: Draw, nonsense: str) -> None:
    """What a worker returns is checked before anything is written; trying again cannot help."""
    flow = draw(*CHECKED)
    value, reason = NONSENSE[nonsense]
    flow.script["check"] = only("B", lambda case: value(), {"ok": True})
    flow.submit("A", "B", "C")
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": None, "C": "done"}
    assert flow.standing() == {"B": ("check", "dead")}
    assert reason in flow.letters()["B"]
    assert len(flow.letters()["B"]) < 1_000


def test_a_bulk_worker_may_fail_one_item(draw: Draw) -> None:
    """An exception in the list is that item's."""
    flow = draw(*BULK)
    flow.script["bulk"] = lambda cases: [OSError("no") if case.key == "B" else {"ok": True} for case in cases]
    flow.submit("A", "B", "C")
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": None, "C": "done"}


def test_a_bulk_worker_that_fails_as_a_whole_is_halved(draw: Draw) -> None:
    """One item that breaks the call stands alone in the end."""
    flow = draw(*BULK)

    def bulk(cases: Any) -> Any:
        if any(case.key == "K5" for case in cases):
            raise ZeroDivisionError("K5")
        return [{"ok": True} for _ in cases]

    flow.script["bulk"] = bulk
    flow.submit(*(f"K{number}" for number in range(8)))
    flow.sweep()
    assert [key for key, end in flow.ends().items() if end is None] == ["K5"]
    assert flow.standing() == {"K5": ("bulk", "backoff")}


def test_a_bulk_worker_that_hangs_over_one_item_is_asked_one_by_one(draw: Draw) -> None:
    """Two timeouts, not one for every halving: the others finish, the culprit is tried again later."""
    flow = draw(*BULK)
    released, hung = threading.Event(), []

    def bulk(cases: Any) -> Any:
        if any(case.key == "K5" for case in cases):
            hung.append(len(cases))
            released.wait(60)
        return [{"ok": True} for _ in cases]

    flow.script["bulk"] = bulk
    flow.submit(*(f"K{number}" for number in range(16)))
    flow.sweep()
    assert len(hung) <= 2
    assert flow.standing() == {"K5": ("bulk", "backoff")}
    released.set()


def test_a_bulk_worker_that_returns_too_little_says_so(draw: Draw) -> None:
    """Nobody guesses which answer belongs to which case."""
    flow = draw(*BULK)
    flow.script["bulk"] = lambda cases: []
    flow.submit("A", "B")
    for _ in range(3):
        flow.sweep()
        flow.clock.advance(minutes=2)
    assert set(flow.letters()) == {"A", "B"}
    assert all("returned a list of 0" in error for error in flow.letters().values())


def test_a_station_that_fails_outright_holds_up_no_other(draw: Draw) -> None:
    """Every case at it is tried and becomes a dead letter; a case beyond it goes on."""
    flow = draw(*STRAIGHT)
    flow.submit("beyond")
    with flow.engine.open_sweep("first") as sweep:
        sweep.station(flow.engine.station("check"), until=0)  # nothing: no time
    flow.script["reserve"] = raising(OSError("gone"))
    flow.sweep()
    flow.script["check"] = raising(OSError("broken"))
    del flow.script["reserve"]
    flow.submit("A", "B")
    flow.clock.advance(minutes=2)
    flow.sweep()
    assert flow.ends() == {"beyond": "done", "A": None, "B": None}
    for _ in range(3):
        flow.clock.advance(minutes=2)
        flow.sweep()
    assert set(flow.letters()) == {"A", "B"}


def test_a_system_that_cannot_be_reached_is_tried_again(draw: Draw) -> None:
    """A tool that does not open is each case's failure, with backoff: no lane stops."""
    flow = draw(*STRAIGHT)
    up = flow.engine.workflow.tools["bank"]
    tools = flow.engine.workflow.tools
    assert isinstance(tools, dict)
    unreachable = raising(ConnectionError("refused"))
    tools["bank"] = lambda: unreachable()
    flow.submit("A")
    flow.sweep()
    assert flow.standing() == {"A": ("reserve", "backoff")}
    tools["bank"] = up
    flow.clock.advance(minutes=2)
    flow.sweep()
    assert flow.ends() == {"A": "done"}


def unbind(flow: Flow, name: str) -> None:
    workers = flow.engine.workflow.workers
    assert isinstance(workers, dict)
    del workers[name]


def test_a_worker_that_is_not_bound_says_what_to_write(draw: Draw) -> None:
    """A loaded workflow lost a worker all the same: a dead letter that can be replayed, not a stop."""
    flow = draw(*STRAIGHT)
    assert flow.engine.version
    unbind(flow, "check")
    flow.submit("A")
    flow.sweep()
    assert flow.letters() == {"A": "no worker is bound to check: write one in workers.py and replay"}


def test_a_gateway_without_a_true_branch_is_an_incident(draw: Draw) -> None:
    """The token is stuck where it stood, the incident says why, and the others go on."""
    flow = draw(
        "service check", "end done", "received -> check -> which", "which -> done if ok", "which -> check if not(ok)"
    )
    flow.script["check"] = lambda case: {} if case.key == "B" else {"ok": True}
    flow.submit("A", "B")
    flow.sweep()
    assert flow.ends() == {"A": "done", "B": None}
    assert flow.standing() == {"B": ("check", "stuck")}
    ((key, element, kind, reason),) = flow.incidents()
    assert (key, element, kind) == ("B", "check", "no branch")
    assert "which" in reason
    assert "ok" in reason
