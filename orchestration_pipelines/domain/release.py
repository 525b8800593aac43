"""The life of a released file (a decision table, a drawing): the table of its legal moves, and who may make them."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """Where a release stands."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Meaning(StrEnum):
    """What a release changes, compared with what is active."""

    FIRST = "first"  #: nothing is active yet
    NEUTRAL = "neutral"  #: every answer is the same, and that is proved
    TIGHTENING = "tightening"  #: nowhere less human review, and that is proved
    LOOSENING = "loosening"  #: anything else


#: one person is enough for these
ALONE = frozenset({Meaning.NEUTRAL, Meaning.TIGHTENING})


class Move(NamedTuple):
    """A legal move of a release, the act that makes it, and whose act it is."""

    source: State
    act: str
    target: State
    whose: str  #: requester, other (anybody but the requester), system (a move that follows from another's)


MOVES: tuple[Move, ...] = (
    Move(State.PROPOSED, "install", State.ACTIVE, "requester"),  # the first of its file
    Move(State.PROPOSED, "enact", State.ACTIVE, "requester"),  # proved to be neutral or tightening
    Move(State.PROPOSED, "approve", State.ACTIVE, "other"),
    Move(State.PROPOSED, "reject", State.REJECTED, "other"),
    Move(State.PROPOSED, "withdraw", State.WITHDRAWN, "requester"),
    Move(State.ACTIVE, "supersede", State.SUPERSEDED, "system"),
)
