"""A sweep that works through arrivals looks up for what people decided meanwhile."""

from __future__ import annotations

import time
from typing import Any

from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import REVIEWED


def test_a_decision_is_taken_on_in_the_middle_of_a_sweep(draw: Draw) -> None:
    """Decided while arrivals are worked: its effect is there before the last of them, in the very same sweep."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    order: list[str] = []

    def reserve(case: Any, bank: Any) -> dict[str, str]:
        order.append(f"reserve {case.key}")
        if case.key == "N2":
            flow.decide("A")
        return {"receipt": bank.put(case.idempotency_key)}

    def commit(case: Any, bank: Any) -> dict[str, str]:
        order.append(f"commit {case.key}")
        return {"receipt": bank.put(case.idempotency_key)}

    flow.script.update(reserve=reserve, commit=commit)
    flow.submit("N1", "N2", "N3", "N4", "N5")
    with flow.engine.open_sweep("test", look_every_s=0, chunk=1, lanes=1) as sweep:
        swept = flow.engine.sweep_station(sweep, "reserve", until=time.monotonic() + 60)
    assert swept[0].errors == []
    assert flow.ends()["A"] == "done"
    assert order.index("commit A") < order.index("reserve N5")
    assert swept[0].tally.completed["review"] == 1


def test_a_sweep_does_not_look_up_more_often_than_it_was_told(draw: Draw) -> None:
    """Between two looks it works on arrivals alone."""
    flow = draw(*REVIEWED)
    flow.submit("A")
    flow.sweep()
    flow.decide("A")
    flow.submit("N1", "N2")
    with flow.engine.open_sweep("test", look_every_s=3_600, chunk=1, lanes=1) as sweep:
        flow.engine.sweep_station(sweep, "reserve", until=time.monotonic() + 60)
    assert flow.ends()["A"] is None
    assert flow.standing()["N2"] == ("review", "waiting")
