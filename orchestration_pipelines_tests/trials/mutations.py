"""Mutations of the product: what it would do without one of its precautions. Applied to the calling process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from types import ModuleType
from typing import Any
from uuid import uuid4

from orchestration_pipelines.domain.worker import Case, Worker
from orchestration_pipelines.engine import advance, calling, sweep, working
from orchestration_pipelines.engine.advance import Advance, Advanced
from orchestration_pipelines.engine.calling import Answer, Toolbox
from orchestration_pipelines.engine.failpoint import reached
from orchestration_pipelines.engine.verdict import Trip
from orchestration_pipelines.store import tokens


def _without(statement: str, *parts: str) -> str:
    """A statement without some of its text, which must be there: else nothing would be mutated."""
    for part in parts:
        assert part in statement, f"{part!r} is not in the statement any more: mutate what took its place"
        statement = statement.replace(part, "")
    return statement


def replace(module: ModuleType, name: str, what: Callable[..., Any]) -> None:
    """Put something else in the place of a function of the product, as one of its modules sees it."""
    assert hasattr(module, name), f"{module.__name__} has no {name} any more: replace what took its place"
    setattr(module, name, what)


def no_idempotency_key() -> None:
    """Each attempt has a key of its own."""

    def key_of(*_: object) -> str:
        return uuid4().hex

    replace(working, "key_of", key_of)
    replace(advance, "key_of", key_of)


def no_lease_check() -> None:
    """An advance does not ask whether the lease is still its own."""
    fence = " AND t.claim_no = m.claim_no"
    tokens._OURS = _without(tokens._OURS, fence)
    tokens._MOVE = _without(tokens._MOVE, fence)
    tokens._RELOOK = _without(tokens._RELOOK, "WHERE t.claim_no = ours.claim_no\n")


def effect_after_advance() -> None:
    """An external effect is done when its case has moved on already. (Of workers whose outputs nobody waits for.)"""
    late = threading.local()

    def put_off(
        worker: Worker, cases: Sequence[Case], toolbox: Toolbox, until: float, now: Callable[..., list[Answer]]
    ) -> list[Answer]:
        if worker.external is None or worker.outputs:
            return now(worker, cases, toolbox, until)
        late.calls = [*getattr(late, "calls", ()), partial(now, worker, cases, toolbox, until)]
        return [None] * len(cases)

    def at(window: str) -> None:
        if window != "effect-done" or not getattr(late, "calls", ()):
            reached(window)

    write = Advance.write

    def advance_first(self: Advance, trips: Sequence[Trip], started_at: datetime, now: datetime) -> Advanced:
        advanced = write(self, trips, started_at, now)
        calls, late.calls = getattr(late, "calls", ()), []
        if calls:
            reached("effect-done")  # where the work and its advance meet, as ever
        for call in calls:
            call()
        return advanced

    replace(working, "call_each", partial(put_off, now=calling.call_each))
    replace(working, "call_whole", partial(put_off, now=calling.call_whole))
    replace(sweep, "reached", at)
    Advance.write = advance_first  # type: ignore[method-assign]


def attempt_not_counted() -> None:
    """A claim does not count: neither the attempt, nor the crash of whoever held the lease before."""
    tokens._CLAIM = _without(
        tokens._CLAIM, ",\n    attempt = t.attempt + 1, crashes = t.crashes + (t.holder IS NOT NULL)::int"
    )


MUTATIONS: dict[str, Callable[[], Any]] = {
    "no_idempotency_key": no_idempotency_key,
    "no_lease_check": no_lease_check,
    "effect_after_advance": effect_after_advance,
    "attempt_not_counted": attempt_not_counted,
}
