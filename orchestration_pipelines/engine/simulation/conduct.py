"""How synthetic people work: how long a task takes them, and what they decide. Values, each with its unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

#: each level above the first takes so much less time
_FASTER_BY_LEVEL = 0.1
_FASTEST = 0.3


@dataclass(frozen=True)
class Conduct:
    """Of everybody in a team; probabilities from 0 to 1, times are means of lognormal ones."""

    service: timedelta = timedelta(minutes=45)  #: work on one task, at level 1
    service_of: Mapping[str, timedelta] = field(default_factory=dict)  #: the same by role
    spread: float = 0.5  #: of the logarithm of every time
    approve: float = 0.8  #: cases for which approving is right
    agree: float = 0.95  #: decisions that are as is right
    send_back: float = 0.03  #: decisions that return the case
    send_up: float = 0.02  #: … that escalate it
    edit: float = 0.03  #: approvals with a number changed
    decline: float = 0.01  #: tasks that somebody hands back for another to do
    set_aside: float = 0.15  #: tasks that wait for something in the middle of the work
    set_aside_for: timedelta = timedelta(hours=4)  #: business time
    answer: float = 0.8  #: questions to the requester that are answered at all
    answer_after: timedelta = timedelta(days=2)
    refuse: float = 0.3  #: answers that decline what is offered

    def mean(self, roles: Collection[str], role: str, level: int) -> timedelta:
        """The mean time that somebody of these roles takes for a task asked of ``role``."""
        named = self.service_of.get(role)
        if named is None:
            named = next((self.service_of[each] for each in sorted(roles) if each in self.service_of), self.service)
        return named * max(_FASTEST, 1 - _FASTER_BY_LEVEL * (level - 1))
