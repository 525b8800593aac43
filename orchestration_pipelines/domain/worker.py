"""A worker: the Python function behind a service task, and what it declares about itself.

A worker takes a :class:`Case` (or, with ``whole_chunk=True``, a list of them) and returns a *patch*:
the outputs it declared. Parameters after the first name the tools it is allowed to use.

    @worker(inputs=("loanamt", "price"), outputs=("ltv",))
    def screen(case):
        if case["price"] is None:
            raise BpmnError("INCOMPLETE", "the price is missing")
        return {"ltv": case["loanamt"] / case["price"]}

    @worker(inputs=("loanamt",), outputs=("reservation",), external="lender")
    def reserve_funds(case, lender):
        return {"reservation": lender.reserve(case.idempotency_key, case.key, case["loanamt"])}
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class BpmnError(Exception):
    """A business fault: it follows the boundary error event of its code and is never retried.

    ``patch`` holds declared outputs that are kept on the way out (which fields are missing, say).
    """

    def __init__(self, code: str, message: str = "", patch: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.patch = dict(patch or {})


@dataclass(frozen=True, slots=True)
class Case:
    """What a worker sees of a case: the inputs it declared, and what makes its effects safe to repeat."""

    key: str  #: the case key, as submitted
    inputs: Mapping[str, Any]  #: declared inputs; a key that the case has not is None
    idempotency_key: str  #: the same over all retries of this visit; unique over everything else
    attempt: int  #: 1 for the first
    approval: str | None = None  #: the id of the approval that lets an effect commit, if there is one

    def __getitem__(self, name: str) -> Any:
        """The declared input ``name``; KeyError if the worker did not declare it."""
        return self.inputs[name]


@dataclass(frozen=True, slots=True)
class Retry:
    """Full-jitter backoff: ``uniform(0, min(cap, base · 2^n))`` seconds, ``attempts`` tries in all."""

    attempts: int = 5
    base_s: float = 1.0
    cap_s: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.base_s < 0 or self.cap_s < 0:
            raise ValueError(f"{self} cannot be: at least one attempt, and no negative seconds")


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker and its declarations."""

    name: str
    call: Callable[..., Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tools: tuple[str, ...] = ()
    #: the tool whose system keeps the effect; None for a worker without external effect
    external: str | None = None
    whole_chunk: bool = False
    timeout_s: float = 60.0  #: for one call
    retry: Retry = Retry()


def worker(
    *,
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
    external: str | None = None,
    whole_chunk: bool = False,
    timeout_s: float = 60.0,
    retry: Retry = Retry(),
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Worker]:
    """Declare the function below as a worker; its name is the service task's id unless given.

    With ``whole_chunk`` the function takes a list of cases and returns a list as long, each item a
    patch or an exception (a :class:`BpmnError` or any other): one item's failure is its own.
    """

    def declare(function: Callable[..., Any]) -> Worker:
        parameters = tuple(inspect.signature(function).parameters)
        if not parameters:
            raise TypeError(f"worker {function.__name__} takes no case: give it a first parameter")
        for what, names in (("inputs", inputs), ("outputs", outputs)):
            if isinstance(names, str) or not all(isinstance(each, str) for each in names):
                raise TypeError(f"worker {function.__name__}: {what} is {names!r}: give a tuple of names, ('a', 'b')")
        if timeout_s <= 0:
            raise ValueError(f"worker {function.__name__}: timeout_s is {timeout_s}: give it some seconds")
        tools = parameters[1:]
        if external is not None and external not in tools:
            raise TypeError(
                f"worker {function.__name__} declares the external system {external!r} but does not take it: "
                f"add a parameter named {external}"
            )
        return Worker(
            name=name or function.__name__,
            call=function,
            inputs=inputs,
            outputs=outputs,
            tools=tools,
            external=external,
            whole_chunk=whole_chunk,
            timeout_s=timeout_s,
            retry=retry,
        )

    return declare
