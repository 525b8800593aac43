"""What a station's work came to for one token, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch
from orchestration_pipelines.store.tokens import Claimed


def variables_of(token: Claimed) -> Mapping[str, Any]:
    """The variables of a token's case."""
    return decode(token.variables) if isinstance(token.variables, bytes) else token.variables


@dataclass(frozen=True, slots=True)
class Undo:
    """The token goes to a compensation handler, to consume one entry of the saga log."""

    handler: str
    saga_no: int


@dataclass(frozen=True, slots=True)
class Resume:
    """A handler is done: its entry is consumed and the token returns to the throw that called it."""

    throw: str
    saga_no: int


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A decision has no answer, and the drawing does not say what holds then: an incident, never a default flow."""

    station: str
    diagnostics: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Everything is undone: the case ends without an end event of the drawing."""


Way = Arrive | Finish | NoBranch | NoAnswer | Undo | Resume | Cancelled


@dataclass(slots=True)
class Done:
    """The visit is over (completed, a business error, a timer), and this is the way on."""

    way: Way
    outcome: str = "completed"
    patch: Mapping[str, Any] | None = None  #: the declared outputs
    detail: bytes | None = None  #: encoded JSON: how a decision came about
    effect: str | None = None  #: done | refused, for a station with an external effect
    arms: tuple[str, bytes] | None = None  #: a compensation handler and its inputs as they are now
    approved_by: list[str] | None = None  #: an approval is given: by people, or by a rule
    voids_approval: bool = False
    actor: str | None = None  #: who, if not the machine
    voided: tuple[int, ...] = ()  #: the visits whose effects in doubt were undone by key


@dataclass(slots=True)
class Failed:
    """A technical failure: tried again with backoff, then a dead letter."""

    error: str
    traceback: str = ""
    #: True where trying again cannot help (a worker that is not bound, say)
    final: bool = False


@dataclass(slots=True)
class GivenBack:
    """Not begun (the sweep's time is over): the lease ends and the attempt does not count."""


Verdict = Done | Failed | GivenBack


@dataclass(slots=True)
class Step:
    """One station's verdict on one token."""

    station: Station
    token: Claimed
    verdict: Verdict


#: what one token did between two commits: one step, or several through stations that touch nothing outside
Trip = list[Step]
