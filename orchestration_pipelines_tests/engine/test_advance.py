"""The advance: one transaction for a chunk, halved until the culprit stands alone; late comers write nothing."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from orchestration_pipelines.engine import working
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import STRAIGHT

CHAIN = (
    "service check",
    "service tell",
    "service reserve undone by release",
    "end done",
    "received -> check -> tell -> reserve -> done",
)


def test_a_case_that_breaks_the_transaction_stands_alone(draw: Draw, database: str) -> None:
    """Halved and halved again, its chunk finishes; it becomes a dead letter with the database's reason."""
    flow = draw(*CHAIN)
    flow.submit(*(f"K{number}" for number in range(40)))
    break_writes_of(flow, "K17")
    flow.sweep()
    assert [key for key, end in flow.ends().items() if end is None] == ["K17"]
    assert flow.standing() == {"K17": ("check", "dead")}
    assert "this case cannot be written" in flow.letters()["K17"]


def break_writes_of(flow: Any, key: str, element: str = "check") -> None:
    """The database refuses what is done for one case at one station, as a constraint would."""
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'this case cannot be written'; END $$"
        )
        owner.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON activity FOR EACH ROW WHEN (NEW.case_id = "
            f"{flow.one('SELECT id FROM cases WHERE case_key = %s', key)} AND NEW.element = '{element}') "
            "EXECUTE FUNCTION refuse()"
        )


def test_a_step_that_breaks_further_on_keeps_what_was_done_before(draw: Draw) -> None:
    """Carried through two stations, refused at the second: the first stands, and the letter names the second."""
    flow = draw(*CHAIN)
    flow.submit("A", "B")
    break_writes_of(flow, "A", "tell")
    flow.sweep()
    assert flow.ends() == {"A": None, "B": "done"}
    assert flow.standing() == {"A": ("tell", "dead")}
    assert flow.rows("SELECT element FROM activity JOIN cases ON id = case_id WHERE case_key = 'A'") == [("check",)]


def test_a_sweeper_that_was_overtaken_writes_nothing(draw: Draw) -> None:
    """Its lease expired in the middle of the work and another finished the case: its own late advance is lost."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    begun, go_on = threading.Event(), threading.Event()

    def check(case: Any) -> dict[str, Any]:
        if case.attempt > 1:
            return {"note": "the one that took over"}
        begun.set()
        assert go_on.wait(30)
        return {"note": "the zombie"}

    flow.script["check"] = check
    lost: list[int] = []

    def slow() -> None:
        with flow.engine.open_sweep("zombie", lease_s=0.0, lanes=1) as zombie:
            swept = zombie.station(flow.engine.station("check"), until=float("inf"))
            lost.append(swept.tally.lost["check"])

    sweeping = threading.Thread(target=slow)
    sweeping.start()
    assert begun.wait(30)
    flow.sweep()
    assert flow.ends() == {"A": "done"}
    go_on.set()
    sweeping.join()
    assert lost == [1]
    assert flow.one("SELECT variables ->> 'note' FROM cases") == "the one that took over"
    assert flow.rows("SELECT element, attempt FROM activity ORDER BY visit") == [("check", 2), ("reserve", 1)]


def test_a_case_changed_by_somebody_else_is_looked_at_again(draw: Draw) -> None:
    """An entry added to the record while the worker worked: the advance builds on it instead of breaking the chain."""
    flow = draw(*STRAIGHT)

    def check(case: Any) -> dict[str, Any]:
        flow.rows(
            "SELECT append_audit(id, 'ann', 'reviewer', 'noted', 'case', now(), '{}') FROM cases WHERE case_key = %s",
            case.key,
        )
        return {"ok": True}

    flow.script["check"] = check
    flow.submit("A", "B")
    flow.sweep()
    assert set(flow.ends().values()) == {"done"}
    assert flow.rows("SELECT act FROM audit_trail WHERE case_id = (SELECT min(id) FROM cases) ORDER BY seq") == [
        ("submitted",),
        ("noted",),
        ("completed",),
        ("completed",),
    ]


def test_what_is_not_begun_is_given_back_uncounted(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work's time is over before a case's turn: no attempt is counted, the next sweep takes it."""
    flow = draw(*STRAIGHT)
    flow.script["check"] = lambda case: threading.Event().wait(0.3) or None
    flow.submit("A", "B")
    monkeypatch.setattr(working, "WORK_S", 0.1)
    with flow.engine.open_sweep("no time", lanes=1) as sweep:
        swept = sweep.station(flow.engine.station("check"), until=time.monotonic() + 0.2)
    assert swept.tally.given_back == {"check": 1}
    assert flow.rows("SELECT element, attempt, crashes FROM token WHERE element = 'check'") == [("check", 0, 0)]
