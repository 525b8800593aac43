"""One evaluation of an expression or of a decision: what it may spend, what went wrong, and what time it is.

Models are untrusted. A loop, a list, a text and a call cost steps; when they are used up, the evaluation ends with
:class:`FeelLimit`. An error inside FEEL is null, as the standard says (DMN 1.5, clause 10.3.2.13.1), and is told here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType

#: what one evaluation may spend; a step is about half a microsecond, or an item of a list, or some of a text
MAX_STEPS = 1_000_000
#: how many characters of a text a step makes: all texts of an evaluation together stay below 100 MB
CHARACTERS = 25
#: how many frames of Python's stack calls within calls may take; Python itself allows 1,000 for the whole program
MAX_FRAMES = 600
#: what a called function takes of them, beside its body
CALL_FRAMES = 3
#: how many diagnostics are kept; a loop may go wrong a million times for one reason
MAX_DIAGNOSTICS = 100


class FeelLimit(RuntimeError):
    """An evaluation that was stopped: it would have taken too many steps, or calls that nest too deeply."""


def _here() -> datetime:
    return datetime.now().astimezone()


class Evaluation:
    """The budget, the diagnostics and the clock of one evaluation; expressions evaluated together share it."""

    __slots__ = ("_clock", "_frames", "_now", "_steps", "diagnostics")

    def __init__(self, clock: Callable[[], datetime] = _here, steps: int = MAX_STEPS) -> None:
        #: why something was null, in the order in which it happened
        self.diagnostics: list[str] = []
        self._clock = clock
        self._now: datetime | None = None
        self._steps = steps
        self._frames = MAX_FRAMES

    def fault(self, reason: str) -> None:
        """Tell why a value is null, and be that null: ``return evaluation.fault("…")``."""
        if len(self.diagnostics) < MAX_DIAGNOSTICS:
            self.diagnostics.append(reason)

    def spend(self, steps: int = 1) -> None:
        """Use up steps; :class:`FeelLimit` when none are left."""
        self._steps -= steps
        if self._steps < 0:
            raise FeelLimit(
                f"the evaluation was stopped after {MAX_STEPS:,} steps: look for a loop, a range or a list"
                " that is far too long, or a function that never ends"
            )

    def write(self, characters: int) -> None:
        """Use up steps for a text of that length."""
        self.spend(characters // CHARACTERS)

    def now(self) -> datetime:
        """The time of this evaluation, with a zone: the same however often it is asked."""
        if self._now is None:
            self._now = self._clock()
        return self._now

    def enter(self, frames: int = CALL_FRAMES) -> None:
        """Go into a call that takes so many frames of the stack; :class:`FeelLimit` when calls nest too deeply."""
        if frames > self._frames:
            raise FeelLimit(
                "calls nest too deeply: look for a function or a business knowledge model that calls itself"
                " without an end"
            )
        self._frames -= frames

    def leave(self, frames: int = CALL_FRAMES) -> None:
        """Come back from a call that was entered with as many frames."""
        self._frames += frames

    def deeper(self) -> Evaluation:
        """``with evaluation.deeper():`` enters a call and leaves it, whatever happens."""
        return self

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()
