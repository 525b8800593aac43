"""Calling workers: one case's failure is its own, and a call that hangs is left behind.

A Python thread cannot be stopped. One that overruns its time is abandoned, its result is never looked at
(the lease fences what it might still do), and the rest of the chunk goes on in a fresh thread with fresh tools.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from orchestration_pipelines.domain.worker import BpmnError, Case, Worker

#: what a call came to: what the worker returned, or the exception it raised
Answer = Any
#: not begun before the time was over
NOT_BEGUN = object()


class TimedOut(Exception):
    """The worker did not answer in the time it declared."""


class Toolbox:
    """A lane's tools, opened when first needed; one lane never shares them with another."""

    def __init__(self, factories: Mapping[str, Callable[[], Any]]) -> None:
        self._factories = factories
        self._open: dict[str, Any] = {}

    def take(self, names: Sequence[str]) -> list[Any]:
        """The tools of these names, in order."""
        for name in names:
            if name not in self._open:
                self._open[name] = self._factories[name]()
        return [self._open[name] for name in names]

    def abandon(self) -> None:
        """Leave the tools to a call that hangs: the next one gets its own."""
        self._open = {}

    def close(self) -> None:
        """Close what was opened and can be closed."""
        for tool in self._open.values():
            if callable(close := getattr(tool, "close", None)):
                close()
        self._open = {}


class _Turn:
    """One thread's go at the cases from ``first`` on."""

    def __init__(self, worker: Worker, cases: Sequence[Case], tools: Sequence[Any], first: int) -> None:
        self.answers: dict[int, Answer] = {}
        self.at = first
        self.since = time.monotonic()
        self.abandoned = False
        self.over = threading.Event()
        self._worker, self._cases, self._tools, self._first = worker, cases, tools, first
        threading.Thread(target=self._run, name=f"worker {worker.name}", daemon=True).start()

    def _run(self) -> None:
        call, tools, answers = self._worker.call, self._tools, self.answers
        clock = time.monotonic
        for index in range(self._first, len(self._cases)):
            if self.abandoned:
                break
            self.since = clock()
            self.at = index
            try:
                answers[index] = call(self._cases[index], *tools)
            except BaseException as error:  # noqa: BLE001 - a worker may raise anything, and it is one case's failure
                answers[index] = error
        self.over.set()


def call_each(worker: Worker, cases: Sequence[Case], toolbox: Toolbox, until: float) -> list[Answer]:
    """Call a worker for each case; ``until`` (monotonic seconds) is when no further call is begun."""
    answers: list[Answer] = [NOT_BEGUN] * len(cases)
    first = 0
    while first < len(cases):
        try:
            tools = toolbox.take(worker.tools)
        except Exception as error:  # noqa: BLE001 - a system that cannot be reached is tried again, like a worker
            answers[first:] = [error] * (len(cases) - first)
            break
        turn = _Turn(worker, cases, tools, first)
        hung = _watch(turn, worker.timeout_s, until)
        for index, answer in list(turn.answers.items()):
            if index != hung:
                answers[index] = answer
        if hung is None:
            break
        toolbox.abandon()
        answers[hung] = TimedOut(f"no answer within {worker.timeout_s:g} s")
        if time.monotonic() >= until:
            break
        first = hung + 1
    return answers


def _watch(turn: _Turn, timeout_s: float, until: float) -> int | None:
    """Wait for a turn to end; the index of the call that hangs, or None."""
    while not turn.over.wait(timeout=max(0.001, min(turn.since + timeout_s, until) - time.monotonic())):
        at, since = turn.at, turn.since  # in this order: the thread writes them in the other
        now = time.monotonic()
        if now - since >= timeout_s:
            turn.abandoned = True
            return at
        if now >= until:
            turn.abandoned = True  # begins no further call; the one under way has its time
            until = float("inf")
    return None


def call_whole(worker: Worker, cases: Sequence[Case], toolbox: Toolbox, until_s: float) -> list[Answer]:
    """Call a worker on the whole list; where that fails, on its halves, until the culprit stands alone.

    Where it hangs, halves would hang too, each for its time: then one by one, begun within ``until_s`` seconds.
    """
    answer = call_each(
        Worker(
            name=worker.name,
            call=lambda chunk, *tools: worker.call(list(chunk), *tools),
            inputs=(),
            outputs=(),
            tools=worker.tools,
            timeout_s=worker.timeout_s,
        ),
        [cases],  # type: ignore[list-item] # the one "case" here is the chunk
        toolbox,
        float("inf"),
    )[0]
    if isinstance(answer, list) and len(answer) == len(cases):
        return answer
    if isinstance(answer, BpmnError):
        return [answer] * len(cases)
    if isinstance(answer, TimedOut) and len(cases) > 1:
        one_by_one = replace(worker, call=partial(_alone, worker))
        return call_each(one_by_one, cases, toolbox, time.monotonic() + until_s)
    if len(cases) == 1:
        if isinstance(answer, BaseException):
            return [answer]
        return [TypeError(f"worker {worker.name} was given 1 case and returned {_described(answer)}")]
    if not isinstance(answer, BaseException):
        wrong = TypeError(f"worker {worker.name} was given {len(cases)} cases and returned {_described(answer)}")
        return [wrong] * len(cases)
    middle = len(cases) // 2
    halves = (cases[:middle], cases[middle:])
    return [answer for half in halves for answer in call_whole(worker, half, toolbox, until_s)]


def _alone(worker: Worker, case: Case, *tools: Any) -> Answer:
    """What a worker of whole chunks answers to a chunk of one."""
    answer = worker.call([case], *tools)
    if isinstance(answer, list) and len(answer) == 1:
        return answer[0]
    raise TypeError(f"worker {worker.name} was given 1 case and returned {_described(answer)}")


def _described(answer: Answer) -> str:
    return f"a list of {len(answer)}" if isinstance(answer, list) else f"a {type(answer).__name__}, not a list"


def told(error: BaseException) -> tuple[str, str]:
    """An error in one line, and its traceback."""
    line = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return line, "".join(traceback.format_exception(error))
