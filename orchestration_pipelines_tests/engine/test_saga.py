"""Sagas: what was completed is undone in strict reverse, by number, each entry once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_pipelines.engine import dead_letters
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

UNDONE = (
    "service reserve undone by release",
    "service commit undone by uncommit",
    "throw undo_all",
    "end undone",
    "received -> reserve -> commit -> undo_all -> undone",
)
#: three steps in any order and number, as the case's plan says, then everything is undone
PLANNED = (
    "service pick",
    "service a undone by undo_a",
    "service b undone by undo_b",
    "service c undone by undo_c",
    "throw undo_all",
    "end undone",
    "received -> pick -> which",
    'which -> a if step = "a"',
    'which -> b if step = "b"',
    'which -> c if step = "c"',
    "which -> undo_all default",
    "a -> again",
    "b -> again",
    "c -> again",
    "again -> pick",
    "undo_all -> undone",
)
PLANNED_SETTINGS = """
owner: tests
intake: {key: case_key, fields: {plan: text}}
"""
PLANNED_WORKERS = (
    WORKERS
    + """
LOG = []

@worker(inputs=("plan", "turn"), outputs=("step", "turn"))
def pick(case):
    turn = (case["turn"] or 0)
    return {"step": case["plan"][turn], "turn": turn + 1}

def step(name):
    def act(case):
        LOG.append((case.key, name, case["turn"]))
        return {"seen": case["turn"]}
    def undo(case):
        LOG.append((case.key, "undo " + name, case["seen"]))
    return (worker(name=name, inputs=("turn",), outputs=("seen",))(act),
            worker(name="undo_" + name, inputs=("seen",))(undo))

a, undo_a = step("a")
b, undo_b = step("b")
c, undo_c = step("c")
"""
)


def undoings(flow: Flow) -> list[Any]:
    return [receipt for what, receipt in flow.bank.asked if what == "take back"]


def test_completed_steps_are_undone_in_strict_reverse(draw: Draw) -> None:
    """The last one first, with what it was given when it completed; nothing is left armed."""
    flow = draw(*UNDONE)
    flow.submit("A")
    flow.sweep()
    assert flow.ends() == {"A": "undone"}
    assert undoings(flow) == ["R2", "R1"]
    assert flow.rows("SELECT no, status FROM compensation ORDER BY no DESC") == [(3, "consumed"), (2, "consumed")]


def test_a_handler_sees_the_variables_as_they_were_at_completion(draw: Draw) -> None:
    """Both steps write the same key: each undoing gets its own step's value."""
    flow = draw(*UNDONE)
    flow.submit("A")
    flow.sweep()
    assert flow.one("SELECT variables ->> 'receipt' FROM cases") == "R2"
    assert undoings(flow) == ["R2", "R1"]


def test_a_step_that_failed_or_was_refused_is_not_undone(draw: Draw) -> None:
    """Only what completed arms its compensation."""
    flow = draw(*UNDONE, "error no on commit NO -> undo_all")
    error = flow.error("NO")

    def commit(case: Any, bank: Any) -> None:
        raise error

    flow.script["commit"] = commit
    flow.submit("A")
    flow.sweep()
    assert flow.ends() == {"A": "undone"}
    assert undoings(flow) == ["R1"]


def test_a_throw_for_one_activity_undoes_only_that(draw: Draw) -> None:
    """The others stay armed for a later throw."""
    flow = draw(*(line.replace("throw undo_all", "throw undo_all only reserve") for line in UNDONE))
    flow.submit("A")
    flow.sweep()
    assert undoings(flow) == ["R1"]
    assert flow.rows("SELECT activity FROM compensation WHERE status = 'armed'") == [("commit",)]


def test_entries_are_consumed_once(draw: Draw) -> None:
    """A second throw finds nothing more to undo."""
    flow = draw(*(line.replace("undo_all -> undone", "undo_all -> twice -> undone") for line in UNDONE), "throw twice")
    flow.submit("A")
    flow.sweep()
    assert flow.ends() == {"A": "undone"}
    assert undoings(flow) == ["R2", "R1"]


