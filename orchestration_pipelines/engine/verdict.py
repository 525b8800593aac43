"""What a station's work came to for one token, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch


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
class Cancelled:
    """Everything is undone: the case ends without an end event of the drawing."""


Way = Arrive | Finish | NoBranch | Undo | Resume | Cancelled


@dataclass(slots=True)
class Done:
    """The visit is over (completed, a business error, a timer), and this is the way on."""

    way: Way
    outcome: str = "completed"
    patch: bytes | None = None  #: encoded JSON of the declared outputs
    detail: bytes | None = None  #: encoded JSON: how a decision came about
    effect: str | None = None  #: done | refused, for a station with an external effect
    arms: tuple[str, bytes] | None = None  #: a compensation handler and its inputs as they are now
    approved_by: list[str] | None = None  #: an approval is given: by people, or by a rule
    voids_approval: bool = False
    actor: str | None = None  #: who, if not the machine


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
class Handoffs:
    """How many tokens a station handed to each next one, and a few of their opaque case ids."""

    counts: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[int]] = field(default_factory=dict)

    def add(self, station: str, case_id: int) -> None:
        """One more."""
        self.counts[station] = self.counts.get(station, 0) + 1
        sample = self.samples.setdefault(station, [])
        if len(sample) < 5:
            sample.append(case_id)

    def merge(self, other: Handoffs) -> None:
        """All of another's."""
        for station, count in other.counts.items():
            self.counts[station] = self.counts.get(station, 0) + count
            sample = self.samples.setdefault(station, [])
            sample.extend(other.samples[station][: 5 - len(sample)])
