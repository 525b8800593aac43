"""Claiming: in order, shared without doubling, and never lost with its holder."""

from __future__ import annotations

import threading
import time
from typing import Any

from orchestration_pipelines.engine.advance import Advance
from orchestration_pipelines.engine.sweep import Sweep
from orchestration_pipelines.engine.verdict import Failed, Step
from orchestration_pipelines.store import tokens
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import STRAIGHT, Flow

DONE = {"ok": True}


def claim(flow: Flow, sweep: Sweep, element: str, *, limit: int = 100, alone: bool = False) -> list[tokens.Claimed]:
    """Claim as a lane of this sweep would."""
    with flow.engine.connect() as connection:
        return tokens.claim(
            connection,
            workflow="flow",
            version=flow.engine.version,
            element=element,
            holder=sweep.holder,
            limit=limit,
            lease_s=300.0,
            since="-infinity",
            until="infinity",
            alone=alone,
        )


def keys(claimed: list[tokens.Claimed]) -> list[str]:
    return [token.case_key for token in claimed]


def test_the_first_to_come_is_the_first_to_be_claimed(draw: Draw) -> None:
    """Within a class the order is that of arrival."""
    flow = draw(*STRAIGHT)
    for key in ("first", "second", "third"):
        flow.submit(key)
        flow.clock.advance(minutes=1)
    with flow.engine.open_sweep("a") as sweep:
        assert keys(claim(flow, sweep, "check", limit=2)) == ["first", "second"]
        assert keys(claim(flow, sweep, "check", limit=2)) == ["third"]


def test_two_sweeps_at_once_share_the_work(draw: Draw) -> None:
    """SKIP LOCKED: every case is worked on exactly once, however many sweep."""
    flow = draw(*STRAIGHT)
    worked: list[str] = []
    flow.script["check"] = lambda case: worked.append(case.key) or DONE  # type: ignore[func-returns-value]
    offered = [f"K{number}" for number in range(600)]
    flow.submit(*offered)
    errors: list[str] = []
    both = [threading.Thread(target=lambda: errors.extend(flow.engine.sweep().errors)) for _ in range(2)]
    for sweeping in both:
        sweeping.start()
    for sweeping in both:
        sweeping.join()
    assert errors == []
    assert sorted(worked) == sorted(offered)
    assert set(flow.ends().values()) == {"done"}
    assert len(flow.bank.asked) == 600


def test_a_lease_holds_until_it_expires(draw: Draw) -> None:
    """While its holder lives, a leased token is nobody else's; after expiry it is anybody's."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    with flow.engine.open_sweep("a") as slow, flow.engine.open_sweep("b") as other:
        assert keys(claim(flow, slow, "check")) == ["A"]
        assert claim(flow, other, "check") == []
        expire(flow)
        assert keys(claim(flow, other, "check")) == ["A"]


def expire(flow: Flow) -> None:
    with flow.engine.connect() as connection:
        connection.execute("UPDATE token SET lease_until = clock_timestamp() - interval '1 second'")


def test_what_a_dead_holder_leased_is_claimable_at_once(draw: Draw) -> None:
    """A sweeper whose lock is free is dead: nobody waits for its lease to expire."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    dying = flow.engine.open_sweep("dying")
    assert keys(claim(flow, dying, "check")) == ["A"]
    dying._session.connection.close()  # its process is gone: the row says nothing of an end
    with flow.engine.open_sweep("b") as other:
        assert keys(claim(flow, other, "check")) == ["A"]
    dying.close()


def test_what_an_ended_sweep_left_behind_is_claimable_at_once(draw: Draw) -> None:
    """A sweep that ends in order frees what a stopped lane still leased."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    with flow.engine.open_sweep("a") as sweep:
        claim(flow, sweep, "check")
    with flow.engine.open_sweep("b") as other:
        assert keys(claim(flow, other, "check")) == ["A"]


def test_the_attempt_is_counted_at_the_claim(draw: Draw) -> None:
    """What dies before it reports has used up an attempt all the same."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    for expected in (1, 2, 3):
        with flow.engine.open_sweep(f"sweep {expected}") as sweep:
            (token,) = claim(flow, sweep, "check", alone=expected > 2)
            assert (token.attempt, token.crashes) == (expected, expected - 1)


