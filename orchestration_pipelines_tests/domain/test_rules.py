"""The small rules: keys, backoff, exact values, review moves, and what a worker must declare."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.canonical import decode, encode, exact
from orchestration_pipelines.domain.identity import approval_id, idempotency_key
from orchestration_pipelines.domain.retry import backoff
from orchestration_pipelines.domain.review import MOVES, Outcome, TaskStatus, joint_outcome
from orchestration_pipelines.domain.worker import BpmnError, Retry, worker

_parts = st.tuples(*[st.text(alphabet="ab\0:1", max_size=4)] * 4, st.integers(0, 12))


@given(_parts, _parts)
def test_different_visits_have_different_keys(one: Any, other: Any) -> None:
    """Wherever the borders between the parts lie; the same visit always has the same."""
    assert (idempotency_key(*one) == idempotency_key(*other)) == (one == other)
    assert len(idempotency_key(*one)) == 64


def test_borders_between_parts_count() -> None:
    """Without lengths in front the two of each pair would be one."""
    for one, other in (
        (("a", "bc", "", "d", 1), ("ab", "c", "", "d", 1)),
        (("a", "b", "cd", "e", 1), ("a", "b", "c", "de", 1)),
        (("a", "b", "c", "d1", 1), ("a", "b", "c", "d", 11)),
        (("a", "b", "", "c", 1), ("a", "b", "c", "", 1)),
    ):
        assert idempotency_key(*one) != idempotency_key(*other)
    assert approval_id(1, 12) != approval_id(11, 2)


@given(
    st.builds(Retry, st.integers(1, 3_000), st.floats(0, 100), st.floats(0, 600)),
    st.integers(1, 3_000),
    st.randoms(use_true_random=False),
)
def test_backoff_stays_within_its_bounds(retry: Retry, attempt: int, chance: random.Random) -> None:
    """Full jitter under the doubling ceiling and the cap; none when the attempts are used up."""
    wait = backoff(retry, attempt, chance)
    if attempt >= retry.attempts:
        assert wait is None
    else:
        assert wait is not None
        ceiling = min(retry.cap_s, retry.base_s * 2.0 ** min(attempt - 1, 1_000))
        assert timedelta(0) <= wait <= timedelta(seconds=ceiling) + timedelta(microseconds=1)


_scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.floats(
    allow_nan=False, allow_infinity=False
)  # fmt: skip
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(_values)
def test_what_a_worker_returns_comes_back_exactly(value: Any) -> None:
    """Floats as the Decimal of their shortest text; key order does not matter."""
    kept = exact(value)
    assert exact(kept) == kept
    try:
        written = encode(kept)
    except UnicodeEncodeError:
        return  # half a surrogate pair
    assert decode(written) == kept
    assert encode(decode(written)) == written


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (float("nan"), ValueError),
        ([float("inf")], ValueError),
        (Decimal("sNaN"), ValueError),
        ({1: 2}, TypeError),
        (object(), TypeError),
        ({"a": {1}}, TypeError),
        (b"bytes", TypeError),
    ],
)
def test_what_a_case_cannot_hold_is_refused(value: Any, error: type[Exception]) -> None:
    """With a message for the worker's author."""
    with pytest.raises(error, match="case"):
        exact(value)


def test_numpys_floats_are_floats() -> None:
    """Their repr is not a number's text."""
    assert exact(np.float64(0.1)) == Decimal("0.1")


def test_the_moves_of_a_task() -> None:
    """Each act leads to one place, and what has ended stays so."""
    assert len({(move.source, move.act) for move in MOVES}) == len(MOVES)
    alive = {TaskStatus.OPEN, TaskStatus.ASSIGNED, TaskStatus.CLAIMED}
    assert {move.source for move in MOVES} == alive
    assert {move.target for move in MOVES} == set(TaskStatus)
    for act in ("decide", "return", "escalate", "expire", "cancel"):
        assert {move.source for move in MOVES if move.act == act} == alive


@given(st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=4))
def test_signatures_that_differ_go_up(outcomes: list[Outcome]) -> None:
    """One choice shared by all is the outcome."""
    expected = outcomes[0] if len(set(outcomes)) == 1 else Outcome.ESCALATE
    assert joint_outcome([outcome.value for outcome in outcomes]) is expected


@given(st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=4), st.integers(1, 5))
def test_in_place_of_a_third_round_it_goes_up(outcomes: list[Outcome], last_round: int) -> None:
    """Whatever the signatures of that round say; in two rounds, what they say counts."""
    words = [outcome.value for outcome in outcomes]
    expected = Outcome.ESCALATE if last_round > 2 else joint_outcome(words)
    assert joint_outcome(words, last_round) is expected


def test_no_signature_is_no_outcome() -> None:
    """Nor is a word that is none."""
    for outcomes in ([], ["maybe"], ["approve", "maybe"][::-1]):
        with pytest.raises(ValueError, match=r"signature|valid"):
            joint_outcome(outcomes)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"external": "bank"}, "add a parameter named bank"),
        ({"inputs": "amount"}, "give a tuple of names"),
        ({"outputs": (1,)}, "give a tuple of names"),
        ({"timeout_s": 0}, "give it some seconds"),
    ],
)
def test_a_wrong_declaration_is_refused_where_it_is_written(declared: dict[str, Any], reason: str) -> None:
    """Not when the first case comes."""
    with pytest.raises((TypeError, ValueError), match=reason):
        worker(**declared)(lambda case: None)


def test_declarations() -> None:
    """A worker takes a case; retries have bounds; tools are the parameters behind the case."""
    with pytest.raises(TypeError, match="takes no case"):
        worker()(lambda: None)
    with pytest.raises(ValueError, match="at least one attempt"):
        Retry(attempts=0)
    made = worker(outputs=("a",), external="bank", name="pay")(lambda case, bank, post: {})
    assert (made.name, made.tools, made.external) == ("pay", ("bank", "post"), "bank")
    assert str(BpmnError("LIMIT", "too much")) == "LIMIT: too much" and BpmnError("X").patch == {}
