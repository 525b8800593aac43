"""Effects in doubt: a case is cancelled in the middle of a step, and nobody knows whether its effect stands outside.

The tool is told to undo by key: ``void(key)``, idempotent; after it the effect does not stand, whether it ever did
or not, and one that comes late under this key (a call that hung) is refused. Only then may the case close. A tool
that cannot say so leaves a dead letter and an incident.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence

import psycopg

from orchestration_pipelines.domain.worker import Case, Worker
from orchestration_pipelines.engine.calling import NOT_BEGUN, Answer, Toolbox, call_each, told
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.verdict import Failed, GivenBack
from orchestration_pipelines.store.records import Doubt, doubts_of
from orchestration_pipelines.store.tokens import Claimed

_VOID_S = 30.0


def void_doubts(
    station: Station, connection: psycopg.Connection, chunk: Sequence[Claimed], toolbox: Toolbox
) -> dict[int, tuple[int, ...] | Failed | GivenBack]:
    """By case: the visits whose effects were undone by key, or why one could not be."""
    found: dict[int, tuple[int, ...] | Failed | GivenBack] = {}
    by_tool: dict[str, list[Doubt]] = defaultdict(list)
    for doubt in doubts_of(connection, [token.case_id for token in chunk]):
        drawn = station.workflow.process.elements[doubt.element]
        if drawn.is_handler and doubt.status != "done":
            found[doubt.case_id] = Failed(
                f"the compensation {doubt.element} was given up with its effect in doubt: see whether it stands in "
                f"{doubt.tool} under the key {doubt.key}, and finish it there",
                final=True,
            )
        elif doubt.status != "done" or station.workflow.router.compensation_handler(doubt.element) is not None:
            # what is done and has no handler would stand in a completed case too
            by_tool[doubt.tool].append(doubt)
    for tool, doubts in by_tool.items():
        for doubt, answer in zip(doubts, _void(tool, doubts, toolbox), strict=True):
            before = found.get(doubt.case_id, ())
            if not isinstance(before, tuple):
                continue
            if answer is NOT_BEGUN:
                found[doubt.case_id] = GivenBack()
            elif isinstance(answer, BaseException):
                error, trace = told(answer)
                found[doubt.case_id] = Failed(
                    f"the effect of {doubt.element} could not be undone by its key: {error}",
                    trace,
                    final=isinstance(answer, CannotVoid),
                )
            else:
                found[doubt.case_id] = (*before, doubt.visit)
    return found


class CannotVoid(Exception):
    """The tool has no way to undo by key."""


def _void(tool: str, doubts: Sequence[Doubt], toolbox: Toolbox) -> list[Answer]:
    def call(case: Case, system: object) -> None:
        void = getattr(system, "void", None)
        if not callable(void):
            raise CannotVoid(
                f"the tool {tool} has no void(key): give it one and replay the dead letter of this case's cancellation"
            )
        void(case.idempotency_key)

    by_key = Worker(name=f"void of {tool}", call=call, inputs=(), outputs=(), tools=(tool,), timeout_s=_VOID_S)
    asked = [Case(key=doubt.key, inputs={}, idempotency_key=doubt.key, attempt=1) for doubt in doubts]
    return call_each(by_key, asked, toolbox, until=time.monotonic() + _VOID_S)