def test_a_case_that_ended_two_processes_runs_alone(draw: Draw) -> None:
    """From then on no other case is in its chunk, nor at work beside it in the same process."""
    flow = draw(*STRAIGHT)
    flow.submit("A", "B", "C")
    for run in ("first", "second"):
        with flow.engine.open_sweep(run) as sweep:
            assert len(claim(flow, sweep, "check")) == 3
    flow.submit("innocent")
    at_work: set[str] = set()
    met: dict[str, set[str]] = {}

    def check(case: Any) -> dict[str, bool]:
        at_work.add(case.key)
        threading.Event().wait(0.05)  # time enough for another lane to come by
        met[case.key] = set(at_work)
        at_work.discard(case.key)
        return DONE

    flow.script["check"] = check
    flow.sweep()
    assert met == {key: {key} for key in ("A", "B", "C", "innocent")}
    assert set(flow.ends().values()) == {"done"}


def test_three_crashes_later_it_is_a_dead_letter(draw: Draw) -> None:
    """Five processes ended at work on one case: a sixth is not tried."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    for crashes in range(5):
        with flow.engine.open_sweep(f"sweep {crashes}") as sweep:
            assert len(claim(flow, sweep, "check", alone=crashes >= 2)) == 1
    flow.sweep()
    assert flow.letters() == {"A": "the process ended 5 times while it worked on this case"}
    assert flow.standing() == {"A": ("check", "dead")}


def test_a_zombie_writes_nothing(draw: Draw) -> None:
    """Who lost the lease meanwhile finds that nothing of theirs is written: no row, no entry, no letter."""
    flow = draw(*STRAIGHT)
    flow.submit("A", "B")
    with flow.engine.open_sweep("zombie") as zombie:
        claimed = claim(flow, zombie, "check")
        with flow.engine.connect() as connection:  # only A's lease is over
            connection.execute(
                "UPDATE token SET lease_until = '-infinity' WHERE case_id = (SELECT id FROM cases WHERE case_key = 'A')"
            )
        flow.sweep()
        before = flow.rows("SELECT * FROM audit_entry JOIN cases ON id = case_id WHERE case_key = 'A'")
        station = flow.engine.station("check")
        with flow.engine.connect() as connection:
            advance = Advance(connection, station, zombie.holder, None, 300.0)
            late = [[Step(station, token, Failed("late", final=True))] for token in claimed]
            advanced = advance.write(late, flow.clock(), flow.clock())
    assert advanced.tally.lost == {"check": 1}
    assert flow.rows("SELECT * FROM audit_entry JOIN cases ON id = case_id WHERE case_key = 'A'") == before
    assert flow.ends() == {"A": "done", "B": None}
    assert flow.letters() == {"B": "late"}


def test_who_was_overtaken_writes_nothing_though_the_other_is_still_at_work(draw: Draw) -> None:
    """The case's record has not grown yet: the lease alone says whose it is."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    station = flow.engine.station("check")
    with (
        flow.engine.open_sweep("zombie") as zombie,
        flow.engine.open_sweep("other") as other,
        flow.engine.connect() as connection,
    ):
        late = claim(flow, zombie, "check")
        expire(flow)
        owned = claim(flow, other, "check")
        for sweep, tokens_, lost in ((zombie, late, 1), (other, owned, 0)):
            trips = [[Step(station, token, Failed(str(sweep.holder), final=True))] for token in tokens_]
            advanced = Advance(connection, station, sweep.holder, None, 300.0).write(trips, flow.clock(), flow.clock())
            assert advanced.tally.lost["check"] == lost
    assert flow.letters() == {"A": str(other.holder)}


def test_a_hold_stops_claims_and_lets_go_when_lifted(draw: Draw) -> None:
    """A held station hands out nothing; the others go on."""
    flow = draw(*STRAIGHT)
    flow.submit("A")
    with flow.engine.connect() as connection:
        connection.execute(
            "INSERT INTO hold (workflow, element, reason, held_by, held_at) VALUES ('flow', 'reserve', 'audit', 'ann', "
            "now())"
        )
    flow.sweep()
    assert flow.standing() == {"A": ("reserve", "ready")}
    with flow.engine.connect() as connection:
        connection.execute("UPDATE hold SET lifted_at = now(), lifted_by = 'ann', lift_reason = 'over'")
    flow.sweep()
    assert flow.ends() == {"A": "done"}


def test_more_than_one_chunk_is_shared_out_among_the_lanes(draw: Draw) -> None:
    """Three cases are at work at the same time: each waits for the others."""
    flow = draw(*STRAIGHT)
    together = threading.Barrier(3)

    def meet(case: object) -> dict[str, object]:
        together.wait(timeout=20)
        return {"ok": True}

    flow.script["check"] = meet
    flow.submit("A", "B", "C")
    with flow.engine.open_sweep("test", chunk=1, lanes=3) as sweep:
        swept = flow.engine.sweep_station(sweep, "check", until=time.monotonic() + 60)
    assert swept[0].errors == []
    assert swept[0].tally.completed["check"] == 3
