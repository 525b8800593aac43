"""How tokens move: splits, errors, timers, compensation and what can be handed where."""

from __future__ import annotations

import pytest

from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch, Router
from orchestration_pipelines_tests.drawing import drawing
from orchestration_pipelines_tests.model.bpmn import read

ROUTER = Router(
    read(
        drawing(
            "service check undone by uncheck",
            "service low",
            "service high",
            "user review orch:queue=reviews",
            "throw undo",
            "end over",
            "received -> check -> gate",
            "gate -> high if n > 5",
            "gate -> low if n > 1",
            "gate -> second default",
            "second -> review if ok",
            "high -> over",
            "low -> over",
            "review -> undo -> over",
            "timer late on review P3D -> over",
            "error any on check -> low",
            "error limit on check LIMIT -> high",
        )
    )
)


@pytest.mark.parametrize(
    ("variables", "station"),
    [({"n": 9}, "high"), ({"n": 5}, "low"), ({"n": 0, "ok": True}, "review"), ({"ok": True}, "review")],
)
def test_the_first_true_condition_wins_and_the_default_is_last(variables: dict[str, object], station: str) -> None:
    """In document order; null is not true."""
    way = ROUTER.leave("check", variables)
    assert isinstance(way, Arrive) and way.station == station


@pytest.mark.parametrize("ok", [False, None, 1, "true"])
def test_no_branch_is_told_even_behind_a_gateway_with_one_way(ok: object) -> None:
    """A condition on the only way out is asked too; what is not true is no way."""
    way = ROUTER.leave("check", {"n": 0, "ok": ok})
    assert isinstance(way, NoBranch)
    assert (way.gateway, way.passed[-1]) == ("second", "second") and "ok" in way.diagnostics


def test_an_error_goes_to_its_code_then_to_the_catch_all() -> None:
    """Whatever their order in the drawing."""
    assert ROUTER.catch_error("check", "LIMIT", {}) == Arrive("high", ROUTER.catch_error("check", "LIMIT", {}).passed)  # type: ignore[union-attr]
    other = ROUTER.catch_error("check", "OTHER", {})
    assert isinstance(other, Arrive) and other.station == "low"
    assert ROUTER.catch_error("high", "LIMIT", {}) is None


def test_timers_and_handlers_belong_to_their_activity() -> None:
    """And nothing else has any."""
    assert [timer.id for timer in ROUTER.boundary_timers("review")] == ["late"]
    assert ROUTER.boundary_timers("check") == ()
    assert isinstance(ROUTER.fire_timer("late", {}), Finish)
    assert (ROUTER.compensation_handler("check"), ROUTER.compensation_handler("high")) == ("uncheck", None)


def test_next_stations_are_those_on_any_way() -> None:
    """Through gateways, boundary events, and between throws and handlers."""
    assert ROUTER.next_stations("check") == {"high", "low", "review"}
    assert ROUTER.next_stations("review") == {"undo"}
    assert ROUTER.next_stations("undo") == {"uncheck"}
    assert ROUTER.next_stations("uncheck") == {"undo"}
    assert ROUTER.reads("check") == {"n", "ok"}
    assert ROUTER.start({}) == Arrive("check", ("f0",))