def test_a_loop_arms_once_for_each_completion(draw: Draw) -> None:
    """Three times reserved is three times released, the last first."""
    flow = draw(
        "service reserve undone by release",
        "service check",
        "throw undo_all",
        "end undone",
        "received -> reserve -> check -> again",
        "again -> reserve if ok = false",
        "again -> undo_all default",
        "undo_all -> undone",
    )
    flow.script["check"] = lambda case: {"ok": len(flow.bank.kept) >= 3}
    flow.submit("A")
    flow.sweep()
    assert undoings(flow) == ["R3", "R2", "R1"]


def test_an_undoing_that_fails_is_tried_again_before_the_next_one(draw: Draw) -> None:
    """Strictly one after another: while the last step is not undone, the one before stands."""
    flow = draw(*UNDONE)
    tries: list[int] = []

    def uncommit(case: Any, bank: Any) -> None:
        tries.append(case.attempt)
        if case.attempt < 3:
            raise OSError("the line is down")
        bank.take_back(case.idempotency_key, case["receipt"])

    flow.script["uncommit"] = uncommit
    flow.submit("A")
    for _ in range(3):
        assert undoings(flow) == []
        flow.sweep()
        flow.clock.advance(minutes=5)
    assert tries == [1, 2, 3]
    assert undoings(flow) == ["R2", "R1"]
    assert flow.ends() == {"A": "undone"}


def test_an_undoing_that_cannot_be_done_is_an_incident_never_a_skip(draw: Draw) -> None:
    """A dead letter and an incident; the earlier step is not undone before; a replay finishes the saga."""
    flow = draw(*UNDONE)

    def uncommit(case: Any, bank: Any) -> None:
        raise OSError("gone")

    flow.script["uncommit"] = uncommit
    flow.submit("A", "B")
    for _ in range(4):
        flow.sweep()
        flow.clock.advance(minutes=5)
    assert flow.standing() == {"A": ("uncommit", "dead"), "B": ("uncommit", "dead")}
    assert [(key, kind) for key, _, kind, _ in sorted(flow.incidents())] == [
        ("A", "compensation"),
        ("B", "compensation"),
    ]
    assert undoings(flow) == []
    del flow.script["uncommit"]
    with flow.engine.connect() as connection:
        for letter in dead_letters.listed(connection):
            dead_letters.replay(connection, letter.id, by="olga", reason="the line is back", at=flow.clock())
    flow.sweep()
    assert set(flow.ends().values()) == {"undone"}
    assert len(undoings(flow)) == 4


def test_random_sequences_of_steps_are_undone_in_reverse(draw: Draw) -> None:
    """A property: whatever was completed, in whatever order, each once, the last first, as it was then."""
    flow = draw(*PLANNED, workers=PLANNED_WORKERS, settings=PLANNED_SETTINGS)
    offered = Counter[str]()

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.text("abc", max_size=6), min_size=1, max_size=8))
    def holds(plans: list[str]) -> None:
        offered["round"] += 1
        keys = {f"{offered['round']}-{number}": plan for number, plan in enumerate(plans)}
        flow.engine.submit(
            [row(number, key, plan) for number, (key, plan) in enumerate(keys.items(), 1)],
            requested_by="broker",
            source="test",
        )
        flow.sweep()
        log: list[tuple[str, str, int]] = flow.engine.workflow.package.LOG
        for key, plan in keys.items():
            done = [(step, turn) for turn, step in enumerate(plan, 1)]
            undone = [(f"undo {step}", turn) for step, turn in reversed(done)]
            assert [(what, turn) for who, what, turn in log if who == key] == done + undone
        assert set(flow.ends().values()) == {"undone"}

    holds()


def row(number: int, key: str, plan: str) -> Any:
    from orchestration_pipelines.engine.intake import Row

    return Row(number, {"case_key": key, "plan": plan + "."})
